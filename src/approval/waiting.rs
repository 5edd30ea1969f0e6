//! What waits for a person, as a list.

use std::cmp::Reverse;

use crate::guard::approval::Record;
use crate::store::Pending;
use crate::text::{escaped, quoted};

/// Sorts what waits: the highest risk first, then the oldest.
pub(crate) fn riskiest_first(pending: &mut [Pending]) {
    pending.sort_by_cached_key(|one| (Reverse(risk(one)), one.created_ms));
}

/// What cannot be read is looked at first.
fn risk(pending: &Pending) -> u8 {
    match serde_json::from_slice::<Record>(&pending.record) {
        Err(_) => 4,
        Ok(record) if record.type_the_name => 3,
        Ok(record) => match record.risk.as_str() {
            "destroy" => 2,
            "reveal" => 1,
            _ => 0,
        },
    }
}

/// A record in one line.
pub(super) fn line_of(record: &Record) -> String {
    let to =
        record.destination.as_deref().map_or_else(String::new, |to| format!(" to {}", escaped(to)));
    format!(
        "{:<10} {:<8} {} {}{to}",
        escaped(&record.match_code),
        escaped(&record.risk),
        escaped(&record.tool),
        quoted(&record.resource)
    )
}

/// One line for each that waits.
pub(crate) fn overview(pending: &[Pending]) -> String {
    let mut text = String::new();
    for one in pending {
        let line = match serde_json::from_slice::<Record>(&one.record) {
            Ok(record) => format!("{}\n", line_of(&record)),
            Err(_) => format!("{:<10} unreadable\n", escaped(&one.match_code)),
        };
        text.push_str(&line);
    }
    text
}
