//! What is typed without being seen, and what comes through a pipe: both read a byte at a time, so
//! that no buffer outlives them.

use std::io::{self, Stdin, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::sensitive::Sensitive;

/// The longest line that is taken, in bytes.
const LONGEST: usize = 1024;

/// Asks on the terminal that is stdin, showing nothing of what is typed. `None`: given up.
///
/// What was typed before the question is dropped: it was shown.
pub(crate) fn typed(prompt: &str, output: &mut impl Write) -> io::Result<Option<Sensitive>> {
    let quiet = Quiet::new(io::stdin())?;
    write!(output, "{prompt}")?;
    output.flush()?;
    let typed = edited(|| byte(&quiet.terminal));
    drop(quiet);
    writeln!(output)?;
    typed
}

/// A new secret, typed twice.
#[derive(Debug)]
pub(crate) enum Twice {
    Same(Sensitive),
    Different,
    GivenUp,
}

/// Asks twice, the same way as [`typed`].
pub(crate) fn typed_twice(prompt: &str, output: &mut impl Write) -> io::Result<Twice> {
    let Some(first) = typed(prompt, output)? else { return Ok(Twice::GivenUp) };
    let Some(second) = typed("The same again: ", output)? else { return Ok(Twice::GivenUp) };
    #[expect(clippy::disallowed_methods, reason = "compared with each other, both typed here")]
    let same = first.expose() == second.expose();
    Ok(if same { Twice::Same(first) } else { Twice::Different })
}

/// The next line of stdin. `None`: there is none.
pub(crate) fn piped() -> io::Result<Option<Sensitive>> {
    let stdin = io::stdin();
    let mut line = Line::new();
    let mut any = false;
    while let Some(byte) = byte(&stdin)? {
        any = true;
        match byte {
            b'\n' => break,
            other => line.push(other)?,
        }
    }
    if line.last() == Some(b'\r') {
        line.pop();
    }
    if any { line.text().map(Some) } else { Ok(None) }
}

/// A terminal that shows nothing; as it was before, when this is dropped.
struct Quiet {
    terminal: Stdin,
    before: Termios,
}

impl Quiet {
    fn new(terminal: Stdin) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        // Ctrl-C arrives as a byte: nothing ends the process while the terminal is quiet.
        quiet.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // There is no one to tell; a shell puts its terminal right before the next prompt.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// One byte, or the end.
fn byte(stdin: &Stdin) -> io::Result<Option<u8>> {
    let mut byte = Zeroizing::new([0_u8; 1]);
    loop {
        match rustix::io::read(stdin, byte.as_mut()) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(byte.first().copied()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A line with the few keys that a quiet terminal leaves to us.
fn edited(mut next: impl FnMut() -> io::Result<Option<u8>>) -> io::Result<Option<Sensitive>> {
    const CTRL_C: u8 = 0x03;
    const CTRL_D: u8 = 0x04;
    const CTRL_U: u8 = 0x15;
    const CTRL_BACKSLASH: u8 = 0x1C;
    let mut line = Line::new();
    loop {
        match next()? {
            None | Some(CTRL_C | CTRL_BACKSLASH) => return Ok(None),
            Some(CTRL_D) if line.last().is_none() => return Ok(None),
            Some(b'\n' | b'\r' | CTRL_D) => return line.text().map(Some),
            Some(0x7F | 0x08) => line.erase_character(),
            Some(CTRL_U) => line.clear(),
            Some(other) if other.is_ascii_control() => {}
            Some(other) => line.push(other)?,
        }
    }
}

/// A line in memory that never moves and is wiped.
struct Line {
    bytes: Zeroizing<[u8; LONGEST]>,
    length: usize,
}

impl Line {
    fn new() -> Self {
        Self { bytes: Zeroizing::new([0; LONGEST]), length: 0 }
    }

    fn push(&mut self, byte: u8) -> io::Result<()> {
        let free = self
            .bytes
            .get_mut(self.length)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the line is too long"))?;
        *free = byte;
        self.length += 1;
        Ok(())
    }

    fn held(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn last(&self) -> Option<u8> {
        self.held().last().copied()
    }

    fn pop(&mut self) {
        self.length = self.length.saturating_sub(1);
    }

    fn clear(&mut self) {
        self.length = 0;
    }

    /// Removes the last character, however many bytes of UTF-8 it has.
    fn erase_character(&mut self) {
        while self.last().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {
            self.pop();
        }
        self.pop();
    }

    /// The text, copied once, into memory of exactly its size.
    fn text(&self) -> io::Result<Sensitive> {
        let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "the line is not UTF-8");
        let text = std::str::from_utf8(self.held()).map_err(not_text)?;
        Ok(Sensitive::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(typed: &[u8]) -> Option<String> {
        let mut bytes = typed.iter().copied();
        let line = edited(|| Ok(bytes.next())).unwrap()?;
        #[expect(clippy::disallowed_methods, reason = "compared in a test")]
        Some(line.expose().to_owned())
    }

    #[test]
    fn a_few_keys_edit_and_some_give_up() {
        assert_eq!(of(b"abc\n").as_deref(), Some("abc"));
        assert_eq!(of(b" a b \r").as_deref(), Some(" a b "));
        assert_eq!(of("a\u{e4}\u{7f}b\n".as_bytes()).as_deref(), Some("ab"));
        assert_eq!(of(b"\x7fa\n").as_deref(), Some("a"));
        assert_eq!(of(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(of(b"a\x1b\x07b\x04").as_deref(), Some("ab"));
        assert_eq!(of(b"a\x03"), None);
        assert_eq!(of(b"\x04"), None);
        assert_eq!(of(b"unfinished"), None);
    }

    #[test]
    fn what_does_not_fit_or_is_no_text_is_refused() {
        let mut endless = std::iter::repeat(b'a');
        assert!(edited(|| Ok(endless.next())).is_err());
        let mut bytes = [0xFF, b'\n'].into_iter();
        assert!(edited(|| Ok(bytes.next())).is_err());
    }
}
