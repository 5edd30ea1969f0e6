//! The approval page, through the real server and a client of a few lines: what a browser sends,
//! and what programs and other sites could.

mod connections;
mod locked;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Pty, Server, ServerOptions, rows_of};

const VALUE: &str = "hunter2-hunter2";
const PIN: &str = "four horses";

/// What the page answered.
#[derive(Debug)]
struct Seen {
    status: u16,
    head: String,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        let line = |line: &'_ &str| {
            line.split_once(": ").is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        let found = self.head.lines().find(line).unwrap_or_else(|| panic!("{name}: {}", self.head));
        found.split_once(": ").unwrap().1
    }

    fn seal(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"seal\" value=\"").expect("a form");
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// The rows of the record: name and value, as a person reads them.
    fn rows(&self) -> Vec<(String, String)> {
        let plain = |text: &str| {
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&amp;", "&")
        };
        let (_, all) = self.body.split_once("<dl>").unwrap();
        let rows = all.split_once("</dl>").unwrap().0.split("<dt>").skip(1).map(|row| {
            let (name, rest) = row.split_once("</dt><dd").unwrap();
            let (_, value) = rest.split_once('>').unwrap();
            (plain(name), plain(value.split_once("</dd>").unwrap().0))
        });
        rows.collect()
    }
}

/// A question that was asked, and its page.
struct Asked {
    tool: String,
    arguments: Value,
    token: String,
    code: String,
    host: String,
    path: String,
}

impl Asked {
    fn ask(server: &mut Server, tool: &str, arguments: Value) -> Self {
        let asked = server.call(tool, arguments.clone());
        let text = |name: &str| {
            let found = asked["Confirmation"][name].as_str();
            found.unwrap_or_else(|| panic!("{name}: {asked}")).to_owned()
        };
        let address = text("ApproveAt");
        let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
        Self {
            tool: tool.into(),
            arguments,
            token: text("Token"),
            code: text("MatchCode"),
            host: host.into(),
            path: format!("/{path}"),
        }
    }

    fn disclosure(server: &mut Server) -> Self {
        Self::ask(
            server,
            "GetSecretValue",
            json!({ "SecretName": "app/db", "Destination": "agent" }),
        )
    }

    fn forced(server: &mut Server) -> Self {
        let arguments = json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true });
        Self::ask(server, "DeleteSecret", arguments)
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Seen {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if headers.iter().all(|(name, _)| *name != "Host") {
            request += &format!("Host: {}\r\n", self.host);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Seen { status, head: head.into(), body: body.into() }
    }

    fn open(&self) -> Seen {
        self.send("GET", &self.path, &[], "")
    }

    /// Sends a form without a look at the page.
    fn post(&self, body: &str) -> Seen {
        self.post_with(&[], body)
    }

    fn post_with(&self, headers: &[(&str, &str)], body: &str) -> Seen {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", &self.path, &[&[form], headers].concat(), body)
    }

    /// Opens the page and sends its form, filled in.
    fn answer(&self, rest: &str) -> Seen {
        self.post(&format!("seal={}&{rest}", self.open().seal()))
    }

    fn redeem(&self, server: &mut Server) -> Value {
        let mut again = self.arguments.clone();
        again["ConfirmationToken"] = self.token.clone().into();
        server.call(&self.tool, again)
    }

    #[track_caller]
    fn still_waits(&self, server: &mut Server) {
        let answer = self.redeem(server);
        assert_eq!(answer["Status"], "confirmation_required", "{answer}");
    }
}

fn server(pin: bool) -> Server {
    let mut server = Server::start(ServerOptions::embedded().config("wait_seconds = 0\n"));
    if pin {
        let state = server.state();
        let arguments = ["pin", "set", "--state-dir", state.to_str().unwrap()];
        let turns = [("New PIN", PIN), ("again: ", PIN)];
        let screen = Pty::converse(server.home(), &arguments, &turns);
        assert!(screen.status.success(), "{}", screen.text);
    }
    server.create("app/db", VALUE);
    server
}

/// Also what SECURITY.md says: without a PIN, the address is enough for any program of the user.
#[test]
fn a_yes_on_the_page_is_used_once_and_a_no_stands() {
    let mut server = server(false);
    let yes = Asked::disclosure(&mut server);
    let page = yes.open();
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains(&format!("<strong>{}</strong>", yes.code)), "{}", page.body);
    assert!(page.body.contains("none is set"), "{}", page.body);
    let (deny, approve) = (page.body.find("value=\"deny\""), page.body.find("value=\"approve\""));
    assert!(deny.is_some() && deny < approve, "the first button is the default one");
    assert!(!page.body.contains(VALUE) && !page.body.contains(&yes.token));
    let done = yes.answer("answer=approve");
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.body.contains("Approved") && done.body.contains("aria-live"), "{}", done.body);
    assert_eq!(yes.redeem(&mut server)["Result"]["SecretData"], VALUE);
    assert_eq!(yes.redeem(&mut server)["Error"]["Code"], "ConfirmationUsed");

    let no = Asked::disclosure(&mut server);
    assert_eq!(no.answer("answer=deny").status, 200);
    assert_eq!(no.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
}

#[test]
fn a_question_is_decided_once() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let seal = asked.open().seal();
    assert_eq!(asked.post(&format!("seal={seal}&answer=deny")).status, 200);
    let second = asked.post(&format!("seal={seal}&answer=approve"));
    assert_eq!(second.status, 409, "{second:?}");
    assert_eq!(asked.open().status, 404);
    assert_eq!(asked.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
}

#[test]
fn what_waits_is_listed_below_the_random_part_alone() {
    let mut server = server(false);
    let (one, two) = (Asked::disclosure(&mut server), Asked::forced(&mut server));
    let (list, _) = one.path.rsplit_once('/').unwrap();
    assert_eq!(list.len(), 33, "128 random bits");
    let seen = one.send("GET", &format!("{list}/"), &[], "");
    assert_eq!(seen.status, 200);
    for asked in [&one, &two] {
        assert!(seen.body.contains(&format!("href=\"{}\">{}", asked.path, asked.code)), "{seen:?}");
    }
    let wrong = format!("/{}/", "0".repeat(32));
    for path in ["/", "/favicon.ico", list, "//", &wrong, &one.path[33..], "*"] {
        let seen = one.send("GET", path, &[], "");
        assert!(matches!(seen.status, 400 | 404), "{path}: {seen:?}");
        assert!(!seen.body.contains(&list[1..]) && !seen.body.contains(&one.code), "{seen:?}");
    }
    // Another start has another address.
    let other = Asked::disclosure(&mut self::server(false));
    assert_ne!(other.path[..33], one.path[..33]);
}

#[test]
fn other_hosts_origins_and_proxies_are_turned_away() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let form = format!("seal={}&answer=approve", asked.open().seal());
    let port = asked.host.split_once(':').unwrap().1;
    let (forwarded, own) = (
        format!("localhost:{}", port.parse::<u16>().unwrap() ^ 1),
        format!("http://{}", asked.host),
    );
    let https = own.replace("http:", "https:");
    let bad: [&[(&str, &str)]; 13] = [
        &[("Host", &forwarded)],
        &[("Host", "evil.test")],
        &[("Host", "127.0.0.1")],
        &[("Host", &asked.host), ("Host", "evil.test")],
        &[("Origin", "http://evil.test")],
        &[("Origin", "null")],
        &[("Origin", &https)],
        &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
        &[("Origin", &own), ("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("X-Forwarded-For", "192.0.2.1")],
        &[("Forwarded", "for=192.0.2.1")],
        &[("X-Forwarded-Host", &asked.host)],
    ];
    for headers in bad {
        for seen in [asked.send("GET", &asked.path, headers, ""), asked.post_with(headers, &form)] {
            // A second Host may be refused before us.
            assert!(matches!(seen.status, 400 | 403), "{headers:?}: {seen:?}");
            assert!(!seen.body.contains(&asked.code), "{headers:?}");
        }
    }
    asked.still_waits(&mut server);
    // As a browser sends it from a page without a referrer.
    let headers = [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(asked.post_with(&headers, &form).status, 200);
}

#[test]
fn only_the_form_of_this_question_decides() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let arguments = json!({ "SecretName": "app/db", "Destination": "agent", "Reason": "another" });
    let other = Asked::ask(&mut server, "GetSecretValue", arguments);
    let (seal, foreign) = (asked.open().seal(), other.open().seal());
    let elsewhere = Asked::disclosure(&mut self::server(false)).open().seal();
    let zeros = "0".repeat(64);
    for wrong in ["", &foreign, &elsewhere, &zeros, &seal[..63], &seal.to_uppercase()] {
        let seen = asked.post(&format!("seal={wrong}&answer=approve"));
        assert_eq!(seen.status, 403, "{wrong}: {seen:?}");
    }
    let long = format!("seal={seal}&answer=approve&name={}", "x".repeat(4096));
    for (body, status) in [
        ("answer=approve".to_owned(), 403),
        (format!("seal={seal}"), 422),
        (format!("seal={seal}&answer=yes"), 400),
        (format!("seal={seal}&answer=deny&answer=approve"), 400),
        (format!("seal={seal}&answer=approve&level=none"), 400),
        (String::new(), 400),
        (long, 413),
    ] {
        assert_eq!(asked.post(&body).status, status, "{body:.120}");
    }
    let form = format!("seal={seal}&answer=approve");
    for kind in ["text/plain", "multipart/form-data", "application/json"] {
        let seen = asked.send("POST", &asked.path, &[("Content-Type", kind)], &form);
        assert_eq!(seen.status, 415, "{kind}");
    }
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"] {
        assert_eq!(asked.send(method, &asked.path, &[], "").status, 405, "{method}");
    }
    // No GET decides, whatever it carries.
    let query = format!("{}?{form}", asked.path);
    assert_eq!(asked.send("GET", &query, &[], &form).status, 200);
    asked.still_waits(&mut server);
    assert_eq!(asked.post(&form).status, 200);
    other.still_waits(&mut server);
}

#[test]
fn a_record_that_was_changed_in_the_store_is_not_decided() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    let seal = asked.open().seal();
    let store = rusqlite::Connection::open(server.state().join("store.sqlite")).unwrap();
    let change = "UPDATE approvals SET record = CAST(replace(CAST(record AS TEXT), 'app/db', 'app/xx') AS BLOB)";
    assert_eq!(store.execute(change, []).unwrap(), 1);
    let seen = asked.open();
    assert_eq!(seen.status, 503);
    assert!(!seen.body.contains("app/xx"), "{seen:?}");
    assert_eq!(asked.post(&format!("seal={seal}&answer=approve")).status, 503);
    // With a digest that fits it is another record than the form was made for.
    assert_eq!(store.execute("UPDATE approvals SET digest = zeroblob(32)", []).unwrap(), 1);
    assert_eq!(asked.post(&format!("seal={seal}&answer=approve")).status, 503);
    asked.still_waits(&mut server);
}

#[test]
fn with_a_pin_every_decision_takes_it() {
    let mut server = server(true);
    let asked = Asked::disclosure(&mut server);
    let page = asked.open();
    assert!(page.body.contains("type=\"password\""), "{}", page.body);
    assert!(!page.body.contains("none is set"), "{}", page.body);
    for answer in ["approve", "deny"] {
        for pin in ["", "&pin="] {
            assert_eq!(asked.answer(&format!("answer={answer}{pin}")).status, 422, "{answer}");
        }
    }
    let wrong = asked.answer("answer=approve&pin=five+horses");
    assert_eq!(wrong.status, 403);
    assert!(wrong.body.contains("wrong PIN; attempts left: 4"), "{}", wrong.body);
    assert!(wrong.body.contains("role=\"alert\"") && !wrong.body.contains("five"), "{wrong:?}");
    asked.still_waits(&mut server);
    let right = asked.answer("answer=approve&pin=four+horses");
    assert_eq!(right.status, 200, "{right:?}");
    assert_eq!(asked.redeem(&mut server)["Result"]["SecretData"], VALUE);
    // Nothing is remembered of it.
    let next = Asked::disclosure(&mut server);
    assert_eq!(next.answer("answer=approve").status, 422);
    assert_eq!(next.answer("answer=deny&pin=four+horses").status, 200);
    assert_eq!(next.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
    assert!(!server.transcript.contains(PIN));
}

#[test]
fn the_page_and_the_terminal_share_the_lock() {
    let mut server = server(true);
    let asked = Asked::disclosure(&mut server);
    let state = server.state();
    let terminal = |server: &Server, pin: &str| {
        let arguments = ["approve", &asked.code, "--state-dir", state.to_str().unwrap()];
        Pty::converse(server.home(), &arguments, &[("[y/N]", "y"), ("PIN: ", pin)]).text
    };
    for left in [4, 3] {
        let seen = asked.answer("answer=approve&pin=five+horses");
        assert!(seen.body.contains(&format!("attempts left: {left}")), "{}", seen.body);
    }
    for left in [2, 1] {
        let seen = terminal(&server, "five horses");
        assert!(seen.contains(&format!("attempts left: {left}")), "{seen}");
    }
    let fifth = asked.answer("answer=approve&pin=five+horses");
    assert!(fifth.body.contains("locked for 10 minutes"), "{}", fifth.body);
    assert_eq!(asked.answer("answer=approve&pin=four+horses").status, 403);
    assert!(terminal(&server, PIN).contains("the PIN is locked"));
    asked.still_waits(&mut server);
}

#[test]
fn what_nothing_brings_back_wants_its_name() {
    let mut server = server(false);
    let asked = Asked::forced(&mut server);
    assert!(asked.open().body.contains("type the name of the secret"));
    for name in ["", "&name=", "&name=app", "&name=APP/DB", "&name=yes"] {
        let seen = asked.answer(&format!("answer=approve{name}"));
        assert_eq!(seen.status, 422, "{name}: {seen:?}");
        assert!(seen.body.contains("not the name"), "{}", seen.body);
    }
    asked.still_waits(&mut server);
    assert_eq!(asked.answer("answer=approve&name=app%2Fdb").status, 200);
    assert_eq!(asked.redeem(&mut server)["Outcome"], "deleted");
    // A no needs no name.
    server.create("app/db", VALUE);
    let asked = Asked::forced(&mut server);
    assert_eq!(asked.answer("answer=deny&name=").status, 200);
}

#[test]
fn every_answer_has_the_same_locks_on_it() {
    let mut server = server(false);
    let asked = Asked::disclosure(&mut server);
    for seen in [
        asked.open(),
        asked.send("GET", "/", &[], ""),
        asked.send("GET", &asked.path, &[("Host", "evil.test")], ""),
        asked.post(""),
        asked.answer("answer=deny"),
    ] {
        let policy = seen.header("content-security-policy");
        for part in [
            "default-src 'none'; style-src 'sha256-",
            "; form-action 'self'",
            "; frame-ancestors 'none'",
            "; base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(seen.header("referrer-policy"), "no-referrer");
        assert_eq!(seen.header("cache-control"), "no-store");
        assert_eq!(seen.header("x-content-type-options"), "nosniff");
        assert_eq!(seen.header("content-type"), "text/html; charset=utf-8");
        assert!(!seen.head.to_ascii_lowercase().contains("set-cookie"), "{}", seen.head);
        assert!(seen.body.contains("<html lang=\"en\">"), "{}", seen.body);
        assert!(!seen.body.contains("<script") && !seen.body.contains("style=\""));
        // The hash is that of the sheet as it was sent.
        let sheet = seen.body.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = <sha2::Sha256 as sha2::Digest>::digest(sheet);
        let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    }
}

#[test]
fn text_of_others_is_escaped_and_the_same_as_on_the_terminal() {
    let mut server = server(false);
    let hostile = "</dd><script>alert(1)</script><img src=x onerror=1>&quot;'\"";
    let hidden = "a\u{202e}b\u{200b}c\u{1b}[31m";
    let tagged = server.call(
        "CreateSecret",
        json!({ "SecretName": "app/tagged", "VersionId": "v1", "SecretData": VALUE,
                "Tags": [{ "TagKey": "note", "TagValue": "of-others" }] }),
    );
    assert_eq!(tagged["Outcome"], "created", "{tagged}");
    let calls = [
        (
            "GetSecretValue",
            json!({ "SecretName": "app/tagged", "Destination": "agent", "Reason": hostile }),
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/new", "VersionId": "v1", "SecretData": VALUE, "DKMSInstanceId": "kst-1",
            "Description": format!("{hostile}{hidden}"),
            "Policy": { "Version": "1", "Statement": [{ "Effect": "Allow", "Principal": { "RAM": ["acs:ram::1234567890123456:*"] },
                "Action": ["kms:*"], "Resource": ["*"] }] }, "Reason": "to  test" }),
        ),
    ];
    for (tool, arguments) in calls {
        let asked = Asked::ask(&mut server, tool, arguments);
        let seen = asked.open();
        assert_eq!(seen.status, 200);
        assert!(!seen.body.contains("<script") && !seen.body.contains("<img"), "{}", seen.body);
        assert!(seen.body.contains("&lt;script&gt;"), "{}", seen.body);
        for character in ['\u{202e}', '\u{200b}', '\u{1b}'] {
            assert!(!seen.body.contains(character), "{character:?}");
        }
        assert!(!seen.body.contains(VALUE));
        let state = server.state();
        let arguments = ["approve", &asked.code, "--state-dir", state.to_str().unwrap(), "--deny"];
        let terminal = Pty::run(server.home(), &arguments, &[]).text;
        let rows = seen.rows();
        assert!(rows.len() > 10, "{rows:?}");
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let shown: Vec<_> =
            rows_of(&terminal).into_iter().map(|(name, value)| (name, bare(&value))).collect();
        for (name, value) in rows {
            let row = (name, bare(&value));
            assert!(shown.contains(&row), "{row:?}\n{terminal}");
        }
    }
}

#[test]
fn an_address_is_given_where_a_person_is_asked_and_stays_while_it_waits() {
    let mut server = server(false);
    let masked = server.call("GetSecretValue", json!({ "SecretName": "app/db" }));
    assert_eq!(masked["Status"], "confirmation_required", "{masked}");
    assert!(masked["Confirmation"].get("ApproveAt").is_none(), "{masked}");
    let asked = Asked::disclosure(&mut server);
    let again = asked.redeem(&mut server);
    let address = format!("http://{}{}", asked.host, asked.path);
    assert_eq!(again["Confirmation"]["ApproveAt"], address, "{again}");
    assert!(again["Confirmation"]["ApproveWith"].is_string(), "{again}");
    assert!(again["Notes"][0].as_str().unwrap().contains("ApproveAt"), "{again}");
}

#[test]
fn a_browser_is_opened_once_a_question_if_the_person_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let tools = tempfile::tempdir().unwrap();
    let opened = tools.path().join("opened");
    for name in ["xdg-open", "open"] {
        let program = tools.path().join(name);
        let script = format!("#!/bin/sh\necho \"$*\" >> {0}\nenv >> {0}\n", opened.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", tools.path().display());
    let text = || std::fs::read_to_string(&opened).unwrap_or_default();
    for open in [false, true] {
        let config = format!("wait_seconds = 0\nopen_browser = {open}\n");
        let options = ServerOptions::embedded().config(&config).env("PATH", &path);
        let mut server = Server::start(options.env("APP_PASSWORD", "not-for-a-browser"));
        server.create("app/db", VALUE);
        for _ in 0..2 {
            let asked = Asked::disclosure(&mut server);
            asked.still_waits(&mut server);
            let address = format!("http://{}{}", asked.host, asked.path);
            let mut turns = 0;
            while open && !text().contains(&format!("{address}\n")) {
                std::thread::sleep(std::time::Duration::from_millis(20));
                turns += 1;
                assert!(turns < 3_000, "the browser is opened: {}", text());
            }
            assert_eq!(text().matches(&address).count(), usize::from(open));
        }
    }
    assert!(!text().contains("not-for-a-browser"), "{}", text());
}
