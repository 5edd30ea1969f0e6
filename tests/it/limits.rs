//! How often a person is asked: across processes, through the store (approval fatigue, threats in
//! SECURITY.md); and one yes for a listed set.

use std::cell::RefCell;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Pty, Question, Server, ServerOptions, Turn};

const VALUE: &str = "hunter2-hunter2";

fn disclosure(name: &str) -> Value {
    json!({ "SecretName": name, "Destination": "agent" })
}

fn refused(server: &mut Server, tool: &str, arguments: Value, code: &str) -> String {
    let answer = server.call(tool, arguments);
    assert_eq!(answer["Status"], "denied", "{answer}");
    assert_eq!(answer["Error"]["Code"], code, "{answer}");
    assert_eq!(answer["Error"]["Changed"], "no", "{answer}");
    assert!(answer["Confirmation"].is_null(), "nobody is asked: {answer}");
    answer["Error"]["Next"].as_str().unwrap().to_owned()
}

/// Moves what the store remembers into the past.
fn age(server: &Server, milliseconds: i64) {
    let store = Connection::open(server.state().join("store.sqlite")).unwrap();
    store.busy_timeout(crate::harness::PATIENCE).unwrap();
    let update = "UPDATE approvals SET created_ms = created_ms - ?1, decided_ms = decided_ms - ?1,
        expires_ms = expires_ms - ?1";
    store.execute(update, [milliseconds]).unwrap();
}

fn denials(server: &Server, code: &str) -> usize {
    let files = std::fs::read_dir(server.state().join("audit")).unwrap();
    let text: String =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["event"] == "denied" && record["code"] == code)
        .count()
}

#[test]
fn three_questions_of_a_process_wait_at_a_time() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    for n in 0..5 {
        server.create(&format!("app/{n}"), VALUE);
    }
    let asked: Vec<Question> =
        (0..3).map(|n| Question::disclosure(&mut server, &format!("app/{n}"))).collect();
    let next = refused(&mut server, "GetSecretValue", disclosure("app/3"), "TooManyPending");
    let command = format!("`{BINARY} approve --state-dir {}`", server.state().display());
    assert!(next.contains(&command), "{next}");
    // A token that needs nobody takes no room, and neither does what is allowed.
    let masked = server.call("GetSecretValue", json!({ "SecretName": "app/3" }));
    assert_eq!(masked["Status"], "confirmation_required");
    // Another process has room of its own.
    let mut other = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    Question::disclosure(&mut other, "app/3");
    // A decision makes room. A program that moves the rows into the past does not.
    asked[0].approve(&server);
    Question::disclosure(&mut server, "app/3");
    refused(&mut server, "GetSecretValue", disclosure("app/4"), "TooManyPending");
    assert_eq!(denials(&server, "TooManyPending"), 2);
    age(&server, 600_000);
    refused(&mut server, "GetSecretValue", disclosure("app/4"), "TooManyPending");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

#[test]
fn of_many_questions_at_once_three_wait() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    for n in 0..30 {
        server.create(&format!("app/{n}"), VALUE);
    }
    for n in 0..30 {
        let arguments = disclosure(&format!("app/{n}"));
        server.send("tools/call", json!({ "name": "GetSecretValue", "arguments": arguments }));
    }
    let answers: Vec<Value> =
        (0..30).map(|_| server.receive()["result"]["structuredContent"].clone()).collect();
    let asked = answers.iter().filter(|one| one["Status"] == "confirmation_required").count();
    let refused = answers.iter().filter(|one| one["Error"]["Code"] == "TooManyPending").count();
    assert_eq!((asked, refused), (3, 27));
}

#[test]
fn ten_questions_in_ten_minutes_whoever_asks() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let start = || Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    let mut first = start();
    for n in 0..11 {
        first.create(&format!("app/{n}"), VALUE);
    }
    // Restarting and starting more of us does not help.
    let mut servers = [first, start(), start(), start()];
    for n in 0..10 {
        Question::disclosure(&mut servers[n / 3], &format!("app/{n}"));
    }
    refused(&mut servers[3], "GetSecretValue", disclosure("app/10"), "TooManyQuestions");
    let mut later = start();
    refused(&mut later, "GetSecretValue", disclosure("app/10"), "TooManyQuestions");
    age(&later, 600_000);
    Question::disclosure(&mut later, "app/10");
}

#[test]
fn who_said_no_is_not_asked_again_at_once() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    assert!(question.decide(&server, &["n"]).text.contains("Denied."));
    assert_eq!(question.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
    refused(&mut server, "GetSecretValue", disclosure("app/db"), "ConfirmationCoolOff");
    let elsewhere = json!({ "SecretName": "app/db", "Destination": "file", "FileName": "x", "Reason": "please" });
    refused(&mut server, "GetSecretValue", elsewhere, "ConfirmationCoolOff");
    let mut other = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    refused(&mut other, "GetSecretValue", disclosure("app/db"), "ConfirmationCoolOff");
    // Nor is it another question under the name of its ARN.
    let arn = format!("acs:kms:cn-hangzhou:{}:secret/app/db", emulator.account_id);
    refused(&mut server, "GetSecretValue", disclosure(&arn), "ConfirmationCoolOff");
    // Another secret, and another action on this one, are other questions.
    Question::disclosure(&mut server, "app/other");
    let forced = json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true });
    Question::ask(&mut server, "DeleteSecret", forced);
    age(&server, 300_000);
    Question::disclosure(&mut server, "app/db");
    assert_eq!(denials(&server, "ConfirmationCoolOff"), 4);
}

#[test]
fn the_person_can_set_other_limits() {
    let emulator = Emulator::start();
    let config = "[limits]\npending = 1\nquestions = 2\ncool_off_seconds = 0\n";
    let options = ServerOptions::with_emulator(&emulator).config(config);
    let mut server = Server::start(options);
    server.create("app/db", VALUE);
    server.create("app/other", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    refused(&mut server, "GetSecretValue", disclosure("app/other"), "TooManyPending");
    question.decide(&server, &["n"]);
    let again = Question::disclosure(&mut server, "app/db");
    again.decide(&server, &["n"]);
    refused(&mut server, "GetSecretValue", disclosure("app/db"), "TooManyQuestions");
}

/// A program of the same user empties the store: the server counts what it asked itself.
#[test]
fn questions_whose_rows_are_deleted_still_count() {
    let emulator = Emulator::start();
    let options = ServerOptions::with_emulator(&emulator).config("[limits]\npending = 20\n");
    let mut server = Server::start(options);
    let emptied = |server: &Server| {
        let store = Connection::open(server.state().join("store.sqlite")).unwrap();
        store.busy_timeout(crate::harness::PATIENCE).unwrap();
        store.execute_batch("DELETE FROM approvals; DELETE FROM happened").unwrap();
    };
    server.create("app/db", VALUE);
    let mut codes = Vec::new();
    for n in 0..10 {
        let arguments =
            json!({ "SecretName": "app/db", "Destination": "agent", "Reason": format!("{n}") });
        codes.push(Question::ask(&mut server, "GetSecretValue", arguments).code);
        emptied(&server);
    }
    refused(&mut server, "GetSecretValue", disclosure("app/db"), "TooManyQuestions");
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 10, "no code of a waiting question is given twice");
    let options = ServerOptions::with_emulator(&emulator).config("[limits]\nquestions = 20\n");
    let mut server = Server::start(options);
    server.create("app/new", VALUE);
    for n in 0..3 {
        let arguments =
            json!({ "SecretName": "app/new", "Destination": "agent", "Reason": format!("{n}") });
        Question::ask(&mut server, "GetSecretValue", arguments);
        emptied(&server);
    }
    refused(&mut server, "GetSecretValue", disclosure("app/new"), "TooManyPending");
}

#[test]
fn one_yes_covers_a_listed_set() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/one", VALUE);
    server.create("app/two", VALUE);
    let one = Question::disclosure(&mut server, "app/one");
    let two = Question::disclosure(&mut server, "app/two");
    let forced = json!({ "SecretName": "app/two", "ForceDeleteWithoutRecovery": true });
    let gone = Question::ask(&mut server, "DeleteSecret", forced);
    let set = [one.code.as_str(), two.code.as_str(), gone.token.as_str()];
    // Without the name of what is lost for good, nothing of the set is decided.
    for lines in [vec!["y", "app/one"], vec!["y"], vec![]] {
        let screen = Pty::approve(server.home(), &set, &lines);
        assert!(screen.text.contains("they still wait"), "{lines:?}: {}", screen.text);
    }
    let screen = Pty::approve(server.home(), &set, &["y", "app/two"]);
    for text in ["Approve all 3?", "\"app/one\"", "\"app/two\"", "CANNOT BE UNDONE", "Approved."] {
        assert!(screen.text.contains(text), "{text}: {}", screen.text);
    }
    for question in [&one, &two] {
        assert_eq!(question.redeem(&mut server)["Result"]["SecretData"], VALUE);
    }
    assert_eq!(gone.redeem(&mut server)["Outcome"], "deleted");
    // A set with one that nobody asked decides nothing.
    let left = Question::disclosure(&mut server, "app/one");
    let screen = Pty::approve(server.home(), &[&left.code, "00-NONE"], &["y"]);
    assert!(!screen.status.success(), "{}", screen.text);
    let screen = Pty::approve(server.home(), &[&left.code, &left.token, "--deny"], &[]);
    assert!(screen.text.contains("Denied."), "{}", screen.text);
    assert_eq!(left.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
}

#[test]
fn a_watch_rings_and_asks_the_riskiest_first() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/one", VALUE);
    server.create("app/two", VALUE);
    let one = Question::disclosure(&mut server, "app/one");
    let forced = json!({ "SecretName": "app/two", "ForceDeleteWithoutRecovery": true });
    let two = Question::ask(&mut server, "DeleteSecret", forced);
    let state = server.state();
    let arguments = ["approve", "--watch", "--state-dir", state.to_str().unwrap()];
    // What is typed ahead was meant for no question that was seen: it is dropped.
    let turns = [("the secret, or N: ", "app/two\ny\ny"), ("Approve? [y/N] ", "\u{4}")];
    let screen = Pty::converse(server.home(), &arguments, &turns);
    assert!(screen.status.success() && screen.text.contains("still waits"), "{}", screen.text);
    let place = |text: &str| screen.text.find(text).unwrap_or_else(|| panic!("{}", screen.text));
    assert!(place("\u{7}") < place("CANNOT BE UNDONE"));
    assert!(place("CANNOT BE UNDONE") < place("A VALUE LEAVES KMS"));
    assert_eq!(two.redeem(&mut server)["Outcome"], "deleted");
    let quick = json!({ "name": one.tool, "arguments": one.with_token() });
    std::thread::scope(|scope| {
        // It stays and asks about what comes later.
        let turns = [("Approve? [y/N] ", "y"), ("Approve? [y/N] ", "n"), ("[y/N] ", "\u{4}")];
        let home = server.home().to_owned();
        let watch = scope.spawn(move || Pty::converse(&home, &arguments, &turns));
        server.send("tools/call", quick);
        let answer = server.receive();
        assert_eq!(answer["result"]["structuredContent"]["Result"]["SecretData"], VALUE);
        let no = Question::disclosure(&mut server, "app/one");
        assert_eq!(no.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
        server.create("app/three", VALUE);
        Question::disclosure(&mut server, "app/three");
        let screen = watch.join().unwrap();
        assert!(screen.text.contains("Approved.") && screen.text.contains("Denied."));
        assert_eq!(screen.text.matches('\u{7}').count(), 3, "{:?}", screen.text);
    });
}

#[test]
fn beyond_thirty_disclosures_an_hour_a_pin_is_wanted() {
    let emulator = Emulator::start();
    let options = ServerOptions::with_emulator(&emulator).config("[limits]\nquestions = 100\n");
    let mut server = Server::start(options);
    server.create("app/db", VALUE);
    for _ in 0..30 {
        let question = Question::disclosure(&mut server, "app/db");
        question.approve(&server);
        assert_eq!(question.redeem(&mut server)["Result"]["SecretData"], VALUE);
    }
    refused(&mut server, "GetSecretValue", disclosure("app/db"), "PinRequired");
    assert_eq!(emulator.count("GetSecretValue"), 30);
}

#[test]
fn a_watch_leaves_a_question_that_is_decided_elsewhere() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/one", VALUE);
    server.create("app/two", VALUE);
    let (home, state) = (server.home().to_owned(), server.state());
    let arguments = ["approve", "--watch", "--state-dir", state.to_str().unwrap()];
    let one = Question::disclosure(&mut server, "app/one");
    let server = RefCell::new(server);
    let two = RefCell::new(None);
    let turns: [(&str, Turn<'_>); 5] = [
        (
            "Approve? [y/N] ",
            Box::new(|| {
                one.approve(&server.borrow());
                None
            }),
        ),
        (
            "It was decided elsewhere",
            Box::new(|| {
                *two.borrow_mut() = Some(Question::disclosure(&mut server.borrow_mut(), "app/two"));
                None
            }),
        ),
        ("Approve? [y/N] ", Box::new(|| Some("y".into()))),
        (
            "Approved.",
            Box::new(|| {
                let two = two.borrow_mut().take().unwrap();
                let given = two.redeem(&mut server.borrow_mut());
                assert_eq!(given["Result"]["SecretData"], VALUE, "{given}");
                Question::disclosure(&mut server.borrow_mut(), "app/two");
                None
            }),
        ),
        ("Approve? [y/N] ", Box::new(|| Some("\u{4}".into()))),
    ];
    let screen = Pty::act(&home, &arguments, turns);
    assert!(screen.status.success() && screen.text.contains("still waits"), "{}", screen.text);
}

#[test]
fn a_question_is_decided_and_recorded_once() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    let (home, state) = (server.home().to_owned(), server.state());
    let arguments = ["approve", &question.code, "--state-dir", state.to_str().unwrap()];
    // While one terminal asks, the person says no at another.
    let turns: [(&str, Turn<'_>); 1] = [(
        "Approve? [y/N] ",
        Box::new(|| {
            assert!(question.decide(&server, &["n"]).text.contains("Denied."));
            Some("y".into())
        }),
    )];
    let late = Pty::act(&home, &arguments, turns);
    assert!(late.text.contains("not open any more"), "{}", late.text);
    assert_eq!(question.redeem(&mut server)["Error"]["Code"], "ConfirmationDeclined");
    let files = std::fs::read_dir(state.join("audit")).unwrap();
    let text: String =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(text.matches("\"event\":\"approved\"").count(), 0, "{text}");
}
