//! The person's side: `kms-mcp approve`, what it shows and what it takes.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{BINARY, Emulator, Pty, Question, Run, Server, ServerOptions, rows_of};

const VALUE: &str = "hunter2-hunter2";

fn forced(server: &mut Server) -> Question {
    forced_of(server, "app/db")
}

fn forced_of(server: &mut Server, name: &str) -> Question {
    let arguments = json!({ "SecretName": name, "ForceDeleteWithoutRecovery": true });
    Question::ask(server, "DeleteSecret", arguments)
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
fn a_slip_decides_nothing() {
    let emulator = Emulator::start();
    let config =
        "wait_seconds = 0\n[limits]\npending = 20\nquestions = 100\ncool_off_seconds = 0\n";
    let mut server = Server::start(ServerOptions::with_emulator(&emulator).config(config));
    server.create("app/db", VALUE);
    let cases: [(&[&str], &str); 12] = [
        (&["y"], "Approved."),
        (&["Y"], "Approved."),
        (&["Yes"], "Approved."),
        (&["YES"], "Approved."),
        (&["yy", "\u{ff59}", "y"], "Approved."),
        (&["n"], "Denied."),
        (&["No"], "Denied."),
        (&[""], "Denied."),
        (&["ok", "n"], "Denied."),
        (&["yy", "ye", "\u{662f}", "y"], "still waits"),
        (&["64-MOOSE"], "still waits"),
        (&[], "still waits"),
    ];
    for (lines, expected) in cases {
        let question = Question::disclosure(&mut server, "app/db");
        let screen = question.decide(&server, lines);
        assert!(screen.text.contains(expected), "{lines:?}: {}", screen.text);
        let answer = question.redeem(&mut server);
        match expected {
            "Approved." => assert_eq!(answer["Result"]["SecretData"], VALUE, "{lines:?}"),
            "Denied." => assert_eq!(answer["Error"]["Code"], "ConfirmationDeclined", "{lines:?}"),
            _ => {
                assert_eq!(answer["Status"], "confirmation_required", "{lines:?}: {answer}");
                question.decide(&server, &["n"]);
            }
        }
    }
}

#[test]
fn a_match_code_is_taken_as_people_type_it() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let question = Question::disclosure(&mut server, "app/db");
    let (number, word) = question.code.split_once('-').unwrap();
    let lower = question.code.to_lowercase();
    for typed in [
        &[lower.as_str()][..],
        &[number, word],
        &[&format!("{number} {word}")],
        &[&format!("`{lower}`.")],
        &[&question.code.replace('-', "")],
    ] {
        let screen = Pty::approve(server.home(), typed, &[]);
        assert!(screen.text.contains(&format!("  {}   ", question.code)), "{}", screen.text);
    }
    let none = Pty::approve(server.home(), &["10-NOBODY"], &[]);
    assert!(!none.status.success());
    let other = tempfile::tempdir().unwrap();
    let empty = Pty::approve(other.path(), &[], &[]);
    for (screen, home) in [(none, server.home()), (empty, other.path())] {
        let folder = home.join("state").display().to_string();
        assert!(screen.text.contains(&folder), "{folder}: {}", screen.text);
        assert!(screen.text.contains("ApproveWith"), "{}", screen.text);
    }
}

#[test]
fn the_command_in_an_answer_runs_as_it_stands() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("it's \"mine\" & `yours`");
    std::fs::create_dir(&folder).unwrap();
    let mut server = Server::start_in(&folder, ServerOptions::with_emulator(&emulator));
    server.create("app/db", VALUE);
    let asked = server.call("GetSecretValue", json!({ "SecretName": "app/db" }));
    assert!(asked["Confirmation"]["ApproveWith"].is_null(), "level token asks nobody");
    let arguments = json!({ "SecretName": "app/db", "Destination": "agent" });
    let asked = server.call("GetSecretValue", arguments);
    let command = asked["Confirmation"]["ApproveWith"].as_str().unwrap();
    let run = |path: &str| {
        let output = Command::new("sh")
            .args(["-c", command])
            .env_clear()
            .env("PATH", path)
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .run();
        String::from_utf8(output.stderr).unwrap()
    };
    // An older one is first on the person's search path.
    let older = home.path().join("kms-mcp");
    std::fs::write(&older, "#!/bin/sh\necho older >&2\n").unwrap();
    std::fs::set_permissions(&older, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for path in ["/usr/bin:/bin".to_owned(), format!("{}:/usr/bin:/bin", home.path().display())] {
        let said = run(&path);
        assert!(said.contains("needs a terminal"), "{command}: {said}");
    }
    let words = format!("script -qec {} /dev/null </dev/null", shell_word(command));
    let output = Command::new("sh").args(["-c", &words]).run();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    assert!(screen.contains(&format!("  {code}   ")), "{command}: {screen}");
}

fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn a_forced_deletion_wants_the_name_typed() {
    let emulator = Emulator::start();
    let config = "wait_seconds = 0\n[limits]\npending = 20\nquestions = 100\n";
    let mut server = Server::start(ServerOptions::with_emulator(&emulator).config(config));
    let cases: [(&[&str], &str); 8] = [
        (&["y", "app/0"], "still waits"),
        (&["y", "y"], "still waits"),
        (&["app", "app/", "app/thre", "app/three"], "still waits"),
        (&["N"], "Denied."),
        (&["y"], "still waits"),
        (&["y", "no"], "Denied."),
        (&["Yes", "", "app/seven"], "Approved."),
        (&["app/8", "app/eight"], "Approved."),
    ];
    let names = [
        "app/one",
        "app/two",
        "app/three",
        "app/four",
        "app/five",
        "app/six",
        "app/seven",
        "app/eight",
    ];
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
    let rows = rows_of(&screen.text);
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
        let mut names: Vec<String> =
            rows_of(&screen.text).into_iter().map(|(name, _)| name).collect();
        names.retain(|name| {
            name != "Tag says" && !name.contains("CANNOT") && !name.starts_with("Asked ")
        });
        names
    };
    assert_eq!(names(&forged), names(&plain), "{}", forged.text);
    let account = rows_of(&forged.text).into_iter().find(|(name, _)| name == "Account").unwrap().1;
    assert!(!account.contains("masked"), "an account is a number: {account}");
}
