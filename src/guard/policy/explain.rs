//! Why a verdict is what it is: [`Explained`].

use super::action::ACTIONS;
use super::engine::Policy;
use super::facts::Facts;
use super::in_force::InForce;
use super::pattern::Sure;
use super::rule::Rule;
use super::verdict::{Effect, Level, Verdict};
use super::wording;
use crate::operation::Risk;

/// A verdict with what may still change it.
#[derive(Debug)]
pub(crate) struct Explained {
    /// The verdict, as of what is known.
    pub(crate) verdict: Verdict,
    /// Rules of which it cannot be told whether they match.
    pub(crate) unsure: Vec<Unsure>,
    /// Whether the server would read the secret's description before its verdict.
    pub(crate) reads_description: bool,
}

/// A rule that looks at what is not known.
#[derive(Debug)]
pub(crate) struct Unsure {
    /// The policy it stands in.
    pub(crate) policy: String,
    /// Its id.
    pub(crate) rule: String,
    /// What it says.
    pub(crate) effect: Effect,
    /// When it matches.
    pub(crate) condition: String,
    /// Whether it counts as matching as long as that is not known.
    pub(crate) holds: bool,
}

/// A call that the policy allows and that its own step then stops.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    /// The action.
    pub(crate) action: &'static str,
    /// The action that the guard takes on the way, which is always denied.
    pub(crate) step: &'static str,
}

impl InForce {
    /// The verdict and what it hangs on.
    pub(crate) fn explain(&self, facts: &Facts<'_>) -> Explained {
        let settled = facts.settled();
        let unsure = |policy: &Policy| -> Vec<Unsure> {
            let open = |rule: &&Rule| rule.could_match(&settled) == Sure::Unknown;
            let told = |rule: &Rule| Unsure {
                policy: policy.name().to_owned(),
                rule: rule.id.clone(),
                effect: rule.effect.clone(),
                condition: wording::conditions(rule),
                holds: rule.applies(&settled) != Sure::No,
            };
            policy.rules().iter().filter(open).map(told).collect()
        };
        Explained {
            verdict: self.judge(facts),
            unsure: self.policies().flat_map(unsure).collect(),
            reads_description: self.needs_description(facts),
        }
    }
}

impl Policy {
    /// The actions that it never allows.
    pub(crate) fn unlisted(&self) -> Vec<&'static str> {
        let denied = |name: &&str| !self.allows_some(name);
        ACTIONS.iter().map(|action| action.name).filter(denied).collect()
    }

    /// Actions whose calls it allows, but for a step that it denies.
    pub(crate) fn blocked(&self) -> Vec<Blocked> {
        let mut blocked = Vec::new();
        for action in ACTIONS.iter().filter(|action| action.calls().any(|c| self.witnesses(&c))) {
            for step in action.steps.iter().filter(|step| !self.allows_some(step)) {
                blocked.push(Blocked { action: action.name, step });
            }
        }
        blocked
    }

    fn allows_some(&self, action: &str) -> bool {
        self.lists(action, Risk::Inspect..=Risk::Destroy)
    }

    /// Whether such a call could be allowed and would then be witnessed: a value that stays masked
    /// behind a mere token is not.
    fn witnesses(&self, facts: &Facts<'_>) -> bool {
        let asks = |rule: &Rule| {
            let then = rule.limit.as_ref().map(|limit| limit.then);
            let level = match rule.effect {
                Effect::Allow(level) => Some(level),
                Effect::Deny { .. } => None,
            };
            rule.could_match(facts) != Sure::No && then.max(level) >= Some(Level::Client)
        };
        self.could_allow(facts) && (facts.destination.is_none() || self.rules().iter().any(asks))
    }
}
