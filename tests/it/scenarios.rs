//! The scenarios of `tests/cases/scenarios/`: what a person asks an agent for, from the first call
//! to the last, in each signature. Their format is that of the wire cases.

use std::fs;
use std::path::PathBuf;

use crate::harness::Era;
use crate::wire::case::Case;
use crate::wire::run::run;

/// Said once more, by hand (facts/kms.md §8).
const SCENARIOS: [&str; 15] = [
    "01-create",
    "02-soft-delete",
    "03-force-delete",
    "04-get-current",
    "05-get-by-version",
    "06-get-previous",
    "07-list",
    "08-filter",
    "09-put",
    "10-update",
    "11-stage-switch",
    "12-rotation-policy",
    "13-rotate",
    "14-restore",
    "15-policy-only-on-instances",
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/scenarios"))
}

fn play(signature: &'static str) {
    let wrong: Vec<String> = SCENARIOS
        .iter()
        .flat_map(|name| {
            let case = Case::read(&folder().join(format!("{name}.json"))).unwrap();
            let wrong = run(&case, Era::V2025_11_25, signature);
            wrong.into_iter().map(move |why| format!("{name}: {why}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_scenario_holds_with_acs3() {
    play("acs3");
}

#[test]
fn every_scenario_holds_with_rpc1() {
    play("rpc1");
}

#[test]
fn there_are_fifteen() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, SCENARIOS.map(|name| format!("{name}.json")));
}
