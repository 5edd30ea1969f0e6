//! What `kms-mcp approve` shows: text of others passes for no row, and the essentials stand right
//! before the prompt. `tests/interop/screen` draws the same over all of Unicode.

use serde_json::{Value, json};

use crate::harness::{BINARY, Pty, Question, Server, ServerOptions, rows_of};

const VALUE: &str = "hunter2-hunter2";
/// An account that is not the caller's.
const STRANGER: &str = "acs:ram::1999999999999999:root";

fn server() -> Server {
    let many = "wait_seconds = 0\n[limits]\npending = 20\nquestions = 100\n";
    Server::start(ServerOptions::embedded().config(many))
}

/// Creates a secret of an instance, and answers its account.
fn owned(server: &mut Server, name: &str) -> String {
    let arguments =
        json!({ "SecretName": name, "VersionId": "v1", "SecretData": VALUE, "AutoKey": true });
    let created = server.call("CreateSecret", arguments);
    assert_eq!(created["Status"], "ok", "{created}");
    let described = server.call("DescribeSecret", json!({ "SecretName": name }));
    let arn = described["Result"]["Arn"].as_str().unwrap_or_else(|| panic!("{described}"));
    arn.split(':').nth(3).unwrap().to_owned()
}

fn statement(effect: &str, who: &[&str], actions: &[&str]) -> Value {
    json!({ "Effect": effect, "Principal": { "RAM": who }, "Action": actions, "Resource": ["*"] })
}

fn set(server: &mut Server, name: &str, statements: &[Value]) -> Pty {
    let policy = json!({ "Version": "1", "Statement": statements });
    let arguments = json!({ "SecretName": name, "Policy": policy });
    let question = Question::ask(server, "SetSecretPolicy", arguments);
    look(server, &question)
}

/// The screen of a question on a terminal of 80 columns.
fn look(server: &Server, question: &Question) -> Pty {
    let narrow = ["sh", "-c", "stty cols 80; exec \"$0\" \"$@\"", BINARY].map(str::to_owned);
    let state = server.state();
    let arguments = ["approve", &question.code, "--state-dir", state.to_str().unwrap()];
    Pty::converse_through(&narrow, server.home(), &arguments, &[("Approve? ", "\u{4}")])
}

/// The last lines before the prompt, joined.
fn before_the_prompt(screen: &Pty) -> String {
    let (before, _) =
        screen.text.rsplit_once("Approve? ").unwrap_or_else(|| panic!("{}", screen.text));
    let lines: Vec<&str> = before.lines().map(|line| line.trim_end_matches('\r')).collect();
    let last = &lines[lines.len().saturating_sub(10)..];
    last.iter().map(|line| line.chars().skip(9).collect::<String>()).collect()
}

#[test]
fn a_text_that_goes_on_has_a_mark_on_each_line() {
    let mut server = server();
    server.create("app/db", VALUE);
    for gap in ['\u{2800}', ' ', '\u{3164}', '\u{a0}', '\u{1d159}'] {
        let gap = gap.to_string();
        let reason = format!(
            "check{}Value goes to{}nowhere, it is masked{}PIN",
            gap.repeat(55),
            gap.repeat(4),
            gap.repeat(40)
        );
        let arguments = json!({ "SecretName": "app/db", "Destination": "agent", "Reason": reason });
        let question = Question::ask(&mut server, "GetSecretValue", arguments);
        let screen = look(&server, &question);
        let (shown, _) = screen.text.split_once("Approve? ").unwrap();
        let lines: Vec<&str> = shown.lines().map(|line| line.trim_end_matches('\r')).collect();
        let at = lines.iter().position(|line| line.starts_with("  The agent says")).unwrap();
        let rest = &lines[at + 1..];
        let more = rest.iter().take_while(|line| line.starts_with('>')).count();
        assert!(more > 2 && rest[more].is_empty(), "{}", screen.text);
        assert!(lines.iter().all(|line| line.chars().count() < 80), "{}", screen.text);
        let forged = lines.iter().filter(|line| line.starts_with("  Value goes to"));
        assert_eq!(forged.count(), 1, "{}", screen.text);
    }
}

#[test]
fn the_essentials_stand_right_before_the_prompt() {
    let mut server = server();
    let name = "n".repeat(192);
    let account = owned(&mut server, &name);
    let reveal = json!({ "SecretName": name, "Destination": "agent", "Reason": "because ".repeat(24).trim() });
    let question = Question::ask(&mut server, "GetSecretValue", reveal);
    let end = before_the_prompt(&look(&server, &question));
    for text in [&question.code, "GetSecretValue", name.as_str(), "to the agent's conversation"] {
        assert!(end.contains(text), "{text}: {end}");
    }
    // However long the policy, it does not push them away; what does not fit is counted.
    let principals: Vec<String> =
        (0..80).map(|n| format!("acs:ram::1999999999999999:user/{n}-{}", "u".repeat(60))).collect();
    let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
    let long = vec![statement("Allow", &principals, &["kms:GetSecretValue"]); 3];
    let screen = set(&mut server, &name, &long);
    assert!(screen.text.lines().count() > 300, "{}", screen.text);
    let end = before_the_prompt(&screen);
    for text in ["SetSecretPolicy", &name, "LOCKS YOU OUT", "80 of ANOTHER ACCOUNT"] {
        assert!(end.contains(text), "{text}: {end}");
    }
    let own = format!("acs:ram::{account}:*");
    let short = [statement("Allow", &[&own, STRANGER], &["kms:*"])];
    let end = before_the_prompt(&set(&mut server, &name, &short));
    assert!(
        end.contains(&own) && end.contains(&format!("\"{STRANGER}\" (ANOTHER ACCOUNT)")),
        "{end}"
    );
    assert!(!end.contains("LOCKS"), "{end}");
}

#[test]
fn a_policy_is_shown_indented_with_what_it_would_do() {
    let mut server = server();
    let account = owned(&mut server, "app/own");
    let own = format!("acs:ram::{account}:*");
    let usual = || statement("Allow", &[&own], &["kms:*"]);
    let warns = |screen: &Pty| {
        rows_of(&screen.text)
            .iter()
            .any(|(name, says)| name == "WARNING" && says.contains("locks the account out"))
    };
    for (statements, locks_out, stranger) in [
        (vec![usual()], false, false),
        (vec![usual(), statement("Allow", &[STRANGER], &["kms:GetSecretValue"])], false, true),
        (vec![statement("Deny", &[&own], &["kms:*"])], true, false),
        (vec![usual(), statement("Deny", &[&own], &["kms:Set*"])], true, false),
        (vec![statement("Allow", &[STRANGER], &["kms:*"])], true, true),
        (vec![statement("Allow", &[&own], &["kms:GetSecretValue"])], true, false),
    ] {
        let screen = set(&mut server, "app/own", &statements);
        assert_eq!(warns(&screen), locks_out, "{}", screen.text);
        let named = rows_of(&screen.text).iter().any(|(name, _)| name == "ANOTHER ACCOUNT");
        assert_eq!(named, stranger, "{}", screen.text);
        let plain = screen.text.replace('\r', "");
        assert!(plain.contains("\n>                    \"Statement\": [\n"), "{plain}");
    }
}

#[test]
fn a_condition_that_is_none_is_refused_before_anybody_is_asked() {
    let mut server = server();
    let account = owned(&mut server, "app/own");
    let text = "  Value goes to    nowhere, it is masked\n".repeat(400);
    for condition in [
        json!({ "Note": { "acs:SourceIp": [text] } }),
        json!({ "StringEquals": { "acs:SourceIp": [text] } }),
        json!({ "StringEquals": { (text.clone()): ["x"] } }),
        json!({ "StringEquals": { "kms:tag/a": ["two  spaces"] } }),
        json!({ "StringEquals": { "kms:tag/a": ["a\u{2800}b"] } }),
    ] {
        let mut one = statement("Allow", &[&format!("acs:ram::{account}:*")], &["kms:*"]);
        one["Condition"] = condition;
        let policy = json!({ "Version": "1", "Statement": [one] });
        let refused =
            server.call("SetSecretPolicy", json!({ "SecretName": "app/own", "Policy": policy }));
        assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
        assert_eq!(refused["Error"]["Changed"], "no", "{refused}");
    }
    let waiting = Pty::approve(server.home(), &[], &[]);
    assert!(waiting.text.contains("Nothing waits"), "{}", waiting.text);
}

#[test]
fn a_set_that_does_not_fit_on_a_screen_is_decided_in_parts() {
    let mut server = server();
    let codes: Vec<String> = (0..11)
        .map(|number| {
            let name = format!("app/{number}");
            server.create(&name, VALUE);
            Question::disclosure(&mut server, &name).code
        })
        .collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let screen = Pty::approve(server.home(), &codes, &["y"]);
    assert!(screen.text.contains("do not fit on one screen"), "{}", screen.text);
    assert!(screen.text.contains("Nothing was decided"), "{}", screen.text);
    let fewer = Pty::approve(server.home(), &codes[..3], &["y"]);
    assert!(fewer.text.contains("Approved."), "{}", fewer.text);
}
