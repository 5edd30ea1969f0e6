//! [`Verdict`]: what a policy says of a call.

use std::fmt;

/// How much of a yes a call needs. Ordered from the loosest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// None.
    None,
    /// A confirmation token, approved when it is made: a speed bump.
    Token,
    /// The MCP client attests that its user agreed.
    Client,
    /// A person says yes in a place the agent cannot write to.
    Person,
    /// The same, with the PIN.
    Pin,
}

impl Level {
    /// Every level, from the loosest.
    pub(crate) const ALL: [Self; 5] =
        [Self::None, Self::Token, Self::Client, Self::Person, Self::Pin];

    /// The name used in policies, records and the audit log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token => "token",
            Self::Client => "client",
            Self::Person => "person",
            Self::Pin => "pin",
        }
    }

    /// The level of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It may go on, once the level is reached.
    Allow(Level),
    /// It may not.
    Deny {
        /// What to do instead, for the agent.
        instead: Option<String>,
    },
}

impl Effect {
    /// The level's name, or `deny`.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Allow(level) => level.name(),
            Self::Deny { .. } => "deny",
        }
    }

    /// Whether the call may not go on, whoever agrees.
    pub(crate) const fn is_deny(&self) -> bool {
        matches!(self, Self::Deny { .. })
    }

    /// The level, or `None` after every level for a deny.
    fn rank(&self) -> (bool, Option<Level>) {
        match self {
            Self::Allow(level) => (false, Some(*level)),
            Self::Deny { .. } => (true, None),
        }
    }

    /// Whether it asks for more than `other` does.
    pub(crate) fn is_stricter_than(&self, other: &Self) -> bool {
        self.rank() > other.rank()
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a limit counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    /// All calls of the rule.
    Rule,
    /// Those on one secret.
    Secret,
}

/// So many calls an hour, and then a higher level: a reached limit asks, it does not refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The id of the rule.
    pub(crate) kind: String,
    /// What is counted together.
    pub(crate) per: Per,
    /// How many calls in an hour are free of it.
    pub(crate) per_hour: u32,
    /// The level of every further one.
    pub(crate) then: Level,
}

/// A rule that had a say, for `policy explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// The policy it stands in.
    pub(crate) policy: String,
    /// Its id.
    pub(crate) rule: String,
    /// What it says.
    pub(crate) effect: Effect,
    /// Why, in the words of the policy.
    pub(crate) reason: String,
    /// Whether it matches for sure; if not, what it looks at could not be read.
    pub(crate) sure: bool,
}

/// What a policy says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What becomes of it.
    pub(crate) effect: Effect,
    /// The id of the rule that won, or [`Verdict::DEFAULT_DENY`].
    pub(crate) rule: String,
    /// Why.
    pub(crate) reason: String,
    /// Every limit that counts this call; the strictest that is reached holds. At most one a kind.
    pub(crate) limits: Vec<Limit>,
    /// Every rule that had a say, in the order of the policy.
    pub(crate) matched: Vec<Matched>,
}

impl Verdict {
    /// The rule named when no rule grants a call.
    pub(crate) const DEFAULT_DENY: &'static str = "default-deny";

    /// What becomes of it once as many calls as `made` tells were made in the last hour.
    pub(crate) fn effect_after(&self, made: impl Fn(&Limit) -> u32) -> Effect {
        let Effect::Allow(level) = self.effect else { return self.effect.clone() };
        let reached = self.limits.iter().filter(|limit| made(limit) >= limit.per_hour);
        Effect::Allow(reached.map(|limit| limit.then).fold(level, Level::max))
    }

    /// The stricter of two, `self` if they are equal. What limits either limits both.
    pub(super) fn join(self, other: Self) -> Self {
        let (mut strict, loose) =
            if other.effect.is_stricter_than(&self.effect) { (other, self) } else { (self, other) };
        strict.matched.extend(loose.matched);
        if strict.effect.is_deny() {
            strict.limits.clear();
        } else {
            loose.limits.into_iter().for_each(|limit| add_limit(&mut strict.limits, limit));
        }
        strict
    }
}

/// Adds a limit; two that count the same share a counter, so they become one that is stricter than both.
pub(super) fn add_limit(limits: &mut Vec<Limit>, limit: Limit) {
    match limits.iter_mut().find(|known| known.kind == limit.kind && known.per == limit.per) {
        Some(known) => {
            known.per_hour = known.per_hour.min(limit.per_hour);
            known.then = known.then.max(limit.then);
        }
        None => limits.push(limit),
    }
}
