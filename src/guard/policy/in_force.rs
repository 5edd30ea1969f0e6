//! [`InForce`]: the policies in force together.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use super::engine::{Policy, hex, some_call};
use super::facts::Facts;
use super::verdict::Verdict;
use crate::operation::Risk;

/// The policies of root's configuration and of the user's, and one named by flag or environment.
/// Each further one only tightens.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    base: Policy,
    tightening: Vec<Policy>,
}

impl InForce {
    /// `base`, tightened.
    pub(crate) fn new(base: Policy, tightening: impl IntoIterator<Item = Policy>) -> Self {
        Self { base, tightening: tightening.into_iter().collect() }
    }

    /// The same, and one more that only tightens.
    #[must_use]
    pub(crate) fn tightened(mut self, more: Option<Policy>) -> Self {
        self.tightening.extend(more);
        self
    }

    /// All names.
    pub(crate) fn name(&self) -> String {
        self.policies().map(Policy::name).collect::<Vec<_>>().join(" + ")
    }

    /// The hex SHA-256 over all.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"kms-mcp/policy-in-force/v1\0");
        hash.update(self.base.digest());
        for tightening in &self.tightening {
            hash.update(tightening.digest());
        }
        hex(&hash.finalize())
    }

    /// The strictest verdict.
    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Verdict {
        self.judge_by(|policy| policy.judge(facts))
    }

    /// The strictest verdict on our own reading of a description ([`Policy::judge_description`]).
    pub(crate) fn judge_description(&self, facts: &Facts<'_>) -> Verdict {
        self.judge_by(|policy| policy.judge_description(facts))
    }

    fn judge_by(&self, judge: impl Fn(&Policy) -> Verdict) -> Verdict {
        let verdict = judge(&self.base);
        self.tightening.iter().fold(verdict, |verdict, policy| verdict.join(judge(policy)))
    }

    /// Whether a verdict hangs on a type or on tags that were not read yet.
    pub(crate) fn needs_description(&self, facts: &Facts<'_>) -> bool {
        self.policies().any(|policy| policy.needs_description(facts))
    }

    /// Whether some call of the action would be denied by none of them ([`Policy::lists`]).
    pub(crate) fn lists(&self, action: &str, risks: RangeInclusive<Risk>) -> bool {
        some_call(action, &risks, |facts| self.policies().all(|policy| policy.could_allow(facts)))
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.base).chain(&self.tightening)
    }
}
