//! [`InForce`]: the policies in force together.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use super::engine::{Policy, hex, some_call};
use super::facts::Facts;
use super::verdict::Verdict;
use crate::operation::Risk;

/// The policy of the configuration, and one named by flag or environment. What an agent can edit
/// is only the second, and that only tightens.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    base: Policy,
    tightening: Option<Policy>,
}

impl InForce {
    /// `base`, tightened.
    pub(crate) const fn new(base: Policy, tightening: Option<Policy>) -> Self {
        Self { base, tightening }
    }

    /// Both names.
    pub(crate) fn name(&self) -> String {
        match &self.tightening {
            Some(tightening) => format!("{} + {}", self.base.name(), tightening.name()),
            None => self.base.name().to_owned(),
        }
    }

    /// The hex SHA-256 over both.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"kms-mcp/policy-in-force/v1\0");
        hash.update(self.base.digest());
        if let Some(tightening) = &self.tightening {
            hash.update(tightening.digest());
        }
        hex(&hash.finalize())
    }

    /// The stricter verdict of the two.
    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Verdict {
        self.judge_by(|policy| policy.judge(facts))
    }

    /// The stricter verdict on our own reading of a description ([`Policy::judge_description`]).
    pub(crate) fn judge_description(&self, facts: &Facts<'_>) -> Verdict {
        self.judge_by(|policy| policy.judge_description(facts))
    }

    fn judge_by(&self, judge: impl Fn(&Policy) -> Verdict) -> Verdict {
        let verdict = judge(&self.base);
        match &self.tightening {
            Some(tightening) => verdict.join(judge(tightening)),
            None => verdict,
        }
    }

    /// Whether either verdict hangs on a type or on tags that were not read yet.
    pub(crate) fn needs_description(&self, facts: &Facts<'_>) -> bool {
        self.policies().any(|policy| policy.needs_description(facts))
    }

    /// Whether some call of the action would be denied by neither ([`Policy::lists`]).
    pub(crate) fn lists(&self, action: &str, risks: RangeInclusive<Risk>) -> bool {
        some_call(action, &risks, |facts| self.policies().all(|policy| policy.could_allow(facts)))
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.base).chain(&self.tightening)
    }
}
