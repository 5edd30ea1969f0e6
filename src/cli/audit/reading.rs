//! What all readers do: walk the rows of a folder, and say what could not be read.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use super::progress::Progress;
use crate::audit::query::{Merge, Row, Rows, Trouble, plain};

/// Exit code of a folder or file that cannot be read.
pub(super) const UNREADABLE: u8 = 3;

/// What a walk came to.
#[derive(Debug)]
pub(super) struct Walked {
    /// Records read.
    pub(super) records: u64,
    pub(super) trouble: Trouble,
}

/// Gives every row of `folder` to `each`. Whoever reads our output may leave early.
pub(super) fn walk(
    folder: &Path,
    mut each: impl FnMut(Row) -> io::Result<()>,
) -> io::Result<Walked> {
    let mut progress = Progress::over(Merge::size(folder));
    let mut rows = Rows::of(Merge::of(folder, |bytes| progress.add(bytes)));
    for row in rows.by_ref() {
        match each(row) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            other => other?,
        }
    }
    Ok(Walked { records: rows.records(), trouble: rows.trouble() })
}

impl Walked {
    /// Says on stderr what could not be read, and that reading is not proving.
    pub(super) fn tell(&self) -> io::Result<()> {
        let mut err = io::stderr().lock();
        for (name, error) in &self.trouble.unreadable {
            writeln!(err, "UNREADABLE: {}: {error}", plain(name, 200))?;
        }
        if self.trouble.broken > 0 {
            writeln!(
                err,
                "{} lines are no records and are left out; `kms-mcp audit verify` says where",
                self.trouble.broken
            )?;
        }
        if self.records == 0 && self.trouble.unreadable.is_empty() {
            writeln!(err, "no records")?;
        }
        writeln!(
            err,
            "this shows what the files say and proves nothing: `kms-mcp audit verify` does"
        )
    }

    /// 3 if something could not be read, else 0.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.trouble.unreadable.is_empty() { 0 } else { UNREADABLE })
    }
}
