//! [`Matcher`]: which calls a rule, or its `except`, is about.

use super::facts::Facts;
use super::pattern::{Pattern, Sure};
use crate::operation::{Destination, Risk};

/// Which calls a rule is about: all of what is given, any of each list.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    /// Actions by name.
    pub(super) action: Option<Vec<&'static str>>,
    /// Risks.
    pub(super) risk: Option<Vec<Risk>>,
    /// Destinations of a value.
    pub(super) destination: Option<Vec<Destination>>,
    /// Sources of a value.
    pub(super) source: Option<Vec<&'static str>>,
    /// Secret names.
    pub(super) secret: Option<Vec<Pattern>>,
    /// Regions.
    pub(super) region: Option<Vec<Pattern>>,
    /// Accounts.
    pub(super) account: Option<Vec<Pattern>>,
    /// What the client calls itself.
    pub(super) client: Option<Vec<Pattern>>,
    /// Secret types.
    pub(super) secret_type: Option<Vec<&'static str>>,
    /// Tags, key and value.
    pub(super) tag: Option<Vec<(Pattern, Pattern)>>,
}

impl Matcher {
    /// Whether it is about this call.
    pub(super) fn test(&self, facts: &Facts<'_>) -> Sure {
        [
            all(self.action.as_ref(), |list| Sure::of(list.contains(&facts.action))),
            all(self.risk.as_ref(), |list| Sure::of(list.contains(&facts.risk))),
            all(self.destination.as_ref(), |list| {
                Sure::of(facts.destination.is_some_and(|place| list.contains(&place)))
            }),
            all(self.source.as_ref(), |list| {
                Sure::of(facts.source.is_some_and(|source| list.contains(&source)))
            }),
            all(self.secret.as_ref(), |list| any(list, |glob| glob.test(facts.secret))),
            all(self.region.as_ref(), |list| any(list, |glob| glob.test(facts.region))),
            all(self.account.as_ref(), |list| {
                any(list, |glob| match facts.account {
                    Some(account) => glob.test(account),
                    None if glob.is_everything() => Sure::Yes,
                    None => Sure::Unknown,
                })
            }),
            all(self.client.as_ref(), |list| any(list, |glob| glob.test(facts.client))),
            all(self.secret_type.as_ref(), |list| match facts.secret_type {
                Some(name) => Sure::of(list.contains(&name)),
                None => Sure::Unknown,
            }),
            all(self.tag.as_ref(), |list| match facts.tags {
                Some(tags) => {
                    Sure::of(tags.iter().any(|tag| list.iter().any(|glob| holds(glob, tag))))
                }
                None => Sure::Unknown,
            }),
        ]
        .into_iter()
        .min()
        .unwrap_or(Sure::Yes)
    }

    /// Whether it looks at what only a description of the secret tells.
    pub(super) const fn reads_description(&self) -> bool {
        self.tag.is_some() || self.secret_type.is_some()
    }
}

/// A list that is not given matches everything.
fn all<T>(list: Option<&Vec<T>>, test: impl FnOnce(&[T]) -> Sure) -> Sure {
    list.map_or(Sure::Yes, |list| test(list))
}

fn any<T>(list: &[T], test: impl Fn(&T) -> Sure) -> Sure {
    list.iter().map(test).max().unwrap_or(Sure::No)
}

fn holds((key, value): &(Pattern, Pattern), tag: &(String, String)) -> bool {
    key.matches(&tag.0) && value.matches(&tag.1)
}
