//! The person's side: `kms-mcp approve`, what it shows and what it takes.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{BINARY, Emulator, Pty, Question, Server, ServerOptions};

const VALUE: &str = "hunter2-hunter2";

fn forced(server: &mut Server) -> Question {
    forced_of(server, "app/db")
}

fn forced_of(server: &mut Server, name: &str) -> Question {
    let arguments = json!({ "SecretName": name, "ForceDeleteWithoutRecovery": true });
    Question::ask(server, "DeleteSecret", arguments)
}

/// The rows of a screen: `(name, content)`.
fn rows(screen: &str) -> Vec<(String, String)> {
    screen
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.len() > 17 && !line.starts_with(' '))
        .map(|line| {
            let (name, content) = line.split_at(17);
            (name.trim().to_owned(), content.trim_end_matches('\r').to_owned())
        })
        .collect()
}

#[test]
fn without_a_terminal_nothing_is_approved() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    let state = server.state();
    let run = |arguments: &[&str], stdin: Stdio, stdout: Stdio| {
        let mut child = Command::new(BINARY)
            .arg("approve")
            .args(arguments)
            .arg("--state-dir")
            .arg(&state)
            .env_clear()
            .env("HOME", server.home())
            .envs(
                ["TERM", "CI", "KMS_MCP_YES", "KMS_MCP_APPROVE", "FORCE_TTY"]
                    .map(|name| (name, "1")),
            )
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if let Some(mut stdin) = child.stdin.take() {
            // Whoever ends without reading closes its side.
            let _ = std::io::Write::write_all(&mut stdin, b"y\ny\n");
        }
        child.wait().unwrap()
    };
    let code = question.code.as_str();
    let tty = || Stdio::from(File::options().read(true).write(true).open("/dev/ptmx").unwrap());
    for arguments in [
        vec![code],
        vec![question.token.as_str()],
        vec![code, "--deny"],
        vec![],
        vec![code, "--yes"],
        vec![code, "--force"],
        vec![code, "-y"],
        vec![code, "--no-terminal"],
    ] {
        assert!(!run(&arguments, Stdio::null(), Stdio::null()).success(), "{arguments:?}");
        assert!(!run(&arguments, Stdio::piped(), Stdio::null()).success(), "{arguments:?}");
        assert!(!run(&arguments, Stdio::piped(), tty()).success(), "{arguments:?}");
    }
    let still = question.redeem(&mut server);
    assert_eq!(still["Status"], "confirmation_required", "{still}");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}

#[test]
fn what_waits_is_listed_and_named_by_code_or_token() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    assert!(Pty::approve(server.home(), &[], &[]).text.contains("Nothing waits"));
    server.create("app/one", VALUE);
    server.create("app/two", VALUE);
    let one = Question::disclosure(&mut server, "app/one");
    let two = Question::disclosure(&mut server, "app/two");
    let listed = Pty::approve(server.home(), &[], &[&two.code, "y"]);
    for text in [&one.code, &two.code, "\"app/one\"", "\"app/two\"", "Approved."] {
        assert!(listed.text.contains(text), "{text}: {}", listed.text);
    }
    assert_eq!(two.redeem(&mut server)["Result"]["SecretData"], VALUE);
    // The only one that is left needs no choice; ending the input decides nothing.
    let left = Pty::approve(server.home(), &[], &[]);
    assert!(left.text.contains("still waits"), "{}", left.text);
    let by_token = Pty::approve(server.home(), &[&one.token], &["y"]);
    assert!(by_token.text.contains("Approved."), "{}", by_token.text);
    assert_eq!(one.redeem(&mut server)["Result"]["SecretData"], VALUE);
    let gone = Pty::approve(server.home(), &[&one.code], &["y"]);
    assert!(!gone.status.success(), "{}", gone.text);
}

#[test]
fn a_forced_deletion_wants_the_name_typed() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let cases: [(&[&str], &str); 6] = [
        (&["y", "app/0"], "Denied."),
        (&["y", "y"], "Denied."),
        (&["app"], "Denied."),
        (&["n"], "Denied."),
        (&["y"], "still waits"),
        (&["y", "app/six"], "Approved."),
    ];
    let names = ["app/one", "app/two", "app/three", "app/four", "app/five", "app/six"];
    for ((lines, expected), name) in cases.into_iter().zip(names) {
        server.create(name, VALUE);
        let question = forced_of(&mut server, name);
        let screen = question.decide(&server, lines);
        assert!(screen.text.contains(expected), "{lines:?}: {}", screen.text);
        if expected == "Denied." {
            let refused = question.redeem(&mut server);
            assert_eq!(refused["Error"]["Code"], "ConfirmationDeclined", "{lines:?}");
        }
        if expected == "Approved." {
            assert_eq!(emulator.count("DeleteSecret"), 0);
            assert_eq!(question.redeem(&mut server)["Outcome"], "deleted");
        }
    }
}

#[test]
fn the_screen_of_a_forced_deletion_says_what_would_be_lost() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let created = server.call(
        "CreateSecret",
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": VALUE,
                "Tags": [{ "TagKey": "team", "TagValue": "payments" }] }),
    );
    assert_eq!(created["Status"], "ok", "{created}");
    server.call(
        "PutSecretValue",
        json!({ "SecretName": "app/db", "VersionId": "v2", "SecretData": "other-other" }),
    );
    let described = server.call("DescribeSecret", json!({ "SecretName": "app/db" }));
    let of = |name: &str| format!("{:?}", described["Result"][name].as_str().unwrap());
    let question = forced(&mut server);
    let screen = question.decide(&server, &["n"]);
    assert!(screen.text.contains("CANNOT BE UNDONE"), "{}", screen.text);
    let rows = rows(&screen.text);
    let expected = [
        ("Secret", "\"app/db\"".to_owned()),
        ("Account", emulator.account_id.clone()),
        ("Type", "\"Generic\"".to_owned()),
        ("Created", of("CreateTime")),
        ("Last change", of("UpdateTime")),
        ("Holds version", "\"v1 (ACSPrevious)\"".to_owned()),
        ("Holds version", "\"v2 (ACSCurrent)\"".to_owned()),
        ("Tag says", "\"team=payments\"".to_owned()),
        ("Last use", "KMS publishes none; check ActionTrail before you say yes".to_owned()),
        ("The agent says", "nothing".to_owned()),
    ];
    for (name, content) in expected {
        let row = (name.to_owned(), content);
        assert!(rows.contains(&row), "{row:?} in {rows:#?}");
    }
    assert!(!screen.text.contains(VALUE) && !screen.text.contains("other-other"));
}

#[test]
fn text_of_others_cannot_forge_the_screen() {
    let hostile = "x\r\n  Value goes to    nowhere, it is masked\u{1b}[2J\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{202e}\u{200b}\u{2028}\u{e0041}\u{0}y";
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let plain = forced(&mut server).decide(&server, &["n"]);
    let json = json!({ "rule": [
        { "action": "DescribeSecret", "effect": { "override": {
            "Description": hostile, "SecretType": hostile, "CreateTime": hostile,
            "UpdateTime": hostile, "Tags": { "Tag": [{ "TagKey": hostile, "TagValue": hostile }] },
            "Arn": format!("acs:kms:cn-hangzhou:{hostile}:secret/app/db") } } },
        { "action": "ListSecretVersionIds", "effect": { "override": {
            "VersionIds": { "VersionId": [{ "VersionId": hostile,
                "VersionStages": { "VersionStage": [hostile] } }] } } } },
    ] });
    emulator.faults(&json.to_string());
    drop(server);
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let arguments =
        json!({ "SecretName": "app/db", "ForceDeleteWithoutRecovery": true, "Reason": hostile });
    let question = Question::ask(&mut server, "DeleteSecret", arguments);
    let forged = question.decide(&server, &["n"]);
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\r' | '\n'))
            || matches!(u32::from(c), 0x200b..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xe0000..=0xe007f)
    };
    assert!(!forged.text.contains(hidden), "{:?}", forged.text);
    let names = |screen: &Pty| {
        let mut names: Vec<String> = rows(&screen.text).into_iter().map(|(name, _)| name).collect();
        names.retain(|name| name != "Tag says" && !name.contains("CANNOT"));
        names
    };
    assert_eq!(names(&forged), names(&plain), "{}", forged.text);
    let account = rows(&forged.text).into_iter().find(|(name, _)| name == "Account").unwrap().1;
    assert!(!account.contains("masked"), "an account is a number: {account}");
}
