//! A program of the same user moves what a person looks for to another row of the store.

use rusqlite::params;
use serde_json::{Value, json};

use super::{PIN, VALUE, ask, person, piped, redeem, reveal, server, store, token_hash};
use crate::harness::{Server, look_at};

fn text<'a>(asked: &'a Value, name: &str) -> &'a str {
    asked["Confirmation"][name].as_str().unwrap()
}

/// Nobody can say yes to that question by any of its names, on any way to a person.
fn nobody_approves(server: &mut Server, asked: &Value, names: &[&str], what: &str) {
    for name in names {
        let turns = [("[y/N]", "y"), ("PIN: ", PIN)];
        let screen = person(server, &["approve", name], &turns);
        assert!(!screen.status.success(), "{what} {name}: {}", screen.text);
        assert!(screen.text.contains("another program changed"), "{what}: {}", screen.text);
        assert!(!screen.text.contains("[y/N]"), "{what}: {}", screen.text);
    }
    let said = piped(server, &[text(asked, "Token"), "--pin-stdin"], &format!("{PIN}\n"));
    assert!(!said.status.success(), "{what}: {said:?}");
    let page = look_at(text(asked, "ApproveAt"));
    assert!(page.contains("503") && !page.contains("<form"), "{what}: {page}");
    let answer = redeem(server, "GetSecretValue", &reveal(), asked);
    assert!(!answer.to_string().contains(VALUE), "{what}: {answer}");
}

#[test]
fn a_code_that_was_moved_leads_to_no_other_record() {
    let mut server = server(true);
    let other = json!({ "SecretName": "app/db", "Destination": "file", "FileName": "x" });
    let harmless = ask(&mut server, "GetSecretValue", &other);
    let wanted = ask(&mut server, "GetSecretValue", &reveal());
    for (asked, code) in [(&harmless, &wanted), (&wanted, &harmless)] {
        let moved = "UPDATE approvals SET match_code = ?1 WHERE token_hash = ?2";
        let code = text(code, "MatchCode");
        assert_eq!(store(&server).execute(moved, params![code, token_hash(asked)]).unwrap(), 1);
    }
    nobody_approves(&mut server, &wanted, &[text(&harmless, "MatchCode")], "match_code");
}

#[test]
fn a_row_whose_columns_are_not_those_of_its_record_is_refused() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    for (column, change) in [
        ("match_code", "'10-ACORN'"),
        ("level", "'token'"),
        ("instance", "'0000000000000000'"),
        ("created_ms", "created_ms - 60000"),
        ("expires_ms", "expires_ms + 60000"),
        ("digest", "zeroblob(32)"),
        ("record", "CAST(record || ' ' AS BLOB)"),
    ] {
        let (store, hash) = (store(&server), token_hash(&asked));
        let read = format!("SELECT {column} FROM approvals WHERE token_hash = ?1");
        let before: rusqlite::types::Value =
            store.query_row(&read, [hash], |row| row.get(0)).unwrap();
        let change = format!("UPDATE approvals SET {column} = {change} WHERE token_hash = ?1");
        assert_eq!(store.execute(&change, [hash]).unwrap(), 1);
        nobody_approves(&mut server, &asked, &[text(&asked, "Token")], column);
        let back = format!("UPDATE approvals SET {column} = ?2 WHERE token_hash = ?1");
        assert_eq!(store.execute(&back, params![hash, before]).unwrap(), 1);
    }
    // Put back, it is the question that was asked.
    let turns = [("[y/N]", "y"), ("PIN: ", PIN)];
    let screen = person(&server, &["approve", text(&asked, "MatchCode")], &turns);
    assert!(screen.text.contains("Approved."), "{}", screen.text);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
}
