//! The PIN through a pipe: `kms-mcp approve --pin-stdin`. It stands in for the terminal, because
//! only the person knows it.

use std::io::{self, Write};

use super::channel::{Answer, Channel};
use super::hidden::piped;
use super::screen::columns;
use super::signing::Signing;
use super::terminal::rendered;
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Method;

/// Reads the PIN from the first line of stdin, and the name of each thing that is destroyed from
/// the lines after it.
pub(crate) struct Piped<W> {
    pub(crate) output: W,
    pub(crate) who: String,
    /// `--deny`: the answer is no.
    pub(crate) deny: bool,
    pin: Sensitive,
}

impl<W: Write> Piped<W> {
    /// Takes the PIN at once: it is the first line.
    pub(crate) fn new(output: W, who: String, deny: bool) -> io::Result<Self> {
        let none = || io::Error::new(io::ErrorKind::UnexpectedEof, "no PIN on stdin");
        Ok(Self { output, who, deny, pin: piped()?.ok_or_else(none)? })
    }
}

impl<W: Write> Channel for Piped<W> {
    fn method(&self) -> Method {
        Method::PipedPin
    }

    fn who(&self) -> String {
        self.who.clone()
    }

    fn ask(&mut self, records: &[Record], signing: &Signing) -> io::Result<Answer> {
        for record in records {
            write!(self.output, "{}", rendered(record, signing, columns()))?;
        }
        if self.deny {
            return Ok(Answer::Deny);
        }
        for record in records.iter().filter(|record| record.type_the_name) {
            let named = piped()?;
            #[expect(clippy::disallowed_methods, reason = "the name of the secret is no secret")]
            let is_named = named.is_some_and(|named| named.expose() == record.resource);
            // A slip is no decision: there is nobody here who would see it and correct it.
            if !is_named {
                return Ok(Answer::Later);
            }
        }
        Ok(Answer::Approve)
    }

    fn pin(&mut self) -> io::Result<Option<Sensitive>> {
        Ok(Some(std::mem::replace(&mut self.pin, Sensitive::new(String::new()))))
    }
}
