//! [`Patient`]: a terminal's input that is read only while the question on the screen waits.

use std::io::{self, BufRead, Read, StdinLock, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Place;
use crate::store::Hash;

/// How often the store is asked, in nanoseconds: four times a second.
const POLL: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// Stdin, given up with `TimedOut` when the question is decided elsewhere, expires or is withdrawn.
/// Rings when another one comes.
pub(super) struct Patient<'a> {
    stdin: StdinLock<'static>,
    place: &'a Place,
    /// The question on the screen.
    pub(super) shown: Option<Hash>,
    /// The questions that were rung for.
    pub(super) rung: Vec<Hash>,
}

impl<'a> Patient<'a> {
    pub(super) fn new(stdin: StdinLock<'static>, place: &'a Place) -> Self {
        Self { stdin, place, shown: None, rung: Vec::new() }
    }

    /// Waits until something was typed.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            let mut stdin = [PollFd::new(&self.stdin, PollFlags::IN)];
            if poll(&mut stdin, Some(&POLL))? > 0 {
                return Ok(());
            }
            // A store that fails for a moment is no reason to take the question away.
            let Ok(waiting) = self.place.waiting_now() else { continue };
            let waits = |hash: &Hash| waiting.iter().any(|one| one.token_hash == *hash);
            if self.shown.as_ref().is_some_and(|shown| !waits(shown)) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if waiting.iter().any(|one| !self.rung.contains(&one.token_hash)) {
                self.rung = waiting.iter().map(|one| one.token_hash).collect();
                io::stdout().write_all(b"\x07")?;
                io::stdout().flush()?;
            }
        }
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.stdin.read(into)
    }
}

impl BufRead for Patient<'_> {
    // A terminal gives a line at a time, and a line is read whole: nothing stays in the buffer.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.wait()?;
        self.stdin.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.stdin.consume(bytes);
    }
}
