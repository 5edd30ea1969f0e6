//! [`Screen`]: rows laid out for a terminal, so that no text of others can pass for a row.
//!
//! Lines are broken here and not by the terminal. A line that goes on begins with a mark in the
//! first column, where a row has none: [`Author::Us`] with `|`, [`Author::Others`] with `>`. A row
//! begins with two spaces, which no text of others can hold in a row.

use std::io::stdout;

use rustix::termios::tcgetwinsize;

use super::essentials::{Essential, MAX_LINES};
use super::rows::{Author, Row};
use crate::text::clusters;

/// Where the values of rows begin, in columns.
const VALUES: usize = 19;
/// Where the values of the essentials begin, in columns.
const ESSENTIAL_VALUES: usize = 9;
/// Where values begin on a terminal that is narrower than [`NARROW`]: below their names.
const VALUES_BELOW: usize = 4;
const NARROW: usize = 40;
/// Narrower is no terminal that a person reads.
const MIN_COLUMNS: usize = 16;
/// What a terminal has that does not say.
const USUAL_COLUMNS: usize = 80;

/// The columns of the terminal on stdout.
pub(super) fn columns() -> usize {
    let said = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_col));
    if said == 0 { USUAL_COLUMNS } else { said }
}

/// Text for a terminal of so many columns.
pub(super) struct Screen {
    columns: usize,
    text: String,
}

impl Screen {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns: columns.max(MIN_COLUMNS), text: String::new() }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A line of ours that is short enough everywhere.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The first row: the match code, and what it is about.
    pub(super) fn headline(&mut self, match_code: &str, headline: &str) {
        self.add(match_code, headline, Author::Us, width(match_code) + 5);
    }

    pub(super) fn row(&mut self, row: &Row) {
        self.add(&row.name, &row.value, row.author, VALUES);
    }

    /// The essentials, in at most [`MAX_LINES`] lines.
    pub(super) fn essentials(&mut self, essentials: &[Essential]) {
        let mut whole = Self::new(self.columns);
        for one in essentials {
            whole.add(one.name, &one.value, one.author, ESSENTIAL_VALUES);
        }
        if whole.text.lines().count() <= MAX_LINES {
            self.text.push_str(&whole.text);
            return;
        }
        for one in essentials {
            let value = one.short.as_ref().unwrap_or(&one.value);
            self.add(one.name, value, one.author, ESSENTIAL_VALUES);
        }
    }

    /// A row of a listed set.
    pub(super) fn item(&mut self, name: &str, value: &str) {
        self.add(name, value, Author::Others, ESSENTIAL_VALUES + 4);
    }

    fn add(&mut self, name: &str, value: &str, author: Author, values: usize) {
        let values = if self.columns < NARROW { VALUES_BELOW } else { values };
        let mark = match author {
            Author::Us => '|',
            Author::Others => '>',
        };
        let mut start = format!("  {name:<width$} ", width = values.saturating_sub(3));
        if width(name) + 3 > values {
            // A line of its own for a name that is too long for its column.
            let mut names = folded(name, self.columns - 1 - 2).into_iter();
            self.line(&format!("  {}", names.next().unwrap_or_default()));
            names.for_each(|rest| self.line(&format!("{mark} {rest}")));
            start = begun_by(mark, values);
        }
        let lines = value.split('\n').flat_map(|line| folded(line, self.columns - 1 - values));
        for line in lines.collect::<Vec<_>>() {
            self.line(&format!("{start}{line}"));
            start = begun_by(mark, values);
        }
    }
}

/// The start of a line that goes on.
fn begun_by(mark: char, values: usize) -> String {
    format!("{mark:<values$}")
}

/// The text in lines of at most `columns`, broken after a space where one stands in the second half.
fn folded(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for cluster in clusters(text) {
        if !line.is_empty() && width(&line) + width(cluster) > columns {
            let kept = line.rfind(' ').map_or(0, |space| space + 1);
            let rest = if kept * 2 > line.len() { line.split_off(kept) } else { String::new() };
            lines.push(std::mem::replace(&mut line, rest));
        }
        line.push_str(cluster);
    }
    lines.push(line);
    lines
}

/// The most columns that a terminal can take for the text: terminals disagree on anything beyond
/// ASCII, and none takes more than two for a character.
fn width(text: &str) -> usize {
    text.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(columns: usize, name: &str, value: &str, author: Author) -> Vec<String> {
        let mut screen = Screen::new(columns);
        screen.row(&Row { name: name.into(), value: value.into(), author });
        screen.into_text().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_that_goes_on_begins_with_a_mark() {
        let seen = lines(40, "The agent says", "\"one two three four five\"", Author::Others);
        assert_eq!(seen, ["  The agent says   \"one two three four ", ">                  five\""]);
        let seen = lines(40, "Value goes to", "the agent's conversation", Author::Us);
        assert_eq!(seen, ["  Value goes to    the agent's ", "|                  conversation"]);
    }

    #[test]
    fn a_long_name_has_a_line_of_its_own() {
        let seen = lines(80, "\"ForceDeleteWithoutRecovery\"", "\"true\"", Author::Others);
        assert_eq!(seen, ["  \"ForceDeleteWithoutRecovery\"", ">                  \"true\""]);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let texts =
            ["x".repeat(500), "密".repeat(300), "a\u{301}\u{323}".repeat(200), "a b ".repeat(90)];
        for columns in [1, 16, 30, 39, 40, 80, 120] {
            for text in &texts {
                for line in lines(columns, text, text, Author::Others) {
                    assert!(width(&line) < columns.max(MIN_COLUMNS), "{columns}: {line}");
                }
            }
        }
    }
}
