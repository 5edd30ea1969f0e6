//! `examples`: what a rule's author expects, checked whenever the policy is loaded.
//!
//! An example stands for every usual call of the rule's actions; what it leaves out is taken from
//! the rule where that names it, and is otherwise unremarkable: no tags, `Generic`, from `env`, to
//! `mask`.

use super::action::{self, ACTIONS, Action, DESTINATIONS, RISKS, SOURCES, TYPES};
use super::document::{Item, Table};
use super::engine::Policy;
use super::error::PolicyError;
use super::facts::Facts;
use super::parse::one_of;
use super::rule::Rule;
use crate::operation::{Destination, Risk};

const KEYS: [&str; 11] = [
    "action",
    "risk",
    "secret",
    "region",
    "account",
    "tags",
    "type",
    "destination",
    "source",
    "client",
    "expect",
];
const EXPECTED: [&str; 6] = ["none", "token", "client", "person", "pin", "deny"];

/// Checks the examples of one rule against the whole policy, and counts them.
pub(super) fn check(table: &Table<'_>, rule: &Rule, policy: &Policy) -> Result<usize, PolicyError> {
    let Some(examples) = table.get("examples") else { return Ok(0) };
    let examples = examples.list()?;
    for item in &examples {
        check_one(item, rule, policy)?;
    }
    Ok(examples.len())
}

fn check_one(item: &Item<'_>, rule: &Rule, policy: &Policy) -> Result<(), PolicyError> {
    let table = item.table(&KEYS)?;
    let expect = table.need("expect", "none, token, client, person, pin or deny")?;
    let expected = one_of("verdict", expect.text(16)?, &EXPECTED, |name| name)
        .map_err(|what| expect.refuse(what))?;
    let example = Example::read(&table)?;
    let mut checked = 0_usize;
    for facts in example.calls(rule) {
        checked += 1;
        let verdict = policy.judge(&facts);
        if verdict.effect.name() != expected {
            return Err(expect.refuse(format!(
                "expects `{expected}`, but the policy says `{}` to {} (risk {}, secret `{}`), by the rule `{}`",
                verdict.effect, facts.action, facts.risk.name(), facts.secret, verdict.rule,
            )));
        }
    }
    if checked == 0 {
        return Err(item.refuse("no action has such a call; change the example's action or risk"));
    }
    Ok(())
}

/// What an example says; the rest is filled in.
struct Example<'a> {
    action: Option<&'static Action>,
    risk: Option<Risk>,
    destination: Option<Destination>,
    source: Option<&'static str>,
    secret_type: Option<&'static str>,
    secret: &'a str,
    region: &'a str,
    account: &'a str,
    client: &'a str,
    tags: Vec<(String, String)>,
}

impl<'a> Example<'a> {
    fn read(table: &Table<'a>) -> Result<Self, PolicyError> {
        let text =
            |key: &str, default: &'a str| table.get(key).map_or(Ok(default), |item| item.text(256));
        Ok(Self {
            action: word(table, "action", |name| {
                action::named(name).ok_or_else(|| format!("`{name}` is no KMS action known here"))
            })?,
            risk: word(table, "risk", |name| one_of("risk", name, &RISKS, Risk::name))?,
            destination: word(table, "destination", |name| {
                one_of("destination", name, &DESTINATIONS, Destination::name)
            })?,
            source: word(table, "source", |name| one_of("source", name, &SOURCES, |name| name))?,
            secret_type: word(table, "type", |name| one_of("type", name, &TYPES, |name| name))?,
            secret: text("secret", "example")?,
            region: text("region", "cn-hangzhou")?,
            account: text("account", "1000000000000000")?,
            client: text("client", "example")?,
            tags: tags(table)?,
        })
    }

    /// The calls it stands for.
    fn calls<'b>(&'b self, rule: &'b Rule) -> Vec<Facts<'b>> {
        let when = &rule.when;
        let named = |action: &Action| match (self.action, &when.action) {
            (Some(only), _) => only.name == action.name,
            (None, Some(list)) => list.contains(&action.name),
            (None, None) => true,
        };
        let secret_type = self
            .secret_type
            .or_else(|| when.secret_type.as_ref().and_then(|list| list.first().copied()))
            .unwrap_or("Generic");
        let mut calls = Vec::new();
        for action in ACTIONS.iter().filter(|action| named(action)) {
            let secret = if action.about_secret { self.secret } else { "" };
            let risks = choose(self.risk, when.risk.as_deref(), action.risks);
            let destinations = choose(
                self.destination.map(Some),
                when.destination.as_ref().map(|list| some(list)).as_deref(),
                action.destinations,
            );
            let sources = choose(
                self.source.map(Some),
                when.source.as_ref().map(|list| some(list)).as_deref(),
                action.sources,
            );
            for risk in &risks {
                for destination in &destinations {
                    for source in &sources {
                        calls.push(Facts {
                            action: action.name,
                            risk: *risk,
                            secret,
                            region: self.region,
                            account: Some(self.account),
                            destination: *destination,
                            source: *source,
                            secret_type: Some(secret_type),
                            tags: Some(&self.tags),
                            client: self.client,
                        });
                    }
                }
            }
        }
        calls
    }
}

/// What the example says, else what the rule says, else the usual; of it, what the action can have.
fn choose<T: Copy + PartialEq>(said: Option<T>, ruled: Option<&[T]>, possible: &[T]) -> Vec<T> {
    let wanted: Vec<T> = match (said, ruled) {
        (Some(one), _) => vec![one],
        (None, Some(list)) => list.to_vec(),
        (None, None) => possible.iter().copied().take(1).collect(),
    };
    wanted.into_iter().filter(|one| possible.contains(one)).collect()
}

fn some<T: Copy>(list: &[T]) -> Vec<Option<T>> {
    list.iter().copied().map(Some).collect()
}

fn word<T>(
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, PolicyError> {
    table.get(key).map(|item| read(item.text(64)?).map_err(|what| item.refuse(what))).transpose()
}

fn tags(table: &Table<'_>) -> Result<Vec<(String, String)>, PolicyError> {
    let Some(item) = table.get("tags") else { return Ok(Vec::new()) };
    let read = |item: &Item<'_>| {
        let text = item.text(256)?;
        let (key, value) =
            text.split_once('=').ok_or_else(|| item.refuse("must be \"key=value\""))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    item.list()?.iter().map(read).collect()
}
