//! [`Report`]: what is said of a folder, and with which exit code.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::flaw::Flaw;
use crate::audit::key::PublicKey;

/// Unknown outcomes, and records that are missing, that are named one by one.
const NAMED: usize = 10;

/// What [`verify`](super::verify) found.
#[derive(Debug)]
pub(crate) struct Report {
    folder: PathBuf,
    /// Why the folder cannot be read, if so.
    pub(crate) unreadable: Option<io::Error>,
    /// Each file of a log, by name.
    pub(crate) files: Vec<FileReport>,
    /// Other names that end in `.jsonl`: they take no part in the verdict.
    pub(super) strangers: Vec<String>,
    /// Keys that may have signed, and whether the auditor named them.
    pub(super) keys: Vec<PublicKey>,
    pub(super) pinned: bool,
    /// Instance and `seq` of each record of the copy that is not in the folder.
    pub(super) missing: Vec<(String, u64)>,
    /// Instance and `seq` of each record of which the copy has two.
    pub(super) disputed: BTreeSet<(String, u64)>,
    /// Why the copy cannot be read, if so.
    pub(super) copy_unreadable: Option<io::Error>,
    /// Lines of the copy that are no signed records.
    pub(super) copy_unfit: u64,
}

/// What was found in one file.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// Name in the folder.
    pub(crate) name: String,
    /// Records before the first flaw.
    pub(crate) records: u64,
    /// `seq` of each intent without a result.
    pub(crate) unknown_outcomes: BTreeSet<u64>,
    /// How far it can be believed.
    pub(crate) state: State,
}

/// How far a file can be believed.
#[derive(Debug)]
pub(crate) enum State {
    /// Whole, and signed to its end.
    Intact,
    /// Whole, and signed to its end, but the file in which the chain goes on is not there.
    Continued,
    /// It has no signed end: still running, killed or cut. Everything up to the last checkpoint is
    /// proved.
    Open {
        /// Records after the last checkpoint.
        unproved: u64,
    },
    /// No broken link, but the copy of the checkpoints does not reach to its end. Whoever has the key
    /// can have signed the rest, an end too.
    Uncopied {
        /// Records after the last one that was copied.
        unproved: u64,
    },
    /// The last line was not written to its end: a crash, or a cut.
    Torn,
    /// The chain breaks.
    Broken {
        /// Where, from 1.
        line: u64,
        /// How.
        flaw: Flaw,
    },
    /// It cannot be read.
    Unreadable(io::Error),
}

impl State {
    /// 0 verified, 1 tampered, 2 the tail is not proven, 3 unreadable.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Intact => 0,
            Self::Broken { .. } => 1,
            Self::Continued | Self::Open { .. } | Self::Uncopied { .. } | Self::Torn => 2,
            Self::Unreadable(_) => 3,
        }
    }
}

impl FileReport {
    pub(super) fn unreadable(name: String, error: io::Error) -> Self {
        let (records, unknown_outcomes) = (0, BTreeSet::new());
        Self { name, records, unknown_outcomes, state: State::Unreadable(error) }
    }
}

impl Report {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            unreadable: None,
            files: Vec::new(),
            strangers: Vec::new(),
            keys: Vec::new(),
            pinned: false,
            missing: Vec::new(),
            disputed: BTreeSet::new(),
            copy_unreadable: None,
            copy_unfit: 0,
        }
    }

    /// Records before the first flaw of each file.
    pub(crate) fn records(&self) -> u64 {
        self.files.iter().map(|file| file.records).sum()
    }

    /// Intents without a result: the request may or may not have been carried out. Not tampering.
    pub(crate) fn unknown_outcomes(&self) -> usize {
        self.files.iter().map(|file| file.unknown_outcomes.len()).sum()
    }

    /// 0 verified, 1 tampered, 2 the tail is not proven, 3 unreadable. A folder without a record
    /// proves nothing: 2.
    pub(crate) fn exit_code(&self) -> u8 {
        let any = |code| self.files.iter().any(|file| file.state.exit_code() == code);
        if any(1) || !self.missing.is_empty() || !self.disputed.is_empty() {
            1
        } else if any(3) || self.unreadable.is_some() || self.copy_unreadable.is_some() {
            3
        } else if any(2) || self.files.is_empty() || self.copy_unfit > 0 {
            2
        } else {
            0
        }
    }

    fn write_copy(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.copy_unreadable {
            writeln!(f, "the copy of the checkpoints: UNREADABLE: {error}")?;
        }
        if self.copy_unfit > 0 {
            let lines = self.copy_unfit;
            writeln!(f, "the copy of the checkpoints: {lines} lines are no signed records")?;
        }
        for (instance, seq) in self.disputed.iter().take(NAMED) {
            writeln!(
                f,
                "TAMPERED: the copy of the checkpoints has two different records {seq} of {}",
                instance.escape_debug()
            )?;
        }
        for (instance, seq) in self.missing.iter().take(NAMED) {
            writeln!(
                f,
                "TAMPERED: checkpoint {seq} of {} was copied and is not in the log: it was cut, removed or rewritten",
                instance.escape_debug()
            )?;
        }
        if !self.missing.is_empty() {
            writeln!(
                f,
                "of a log that is still written, copy the checkpoints first and the folder after them"
            )?;
        }
        let more = self.missing.len().saturating_sub(NAMED);
        if more > 0 { writeln!(f, "and {more} more checkpoints") } else { Ok(()) }
    }

    fn write_keys(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        match keys.as_slice() {
            [] => writeln!(
                f,
                "nothing is signed: whoever can write the folder can have made all of it"
            ),
            keys if self.pinned => writeln!(f, "expected key: {}", keys.join(", ")),
            keys => writeln!(
                f,
                "signed with {}, as the log itself says: name the key you know with --key",
                keys.join(", ")
            ),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "audit folder {}", self.folder.display())?;
        if let Some(error) = &self.unreadable {
            return writeln!(f, "UNREADABLE: {error}");
        }
        for file in &self.files {
            write!(f, "{file}")?;
        }
        for name in &self.strangers {
            writeln!(f, "{}: left out, not the name of a file of a log", name.escape_debug())?;
        }
        self.write_copy(f)?;
        self.write_keys(f)?;
        let (files, records, unknown) = (self.files.len(), self.records(), self.unknown_outcomes());
        let verdict = match self.exit_code() {
            0 => "verified",
            1 => "TAMPERED",
            2 if self.files.is_empty() => "no records",
            2 => "TAIL NOT PROVEN",
            _ => "UNREADABLE",
        };
        writeln!(f, "{verdict}: files {files}, records {records}, unknown outcomes {unknown}")?;
        if unknown > 0 {
            writeln!(
                f,
                "an unknown outcome is an intent without a result: look it up in ActionTrail"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file name is anybody's text.
        write!(f, "{}: ", self.name.escape_debug())?;
        let records = self.records;
        match &self.state {
            State::Intact => writeln!(f, "verified, records {records}"),
            State::Continued => writeln!(
                f,
                "TAIL NOT PROVEN, records {records}, goes on in a file that is not here"
            ),
            State::Open { unproved } => writeln!(
                f,
                "TAIL NOT PROVEN, records {records}, {unproved} after the last checkpoint, no `stop` (running, killed or cut)"
            ),
            State::Uncopied { unproved } => writeln!(
                f,
                "TAIL NOT PROVEN, records {records}, {unproved} after the last one in the copy of the checkpoints (running, killed, cut or made up)"
            ),
            State::Torn => {
                writeln!(
                    f,
                    "TAIL NOT PROVEN, records {records}, the last line is torn (crash or cut)"
                )
            }
            State::Broken { line, flaw } => writeln!(f, "TAMPERED at line {line}: {flaw}"),
            State::Unreadable(error) => writeln!(f, "UNREADABLE: {error}"),
        }?;
        if self.unknown_outcomes.is_empty() {
            return Ok(());
        }
        write!(f, "  unknown outcome of")?;
        for seq in self.unknown_outcomes.iter().take(NAMED) {
            write!(f, " {seq}")?;
        }
        let more = self.unknown_outcomes.len().saturating_sub(NAMED);
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        writeln!(f)
    }
}
