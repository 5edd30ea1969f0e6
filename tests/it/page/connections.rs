//! Who reaches the page, under which name, and how many at a time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::{Asked, VALUE, server};
use crate::harness::{PATIENCE, Pty, Server, ServerOptions};

#[test]
fn the_page_answers_under_every_name_of_this_machine() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let (_, port) = asked.host.split_once(':').unwrap();
    for name in ["127.0.0.1", "localhost", "[::1]"] {
        let host = format!("{name}:{port}");
        let seen = asked.send("GET", &asked.path, &[("Host", &host)], "");
        assert_eq!(seen.status, 200, "{host}: {seen:?}");
        let origin = format!("http://{host}");
        let headers = [("Host", host.as_str()), ("Origin", &origin)];
        let form = format!("seal={}&answer=approve&name=x", seen.seal());
        let body = form.replace("answer=approve", "answer=");
        // The form is looked at: it holds no answer that there is.
        assert_eq!(asked.post_with(&headers, &body).status, 400, "{host}");
    }
    // Where there is IPv6 the page is there too, at the same port.
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let mut stream = TcpStream::connect(format!("[::1]:{port}")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let path = &asked.path;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: [::1]:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(&asked.code), "{answer}");
    }
}

#[test]
fn through_a_forwarded_port_the_page_says_what_to_run() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let other = asked.host.split_once(':').unwrap().1.parse::<u16>().unwrap() ^ 1;
    for name in ["127.0.0.1", "localhost", "[::1]"] {
        let seen = asked.send("GET", &asked.path, &[("Host", &format!("{name}:{other}"))], "");
        assert_eq!(seen.status, 403, "{seen:?}");
        for words in ["ApproveWith", "`kms-mcp approve`"] {
            assert!(seen.body.contains(words), "{words}: {}", seen.body);
        }
        assert!(!seen.body.contains(&asked.code), "{}", seen.body);
    }
}

#[test]
fn requests_that_do_not_end_take_no_newer_connections_place() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let begin = || {
        let mut stream = TcpStream::connect(&asked.host).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        stream
    };
    let before: Vec<TcpStream> = (0..40).map(|_| begin()).collect();
    assert_eq!(asked.open().status, 200);
    let mut person = TcpStream::connect(&asked.host).unwrap();
    let after: Vec<TcpStream> = (0..20).map(|_| begin()).collect();
    assert_eq!(asked.open().status, 200, "all were accepted");
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", asked.path, asked.host);
    person.write_all(format!("{request}Connection: close\r\n\r\n").as_bytes()).unwrap();
    person.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    person.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop((before, after));
}

#[test]
fn idle_connections_keep_nobody_from_the_page() {
    let few = ["sh", "-c", "ulimit -n 96; exec \"$0\" \"$@\""];
    let mut server = Server::start(ServerOptions::embedded().through(&few));
    let secret = json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": VALUE });
    assert_eq!(server.call("CreateSecret", secret)["Outcome"], "created");
    let asked = Asked::disclosure(&mut server);
    // Some say nothing, the others begin a request and do not end it.
    let idle: Vec<TcpStream> = (0..120)
        .map(|number| {
            let mut stream = TcpStream::connect(&asked.host).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
            }
            stream
        })
        .collect();
    assert_eq!(idle.len(), 120);
    let page = asked.open();
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok");
    let screen = Pty::approve(server.home(), &[&asked.code], &["y"]);
    assert!(screen.text.contains("Approved."), "{}", screen.text);
    let given = asked.redeem(&mut server);
    assert_eq!(given["Result"]["SecretData"], VALUE, "{given}");
}
