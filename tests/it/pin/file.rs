//! A program of the same user writes `pin.json`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::{PIN, approve, ask, audited, forge, redeem, refused, reveal, server, set, unsigned};
use crate::harness::{Server, ServerOptions};

/// `pin.json` of somebody else's PIN.
fn swap(server: &Server) {
    let path = server.state().join("pin.json");
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    file["public_key"] = json!(URL_SAFE_NO_PAD.encode(stranger.public_key().as_ref()));
    std::fs::write(&path, file.to_string()).unwrap();
}

#[test]
fn a_swapped_pin_file_stops_approvals_until_the_server_is_restarted() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    assert!(approve(&server, &asked, PIN).status.success());
    let before = std::fs::read(server.state().join("pin.json")).unwrap();
    swap(&server);
    let answer = redeem(&mut server, "GetSecretValue", &reveal(), &asked);
    refused(&answer, "PinChanged");
    // Putting the old file back helps nobody, and what needs no person goes on.
    std::fs::write(server.state().join("pin.json"), before).unwrap();
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "PinChanged");
    refused(&server.call("GetSecretValue", reveal()), "PinChanged");
    assert_eq!(server.call("DescribeSecret", json!({ "SecretName": "app/db" }))["Status"], "ok");
    let mask = json!({ "SecretName": "app/db", "Destination": "mask" });
    let asked = ask(&mut server, "GetSecretValue", &mask);
    assert_eq!(redeem(&mut server, "GetSecretValue", &mask, &asked)["Status"], "ok");
    let changed = audited(&server.state(), "factor_changed");
    let stopped = changed.iter().filter(|record| record["outcome"] == "approvals_stopped");
    assert_eq!(stopped.count(), 1, "{changed:?}");
}

#[test]
fn a_removed_pin_file_stops_approvals_too() {
    let mut server = server(true);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    std::fs::remove_file(server.state().join("pin.json")).unwrap();
    forge(&server, &asked, "approved", unsigned);
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "PinChanged");
}

#[test]
fn after_a_swap_and_a_restart_the_person_notices_by_their_pin() {
    let first = server(true);
    swap(&first);
    let mut second = Server::start_in(first.home(), ServerOptions::embedded());
    let asked = ask(&mut second, "GetSecretValue", &reveal());
    let screen = approve(&second, &asked, PIN);
    assert!(screen.text.contains("wrong PIN"), "{}", screen.text);
    // The log says since when: each start names the key that it trusts.
    let keys: Vec<Value> = audited(&second.state(), "start")
        .into_iter()
        .filter_map(|mut record| Some(record["approval"].as_object_mut()?["key"].take()))
        .collect();
    let set = audited(&second.state(), "factor_changed");
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(set.iter().all(|record| record["approval"]["key"] != keys[0]), "{set:?}");
}

#[test]
fn a_server_takes_up_a_pin_that_is_set_while_it_runs() {
    let mut server = server(false);
    let asked = ask(&mut server, "GetSecretValue", &reveal());
    set(&server);
    forge(&server, &asked, "approved", unsigned);
    refused(&redeem(&mut server, "GetSecretValue", &reveal(), &asked), "ConfirmationUnproven");
    let changed = audited(&server.state(), "factor_changed");
    let outcomes: Vec<&Value> = changed.iter().map(|record| &record["outcome"]).collect();
    assert!(outcomes.contains(&&json!("set")) && outcomes.contains(&&json!("pinned")));
    let keys: Vec<&Value> = changed.iter().map(|record| &record["approval"]["key"]).collect();
    assert!(keys[0].is_string() && keys[0] == keys[1], "{keys:?}");
}

#[test]
fn a_server_does_not_start_on_a_pin_file_it_cannot_read() {
    let server = server(true);
    std::fs::write(server.state().join("pin.json"), "{}").unwrap();
    let started = Server::spawn_in(server.home(), ServerOptions::embedded());
    let (status, stderr) = started.finish();
    assert!(!status.success());
    assert!(stderr.contains("pin.json"), "{stderr}");
}
