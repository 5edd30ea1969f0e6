//! Many calls at once: at an upstream that does not answer, and in one burst.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;

use crate::harness::{PATIENCE, Server, ServerOptions, until};

/// How many calls work at the same time, as ARCHITECTURE.md says.
const AT_WORK: usize = 64;
/// How many requests may have no answer yet.
const IN_FLIGHT: usize = 2_048;

/// An upstream that takes connections, reads their request, and answers when told.
struct Upstream {
    url: String,
    connections: Receiver<TcpStream>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, connections) = channel();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if tell.send(connection).is_err() {
                    return;
                }
            }
        });
        Self { url, connections }
    }

    fn next(&self) -> TcpStream {
        self.connections.recv_timeout(PATIENCE).expect("a connection comes")
    }

    fn server(&self) -> Server {
        let mut options = ServerOptions::embedded()
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tNotARealKeyAtAll00")
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "not-a-real-secret-at-all-000000")
            // No call ends by itself while a test waits.
            .env("ALIBABA_CLOUD_READ_TIMEOUT", "300");
        options.loopback = true;
        let named = ["--endpoint", &self.url, "--region", "cn-hangzhou"];
        options.arguments = named.iter().map(|&word| word.into()).collect();
        Server::start(options)
    }
}

fn answer(mut stream: TcpStream) {
    let mut request = [0; 8 * 1024];
    // The head is enough: all of a listing is in it.
    assert!(stream.read(&mut request).unwrap() > 0);
    let body = r#"{"RequestId":"0e8a0f9c-1f2f-4d0f-9c6e-6a4f2d6b7c11","PageNumber":1,"PageSize":10,"TotalCount":0,"SecretList":{"Secret":[]}}"#;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
}

fn descriptors(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

#[test]
fn calls_at_a_hanging_upstream_wait_for_their_turn() {
    let upstream = Upstream::start();
    let mut server = upstream.server();
    let list = json!({ "name": "ListSecrets", "arguments": {} });
    let calls = AT_WORK * 3;
    for _ in 0..calls {
        server.send("tools/call", list.clone());
    }
    let mut held: Vec<TcpStream> = (0..AT_WORK).map(|_| upstream.next()).collect();
    // All calls were read before this was.
    assert!(server.request("ping", json!({})).get("result").is_some());
    assert!(upstream.connections.try_recv().is_err(), "one more than there should be");
    // For each that is answered one more goes on, and never more.
    for _ in 0..calls - AT_WORK {
        answer(held.remove(0));
        assert_eq!(server.receive()["result"]["structuredContent"]["Status"], "ok");
        held.push(upstream.next());
        assert!(upstream.connections.try_recv().is_err());
    }
    for stream in held {
        answer(stream);
    }
    for _ in 0..AT_WORK {
        assert_eq!(server.receive()["result"]["structuredContent"]["Status"], "ok");
    }
}

#[test]
fn bad_arguments_are_refused_while_all_turns_are_taken() {
    let upstream = Upstream::start();
    let mut server = upstream.server();
    for _ in 0..AT_WORK {
        server.send("tools/call", json!({ "name": "ListSecrets", "arguments": {} }));
    }
    let held: Vec<TcpStream> = (0..AT_WORK).map(|_| upstream.next()).collect();
    for name in [json!([[[]]]), json!("x".repeat(1_000_000))] {
        let refused = server.call("DescribeSecret", json!({ "SecretName": name }));
        assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
    }
    drop(held);
}

/// The resident memory of the stacks of threads, in KiB. A stack is a mapping of the size that the
/// standard library gives one.
fn stacks(server: &Server) -> usize {
    const STACK: usize = 2_048;
    let maps = std::fs::read_to_string(format!("/proc/{}/smaps", server.pid())).unwrap();
    let values = |name: &str| -> Vec<usize> {
        let lines = maps.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(|rest| rest.split_whitespace().next().unwrap().parse().unwrap()).collect()
    };
    let sized = values("Size:").into_iter().zip(values("Rss:"));
    sized.filter(|(size, _)| *size == STACK).map(|(_, resident)| resident).sum()
}

#[test]
fn a_burst_of_calls_needs_no_stack_of_a_worker_each() {
    let mut server = Server::start(ServerOptions::embedded());
    assert!(stacks(&server) > 0, "stacks are found");
    let read = json!({ "name": "GetSecretValue", "arguments": { "SecretName": "app/db" } });
    let calls = 1_000;
    for _ in 0..calls {
        server.send("tools/call", read.clone());
    }
    for _ in 0..calls {
        let answer = server.receive();
        let status = &answer["result"]["structuredContent"]["Status"];
        assert_eq!(status, "confirmation_required", "{answer}");
    }
    // A worker's stack grows to half a MiB where nothing is optimised, that of a thread which only
    // reads a file to a few pages.
    let most = 8 * 1_024;
    assert!(stacks(&server) < most, "{} KiB", stacks(&server));
}

#[test]
fn beyond_what_may_wait_a_call_is_refused() {
    let upstream = Upstream::start();
    let mut server = upstream.server();
    let before = descriptors(&server);
    let list = json!({ "name": "ListSecrets", "arguments": {} });
    for _ in 0..IN_FLIGHT + 10 {
        server.send("tools/call", list.clone());
    }
    for _ in 0..10 {
        let refused = server.receive();
        let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
        assert!(message.contains("not made"), "{refused}");
    }
    let _held: Vec<TcpStream> = (0..AT_WORK).map(|_| upstream.next()).collect();
    until("no more descriptors", || (descriptors(&server) <= before + AT_WORK + 8).then_some(()));
}
