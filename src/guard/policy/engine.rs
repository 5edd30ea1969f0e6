//! [`Policy`]: the rules in force, and how they are judged.

use std::ops::RangeInclusive;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::action;
use super::error::PolicyError;
use super::facts::Facts;
use super::pattern::Sure;
use super::rule::Rule;
use super::verdict::{Effect, Verdict, add_limit};
use super::{file, parse, shipped};
use crate::operation::Risk;

/// Rules that turn the facts of a call into a verdict.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    name: String,
    rules: Vec<Rule>,
    digest: [u8; 32],
    /// How many examples were found to hold.
    pub(super) examples: usize,
}

impl Policy {
    /// The shipped policy of that name.
    pub(crate) fn named(name: &str) -> Option<Result<Self, PolicyError>> {
        shipped::text(name).map(|text| Self::parse(text, name))
    }

    /// The policy in a file that only its user or root can write.
    pub(crate) fn load(path: &Path) -> Result<Self, PolicyError> {
        Self::parse(&file::read(path)?, &path.display().to_string())
    }

    /// The policy written so; `origin` names it in errors and verdicts.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<Self, PolicyError> {
        parse::policy(text, origin)
    }

    /// Joins what was parsed; `texts` is all that decided it.
    pub(super) fn new(name: &str, rules: Vec<Rule>, texts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"kms-mcp/policy/v1\0");
        for text in texts {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        }
        Self { name: name.to_owned(), rules, digest: hash.finalize().into(), examples: 0 }
    }

    /// The shipped name, or the path.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The ids of its rules, in order.
    pub(crate) fn rule_ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.id.as_str())
    }

    /// The rules, in order.
    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many examples were found to hold when it was read, not counting those of the policy
    /// that it extends.
    pub(crate) const fn examples(&self) -> usize {
        self.examples
    }

    /// The rules.
    pub(super) fn into_rules(self) -> Vec<Rule> {
        self.rules
    }

    /// The hex SHA-256 of everything that decided this policy.
    pub(crate) fn digest(&self) -> String {
        hex(&self.digest)
    }

    /// The verdict: the strictest matching rule wins, nothing matched is a deny.
    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Verdict {
        self.judge_by(facts, |_| true)
    }

    /// The verdict on our own reading of a description that other rules need: rules that hang on
    /// it in turn have no say. What is read so never reaches the agent.
    pub(crate) fn judge_description(&self, facts: &Facts<'_>) -> Verdict {
        let settled = facts.settled();
        self.judge_by(facts, |rule| {
            !rule.reads_description() || rule.could_match(&settled) == Sure::Yes
        })
    }

    fn judge_by(&self, facts: &Facts<'_>, asked: impl Fn(&Rule) -> bool) -> Verdict {
        let facts = &facts.settled();
        let mut granted = false;
        let mut winner: Option<(&Rule, Sure)> = None;
        let mut matched = Vec::new();
        let mut limits = Vec::new();
        for rule in self.rules.iter().filter(|rule| asked(rule)) {
            let sure = rule.applies(facts);
            if sure == Sure::No {
                continue;
            }
            granted |= sure == Sure::Yes && rule.grants();
            matched.push(rule.matched(&self.name, sure));
            if let Some(limit) = rule.limit.clone() {
                add_limit(&mut limits, limit);
            }
            if winner.is_none_or(|(best, _)| rule.effect.is_stricter_than(&best.effect)) {
                winner = Some((rule, sure));
            }
        }
        match winner {
            Some((rule, sure)) if granted || rule.effect.is_deny() => {
                if rule.effect.is_deny() {
                    limits.clear();
                }
                let reason = if rule.reads_description() {
                    // The same for a secret that is not there: a verdict does not tell.
                    format!(
                        "{} (it looks at type or tags; where they cannot be read, it holds)",
                        rule.reason
                    )
                } else if sure == Sure::Yes {
                    rule.reason.clone()
                } else {
                    format!("{} (what the rule looks at is not known, so it holds)", rule.reason)
                };
                Verdict {
                    effect: rule.effect.clone(),
                    rule: rule.id.clone(),
                    reason,
                    limits,
                    matched,
                }
            }
            _ => Verdict {
                effect: Effect::Deny { instead: None },
                rule: Verdict::DEFAULT_DENY.to_owned(),
                reason: format!("No rule of the policy `{}` allows this call.", self.name),
                limits: Vec::new(),
                matched,
            },
        }
    }

    /// Whether the verdict hangs on a type or on tags that were not read yet.
    pub(crate) fn needs_description(&self, facts: &Facts<'_>) -> bool {
        let facts = &facts.settled();
        let denied =
            self.rules.iter().any(|rule| rule.effect.is_deny() && rule.applies(facts) == Sure::Yes);
        !denied
            && self
                .rules
                .iter()
                .any(|rule| rule.reads_description() && rule.could_match(facts) == Sure::Unknown)
    }

    /// Whether some call of the action, with one of these risks, would not be denied.
    ///
    /// It may say yes of an action whose calls are denied by several rules together; it never says
    /// no of one that could be called.
    pub(crate) fn lists(&self, action: &str, risks: RangeInclusive<Risk>) -> bool {
        some_call(action, &risks, |facts| self.could_allow(facts))
    }

    /// The rules because of which a call with these facts, or with more known, could be allowed.
    pub(super) fn granting(&self, facts: &Facts<'_>) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.grants() && rule.could_match(facts) != Sure::No)
    }

    /// Whether a call with these facts, or with more of them known, could be allowed.
    pub(super) fn could_allow(&self, facts: &Facts<'_>) -> bool {
        self.granting(facts).next().is_some()
            && !self
                .rules
                .iter()
                .any(|rule| rule.effect.is_deny() && rule.applies(facts) == Sure::Yes)
    }
}

/// Whether some kind of call of the action, with all that is open left open, passes the test.
pub(super) fn some_call(
    action: &str,
    risks: &RangeInclusive<Risk>,
    test: impl Fn(&Facts<'_>) -> bool,
) -> bool {
    action::named(action).is_some_and(|action| {
        action.calls().any(|facts| risks.contains(&facts.risk) && test(&facts))
    })
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
