//! What stands right before the decision: code, action, secret, destination and principals once
//! more. However long the rows are, these are on the screen when the person answers.

use super::policy_rows::Outlook;
use super::rows::Author;
use crate::guard::approval::Record;
use crate::text::{escaped, quoted};

/// How many lines they may take.
pub(super) const MAX_LINES: usize = 10;

/// How many characters of a value a page shows, which has no lines to count.
const MAX_CHARACTERS: usize = 300;

/// A row that is repeated before the decision.
#[derive(Debug)]
pub(super) struct Essential {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Takes the place of `value` where that does not fit [`MAX_LINES`].
    pub(super) short: Option<String>,
    pub(super) author: Author,
}

impl Essential {
    /// The value, or the short one where that is longer than a few lines of a page.
    pub(super) fn fitting(&self) -> &str {
        match &self.short {
            Some(short) if self.value.chars().count() > MAX_CHARACTERS => short,
            _ => &self.value,
        }
    }
}

/// What is essential about `record`.
pub(super) fn essentials(record: &Record) -> Vec<Essential> {
    let row = |name, value, author| Essential { name, value, short: None, author };
    let asked = format!("{}, {}", escaped(&record.match_code), escaped(&record.tool));
    let mut rows = vec![row("Asked", asked, Author::Us)];
    match record.resource.as_str() {
        "" => rows.push(row("About", "the account".into(), Author::Us)),
        name => rows.push(row("Secret", quoted(name), Author::Others)),
    }
    if let Some(destination) = &record.destination {
        rows.push(row("Value", destined(destination).into(), Author::Us));
    }
    let dropped = record.witness.as_ref().and_then(|seen| seen.dropped_version.as_deref());
    rows.extend(dropped.map(|version| row("Lost for good", quoted(version), Author::Others)));
    if let Some(outlook) = Outlook::of(record) {
        rows.push(Essential {
            name: "Policy",
            value: outlook.whole(),
            short: Some(outlook.counted()),
            author: Author::Others,
        });
    }
    rows
}

/// The same in a word or two, for a listed set.
pub(super) fn in_short(record: &Record) -> String {
    let mut text = format!("{} {}", escaped(&record.tool), quoted(&record.resource));
    if let Some(destination) = &record.destination {
        text.push_str(&format!(" to {}", escaped(destination)));
    }
    if let Some(outlook) = Outlook::of(record) {
        text.push_str(&format!("; {}", outlook.counted()));
    }
    text
}

fn destined(destination: &str) -> &'static str {
    match destination {
        "agent" => "to the agent's conversation",
        "mask" => "masked",
        "file" => "to a file",
        _ => "to you, on the page",
    }
}
