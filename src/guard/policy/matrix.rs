//! The matrix: what a policy says to every kind of call, for people.

use std::fmt::Write;

use super::action::{ACTIONS, Action};
use super::engine::Policy;
use super::facts::Facts;
use super::pattern::Sure;
use super::rule::Rule;
use super::verdict::{Effect, Limit, Verdict};
use super::wording;

/// What is said to one kind of call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// The level or `deny`, where no condition holds.
    pub(super) effect: &'static str,
    /// The rule that says so.
    rule: String,
    /// Levels that a count brings.
    pub(super) limits: Vec<Limit>,
    /// What is said under a condition, where that is something else.
    pub(super) cases: Vec<String>,
}

impl Cell {
    pub(super) fn of(policy: &Policy, facts: &Facts<'_>) -> Self {
        let facts = &facts.settled();
        let mut strictest: Option<&Rule> = None;
        let mut granted = false;
        let mut limits = Vec::new();
        for rule in holding(policy, facts, Sure::Yes) {
            granted |= rule.grants();
            limits.extend(rule.limit.clone());
            if strictest.is_none_or(|best| rule.effect.is_stricter_than(&best.effect)) {
                strictest = Some(rule);
            }
        }
        let winner = strictest.filter(|rule| granted || rule.effect.is_deny());
        let cases = holding(policy, facts, Sure::Unknown)
            .filter(|rule| winner.is_none_or(|winner| matters(rule, &winner.effect)))
            .map(|rule| case(rule, strictest))
            .collect();
        let (effect, rule) = match winner {
            Some(rule) => (rule.effect.name(), rule.id.clone()),
            None => ("deny", Verdict::DEFAULT_DENY.to_owned()),
        };
        limits.retain(|limit| winner.is_some_and(|rule| raises(limit, &rule.effect)));
        Self { effect, rule, limits, cases }
    }

    /// For the table of all policies.
    fn short(&self) -> String {
        let more = if self.limits.is_empty() && self.cases.is_empty() { "" } else { " \\*" };
        format!("{}{more}", self.effect)
    }

    fn otherwise(&self) -> String {
        let limits = self.limits.iter().map(wording::limit);
        let all: Vec<String> = limits.chain(self.cases.iter().cloned()).collect();
        if all.is_empty() { "–".to_owned() } else { escaped(&all.join("; ")) }
    }
}

fn holding<'a>(
    policy: &'a Policy,
    facts: &'a Facts<'a>,
    sure: Sure,
) -> impl Iterator<Item = &'a Rule> {
    policy.rules().iter().filter(move |rule| rule.could_match(facts) == sure)
}

fn raises(limit: &Limit, above: &Effect) -> bool {
    Effect::Allow(limit.then).is_stricter_than(above)
}

/// Whether a rule, where its condition holds, asks for more than the effect.
fn matters(rule: &Rule, than: &Effect) -> bool {
    rule.effect.is_stricter_than(than)
        || rule.limit.as_ref().is_some_and(|limit| raises(limit, than))
}

/// What is said where the rule's condition holds, and `least` holds anyway.
fn case(rule: &Rule, least: Option<&Rule>) -> String {
    let effect = match least {
        Some(least) if least.effect.is_stricter_than(&rule.effect) => &least.effect,
        _ => &rule.effect,
    };
    let mut text = format!("{effect} (`{}`) if {}", rule.id, wording::conditions(rule));
    if let Some(limit) = &rule.limit {
        text.push_str(", ");
        text.push_str(&wording::limit(limit));
    }
    text
}

/// The matrix of some policies, as Markdown.
pub(crate) fn matrix(policies: &[Policy]) -> String {
    let mut text = HEAD.to_owned();
    if let [_, _, ..] = policies {
        overview(&mut text, policies);
    }
    for policy in policies {
        section(&mut text, policy);
    }
    text
}

const HEAD: &str = "\
# What the guard policies say

<!-- Written by `kms-mcp policy matrix`; `--check` compares. Do not edit. -->

- Every rule that matches a call has a say, and the strictest wins: `deny`, then `pin`, `person`,
  `client`, `token`, `none`. A call that no rule allows is denied (`default-deny`).
- `none` needs nobody. `token` is a confirmation without a person. `client` is the word of the MCP
  client. `person` is a person at the terminal or the approval page. `pin` is the same with the PIN.
- \\* says that a count or a condition can bring another verdict; the table of the policy says which.
- Where a type or a tag decides, the server reads it before the verdict. What cannot be read counts
  as if the condition held for a rule that denies or asks, and as if it did not for one that allows.
- Of two policies in force together the stricter verdict stands.
- `kms-mcp policy explain` says the same of one call, with the rules that matched.
";

fn overview(text: &mut String, policies: &[Policy]) {
    let names: Vec<String> = policies.iter().map(|policy| format!("`{}`", policy.name())).collect();
    line(text, "\n## All of them\n");
    line(text, &format!("| Call | {} |", names.join(" | ")));
    line(text, &format!("|---|{}", "---|".repeat(policies.len())));
    for action in &ACTIONS {
        let say = |facts: &Facts<'_>| -> Vec<String> {
            policies.iter().map(|policy| Cell::of(policy, facts).short()).collect()
        };
        for (call, cells) in rows(action, say) {
            line(text, &format!("| {call} | {} |", cells.join(" | ")));
        }
    }
}

fn section(text: &mut String, policy: &Policy) {
    line(text, &format!("\n## `{}`\n", policy.name()));
    line(text, "| Call | Verdict | Rule | Otherwise |\n|---|---|---|---|");
    for action in &ACTIONS {
        for (call, cell) in rows(action, |facts| Cell::of(policy, facts)) {
            let Cell { effect, rule, .. } = &cell;
            line(text, &format!("| {call} | {effect} | `{rule}` | {} |", cell.otherwise()));
        }
    }
    line(text, "\n| Rule | Says | Why |\n|---|---|---|");
    for rule in policy.rules() {
        let mut reason = rule.reason.clone();
        if let Effect::Deny { instead: Some(instead) } = &rule.effect {
            reason = format!("{reason} Instead: {instead}");
        }
        line(text, &format!("| `{}` | {} | {} |", rule.id, rule.effect, escaped(&reason)));
    }
}

/// The kinds of call of an action; those of one risk of which the same is said share a row.
fn rows<T: PartialEq>(action: &Action, say: impl Fn(&Facts<'_>) -> T) -> Vec<(String, T)> {
    let mut groups: Vec<(Vec<Facts<'static>>, T)> = Vec::new();
    for facts in action.calls() {
        let said = say(&facts);
        let same = |(calls, known): &&mut (Vec<Facts<'_>>, T)| {
            *known == said && calls.first().is_some_and(|first| first.risk == facts.risk)
        };
        match groups.iter_mut().find(same) {
            Some((calls, _)) => calls.push(facts),
            None => groups.push((vec![facts], said)),
        }
    }
    groups.into_iter().map(|(calls, said)| (named(action, &calls), said)).collect()
}

fn named(action: &Action, calls: &[Facts<'static>]) -> String {
    let risk = calls.first().map(|facts| facts.risk).filter(|_| action.risks.len() > 1);
    let mut destinations = Vec::new();
    let mut sources = Vec::new();
    for facts in calls {
        destinations.extend(facts.destination.filter(|place| !destinations.contains(place)));
        sources.extend(facts.source.filter(|source| !sources.contains(source)));
    }
    // A row of all of them needs no list.
    if sources.len() == action.sources.len() {
        sources.clear();
    }
    wording::call(action.name, risk, &destinations, &sources)
}

/// A pipe would end the cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
