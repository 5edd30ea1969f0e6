//! Lines of bounded length.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use zeroize::Zeroize;

/// The longest line that is read, without its newline.
pub(super) const LONGEST: usize = 1024 * 1024;

/// One line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Without its newline.
    Whole(&'a [u8]),
    /// Longer than [`LONGEST`]; none of it is kept. Said as soon as it is known.
    TooLong,
    /// The end of the input, or an error, after which nothing more can be read either.
    End,
}

/// Reads lines without ever holding more than one of at most [`LONGEST`] bytes.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// Allocated once, so that wiping it leaves no copies behind in outgrown buffers.
    line: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// `line` is the beginning of a line.
    Reading,
    /// `line` was handed out.
    Taken,
    /// The rest of a line that was too long is thrown away.
    Discarding,
    Ended,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::new(input),
            line: Vec::with_capacity(LONGEST),
            state: State::Reading,
        }
    }

    /// The next line; the last one needs no newline. May be cancelled without loss.
    pub(super) async fn next(&mut self) -> Line<'_> {
        if self.state == State::Taken {
            self.forget();
            self.state = State::Reading;
        }
        loop {
            if self.state == State::Ended {
                return Line::End;
            }
            // No await between what is seen here and its `consume`.
            let seen = self.input.fill_buf().await.unwrap_or_default();
            if seen.is_empty() {
                let unfinished = self.state == State::Reading && !self.line.is_empty();
                self.state = State::Ended;
                return if unfinished { Line::Whole(&self.line) } else { Line::End };
            }
            let newline = seen.iter().position(|byte| *byte == b'\n');
            let content = seen.get(..newline.unwrap_or(seen.len())).unwrap_or_default();
            let consumed = content.len() + usize::from(newline.is_some());
            let too_long = self.line.len() + content.len() > LONGEST;
            match (self.state, newline.is_some()) {
                (State::Discarding, ended) => {
                    self.input.consume(consumed);
                    if ended {
                        self.state = State::Reading;
                    }
                }
                (_, ended) if too_long => {
                    self.input.consume(consumed);
                    self.forget();
                    self.state = if ended { State::Reading } else { State::Discarding };
                    return Line::TooLong;
                }
                (_, ended) => {
                    self.line.extend_from_slice(content);
                    self.input.consume(consumed);
                    if ended {
                        self.state = State::Taken;
                        return Line::Whole(&self.line);
                    }
                }
            }
        }
    }

    /// A line may hold a secret value.
    fn forget(&mut self) {
        self.line.as_mut_slice().zeroize();
        self.line.clear();
    }
}

impl<R> Drop for Lines<R> {
    fn drop(&mut self) {
        self.line.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(input);
        let mut seen = Vec::new();
        loop {
            match lines.next().await {
                Line::Whole(line) if line.len() > 9 => seen.push(format!("{} bytes", line.len())),
                Line::Whole(line) => seen.push(String::from_utf8_lossy(line).into_owned()),
                Line::TooLong => seen.push("too long".into()),
                Line::End => return seen,
            }
            assert_eq!(lines.line.capacity(), LONGEST, "never grows");
        }
    }

    #[tokio::test]
    async fn lines_are_bounded_and_later_ones_survive() {
        let full = "x".repeat(LONGEST);
        for (input, expected) in [
            (String::new(), vec![]),
            ("a\nb\r\n\nc".into(), vec!["a", "b\r", "", "c"]),
            (format!("{full}\na\n"), vec!["1048576 bytes", "a"]),
            (full.clone(), vec!["1048576 bytes"]),
            (format!("{full}x\na\n"), vec!["too long", "a"]),
            (format!("{full}x"), vec!["too long"]),
            (format!("{full}{full}{full}\na"), vec!["too long", "a"]),
            (format!("a\n{full}{full}\n{full}x\nb"), vec!["a", "too long", "too long", "b"]),
        ] {
            assert_eq!(lines(input.as_bytes()).await, expected);
        }
    }
}
