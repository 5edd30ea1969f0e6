//! [`Filter`]: which rows an auditor wants to see.

use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;

use super::rows::Row;

/// What a row must be to be shown. What is not asked for is not looked at.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Not before.
    pub(crate) since: Option<Timestamp>,
    /// Before.
    pub(crate) until: Option<Timestamp>,
    /// KMS action; case does not count.
    pub(crate) action: Option<String>,
    /// Name of the secret.
    pub(crate) secret: Option<Glob>,
    /// `allow`, `ask`, `refuse` or `approve`, or another word for them.
    pub(crate) decision: Option<String>,
    /// Where a value went.
    pub(crate) destination: Option<String>,
    /// Part of who decided, or how.
    pub(crate) approver: Option<String>,
    /// Event of one of its records.
    pub(crate) event: Option<String>,
    /// A call, as `c3`, or with the first digits of its process, as `743d/c3`.
    pub(crate) call: Option<String>,
}

impl Filter {
    /// Whether `row` is wanted.
    pub(crate) fn wants(&self, row: &Row) -> bool {
        self.in_time(row.time())
            && wanted(self.action.as_ref(), |action| {
                row.text("action").is_some_and(|own| own.eq_ignore_ascii_case(action))
            })
            && wanted(self.secret.as_ref(), |glob| {
                let name = row.text("resource.name").unwrap_or_default();
                glob.matches(row.secret().unwrap_or_default()) || glob.matches(name)
            })
            && wanted(self.decision.as_ref(), |decision| row.decision() == Some(meant(decision)))
            && wanted(self.destination.as_ref(), |place| {
                row.text("destination") == Some(place.as_str())
            })
            && wanted(self.approver.as_ref(), |approver| decided_by(row, approver))
            && wanted(self.event.as_ref(), |event| {
                row.lines().iter().any(|line| line.event() == event)
            })
            && wanted(self.call.as_ref(), |call| is_of(row, call))
    }

    /// Whether a moment is wanted.
    pub(crate) fn in_time(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    /// Whether single records of a row are asked for.
    pub(crate) fn wants_event(&self, event: &str) -> bool {
        wanted(self.event.as_ref(), |wanted| wanted == event)
    }
}

fn wanted<T>(asked: Option<&T>, test: impl FnOnce(&T) -> bool) -> bool {
    asked.is_none_or(test)
}

/// The word of the log for the word that was typed.
fn meant(decision: &str) -> &str {
    match decision {
        "allowed" => "allow",
        "confirm" | "asked" => "ask",
        "deny" | "denied" | "refused" => "refuse",
        "approved" => "approve",
        other => other,
    }
}

fn decided_by(row: &Row, approver: &str) -> bool {
    let approver = approver.to_lowercase();
    let holds = |path| row.text(path).is_some_and(|text| text.to_lowercase().contains(&approver));
    holds("approval.who") || holds("approval.method")
}

/// Whether the row is of the call, or of one of its steps.
fn is_of(row: &Row, call: &str) -> bool {
    let (process, call) = call.rsplit_once('/').unwrap_or(("", call));
    let named = row.text("call") == Some(call) || row.text("parent") == Some(call);
    named && row.text("instance").unwrap_or_default().starts_with(process)
}

/// A glob over names of secrets: case counts, and `*` also matches `/`, as in a policy.
#[derive(Debug, Clone)]
pub(crate) struct Glob(GlobMatcher);

impl Glob {
    fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let glob = GlobBuilder::new(text).literal_separator(false).backslash_escape(true).build();
        glob.map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| format!("not a glob: {}", error.kind()))
    }
}
