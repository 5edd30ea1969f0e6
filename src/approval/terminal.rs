//! The person at a terminal: `kms-mcp approve`.

use std::io::{BufRead, Write};

use super::channel::{Answer, Channel};
use super::hidden::typed;
use super::rows::{Shown, quoted, seen};
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
                seen(&one.match_code),
                seen(&record.risk),
                seen(&record.tool),
                quoted(&record.resource)
            ),
            Err(_) => format!("{:<10} unreadable\n", seen(&one.match_code)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::is_hidden;

    #[test]
    fn no_field_of_a_record_commands_the_terminal() {
        let text = |name: &str| match name {
            "risk" => "destroy\u{1b}[8m".into(),
            name => serde_json::Value::from(format!("{name}\u{1b}]52;c;eA==\u{7}\r\n\u{202e}")),
        };
        let names = "tool risk level resource destination file_name region host account caller_key \
            source rule rule_reason policy_digest client agent_says match_code instance nonce \
            asked_at expires_at";
        let mut forged: serde_json::Map<String, serde_json::Value> =
            names.split_whitespace().map(|name| (name.to_owned(), text(name))).collect();
        forged.insert("witness".into(), serde_json::Value::Null);
        forged.insert("arguments".into(), serde_json::json!([["a\u{1b}", "b\u{9b}"]]));
        forged.insert("type_the_name".into(), true.into());
        let bytes = serde_json::to_vec(&forged).unwrap();
        let record: Record = serde_json::from_slice(&bytes).unwrap();
        let pending = Pending {
            token_hash: [0; 32],
            digest: [0; 32],
            record: bytes,
            match_code: "1\u{1b}[2J".into(),
            level: "",
            instance: String::new(),
            created_ms: 0,
            expires_ms: 0,
        };
        for screen in [rendered(&record, true), overview(&[pending])] {
            let hidden = screen.chars().find(|found| *found != '\n' && is_hidden(*found));
            assert_eq!(hidden, None, "{screen:?}");
        }
        assert_eq!(rendered(&record, true).lines().count(), 19, "no line is forged");
    }
}
