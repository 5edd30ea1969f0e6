//! What waits for a person, as a list.

use std::cmp::Reverse;

use super::essentials::in_short;
use super::screen::{Screen, columns};
use crate::guard::approval::Record;
use crate::store::Pending;
use crate::text::escaped;

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

/// One row for each that waits, for the terminal on stdout.
pub(crate) fn overview(pending: &[Pending]) -> String {
    let mut screen = Screen::new(columns());
    for one in pending {
        match serde_json::from_slice::<Record>(&one.record) {
            Ok(record) => {
                let text = format!("{} {}", escaped(&record.risk), in_short(&record));
                screen.item(&escaped(&record.match_code), &text);
            }
            Err(_) => screen.item(&escaped(&one.match_code), "unreadable"),
        }
    }
    screen.into_text()
}
