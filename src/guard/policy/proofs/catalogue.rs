//! The table of actions says what the catalogue says, and the shipped RAM rights follow both.

use serde_json::json;

use crate::guard::policy::action::{ACTIONS, named};
use crate::operation::{Destination, Operation, Risk, Witness};
use crate::operations::{Visit, catalogue};

/// One action of the catalogue.
struct Entry {
    name: &'static str,
    risk: Risk,
    /// What it tells of a call with these arguments, if it takes them.
    says: fn(serde_json::Value) -> Option<Says>,
}

struct Says {
    risk: Risk,
    witness: Witness,
    destination: Option<Destination>,
    takes_value: bool,
    about_secret: bool,
}

struct Entries;

impl Visit for Entries {
    type Entry = Entry;
    fn visit<O: Operation>(&mut self) -> Entry {
        Entry {
            name: O::SPEC.action,
            risk: O::SPEC.risk,
            says: |arguments| {
                let mut input: O::Input = serde_json::from_value(arguments).ok()?;
                Some(Says {
                    risk: O::risk(&input),
                    witness: O::witness(&input),
                    destination: O::destination(&input),
                    about_secret: !O::resource(&input).name.is_empty(),
                    takes_value: O::value(&mut input).is_some(),
                })
            },
        }
    }
}

#[test]
fn the_table_has_every_action_of_the_catalogue_with_its_highest_risk() {
    for entry in catalogue(&mut Entries) {
        let action = named(entry.name).unwrap_or_else(|| panic!("{} is not there", entry.name));
        assert_eq!(action.risks.iter().max(), Some(&entry.risk), "{}", entry.name);
    }
}

/// Arguments that every action takes some of: what one does not know is left out.
fn samples() -> Vec<serde_json::Value> {
    let policy = |account: &str| {
        json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": ["kms:*"],
            "Principal": { "RAM": [format!("acs:ram::{account}:*")] }, "Resource": ["*"] }] })
    };
    let base = json!({ "SecretName": "a" });
    let value = json!({ "SecretName": "a", "VersionId": "v", "SecretData": "x" });
    let foreign =
        json!({ "SecretName": "a", "VersionId": "v", "SecretData": "x", "Policy": policy("2") });
    vec![
        json!({}),
        base,
        value,
        foreign,
        json!({ "Policy": policy("2") }),
        json!({ "SecretName": "a", "Policy": policy("1") }),
        json!({ "SecretName": "a", "VersionId": "v" }),
        json!({ "SecretName": "a", "EnableAutomaticRotation": false }),
        json!({ "SecretName": "a", "EnableAutomaticRotation": true, "RotationInterval": "7d" }),
        json!({ "SecretName": "a", "VersionStage": "s", "MoveToVersion": "v" }),
        json!({ "SecretName": "a", "ForceDeleteWithoutRecovery": true }),
        json!({ "SecretName": "a", "Destination": "agent" }),
    ]
}

#[test]
fn the_table_tells_of_a_call_what_the_operation_tells() {
    for entry in catalogue(&mut Entries) {
        let action = named(entry.name).unwrap();
        let mut told = 0;
        for says in samples().into_iter().filter_map(entry.says) {
            told += 1;
            let name = entry.name;
            assert!(action.risks.contains(&says.risk), "{name}");
            assert!(action.destinations.contains(&says.destination), "{name}");
            assert_eq!(action.about_secret, says.about_secret, "{name}");
            assert_eq!(action.sources.contains(&Some("inline")), says.takes_value, "{name}");
            let steps: &[&str] = match says.witness {
                Witness::None => &[],
                Witness::NewVersion(_) => &["ListSecretVersionIds"],
                Witness::Secret | Witness::SecretOfInstance => &["DescribeSecret"],
                Witness::SecretWithVersions | Witness::Version { .. } => {
                    &["DescribeSecret", "ListSecretVersionIds"]
                }
            };
            assert!(steps.iter().all(|step| action.steps.contains(step)), "{name}: {steps:?}");
        }
        assert!(told > 0, "{}: no sample fits, add one", entry.name);
    }
}

#[test]
fn what_carries_a_value_needs_a_right_on_the_key() {
    for action in &ACTIONS {
        let carries = action.destinations != [None] || action.sources != [None];
        assert_eq!(action.key_right.is_some(), carries, "{}", action.name);
        assert!(action.steps.iter().all(|step| named(step).is_some()), "{}", action.name);
    }
}
