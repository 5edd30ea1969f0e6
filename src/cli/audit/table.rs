//! [`Table`]: columns of fixed widths. What does not fit goes on below: nothing is cut away.

use std::io::{self, IsTerminal, Write};

use rustix::termios::tcgetwinsize;

/// Columns between two cells.
const GAP: usize = 2;

/// A table as it is written.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    widths: [usize; N],
}

/// The columns that stdout has: those of the terminal, else 100.
pub(super) fn columns() -> usize {
    let out = io::stdout();
    let terminal = out.is_terminal().then(|| tcgetwinsize(&out).ok()).flatten();
    match terminal.map(|size| usize::from(size.ws_col)) {
        Some(columns) if columns > 0 => columns.clamp(72, 240),
        _ => 100,
    }
}

impl<const N: usize> Table<N> {
    /// Cells of these widths; the last one gets what is left of `columns`.
    pub(super) fn new(mut widths: [usize; N], columns: usize) -> Self {
        let gaps = N.saturating_sub(1) * GAP;
        if let Some((last, others)) = widths.split_last_mut() {
            *last = columns.saturating_sub(others.iter().sum::<usize>() + gaps).max(10);
        }
        Self { widths }
    }

    /// Writes one row of cells in printable ASCII.
    pub(super) fn row(&self, out: &mut impl Write, cells: [&str; N]) -> io::Result<()> {
        let mut at = 0;
        let columns: Vec<Vec<&str>> =
            cells.iter().zip(self.widths).map(|(cell, width)| wrapped(cell, width)).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or(0);
        while at < height {
            let mut line = String::new();
            for (cell, width) in columns.iter().zip(self.widths) {
                let part = cell.get(at).copied().unwrap_or_default();
                line.push_str(&format!("{part:width$}{:GAP$}", ""));
            }
            writeln!(out, "{}", line.trim_end())?;
            at += 1;
        }
        Ok(())
    }
}

/// The lines of a cell: broken at spaces, or inside words that are too long.
fn wrapped(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    while rest.len() > width {
        let (Some(fits), Some(room)) = (rest.get(..width), rest.get(..=width)) else { break };
        let end = room.rfind(' ').filter(|end| *end > 0).unwrap_or(fits.len());
        let (line, after) = rest.split_at(end);
        lines.push(line);
        rest = after.trim_start();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wider_than_its_columns_and_nothing_is_lost() {
        let table = Table::new([4, 6, 0], 30);
        let mut out = Vec::new();
        table.row(&mut out, ["ab", "prod/database", "a few words that go on below"]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.len() <= 30), "{text}");
        assert_eq!(text, "ab    prod/d  a few words that\n      atabas  go on below\n      e\n");
    }
}
