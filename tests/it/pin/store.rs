//! A program of the same user writes decisions into the store.

use ring::signature::Ed25519KeyPair;
use rusqlite::params;
use serde_json::json;

use super::{
    PIN, VALUE, approve, ask, audited, forge, person, redeem, refused, reveal, server, set, store,
    token_hash, unsigned,
};
use crate::audit_bounded::assert_bounded;
use crate::harness::Server;

#[test]
fn a_decision_written_into_the_store_is_refused_when_a_pin_is_set() {
    let mut server = server(true);
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let by_stranger = |statement: &[u8]| Some(stranger.sign(statement).as_ref().to_vec());
    let garbage = |_: &[u8]| Some(vec![0; 64]);
    for state in ["approved", "denied"] {
        for forgery in ["unsigned", "by a stranger", "garbage"] {
            let asked = ask(&mut server, "GetSecretValue", &reveal());
            match forgery {
                "unsigned" => forge(&server, &asked, state, unsigned),
                "by a stranger" => forge(&server, &asked, state, by_stranger),
                _ => forge(&server, &asked, state, garbage),
            }
            let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
            refused(&answer, "ConfirmationUnproven");
            let failed = audited(&server.state(), "factor_failed");
            let hash = token_hash(&asked);
            let id = hash[..6].iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
            let of_token = failed.iter().filter(|record| record["approval"]["token_id"] == id);
            assert_eq!(of_token.count(), 1, "{state} {forgery}");
        }
    }
}

#[test]
fn a_decision_that_is_not_proved_is_counted_when_it_is_tried_without_end() {
    for state in ["approved", "denied"] {
        let mut server = server(true);
        let asked = ask(&mut server, "GetSecretValue", &reveal());
        forge(&server, &asked, state, unsigned);
        let times = 300;
        for _ in 0..times {
            let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
            assert!(answer["Error"]["Code"].is_string(), "{answer}");
        }
        let code = json!("ConfirmationUnproven");
        let unproven = server.audit().iter().filter(|one| one["code"] == code).count();
        assert!(unproven > 0, "on record");
        if state == "denied" {
            assert_bounded(&server, "factor_failed", &code, times);
        }
    }
}

/// A key costs, and no tool here deletes it.
#[test]
fn no_key_is_created_on_a_yes_that_nobody_proved() {
    let mut server = server(true);
    let policy = json!({ "Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": { "RAM": ["acs:ram::1234567890123456:*"] },
        "Action": ["kms:*"], "Resource": ["*"] }] });
    let create = json!({ "SecretName": "app/new", "VersionId": "v1", "SecretData": VALUE,
        "AutoKey": true, "Policy": policy });
    let keys =
        |server: &mut Server| server.call("ListKeys", json!({}))["Result"]["TotalCount"].clone();
    let before = keys(&mut server);
    let asked = ask(&mut server, "CreateSecret", &create);
    forge(&server, &asked, "approved", unsigned);
    let answer = redeem(&mut server, "CreateSecret", &create, &asked);
    refused(&answer, "ConfirmationUnproven");
    assert_eq!(answer["Error"]["Changed"], "no", "{answer}");
    assert_eq!(keys(&mut server), before);
}

/// What SECURITY.md says: without a PIN there is nothing that a program of the same user could not
/// write itself.
#[test]
fn without_a_pin_a_program_of_the_same_user_can_approve_by_writing_the_store() {
    let mut server = server(false);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    forge(&server, &asked, "approved", unsigned);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
}

#[test]
fn a_decision_from_before_the_pin_is_no_decision() {
    let mut server = server(false);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    let code = asked["Confirmation"]["MatchCode"].as_str().unwrap();
    let screen = person(&server, &["approve", code], &[("[y/N]", "y")]);
    assert!(screen.text.contains("Approved."), "{}", screen.text);
    set(&server);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    refused(&answer, "ConfirmationUnproven");
}

#[test]
fn a_signature_is_good_for_its_own_record_alone() {
    let mut server = server(true);
    let first = ask(&mut server, "GetSecretValue", &reveal());
    let mut other = reveal();
    other["Reason"] = "another".into();
    let second = ask(&mut server, "GetSecretValue", &other);
    assert!(approve(&server, &first, PIN).status.success());
    // Everything of the one decision but its record and token.
    let copied = store(&server).execute(
        "UPDATE approvals SET (state, method, who, decided_ms, expires_ms, signature) =
           (SELECT state, method, who, decided_ms, expires_ms, signature FROM approvals WHERE token_hash = ?1)
         WHERE token_hash = ?2",
        params![token_hash(&first), token_hash(&second)],
    );
    assert_eq!(copied.unwrap(), 1);
    let answer = redeem(&mut server, "GetSecretValue", &other, &second);
    refused(&answer, "ConfirmationUnproven");
    // And a no cannot be turned into a yes.
    let third = ask(&mut server, "GetSecretValue", &other);
    let code = third["Confirmation"]["MatchCode"].as_str().unwrap();
    let screen = person(&server, &["approve", code, "--deny"], &[("PIN: ", PIN)]);
    assert!(screen.text.contains("Denied."), "{}", screen.text);
    store(&server)
        .execute(
            "UPDATE approvals SET state = 'approved' WHERE token_hash = ?1",
            [token_hash(&third)],
        )
        .unwrap();
    let answer = redeem(&mut server, "GetSecretValue", &other, &third);
    refused(&answer, "ConfirmationUnproven");
    // The first one is as good as ever, once, whatever the store says then.
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &first);
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    store(&server)
        .execute(
            "UPDATE approvals SET state = 'approved' WHERE token_hash = ?1",
            [token_hash(&first)],
        )
        .unwrap();
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &first);
    assert_ne!(answer["Status"], "ok", "{answer}");
    assert!(!answer.to_string().contains(VALUE));
}

#[test]
fn the_time_limit_of_a_signed_decision_is_not_the_stores() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    assert!(approve(&server, &asked, PIN).status.success());
    // The person said yes four minutes ago, the store says it is good for an hour: the signature
    // is over the time, so the one cannot be moved and the other is not asked.
    store(&server)
        .execute(
            "UPDATE approvals SET expires_ms = expires_ms + 3600000, decided_ms = decided_ms - 240000",
            [],
        )
        .unwrap();
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    refused(&answer, "ConfirmationUnproven");
}

#[test]
fn a_decision_is_too_old_when_its_time_says_so_and_not_the_store() {
    let mut server = server(false);
    for minutes in [-4, 60] {
        let asked = ask(&mut server, "GetSecretValue", &reveal());
        forge(&server, &asked, "approved", unsigned);
        let moved =
            "UPDATE approvals SET decided_ms = decided_ms + ?1, expires_ms = expires_ms + 7200000";
        store(&server).execute(moved, [minutes * 60_000]).unwrap();
        let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
        refused(&answer, "ConfirmationExpired");
    }
}

#[test]
fn a_decision_of_the_server_counts_at_its_own_level_only() {
    let mut server = server(false);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    forge(&server, &asked, "approved", unsigned);
    store(&server).execute("UPDATE approvals SET method = 'token'", []).unwrap();
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "ConfirmationUnproven");
}
