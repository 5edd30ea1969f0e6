//! What holds of any policy and any call.

use proptest::prelude::*;

use super::parse;
use crate::guard::policy::action::{ACTIONS, DESTINATIONS, RISKS, SOURCES, TYPES};
use crate::guard::policy::matrix::Cell;
use crate::guard::policy::pattern::Pattern;
use crate::guard::policy::{
    Effect, Facts, InForce, Level, Policy, Scope, Verdict, least_privilege,
};
use crate::operation::Risk;

/// Whether `one` lets through nothing that `other` would not, limits included.
fn no_looser(one: &Verdict, other: &Verdict) -> bool {
    let Effect::Allow(level) = &one.effect else { return true };
    !other.effect.is_stricter_than(&one.effect)
        && other.limits.iter().all(|limit| {
            *level >= limit.then
                || one.limits.iter().any(|own| {
                    own.kind == limit.kind
                        && own.per == limit.per
                        && own.per_hour <= limit.per_hour
                        && own.then >= limit.then
                })
        })
}

fn pick(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(of)
}

const GLOBS: &[&str] =
    &["*", "a", "a/*", "a/b", "b*", "*b", "acs/ram/user/*", "acs/ram/user/bob", "[ab]*", "?/?"];
const NAMES: &[&str] = &["a", "b", "a/b", "b/a", "acs/ram/user/bob"];

fn matchers(claims: bool) -> impl Strategy<Value = String> {
    let action = prop::sample::select(ACTIONS.iter().map(|a| a.name).collect::<Vec<_>>());
    let risk = prop::sample::select(RISKS.to_vec());
    let one = prop_oneof![
        action.prop_map(|name| ("action", name.to_owned())),
        risk.prop_map(|risk| ("risk", risk.name().to_owned())),
        prop::sample::select(DESTINATIONS.to_vec())
            .prop_map(|place| ("destination", place.name().to_owned())),
        pick(&SOURCES).prop_map(|name| ("source", name.to_owned())),
        pick(&TYPES[..3]).prop_map(|name| ("type", name.to_owned())),
        pick(GLOBS).prop_map(|glob| ("secret", glob.to_owned())),
        pick(GLOBS).prop_map(|glob| ("account", glob.to_owned())),
        (pick(&["k", "*"]), pick(GLOBS)).prop_map(|(key, glob)| ("tag", format!("{key}={glob}"))),
        pick(GLOBS)
            .prop_map(move |glob| (if claims { "client" } else { "region" }, glob.to_owned())),
    ];
    prop::collection::vec(one, 0..3).prop_map(|list| {
        let map: std::collections::BTreeMap<_, _> = list.into_iter().collect();
        let list: Vec<_> =
            map.iter().map(|(key, value)| format!("{key} = [\"{value}\"], ")).collect();
        list.concat()
    })
}

fn rule() -> impl Strategy<Value = String> {
    let effect = pick(&[
        "allow = true",
        "allow = true, limit = { per_hour = 3, then = \"person\" }",
        "confirm = \"token\"",
        "confirm = \"token\", limit = { per_hour = 2, then = \"pin\" }",
        "confirm = \"person\"",
        "deny = true",
    ]);
    effect.prop_flat_map(|effect| {
        let allow = effect.starts_with("allow");
        (matchers(!allow), matchers(false)).prop_map(move |(when, except)| {
            let except =
                if except.is_empty() { except } else { format!("except = {{ {except} }}, ") };
            format!("{when}{except}{effect}, reason = \"r\"")
        })
    })
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(rule(), 1..6)
}

fn build(rules: &[String]) -> Policy {
    let list: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| format!("{{ id = \"r{at}\", {rule} }},\n"))
        .collect();
    parse(&format!("rule = [{}]", list.concat()))
}

#[derive(Debug, Clone)]
struct Call {
    facts: Facts<'static>,
    tags: Vec<(String, String)>,
}

impl Call {
    fn facts(&self) -> Facts<'_> {
        Facts { tags: Some(&self.tags), ..self.facts }
    }
}

fn any_call() -> impl Strategy<Value = Call> {
    let place = prop::option::of(prop::sample::select(DESTINATIONS.to_vec()));
    let tags = prop::collection::vec((pick(&["k", "other"]), pick(NAMES)), 0..3);
    let names = (pick(NAMES), pick(NAMES), pick(NAMES), pick(NAMES));
    let kind = (0..ACTIONS.len(), prop::sample::select(RISKS.to_vec()));
    (kind, place, prop::option::of(pick(&SOURCES)), pick(&TYPES[..3]), names, tags).prop_map(
        |((action, risk), destination, source, secret_type, names, tags)| Call {
            facts: Facts {
                action: ACTIONS[action].name,
                risk,
                secret: names.0,
                region: names.1,
                account: Some(names.2),
                destination,
                source,
                secret_type: Some(secret_type),
                tags: None,
                client: names.3,
            },
            tags: tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        },
    )
}

/// Whether a RAM policy allows an action on a secret, or on what stands for it.
fn gives(document: &serde_json::Value, action: &str, secret: &str) -> bool {
    let statements = document["Statement"].as_array().unwrap();
    statements
        .iter()
        .filter(|statement| {
            statement["Action"].as_array().unwrap().contains(&format!("kms:{action}").into())
        })
        .any(|statement| {
            let listed = statement["Resource"].as_array().cloned();
            let all = listed.unwrap_or_else(|| vec![statement["Resource"].clone()]);
            all.iter().any(|resource| match resource.as_str().unwrap().split_once("secret/") {
                Some((_, names)) => Pattern::new(names).unwrap().matches(secret),
                None => true,
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn adding_a_deny_rule_never_allows_more(
        mut rules in rules(), when in matchers(true), call in any_call(), at in 0_usize..6,
    ) {
        let before = build(&rules).judge(&call.facts());
        rules.insert(at.min(rules.len()), format!("{when} deny = true, reason = \"r\""));
        // The ids shift, so only the effects are compared.
        let after = build(&rules).judge(&call.facts());
        prop_assert!(!before.effect.is_stricter_than(&after.effect));
        // Said without the order that is looked at.
        prop_assert!(after.effect.is_deny() || !before.effect.is_deny());
    }

    #[test]
    fn a_second_policy_never_allows_more(first in rules(), second in rules(), call in any_call()) {
        let (first, second) = (build(&first), build(&second));
        let both = InForce::new(first.clone(), Some(second.clone()));
        let verdict = both.judge(&call.facts());
        prop_assert!(no_looser(&verdict, &first.judge(&call.facts())));
        prop_assert!(no_looser(&verdict, &second.judge(&call.facts())));
        // Said without the order that is looked at.
        let denied = [first, second].iter().any(|one| one.judge(&call.facts()).effect.is_deny());
        prop_assert_eq!(verdict.effect.is_deny(), denied);
    }

    #[test]
    fn what_is_unread_never_allows_more(
        rules in rules(), call in any_call(),
        no_tags: bool, no_type: bool, no_account: bool, prefix: bool,
    ) {
        let policy = build(&rules);
        let known = call.facts();
        let secret = match known.secret {
            "acs/ram/user/bob" if prefix => "acs/ram/user/*",
            secret => secret,
        };
        let unread = Facts {
            secret,
            tags: known.tags.filter(|_| !no_tags),
            secret_type: known.secret_type.filter(|_| !no_type),
            account: known.account.filter(|_| !no_account),
            ..known
        };
        prop_assert!(no_looser(&policy.judge(&unread), &policy.judge(&known)));
        // And where nothing more is asked for, nothing more would have changed the verdict.
        if !policy.needs_description(&unread) && !no_account && secret == known.secret {
            prop_assert_eq!(policy.judge(&unread).effect, policy.judge(&known).effect);
        }
    }

    #[test]
    fn a_claimed_name_never_allows_more(rules in rules(), call in any_call()) {
        let policy = build(&rules);
        let plain: Vec<String> =
            rules.iter().filter(|rule| !rule.contains("client =")).cloned().collect();
        prop_assume!(!plain.is_empty());
        let without = build(&plain).judge(&call.facts());
        prop_assert!(!without.effect.is_stricter_than(&policy.judge(&call.facts()).effect));
    }

    #[test]
    fn what_could_be_called_is_listed(rules in rules(), call in any_call()) {
        let policy = build(&rules);
        let action = &ACTIONS[ACTIONS.iter().position(|a| a.name == call.facts.action).unwrap()];
        let mut facts = call.facts();
        facts.risk = action.risks[0];
        facts.destination = action.destinations[0];
        facts.source = action.sources[0];
        if !action.about_secret {
            facts.secret = "";
        }
        if !policy.judge(&facts).effect.is_deny() {
            prop_assert!(policy.lists(action.name, Risk::Inspect..=Risk::Destroy));
        }
    }

    #[test]
    fn the_matrix_predicts_every_verdict(rules in rules(), call in any_call(), kind: prop::sample::Index) {
        let policy = build(&rules);
        let action = &ACTIONS[ACTIONS.iter().position(|a| a.name == call.facts.action).unwrap()];
        let kinds: Vec<Facts<'_>> = action.calls().collect();
        let kind = kinds[kind.index(kinds.len())];
        let cell = Cell::of(&policy, &kind);
        let Facts { action, risk, destination, source, .. } = kind;
        let secret = if kind.secret.is_empty() { "" } else { call.facts.secret };
        let facts = Facts { action, risk, secret, destination, source, ..call.facts() };
        let facts = if secret.is_empty() { Facts { tags: Some(&[]), secret_type: Some(""), ..facts } } else { facts };
        let verdict = policy.judge(&facts);
        let said = verdict.effect.name();
        let foretold = cell.effect == said
            || cell.cases.iter().any(|case| case.starts_with(&format!("{said} (")));
        prop_assert!(foretold, "{said}, not as in {cell:?}");
        if cell.cases.is_empty() {
            prop_assert_eq!(cell.effect, said);
            let most = cell.limits.iter().map(|limit| limit.then).max();
            let most = most.map_or(said, Level::name);
            prop_assert_eq!(most, verdict.effect_after(|_| u32::MAX).name());
        }
    }

    #[test]
    fn the_ram_policy_has_every_right_that_an_allowed_call_needs(rules in rules(), call in any_call()) {
        let policy = build(&rules);
        let action = &ACTIONS[ACTIONS.iter().position(|a| a.name == call.facts.action).unwrap()];
        let facts = Facts {
            risk: action.risks[0],
            destination: action.destinations[0],
            source: action.sources[0],
            ..call.facts()
        };
        prop_assume!(action.about_secret && !policy.judge(&facts).effect.is_deny());
        let scope = Scope::new(None, None, None, None).unwrap();
        let document = least_privilege(&policy, &scope);
        let steps = action.steps.iter().copied();
        for name in steps.chain(std::iter::once(action.name)).chain(action.key_right) {
            prop_assert!(gives(&document, name, facts.secret), "{name} {document}");
        }
    }

    #[test]
    fn no_text_makes_the_reader_fall(text in "(version = 1\n)?[a-z\\[\\]\"={}, .\n*0-9#é-]{0,200}") {
        drop(Policy::parse(&text, "any"));
    }
}
