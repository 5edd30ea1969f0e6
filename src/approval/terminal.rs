//! The person at a terminal: `kms-mcp approve`.

use std::io::{BufRead, Write};

use super::channel::{Answer, Channel};
use super::hidden::typed;
use super::rows::{Shown, quoted};
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Pending;

/// Shows records on `output` and reads answers from `input`. Only the command line makes one, and
/// only of a real terminal.
pub(crate) struct Terminal<R, W> {
    pub(crate) input: R,
    pub(crate) output: W,
    pub(crate) who: String,
    /// `--deny`: the answer is no, without a question.
    pub(crate) deny: bool,
}

impl<R: BufRead, W: Write> Channel for Terminal<R, W> {
    fn method(&self) -> &'static str {
        "terminal"
    }

    fn who(&self) -> String {
        self.who.clone()
    }

    fn ask(&mut self, record: &Record, pin_is_set: bool) -> std::io::Result<Answer> {
        write!(self.output, "{}", rendered(record, pin_is_set))?;
        if self.deny {
            return Ok(Answer::Deny);
        }
        if !record.type_the_name {
            return Ok(match self.line("Approve? [y/N] ")?.as_deref() {
                None => Answer::Later,
                Some("y" | "yes" | "approve") => Answer::Approve,
                Some(_) => Answer::Deny,
            });
        }
        let Some(answer) = self.line("Approve? Type the name of the secret, or N: ")? else {
            return Ok(Answer::Later);
        };
        let named = match answer.as_str() {
            "y" | "yes" | "approve" => match self.line("Type the name of the secret: ")? {
                Some(name) => name,
                None => return Ok(Answer::Later),
            },
            _ => answer,
        };
        Ok(if named == record.resource { Answer::Approve } else { Answer::Deny })
    }

    fn pin(&mut self) -> std::io::Result<Option<Sensitive>> {
        typed("PIN: ", &mut self.output)
    }
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    /// Asks and reads a line. `None`: the input has ended.
    pub(crate) fn line(&mut self, prompt: &str) -> std::io::Result<Option<String>> {
        write!(self.output, "{prompt}")?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            writeln!(self.output)?;
            return Ok(None);
        }
        Ok(Some(line.trim().to_owned()))
    }
}

/// One line for each that waits.
pub(crate) fn overview(pending: &[Pending]) -> String {
    let mut text = String::new();
    for one in pending {
        let line = match serde_json::from_slice::<Record>(&one.record) {
            Ok(record) => format!(
                "{:<10} {:<8} {} {}\n",
                one.match_code,
                record.risk,
                record.tool,
                quoted(&record.resource)
            ),
            Err(_) => format!("{:<10} unreadable\n", one.match_code),
        };
        text.push_str(&line);
    }
    text
}

/// The whole record, as text.
pub(super) fn rendered(record: &Record, pin_is_set: bool) -> String {
    let shown = Shown::of(record, pin_is_set);
    let mut text = format!("\n  {}   {}\n\n", shown.match_code, shown.headline);
    for (name, value) in &shown.rows {
        text.push_str(&format!("  {name:<16} {value}\n"));
    }
    text.push('\n');
    text
}
