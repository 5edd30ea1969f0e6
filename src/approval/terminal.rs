//! The person at a terminal: `kms-mcp approve`.

use std::io::{BufRead, Write};

use super::channel::{Answer, Channel};
use super::hidden::typed;
use super::rows::Shown;
use super::waiting::line_of;
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Method;
use crate::text::escaped;

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
    fn method(&self) -> Method {
        Method::Terminal
    }

    fn who(&self) -> String {
        self.who.clone()
    }

    fn ask(&mut self, records: &[Record], pin_is_set: bool) -> std::io::Result<Answer> {
        for record in records {
            write!(self.output, "{}", rendered(record, pin_is_set))?;
        }
        if self.deny {
            return Ok(Answer::Deny);
        }
        match records {
            [one] if one.type_the_name => self.named(one),
            [_] => self.yes("Approve? [y/N] "),
            all => self.all(all),
        }
    }

    fn pin(&mut self) -> std::io::Result<Option<Sensitive>> {
        typed("PIN: ", &mut self.output)
    }
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    fn yes(&mut self, prompt: &str) -> std::io::Result<Answer> {
        Ok(match self.line(prompt)?.as_deref() {
            None => Answer::Later,
            Some("y" | "yes" | "approve") => Answer::Approve,
            Some(_) => Answer::Deny,
        })
    }

    /// One yes for a listed set; what nothing brings back still wants its name.
    fn all(&mut self, records: &[Record]) -> std::io::Result<Answer> {
        // What was shown first may have left the screen.
        for record in records {
            writeln!(self.output, "  {}", line_of(record))?;
        }
        let answer = self.yes(&format!("Approve all {}? [y/N] ", records.len()))?;
        if answer != Answer::Approve {
            return Ok(answer);
        }
        for record in records.iter().filter(|record| record.type_the_name) {
            let code = escaped(&record.match_code);
            // A slip is no decision: the rest of the set is not denied for it.
            match self.line(&format!("{code}: type the name of the secret: "))? {
                Some(name) if name == record.resource => {}
                _ => return Ok(Answer::Later),
            }
        }
        Ok(Answer::Approve)
    }

    fn named(&mut self, record: &Record) -> std::io::Result<Answer> {
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
    use crate::approval::overview;
    use crate::store::Pending;
    use crate::text::is_hidden;

    #[test]
    fn no_field_of_a_record_commands_the_terminal() {
        let text = |name: &str| match name {
            "risk" => "destroy\u{1b}[8m".into(),
            name => serde_json::Value::from(format!("{name}\u{1b}]52;c;eA==\u{7}\r\n\u{202e}")),
        };
        let names = "tool risk level resource destination file_name region host account caller_key \
            source rule rule_reason policy_digest anchored client agent_says match_code instance nonce \
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
            level: String::new(),
            about: [0; 32],
            instance: String::new(),
            created_ms: 0,
            expires_ms: 0,
        };
        for screen in [rendered(&record, true), overview(&[pending])] {
            let hidden = screen.chars().find(|found| *found != '\n' && is_hidden(*found));
            assert_eq!(hidden, None, "{screen:?}");
        }
        assert_eq!(rendered(&record, true).lines().count(), 20, "no line is forged");
    }
}
