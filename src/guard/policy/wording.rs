//! Rules and calls in words, for what people read of a policy.

use super::matcher::Matcher;
use super::pattern::Pattern;
use super::rule::Rule;
use super::verdict::{Limit, Per};
use crate::operation::{Destination, Risk};

/// When a rule holds, but for the kind of call; empty if it always does.
pub(super) fn conditions(rule: &Rule) -> String {
    let mut when = circumstances(&rule.when).join(" and ");
    if let Some(except) = &rule.except {
        if !when.is_empty() {
            when.push_str(", ");
        }
        when.push_str("unless ");
        let mut parts = kinds(except);
        parts.extend(circumstances(except));
        when.push_str(&parts.join(" and "));
    }
    when
}

/// What a limit adds.
pub(super) fn limit(limit: &Limit) -> String {
    let of = match limit.per {
        Per::Rule => "",
        Per::Secret => " on the secret",
    };
    format!("{} after {} an hour{of} (`{}`)", limit.then.name(), limit.per_hour, limit.kind)
}

/// A kind of call: the action, its risk where it can have several, and where values go or are from.
pub(super) fn call(
    action: &str,
    risk: Option<Risk>,
    destinations: &[Destination],
    sources: &[&str],
) -> String {
    let mut text = action.to_owned();
    match (action, risk) {
        ("DeleteSecret", Some(Risk::Destroy)) => text.push_str(", forced"),
        ("DeleteSecret", Some(_)) => text.push_str(", scheduled"),
        ("PutSecretValue" | "RotateSecret" | "UpdateSecretRotationPolicy", Some(Risk::Destroy)) => {
            text.push_str(", the secret holds ten versions");
        }
        (_, Some(Risk::Destroy)) => text.push_str(", Policy names another account"),
        (_, Some(_) | None) => {}
    }
    if !destinations.is_empty() {
        let names: Vec<&str> = destinations.iter().map(|place| place.name()).collect();
        text.push_str(" to ");
        text.push_str(&either(&names));
    }
    let from: Vec<&str> = sources.iter().copied().filter(|source| *source != "inline").collect();
    if !sources.is_empty() {
        text.push_str(", value ");
        text.push_str(match (from.len() < sources.len(), from.is_empty()) {
            (true, true) => "inline",
            (true, false) => "inline or from ",
            (false, _) => "from ",
        });
        text.push_str(&either(&from));
    }
    text
}

/// `a, b or c`.
fn either(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn kinds(matcher: &Matcher) -> Vec<String> {
    let mut parts = Vec::new();
    list(&mut parts, "the action", matcher.action.as_deref(), |name| (*name).to_owned());
    list(&mut parts, "the risk", matcher.risk.as_deref(), |risk| risk.name().to_owned());
    list(&mut parts, "the destination", matcher.destination.as_deref(), |d| d.name().to_owned());
    list(&mut parts, "the source", matcher.source.as_deref(), |source| (*source).to_owned());
    parts
}

fn circumstances(matcher: &Matcher) -> Vec<String> {
    let mut parts = Vec::new();
    let text = |pattern: &Pattern| pattern.text().to_owned();
    list(&mut parts, "the secret", matcher.secret.as_deref(), text);
    list(&mut parts, "the type", matcher.secret_type.as_deref(), |name| (*name).to_owned());
    list(&mut parts, "a tag", matcher.tag.as_deref(), |(key, value)| {
        // How a value that must be empty is kept.
        let value = if value.text() == "{}" { "" } else { value.text() };
        format!("{}={value}", key.text())
    });
    list(&mut parts, "the region", matcher.region.as_deref(), text);
    list(&mut parts, "the account", matcher.account.as_deref(), text);
    list(&mut parts, "the client says that it", matcher.client.as_deref(), text);
    parts
}

fn list<T>(parts: &mut Vec<String>, what: &str, list: Option<&[T]>, text: impl Fn(&T) -> String) {
    if let Some(list) = list {
        let names: Vec<String> = list.iter().map(|one| format!("`{}`", text(one))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        parts.push(format!("{what} is {}", either(&names)));
    }
}
