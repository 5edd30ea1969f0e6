//! From the text of a policy to its rules.

use std::collections::HashSet;

use super::action::{self, DESTINATIONS, RISKS, SOURCES, TYPES};
use super::document::{Item, Source, Table};
use super::engine::Policy;
use super::error::PolicyError;
use super::matcher::Matcher;
use super::pattern::Pattern;
use super::rule::Rule;
use super::verdict::{Effect, Level, Limit, Per};
use super::{example, shipped};
use crate::operation::{Destination, Risk};

const TOP: [&str; 4] = ["version", "extends", "drop", "rule"];
const MATCHERS: [&str; 10] = [
    "action",
    "risk",
    "secret",
    "region",
    "account",
    "tag",
    "type",
    "destination",
    "source",
    "client",
];
const RULE: [&str; 8] =
    ["id", "reason", "allow", "confirm", "deny", "instead", "limit", "examples"];

/// What the agent and the approver are shown of a policy.
const MAX_SENTENCE: usize = 200;

const CLAIM: &str = "is what the client says of itself, so it can only tighten;";

/// The policy written so.
pub(super) fn policy(text: &str, origin: &str) -> Result<Policy, PolicyError> {
    let source = Source { origin, text };
    let document = source.document()?;
    let root = Table::root(source, document.get_ref(), &TOP)?;
    let version = root.need("version", "write `version = 1`")?;
    if version.number().ok() != Some(1) {
        return Err(version.refuse("must be 1, the only version this program knows"));
    }

    let (mut rules, base) = extended(&root)?;
    let tables = match root.get("rule") {
        Some(list) => {
            let allowed: Vec<&str> = RULE.into_iter().chain(MATCHERS).chain(["except"]).collect();
            list.list()?.iter().map(|item| item.table(&allowed)).collect::<Result<_, _>>()?
        }
        None => Vec::new(),
    };
    if tables.is_empty() && base.is_none() {
        return Err(root.refuse("rule", "missing; a policy without a rule would deny every call"));
    }
    let mut ids: HashSet<String> = rules.iter().map(|rule| rule.id.clone()).collect();
    for table in &tables {
        let rule = rule(table)?;
        if !ids.insert(rule.id.clone()) {
            let what = format!("`{}` is taken; give every rule an id of its own", rule.id);
            return Err(table.refuse("id", what));
        }
        rules.push(rule);
    }

    let first = rules.len().saturating_sub(tables.len());
    let texts: Vec<&str> = base.into_iter().chain([text]).collect();
    let mut policy = Policy::new(origin, rules.clone(), &texts);
    // Those of the extended policy hold for it, and need not for what became of it.
    for (table, rule) in tables.iter().zip(rules.iter().skip(first)) {
        policy.examples += example::check(table, rule, &policy)?;
    }
    Ok(policy)
}

/// The rules of the policy named by `extends` that `drop` leaves, and its text.
fn extended(root: &Table<'_>) -> Result<(Vec<Rule>, Option<&'static str>), PolicyError> {
    let Some(item) = root.get("extends") else {
        return match root.get("drop") {
            Some(drop) => {
                Err(drop.refuse("only together with `extends`: there is nothing to drop"))
            }
            None => Ok((Vec::new(), None)),
        };
    };
    let name = item.text(64)?;
    let text = shipped::text(name).ok_or_else(|| {
        item.refuse(format!("not a shipped policy; those are {}", shipped::NAMES.join(", ")))
    })?;
    let mut rules = policy(text, name)?.into_rules();
    if let Some(drop) = root.get("drop") {
        for item in drop.list()? {
            let id = item.text(64)?;
            let Some(at) = rules.iter().position(|rule| rule.id == id) else {
                let known: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
                let what = format!("`{name}` has no rule `{id}`; left are {}", known.join(", "));
                return Err(item.refuse(what));
            };
            rules.remove(at);
        }
    }
    Ok((rules, Some(text)))
}

fn rule(table: &Table<'_>) -> Result<Rule, PolicyError> {
    let item = table.need("id", "every rule has a name")?;
    let id = item.text(64)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !id.chars().all(allowed) || id == super::Verdict::DEFAULT_DENY {
        return Err(item.refuse(
            "must be of lower-case letters, digits and `-`, and not `default-deny`, which says that no rule matched",
        ));
    }
    let reason = table.need("reason", "say in a sentence why the rule is there")?;
    let effect = effect(table)?;
    let limit = limit(table, id, &effect)?;
    let when = matcher(table)?;
    let except = match table.get("except") {
        Some(item) => {
            let inner = item.table(&MATCHERS)?;
            if inner.is_empty() {
                return Err(item.refuse("empty, so the rule would match nothing; leave it out"));
            }
            if inner.get("client").is_some() {
                return Err(inner.refuse("client", format!("{CLAIM} it cannot be an exception")));
            }
            Some(matcher(&inner)?)
        }
        None => None,
    };
    if effect == Effect::Allow(Level::None) && when.client.is_some() {
        return Err(table.refuse("client", format!("{CLAIM} use it with `confirm` or `deny`")));
    }
    Ok(Rule {
        id: id.to_owned(),
        reason: reason.text(MAX_SENTENCE)?.to_owned(),
        effect,
        limit,
        when,
        except,
    })
}

fn effect(table: &Table<'_>) -> Result<Effect, PolicyError> {
    let given: Vec<Item<'_>> =
        ["allow", "confirm", "deny"].iter().filter_map(|key| table.get(key)).collect();
    let one = "exactly one of `allow = true`, `confirm = \"<level>\"`, `deny = true`";
    let item = match given.as_slice() {
        [] => return Err(table.refuse("allow", format!("missing; a rule has {one}"))),
        [item] => *item,
        [_, item, ..] => return Err(item.refuse(format!("a rule has {one}"))),
    };
    if table.get("deny").is_some() {
        item.yes()?;
        let instead = table.get("instead").map(|item| item.text(MAX_SENTENCE)).transpose()?;
        return Ok(Effect::Deny { instead: instead.map(str::to_owned) });
    }
    if let Some(instead) = table.get("instead") {
        return Err(instead.refuse("only with `deny`: it says what to do instead"));
    }
    if table.get("allow").is_some() {
        item.yes()?;
        return Ok(Effect::Allow(Level::None));
    }
    level(&item).map(Effect::Allow)
}

/// A level that asks for something.
fn level(item: &Item<'_>) -> Result<Level, PolicyError> {
    Level::named(item.text(16)?).filter(|level| *level != Level::None).ok_or_else(|| {
        item.refuse(
            "not a level; those are token, client, person, pin (for none, write `allow = true`)",
        )
    })
}

fn limit(table: &Table<'_>, id: &str, effect: &Effect) -> Result<Option<Limit>, PolicyError> {
    let Some(item) = table.get("limit") else { return Ok(None) };
    let Effect::Allow(now) = effect else {
        return Err(item.refuse("only with `allow` or `confirm`: a deny has no limit"));
    };
    let limit = item.table(&["per_hour", "then", "per"])?;
    let per = match limit.get("per") {
        None => Per::Rule,
        Some(per) => per
            .text(16)
            .and_then(|word| if word == "secret" { Ok(Per::Secret) } else { Err(per.refuse("can only be \"secret\": calls on each secret are counted apart; leave it out to count all calls of the rule")) })?,
    };
    let per_hour = limit.need("per_hour", "how many calls an hour are free of it")?.number()?;
    let item = limit.need("then", "the level of every further call")?;
    let then = level(&item)?;
    if then <= *now {
        return Err(item.refuse(format!("must be above the level of the rule, `{}`", now.name())));
    }
    Ok(Some(Limit { kind: id.to_owned(), per, per_hour, then }))
}

fn matcher(table: &Table<'_>) -> Result<Matcher, PolicyError> {
    Ok(Matcher {
        action: list(table, "action", |name| {
            action::named(name).map(|action| action.name).ok_or_else(|| {
                let known: Vec<&str> = action::ACTIONS.iter().map(|action| action.name).collect();
                format!("`{name}` is no KMS action known here; those are {}", known.join(", "))
            })
        })?,
        risk: list(table, "risk", |name| one_of("risk", name, &RISKS, Risk::name))?,
        destination: list(table, "destination", |name| {
            one_of("destination", name, &DESTINATIONS, Destination::name)
        })?,
        source: list(table, "source", |name| one_of("source", name, &SOURCES, |source| source))?,
        secret_type: list(table, "type", |name| {
            one_of("secret type", name, &TYPES, |secret_type| secret_type)
        })?,
        secret: list(table, "secret", Pattern::new)?,
        region: list(table, "region", Pattern::new)?,
        account: list(table, "account", Pattern::new)?,
        client: list(table, "client", Pattern::new)?,
        tag: list(table, "tag", |text| match text.split_once('=') {
            Some((key, "")) => Ok((Pattern::new(key)?, Pattern::new("{}")?)),
            Some((key, value)) => Ok((Pattern::new(key)?, Pattern::new(value)?)),
            None => Err("must be \"key=value\", each side a glob".to_owned()),
        })?,
    })
}

fn list<T>(
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<Vec<T>>, PolicyError> {
    let Some(item) = table.get(key) else { return Ok(None) };
    let read = |item: &Item<'_>| read(item.text(256)?).map_err(|what| item.refuse(what));
    item.list()?.iter().map(read).collect::<Result<_, _>>().map(Some)
}

/// The one of that name among all there are.
pub(super) fn one_of<T: Copy>(
    kind: &str,
    name: &str,
    all: &[T],
    named: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    all.iter().copied().find(|one| named(*one) == name).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| named(*one)).collect();
        format!("`{name}` is no {kind}; there are {}", known.join(", "))
    })
}
