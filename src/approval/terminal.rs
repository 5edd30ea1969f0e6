//! The person at a terminal: `kms-mcp approve`.

use std::io::{BufRead, Write};

use super::channel::{Answer, Channel, NewPin};
use super::essentials::{MAX_LINES, in_short};
use super::hidden::{Twice, typed, typed_twice};
use super::pin::{SHORTEST, fit};
use super::rows::Shown;
use super::screen::{Screen, columns};
use super::signing::Signing;
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Method;
use crate::text::escaped;

/// How often a line is asked for that is no answer; then nothing is decided.
const TRIES: usize = 3;
/// Before the first PIN.
const NO_PIN: &str = "No PIN is set. A PIN signs your decisions, so that no program makes them for you.\nIt is kept nowhere: choose one that you remember, and that is hard to guess.";

/// Shows records on `output` and reads answers from `input`. Only the command line makes one, and
/// only of a real terminal.
pub(crate) struct Terminal<R, W> {
    pub(crate) input: R,
    pub(crate) output: W,
    pub(crate) who: String,
    /// `--deny`: the answer is no, without a question.
    pub(crate) deny: bool,
    /// Whether the input has ended.
    pub(crate) ended: bool,
}

impl<R: BufRead, W: Write> Channel for Terminal<R, W> {
    fn method(&self) -> Method {
        Method::Terminal
    }

    fn who(&self) -> String {
        self.who.clone()
    }

    fn ask(&mut self, records: &[Record], signing: &Signing) -> std::io::Result<Answer> {
        let columns = columns();
        for record in records {
            write!(self.output, "{}", rendered(record, signing, columns))?;
        }
        if self.deny {
            return Ok(Answer::Deny);
        }
        match records {
            [one] if one.type_the_name => self.named(one),
            [_] => self.yes("Approve? [y/N] "),
            all => self.all(all, columns),
        }
    }

    fn pin(&mut self) -> std::io::Result<Option<Sensitive>> {
        typed("PIN: ", &mut self.output)
    }

    fn new_pin(&mut self) -> std::io::Result<NewPin> {
        writeln!(self.output, "{NO_PIN}")?;
        let prompt = format!("New PIN, at least {SHORTEST} characters: ");
        for _ in 0..TRIES {
            match typed_twice(&prompt, &mut self.output)? {
                Twice::GivenUp => break,
                Twice::Different => writeln!(self.output, "These were two different PINs.")?,
                Twice::Same(pin) => match fit(&pin) {
                    Ok(()) => return Ok(NewPin::Chosen(pin)),
                    Err(why) => writeln!(self.output, "It was not set: {why}.")?,
                },
            }
        }
        Ok(NewPin::GivenUp)
    }
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    fn yes(&mut self, prompt: &str) -> std::io::Result<Answer> {
        let answer = self.understood(prompt, "Answer y or n.", word)?;
        Ok(answer.unwrap_or(Answer::Later))
    }

    /// One yes for a listed set; what nothing brings back still wants its name.
    fn all(&mut self, records: &[Record], columns: usize) -> std::io::Result<Answer> {
        // What was shown first may have left the screen.
        let listed = listed(records, columns);
        if listed.lines().count() > MAX_LINES {
            let all = records.len();
            writeln!(
                self.output,
                "{all} requests do not fit on one screen: decide fewer at a time."
            )?;
            return Ok(Answer::Later);
        }
        write!(self.output, "{listed}")?;
        let answer = self.yes(&format!("Approve all {}? [y/N] ", records.len()))?;
        if answer != Answer::Approve {
            return Ok(answer);
        }
        for record in records.iter().filter(|record| record.type_the_name) {
            let code = escaped(&record.match_code);
            let answer = self.name_of(record, &format!("{code}: type the name of the secret: "))?;
            // One slip or no leaves them all open: it was one question.
            if answer != Answer::Approve {
                return Ok(Answer::Later);
            }
        }
        Ok(Answer::Approve)
    }

    fn named(&mut self, record: &Record) -> std::io::Result<Answer> {
        let take = |line: &str| match word(line) {
            // First: the name of a secret may be a word that means something else here.
            _ if line == record.resource => Some(Answer::Approve),
            Some(Answer::Deny) => Some(Answer::Deny),
            // A yes, but what nothing brings back wants its name.
            Some(Answer::Approve | Answer::Later) => Some(Answer::Later),
            None => None,
        };
        let prompt = if word(&record.resource).is_none() {
            "Approve? Type the name of the secret, or N: ".to_owned()
        } else {
            let (name, no) = (escaped(&record.resource), other_no(&record.resource));
            format!("Approve? Type the name of the secret, {name}, to approve, or {no} to deny: ")
        };
        match self.understood(&prompt, NOT_ITS_NAME, take)? {
            None => Ok(Answer::Later),
            Some(Answer::Later) => self.name_of(record, "Type the name of the secret: "),
            Some(answer) => Ok(answer),
        }
    }

    /// Takes the name of the secret for a yes. A no is still taken; a name that is another is none.
    fn name_of(&mut self, record: &Record, prompt: &str) -> std::io::Result<Answer> {
        let take = |line: &str| match word(line) {
            _ if line == record.resource => Some(Answer::Approve),
            Some(Answer::Deny) if !line.is_empty() => Some(Answer::Deny),
            _ => None,
        };
        Ok(self.understood(prompt, NOT_ITS_NAME, take)?.unwrap_or(Answer::Later))
    }

    /// Asks until a line is one that `take` knows. `None`: the input has ended, or no line was.
    fn understood<T>(
        &mut self,
        prompt: &str,
        hint: &str,
        take: impl Fn(&str) -> Option<T>,
    ) -> std::io::Result<Option<T>> {
        for _ in 0..TRIES {
            let Some(line) = self.line(prompt)? else { return Ok(None) };
            if let Some(taken) = take(&line) {
                return Ok(Some(taken));
            }
            writeln!(self.output, "{hint}")?;
        }
        Ok(None)
    }

    /// Asks and reads a line. `None`: the input has ended.
    pub(crate) fn line(&mut self, prompt: &str) -> std::io::Result<Option<String>> {
        write!(self.output, "{prompt}")?;
        self.output.flush()?;
        let mut line = Vec::new();
        if self.input.read_until(b'\n', &mut line)? == 0 {
            self.ended = true;
            writeln!(self.output)?;
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&line).trim().to_owned()))
    }
}

/// Said of a line that is neither the name nor a no.
const NOT_ITS_NAME: &str = "That is not the name of the secret.";

/// What a word means; Enter alone is a no. `None`: it means nothing.
fn word(line: &str) -> Option<Answer> {
    match line.trim_end_matches(['.', '!']).to_lowercase().as_str() {
        "y" | "yes" | "approve" => Some(Answer::Approve),
        "" | "n" | "no" | "deny" => Some(Answer::Deny),
        _ => None,
    }
}

/// A word that denies the deletion of a secret of that name, which is such a word itself.
fn other_no(name: &str) -> &'static str {
    if name.to_lowercase().starts_with("deny") { "no" } else { "deny" }
}

/// The whole record, and its essentials, for a terminal of so many columns.
pub(super) fn rendered(record: &Record, signing: &Signing, columns: usize) -> String {
    let shown = Shown::of(record, Some(signing));
    let mut screen = Screen::new(columns);
    screen.line("");
    screen.headline(&shown.match_code, shown.headline);
    screen.line("");
    for row in &shown.rows {
        screen.row(row);
    }
    screen.line("");
    screen.essentials(&shown.essentials);
    screen.into_text()
}

/// What `kms-mcp approve` shows of a record, given as the bytes that are decided on, on a terminal
/// of so many columns where no PIN is set. `None`: it is no record.
pub fn screen_of(record: &[u8], columns: usize) -> Option<String> {
    let record: Record = serde_json::from_slice(record).ok()?;
    let signing = if record.require_factor { Signing::NewPin } else { Signing::Nothing };
    Some(rendered(&record, &signing, columns))
}

/// A set in short.
fn listed(records: &[Record], columns: usize) -> String {
    let mut screen = Screen::new(columns);
    for record in records {
        screen.item(&escaped(&record.match_code), &in_short(record));
    }
    screen.into_text()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::approval::overview;
    use crate::store::Pending;
    use crate::text::is_hidden;

    /// The fields of a record that are texts.
    const NAMES: &str = "tool risk level resource destination file_name region host account caller_key \
        source rule rule_reason policy_digest anchored client agent_says match_code instance nonce \
        asked_at expires_at";

    /// A record whose fields hold their own names, but for these.
    pub(in crate::approval) fn record(with: &[(&str, serde_json::Value)]) -> (Record, Vec<u8>) {
        let mut fields: serde_json::Map<String, serde_json::Value> =
            NAMES.split_whitespace().map(|name| (name.to_owned(), name.into())).collect();
        fields.insert("witness".into(), serde_json::Value::Null);
        fields.insert("arguments".into(), serde_json::json!([]));
        fields.insert("type_the_name".into(), true.into());
        fields.insert("require_factor".into(), true.into());
        fields.extend(with.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let bytes = serde_json::to_vec(&fields).unwrap();
        (serde_json::from_slice(&bytes).unwrap(), bytes)
    }

    #[test]
    fn a_name_that_is_also_a_word_of_an_answer_can_be_typed() {
        use Answer::{Approve, Deny, Later};
        for (name, lines, said) in [
            ("app/db", "app/db\n", Approve),
            ("app/db", "no\n", Deny),
            ("app/db", "\n", Deny),
            ("app/db", "y\napp/db\n", Approve),
            ("no", "no\n", Approve),
            ("no", "deny\n", Deny),
            ("no", "\n", Deny),
            ("N", "N\n", Approve),
            ("N", "n\n", Deny),
            ("deny", "deny\n", Approve),
            ("deny", "no\n", Deny),
            ("y", "y\n", Approve),
            ("yes", "y\n", Later),
            ("yes", "y\nyes\n", Approve),
        ] {
            let mut output = Vec::new();
            let mut terminal = Terminal {
                input: lines.as_bytes(),
                output: &mut output,
                who: String::new(),
                deny: false,
                ended: false,
            };
            let (record, _) = record(&[("resource", name.into())]);
            assert_eq!(terminal.ask(&[record], &Signing::Nothing).unwrap(), said, "{name} {lines}");
            let screen = String::from_utf8(output).unwrap();
            let no = match name {
                "app/db" => "or N: ",
                "deny" => "deny, to approve, or no to deny: ",
                _ => "to approve, or deny to deny: ",
            };
            assert!(screen.contains(no), "{screen}");
        }
    }

    #[test]
    fn no_field_of_a_record_commands_the_terminal() {
        let text = |name: &str| format!("{name}\u{1b}]52;c;eA==\u{7}\r\n\u{202e}").into();
        let mut forged: Vec<(&str, serde_json::Value)> =
            NAMES.split_whitespace().map(|name| (name, text(name))).collect();
        forged.push(("risk", "destroy\u{1b}[8m".into()));
        forged.push(("arguments", serde_json::json!([["a\u{1b}", "b\u{9b}"]])));
        let (record, bytes) = record(&forged);
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
        for screen in [rendered(&record, &Signing::NewPin, 80), overview(&[pending])] {
            let hidden = screen.chars().find(|found| *found != '\n' && is_hidden(*found));
            assert_eq!(hidden, None, "{screen:?}");
        }
        assert_eq!(
            rendered(&record, &Signing::NewPin, 500).lines().count(),
            24,
            "no line is forged"
        );
    }
}
