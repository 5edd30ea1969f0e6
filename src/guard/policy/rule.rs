//! [`Rule`]: one rule of a policy.

use super::facts::Facts;
use super::matcher::Matcher;
use super::pattern::Sure;
use super::verdict::{Effect, Level, Limit, Matched};

/// One rule of a policy.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Its name, unique in the policy.
    pub(super) id: String,
    /// Why it is there.
    pub(super) reason: String,
    /// What it says.
    pub(super) effect: Effect,
    /// How often it says that.
    pub(super) limit: Option<Limit>,
    /// The calls it is about.
    pub(super) when: Matcher,
    /// The calls among them that it is not about.
    pub(super) except: Option<Matcher>,
}

impl Rule {
    /// Whether it has a say in this call. What cannot be told never counts for the call.
    pub(super) fn applies(&self, facts: &Facts<'_>) -> Sure {
        match self.could_match(facts) {
            Sure::Unknown if !self.tightens() => Sure::No,
            sure @ (Sure::No | Sure::Unknown | Sure::Yes) => sure,
        }
    }

    /// Whether it is about this call, or could be once more is known.
    pub(super) fn could_match(&self, facts: &Facts<'_>) -> Sure {
        let excepted = self.except.as_ref().map_or(Sure::No, |except| except.test(facts));
        self.when.test(facts).min(excepted.not())
    }

    /// Whether a call may need less without it.
    fn tightens(&self) -> bool {
        self.effect != Effect::Allow(Level::None) || self.limit.is_some()
    }

    /// Whether a call may go on because of it. Not if it believes what the client says of itself.
    pub(super) const fn grants(&self) -> bool {
        !self.effect.is_deny() && self.when.client.is_none()
    }

    /// Whether it looks at what only a description of the secret tells.
    pub(super) fn reads_description(&self) -> bool {
        self.when.reads_description()
            || self.except.as_ref().is_some_and(Matcher::reads_description)
    }

    /// Its entry in a verdict.
    pub(super) fn matched(&self, policy: &str, sure: Sure) -> Matched {
        Matched {
            policy: policy.to_owned(),
            rule: self.id.clone(),
            effect: self.effect.clone(),
            reason: self.reason.clone(),
            sure: sure == Sure::Yes,
        }
    }
}
