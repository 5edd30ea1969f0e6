//! Proofs over whole policies: what is refused, what ships, and what may never loosen.

mod catalogue;
mod properties;
mod refusals;
mod verdicts;

use super::{Facts, Policy};
use crate::operation::{Destination, Risk};

pub(super) fn shipped(name: &str) -> Policy {
    Policy::named(name).expect("it ships").expect("it is well formed")
}

pub(super) fn parse(rules: &str) -> Policy {
    Policy::parse(&format!("version = 1\n{rules}"), "test").unwrap()
}

pub(super) fn call(action: &str, risk: Risk) -> Facts<'_> {
    Facts {
        action,
        risk,
        secret: "team/db",
        region: "cn-hangzhou",
        account: Some("1000000000000000"),
        destination: None,
        source: None,
        secret_type: Some("Generic"),
        tags: Some(&[]),
        client: "some-client",
    }
}

pub(super) fn reveal(destination: Destination) -> Facts<'static> {
    Facts { destination: Some(destination), ..call("GetSecretValue", Risk::Reveal) }
}

pub(super) fn create(source: &'static str, secret_type: &'static str) -> Facts<'static> {
    Facts {
        source: Some(source),
        secret_type: Some(secret_type),
        ..call("CreateSecret", Risk::Write)
    }
}
