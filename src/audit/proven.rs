//! [`Proven`]: how far each file of a folder is proven, by the verdict of [`verify()`](super::verify()).

use std::collections::HashMap;

use super::query::Row;
use super::verify::{Report, State};

/// The lines that are proven, by file.
#[derive(Debug)]
pub(crate) struct Proven {
    /// Lines of each file from its first on.
    lines: HashMap<String, u64>,
    /// Whether the whole folder is.
    all: bool,
}

impl Proven {
    /// By that verdict. Of a file with a flaw or a torn line nothing counts.
    pub(crate) fn by(report: &Report) -> Self {
        let lines = report.files.iter().map(|file| {
            let lines = match &file.state {
                State::Intact | State::Continued => file.records,
                State::Open { unproved } | State::Uncopied { unproved } => {
                    file.records.saturating_sub(*unproved)
                }
                State::Torn | State::Broken { .. } | State::Unreadable(_) => 0,
            };
            (file.name.clone(), lines)
        });
        Self { lines: lines.collect(), all: report.exit_code() == 0 }
    }

    /// Whether every record of the folder is proven.
    pub(crate) fn all(&self) -> bool {
        self.all
    }

    /// Whether the row is a call with its intent, all of it proven.
    pub(crate) fn has(&self, row: &Row) -> bool {
        row.event() == "intent"
            && row.lines().iter().all(|line| {
                let place = line.place();
                self.lines.get(&*place.file).is_some_and(|proven| place.line <= *proven)
            })
    }
}
