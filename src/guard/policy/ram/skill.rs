//! The RAM policies that the skill offers, corrected (facts/kms.md §8): with the rights on keys,
//! and with the resources that KMS checks creating and listing against.

use serde_json::Value;

use super::super::action::{self, ACTIONS};
use super::{Scope, Wanted};

/// What looking needs.
const LOOK: [&str; 6] = [
    "DescribeSecret",
    "GetSecretPolicy",
    "ListKeys",
    "ListKmsInstances",
    "ListSecretVersionIds",
    "ListSecrets",
];

/// The example of a prefix that the file by prefix is written for.
const PREFIX: &str = "app/";

/// Each by the name of its file.
pub(crate) fn skill_policies() -> Result<Vec<(&'static str, Value)>, String> {
    let anywhere = Scope::new(None, None, None, None)?;
    let prefixed = Scope::new(None, None, Some(PREFIX), None)?;
    let read = [&LOOK[..], &["GetSecretValue"]].concat();
    let write = ["CreateSecret", "PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"];
    let write = [&LOOK[..], &write].concat();
    let least = ["DescribeSecret", "GetSecretValue", "ListSecretVersionIds"];
    let full: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
    Ok(vec![
        ("by-prefix", document(&read, &prefixed)),
        ("create-and-update", document(&write, &anywhere)),
        ("full", document(&full, &anywhere)),
        ("minimum", document(&least, &anywhere)),
        ("read-only", document(&read, &anywhere)),
    ])
}

fn document(actions: &[&str], scope: &Scope) -> Value {
    let mut wanted = Wanted::default();
    for action in actions.iter().filter_map(|name| action::named(name)) {
        wanted.add(action, &["*".to_owned()]);
    }
    wanted.document(scope)
}
