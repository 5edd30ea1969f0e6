//! A value for the person's eyes: approved on the page and shown there, once, and nowhere else.

use serde_json::{Value, json};

use crate::harness::{
    Emulator, Era, Gate, Question, Server, ServerOptions, decide_at, look_at, press_at,
};

const VALUE: &str = "\n</textarea><b>correct & \"horse\"</b>";
/// As HTML, without the newline that a browser drops.
const SEEN: &str = "\n&lt;/textarea&gt;&lt;b&gt;correct &amp; &quot;horse&quot;&lt;/b&gt;";

fn server(emulator: &Emulator) -> Server {
    let mut server =
        Server::start(ServerOptions::with_emulator(emulator).config("wait_seconds = 0\n"));
    server.create("app/db", VALUE);
    // What is looked for later is what the agent gave itself.
    server.transcript.clear();
    server
}

/// A question whose value is for the person, and the address of its page.
fn asked(server: &mut Server) -> (Question, String) {
    let arguments = json!({ "SecretName": "app/db", "Destination": "person" });
    let asked = server.call("GetSecretValue", arguments.clone());
    // `kms-mcp approve` would ask, and then have nowhere to show the value.
    let notes = asked["Notes"].to_string();
    assert!(notes.contains("open ApproveAt") && !notes.contains("run ApproveWith"), "{notes}");
    let text = |name: &str| asked["Confirmation"][name].as_str().unwrap().to_owned();
    let (token, code) = (text("Token"), text("MatchCode"));
    let question = Question { tool: "GetSecretValue".into(), arguments, token, code };
    (question, text("ApproveAt"))
}

/// Says yes on the page; the address where the value will be shown.
fn approved(page: &str) -> String {
    let seen = decide_at(page, "answer=approve");
    assert!(seen.contains("Keep this page open"), "{seen}");
    let (_, rest) = seen.split_once("content=\"2; url=/").expect("it looks again by itself");
    let (origin, _) = page.split_at(page[7..].find('/').unwrap() + 8);
    format!("{origin}{}", rest.split_once('"').unwrap().0)
}

#[test]
fn the_value_is_shown_once_to_who_approved_it_and_to_nobody_else() {
    let emulator = Emulator::start();
    let mut server = server(&emulator);
    let (question, page) = asked(&mut server);
    assert!(look_at(&page).contains("you, on the approval page"));
    let place = approved(&page);
    assert!(look_at(&place).contains("on its way"));
    assert!(press_at(&place, "").starts_with("HTTP/1.1 404"), "there is nothing yet");
    let done = question.redeem(&mut server);
    assert_eq!(done["Status"], "ok", "{done}");
    assert_eq!(done["Result"]["SecretData"], "***");
    assert!(done["Notes"].to_string().contains("shown once on the approval page"), "{done}");
    // To look whether it is there shows nothing and uses nothing up.
    for _ in 0..2 {
        let ready = look_at(&place);
        assert!(ready.contains("Show the value") && !ready.contains("horse"), "{ready}");
    }
    let shown = press_at(&place, "");
    assert!(shown.contains(&format!(">\n{SEEN}</textarea>")), "{shown}");
    assert_eq!(shown.matches("horse").count(), 1);
    assert!(shown.to_ascii_lowercase().contains("cache-control: no-store"), "{shown}");
    for again in [press_at(&place, ""), look_at(&place)] {
        assert!(again.starts_with("HTTP/1.1 404") && !again.contains("horse"), "{again}");
    }
    // Neither the value nor the way to it ever went to the agent, nor into the log.
    let secret = place.rsplit('/').next().unwrap();
    let log = json!(server.audit()).to_string();
    for kept in [&server.transcript, &log] {
        assert!(!kept.contains("horse") && !kept.contains(secret), "{kept}");
    }
    assert!(log.contains(r#""destination":"person""#), "{log}");
    // The one look is on record, by the approval that allowed it.
    let records = server.audit();
    let of = |event: &str| -> Vec<&Value> {
        records.iter().filter(|record| record["event"] == event).collect()
    };
    let (seen, yes) = (of("shown"), of("approved"));
    assert_eq!((seen.len(), yes.len()), (1, 1), "{log}");
    assert_eq!(seen[0]["approval"]["token_id"], yes[0]["approval"]["token_id"]);
    assert_eq!(seen[0]["approval"]["method"], "page");
    assert_eq!((&seen[0]["destination"], &seen[0]["outcome"]), (&json!("person"), &json!("shown")));
    assert_eq!(seen[0]["resource"]["name"], yes[0]["resource"]["name"]);
    let (status, stderr) = server.finish();
    assert!(status.success() && !stderr.contains("horse") && !stderr.contains(secret), "{stderr}");
}

#[test]
fn where_it_cannot_be_shown_it_cannot_be_approved() {
    let emulator = Emulator::start();
    let mut server = server(&emulator);
    let (question, page) = asked(&mut server);
    let screen = question.decide(&server, &["y"]);
    assert!(screen.text.contains("approval page") && !screen.status.success(), "{}", screen.text);
    assert_eq!(question.redeem(&mut server)["Status"], "confirmation_required");
    // Another server of the same person has another page.
    let options = ServerOptions::with_emulator(&emulator).config("wait_seconds = 0\n");
    let mut other = Server::start_in(server.home(), options);
    let (_, elsewhere) = asked(&mut other);
    let name = page.rsplit('/').next().unwrap();
    let (folder, _) = elsewhere.rsplit_once('/').unwrap();
    let seen = decide_at(&format!("{folder}/{name}"), "answer=approve");
    assert!(seen.contains("another kms-mcp asks this"), "{seen}");
    assert_eq!(question.redeem(&mut server)["Status"], "confirmation_required");
    // To deny needs no page.
    assert!(question.decide(&server, &["n"]).text.contains("Denied."));
    assert_eq!(question.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

/// Not even by who writes the store: the value is not asked for.
#[test]
fn a_value_that_nobody_waits_for_is_not_fetched() {
    let emulator = Emulator::start();
    let mut server = server(&emulator);
    let (question, _) = asked(&mut server);
    let store = rusqlite::Connection::open(server.state().join("store.sqlite")).unwrap();
    let changed = store.execute(
        "UPDATE approvals SET state = 'approved', method = 'page', who = 'x', decided_ms = created_ms",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let refused = question.redeem(&mut server);
    assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
    assert!(refused["Error"]["Message"].to_string().contains("approval page"), "{refused}");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

#[test]
fn a_policy_that_asks_no_person_has_nobody_to_show_it_to() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let rule = r#"
version = 1
[[rule]]
id = "all"
risk = ["inspect", "write", "reveal", "destroy"]
allow = true
reason = "Test."
examples = [{ action = "GetSecretValue", destination = "person", expect = "none" }]
"#;
    std::fs::write(&policy, rule).unwrap();
    let emulator = Emulator::start();
    let config = format!("policy = {:?}\n", policy.display().to_string());
    let mut server = Server::start(ServerOptions::with_emulator(&emulator).config(&config));
    server.create("app/db", VALUE);
    let arguments = json!({ "SecretName": "app/db", "Destination": "person" });
    let refused = server.call("GetSecretValue", arguments);
    assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

/// Promise 5: a disclosure that is not on record did not happen.
#[test]
fn what_cannot_be_recorded_is_not_shown() {
    let emulator = Emulator::start();
    let gate = Gate::before(&emulator, "GetSecretValue");
    let options = ServerOptions::with_emulator(&emulator).era(Era::V2025_11_25).at(&gate.url);
    let mut server = Server::start(options);
    server.create("app/db", VALUE);
    let (question, page) = asked(&mut server);
    let place = approved(&page);
    let call = json!({ "name": "GetSecretValue", "arguments": question.with_token() });
    let id = server.send("tools/call", call);
    gate.wait();
    std::fs::remove_dir_all(server.state().join("audit")).unwrap();
    gate.open();
    let answer = server.receive();
    assert_eq!(answer["id"], json!(id));
    let code: &Value = &answer["result"]["structuredContent"]["Error"]["Code"];
    assert_eq!(code, "AuditUnavailable", "{answer}");
    let seen = look_at(&place);
    assert!(seen.contains("on its way") && !seen.contains("horse"), "{seen}");
    assert!(press_at(&place, "").starts_with("HTTP/1.1 404"));
}

/// Nor is it shown by the press that follows the answer.
#[test]
fn a_showing_that_cannot_be_recorded_shows_nothing() {
    let emulator = Emulator::start();
    let mut server = server(&emulator);
    let (question, page) = asked(&mut server);
    let place = approved(&page);
    assert_eq!(question.redeem(&mut server)["Status"], "ok");
    assert!(look_at(&place).contains("Show the value"));
    std::fs::remove_dir_all(server.state().join("audit")).unwrap();
    let refused = press_at(&place, "");
    assert!(refused.starts_with("HTTP/1.1 503") && !refused.contains("horse"), "{refused}");
    for again in [press_at(&place, ""), look_at(&place)] {
        assert!(again.starts_with("HTTP/1.1 404") && !again.contains("horse"), "{again}");
    }
}
