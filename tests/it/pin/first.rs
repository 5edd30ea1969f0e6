//! A yes of a person wants a PIN, and the first one sets it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{
    PIN, VALUE, approve, ask, audited, forge, person, piped, redeem, refused, reveal, set, unsigned,
};
use crate::harness::{BINARY, Pty, Server, ServerOptions, Turn, decide_at, look_at};

/// As it is when nothing is configured.
fn server() -> Server {
    let mut server = Server::start(ServerOptions::embedded().signed());
    server.create("app/db", VALUE);
    server
}

fn code(asked: &Value) -> &str {
    asked["Confirmation"]["MatchCode"].as_str().unwrap()
}

fn says_yes(server: &Server, asked: &Value, pins: [&str; 2]) -> Pty {
    let turns = [("[y/N]", "y"), ("New PIN", pins[0]), ("again: ", pins[1])];
    person(server, &["approve", code(asked)], &turns)
}

fn waits(server: &mut Server, asked: &Value) {
    let answer = redeem(server, "GetSecretValue", &reveal(), asked);
    assert_eq!(answer["Status"], "confirmation_required", "{answer}");
    assert!(!server.state().join("pin.json").exists());
}

#[test]
fn the_first_yes_sets_a_pin_and_goes_on() {
    let mut server = server();
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let screen = says_yes(&server, &asked, [PIN, PIN]);
    assert!(screen.text.contains("No PIN is set."), "{}", screen.text);
    assert!(screen.text.contains("Approved.") && !screen.text.contains(PIN), "{}", screen.text);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    // It is on record who it was set by and when, and that the yes is signed with it.
    let state = server.state();
    let of = |event, outcome| {
        let records = audited(&state, event);
        let found = records.iter().find(|record| record["outcome"] == outcome).cloned();
        found.unwrap_or_else(|| panic!("{event} {outcome}: {records:?}"))
    };
    let key = of("factor_changed", json!("set"))["approval"]["key"].clone();
    assert_eq!(of("factor_changed", json!("pinned"))["approval"]["key"], key);
    for event in ["approved", "intent"] {
        let records = audited(&state, event);
        let signed = records.iter().find(|record| record["approval"]["signature"].is_string());
        assert_eq!(signed.unwrap()["approval"]["factor"], "pin", "{records:?}");
    }
    // The next one shows it, and so does the next server that starts.
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let screen = approve(&server, &asked, PIN);
    assert!(screen.text.contains("the PIN set "), "{}", screen.text);
    assert!(screen.text.contains(" ago"), "{}", screen.text);
    let restarted = Server::start_in(server.home(), ServerOptions::embedded().signed());
    let named = |record: &Value| record["event"] == "start" && record["approval"]["key"] == key;
    assert!(restarted.audited(named)["approval"]["set_at"].is_string());
}

#[test]
fn a_first_pin_that_does_not_do_decides_nothing() {
    let mut server = server();
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let turns = [
        ("[y/N]", "y"),
        ("New PIN", "1234567"),
        ("again: ", "1234567"),
        ("New PIN", PIN),
        ("again: ", "five horses"),
        ("New PIN", "\u{3}"),
    ];
    let screen = person(&server, &["approve", code(&asked)], &turns);
    for says in ["at least 8 characters", "two different PINs", "Nothing was decided"] {
        assert!(screen.text.contains(says), "{says}: {}", screen.text);
    }
    waits(&mut server, &asked);
}

#[test]
fn no_first_pin_is_set_for_a_question_that_is_over() {
    let mut server = server();
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let state = server.state();
    let denied_elsewhere = || {
        let screen = person(&server, &["approve", code(&asked), "--deny"], &[]);
        assert!(screen.text.contains("Denied."), "{}", screen.text);
        Some(PIN.to_owned())
    };
    let turns: [(&str, Turn<'_>); 3] = [
        ("[y/N]", Box::new(|| Some("y".into()))),
        ("New PIN", Box::new(|| Some(PIN.into()))),
        ("again: ", Box::new(denied_elsewhere)),
    ];
    let arguments = ["approve", code(&asked), "--state-dir", state.to_str().unwrap()];
    let screen = Pty::act(server.home(), &arguments, turns);
    assert!(screen.text.contains("the question is not open any more"), "{}", screen.text);
    assert!(!screen.status.success());
    assert!(!state.join("pin.json").exists(), "{}", screen.text);
    assert!(audited(&state, "factor_changed").is_empty());
}

#[test]
fn a_first_pin_is_set_by_nothing_but_a_yes_on_a_terminal() {
    let mut server = server();
    let config = "wait_seconds = 0\n";
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let token = asked["Confirmation"]["Token"].as_str().unwrap();
    for input in [format!("{PIN}\n"), format!("{PIN}\n{PIN}\n")] {
        assert!(!piped(&server, &[token, "--pin-stdin"], &input).status.success());
        waits(&mut server, &asked);
    }
    let address = asked["Confirmation"]["ApproveAt"].as_str().unwrap();
    let page = look_at(address);
    let command = format!("approve {}", code(&asked));
    assert!(page.contains(&command) && !page.contains("value=\"approve\""), "{page}");
    for form in ["answer=approve", &format!("answer=approve&pin={PIN}").replace(' ', "+")] {
        let seen = decide_at(address, form);
        assert!(seen.contains("409") && seen.contains("Nothing was decided"), "{seen}");
        waits(&mut server, &asked);
    }
    // A no needs no PIN, and sets none.
    let screen = person(&server, &["approve", code(&asked)], &[("[y/N]", "n")]);
    assert!(screen.text.contains("Denied."), "{}", screen.text);
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "ConfirmationDeclined");
    let mut other = Server::start(ServerOptions::embedded().signed().config(config));
    other.create("app/db", VALUE);
    let asked = ask(&mut other, "GetSecretValue", &reveal());
    let screen = person(&other, &["approve", code(&asked), "--deny"], &[]);
    assert!(screen.text.contains("Denied."), "{}", screen.text);
    assert!(!other.state().join("pin.json").exists());
    assert!(!server.state().join("pin.json").exists());
}

#[test]
fn without_a_pin_an_unsigned_yes_is_none() {
    let mut server = server();
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    forge(&server, &asked, "approved", unsigned);
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "ConfirmationUnproven");
}

#[test]
fn an_unsigned_yes_counts_where_config_toml_says_so_and_is_named() {
    let mut server = super::server(false);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let screen = person(&server, &["approve", code(&asked)], &[("[y/N]", "y")]);
    assert!(screen.text.contains("require_factor = false"), "{}", screen.text);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    let notes = answer["Notes"].to_string();
    assert!(notes.contains("not signed") && notes.contains("require_factor"), "{answer}");
    for event in ["approved", "intent"] {
        let records = audited(&server.state(), event);
        assert!(
            records.iter().any(|record| record["approval"]["factor"] == "none"),
            "{event}: {records:?}"
        );
    }
    // Signed all the same once a PIN is there.
    set(&server);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    assert!(approve(&server, &asked, PIN).text.contains("Approved."));
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert!(!answer["Notes"].to_string().contains("not signed"), "{answer}");
}

#[test]
fn no_flag_and_no_variable_makes_an_unsigned_yes_count() {
    let mut options = ServerOptions::embedded().signed();
    for name in ["KMS_MCP_REQUIRE_FACTOR", "REQUIRE_FACTOR", "KMS_MCP_APPROVAL_REQUIRE_FACTOR"] {
        options = options.env(name, "false");
    }
    let mut server = Server::start(options);
    server.create("app/db", VALUE);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    forge(&server, &asked, "approved", unsigned);
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "ConfirmationUnproven");
    for flag in ["--require-factor=false", "--no-require-factor", "--unsigned"] {
        let status = Command::new(BINARY)
            .args(["serve", "--backend", "embedded", flag])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(!status.unwrap().success(), "{flag}");
    }
}

#[test]
fn a_pin_is_the_same_however_it_is_typed_or_kept() {
    let mut server = super::server(false);
    let (composed, decomposed) = ("caf\u{e9}-Stra\u{df}e-91", "cafe\u{301}-Stra\u{df}e-91");
    let turns = [("New PIN", composed), ("again: ", composed)];
    assert!(person(&server, &["pin", "set"], &turns).status.success());
    for kept in [format!("{decomposed}\n"), format!("\u{feff}{composed}\r\n"), composed.into()] {
        let asked = ask(&mut server, "GetSecretValue", &reveal());
        let token = asked["Confirmation"]["Token"].as_str().unwrap();
        let said = piped(&server, &[token, "--pin-stdin"], &kept);
        assert!(said.status.success(), "{kept:?}: {said:?}");
        redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    }
}
