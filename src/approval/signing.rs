//! [`Signing`]: what a decision is signed with, as the person is told beside the record.

use std::path::Path;

use crate::clock::Clock;
use crate::factor::{PinFile, set_at};
use crate::guard::approval::Record;

/// What signs a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signing {
    /// The PIN, and how long ago it was set: a PIN that the person did not set is another's.
    Pin { set: String },
    /// A PIN that has yet to be set: none is, and the server takes no unsigned yes.
    NewPin,
    /// Nothing: no PIN is set, and `require_factor = false` in `config.toml` allows that.
    Nothing,
}

impl Signing {
    /// What signs a decision on `records`, with the PIN of the folder `state` as it was read.
    pub(crate) fn of(
        records: &[Record],
        pin: Option<&PinFile>,
        state: &Path,
        clock: &Clock,
    ) -> Self {
        match pin {
            Some(_) => {
                let seconds = set_at(state).map(|at| clock.now().as_second() - at.as_second());
                Self::Pin { set: seconds.map_or("at an unknown time".into(), ago) }
            }
            None if records.iter().any(|record| record.require_factor) => Self::NewPin,
            None => Self::Nothing,
        }
    }

    /// Whether a PIN has to be typed.
    pub(crate) fn wants_pin(&self) -> bool {
        matches!(self, Self::Pin { .. })
    }

    /// The row of the screen.
    pub(super) fn row(&self) -> String {
        match self {
            Self::Pin { set } => format!("the PIN set {set}"),
            Self::NewPin => "a PIN that you set when you approve: none is set".into(),
            Self::Nothing => {
                "nothing: none is set, and require_factor = false in config.toml; any program of yours could approve this as well".into()
            }
        }
    }
}

/// A time in words. A clock that was set back since gives `0 seconds ago`.
fn ago(seconds: i64) -> String {
    let (number, unit) = match seconds.max(0) {
        seconds @ ..60 => (seconds, "second"),
        seconds @ ..3600 => (seconds / 60, "minute"),
        seconds @ ..86_400 => (seconds / 3600, "hour"),
        seconds => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn times_are_told_in_the_largest_whole_unit() {
        let told = [-5, 1, 59, 60, 120, 3599, 7200, 86_400, 400_000].map(ago);
        assert_eq!(
            told,
            [
                "0 seconds ago",
                "1 second ago",
                "59 seconds ago",
                "1 minute ago",
                "2 minutes ago",
                "59 minutes ago",
                "2 hours ago",
                "1 day ago",
                "4 days ago"
            ]
        );
    }
}
