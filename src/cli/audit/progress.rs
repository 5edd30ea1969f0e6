//! [`Progress`]: how far a long run is, for those who wait at a terminal.

use std::io::{self, IsTerminal, Write};

/// Below this nobody has to wait.
const LONG: u64 = 16 * 1024 * 1024;

/// A line on stderr that is written over and then wiped.
#[derive(Debug)]
pub(super) struct Progress {
    total: u64,
    done: u64,
    /// As shown; none if nothing is shown.
    percent: Option<u64>,
}

impl Progress {
    /// Over `total` bytes. Shows nothing if they are few, or stderr is no terminal.
    pub(super) fn over(total: u64) -> Self {
        let shows = total >= LONG && io::stderr().is_terminal();
        Self { total: total.max(1), done: 0, percent: shows.then_some(0) }
    }

    /// So many more bytes were read.
    pub(super) fn add(&mut self, bytes: u64) {
        self.done = self.done.saturating_add(bytes).min(self.total);
        let percent = self.done.saturating_mul(100) / self.total;
        if self.percent.is_some_and(|shown| shown < percent) {
            self.percent = Some(percent);
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(io::stderr(), "\rreading the log: {percent:>3} %");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.percent.is_some_and(|percent| percent > 0) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
