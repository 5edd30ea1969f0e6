//! Checks a folder of chains: each line against its hash, and against the line before.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::json::Json;
use super::record::{self, GENESIS, HASH_DIGITS, HASH_MEMBER, LINE_END, MAX_LINE};

/// Unknown outcomes that the report names one by one, a file.
const NAMED: usize = 10;

/// What [`verify`] found.
#[derive(Debug)]
pub(crate) struct Report {
    folder: PathBuf,
    /// Why the folder cannot be read, if so.
    pub unreadable: Option<io::Error>,
    /// Each `*.jsonl`, by name.
    pub files: Vec<FileReport>,
    /// Records proved, in all files.
    pub records: u64,
    /// Intents without a result: the request may or may not have been carried out. Not tampering.
    pub unknown_outcomes: u64,
}

/// What was found in one file.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// Name in the folder.
    pub name: String,
    /// Records proved: all those before the first flaw.
    pub records: u64,
    /// `seq` of each intent without a result.
    pub unknown_outcomes: BTreeSet<u64>,
    /// Whether the last record is `stop`.
    pub stopped: bool,
    /// How far it can be believed.
    pub state: State,
}

/// How far a file can be believed.
#[derive(Debug)]
pub(crate) enum State {
    /// Every line is whole and follows the one before.
    Intact,
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

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// It does not parse, or holds what no record holds.
    #[error("not a JSON record")]
    NotJson,
    /// `seq`, `event` or `prev` is missing.
    #[error("`seq`, `event` or `prev` is missing")]
    NotARecord,
    /// It is longer than any record.
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// It names a member twice.
    #[error("a member stands twice")]
    RepeatedMember,
    /// It does not end in its hash.
    #[error("`hash` is missing or not last")]
    HashNotLast,
    /// Its bytes do not have its hash.
    #[error("bad hash: the line was changed")]
    BadHash,
    /// Lines were dropped, inserted or swapped.
    #[error("`seq` is {found}, not {expected}: lines were dropped, inserted or swapped")]
    SeqGap {
        /// What should stand here.
        expected: u64,
        /// What does.
        found: u64,
    },
    /// It follows another line than the one before it.
    #[error("wrong `prev`: the line before was changed")]
    WrongPrev,
    /// The first record is not `start`.
    #[error("the first record is not `start`")]
    NoStart,
    /// Nothing is written after `stop`.
    #[error("a record after `stop`")]
    AfterStop,
}

/// Checks every `*.jsonl` in `folder`, line by line, in bounded memory a line.
pub(crate) fn verify(folder: &Path) -> Report {
    let (files, unreadable) = match list(folder) {
        Ok(paths) => (paths.iter().map(|path| verify_file(path)).collect(), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Report {
        folder: folder.to_owned(),
        unreadable,
        records: files.iter().map(|file: &FileReport| file.records).sum(),
        unknown_outcomes: files.iter().map(|file| file.unknown_outcomes.len() as u64).sum(),
        files,
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension() == Some(OsStr::new("jsonl")));
    paths.sort();
    Ok(paths)
}

fn verify_file(path: &Path) -> FileReport {
    let mut walk = Walk::new();
    let state = walk.file(path).unwrap_or_else(State::Unreadable);
    FileReport {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        records: walk.records,
        unknown_outcomes: walk.open,
        stopped: walk.stopped,
        state,
    }
}

/// A walk along one chain.
struct Walk {
    records: u64,
    prev: String,
    open: BTreeSet<u64>,
    stopped: bool,
}

/// Why a line cannot be believed.
enum Reject {
    /// It ends too early: no flaw if it is the last and has no newline.
    Cut,
    Flaw(Flaw),
}

impl Walk {
    fn new() -> Self {
        Self { records: 0, prev: GENESIS.to_owned(), open: BTreeSet::new(), stopped: false }
    }

    fn file(&mut self, path: &Path) -> io::Result<State> {
        // Opening a pipe would wait for a writer that never comes.
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut reader = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
            let broken = |flaw| Ok(State::Broken { line: self.records + 1, flaw });
            if read == 0 {
                // A chain has its `start` from the beginning.
                return Ok(if self.records == 0 { State::Torn } else { State::Intact });
            }
            let Some(whole) = line.strip_suffix(b"\n") else {
                if read == MAX_LINE {
                    return broken(Flaw::TooLong);
                }
                // After a power cut the end of a file may read as zeros.
                let end = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                return match self.follow(line.get(..end).unwrap_or_default()) {
                    Err(Reject::Flaw(flaw)) => broken(flaw),
                    Ok(_) | Err(Reject::Cut) => Ok(State::Torn),
                };
            };
            match self.follow(whole) {
                Ok(step) => self.accept(step),
                Err(Reject::Flaw(flaw)) => return broken(flaw),
                Err(Reject::Cut) => return broken(Flaw::NotJson),
            }
        }
    }

    /// Checks that `line` is a record and the next one of this chain.
    fn follow(&self, line: &[u8]) -> Result<Step, Reject> {
        let json: Json = serde_json::from_slice(line).map_err(|error| {
            if error.is_eof() { Reject::Cut } else { Reject::Flaw(Flaw::NotJson) }
        })?;
        self.check(line, &json).map_err(Reject::Flaw)
    }

    fn check(&self, line: &[u8], json: &Json) -> Result<Step, Flaw> {
        if json.repeats_a_member() {
            return Err(Flaw::RepeatedMember);
        }
        let (body, hash) = split(line).ok_or(Flaw::HashNotLast)?;
        let (Some(seq), Some(event), Some(prev)) =
            (json.count("seq"), json.text("event"), json.text("prev"))
        else {
            return Err(Flaw::NotARecord);
        };
        // Under its own `prev`, so that a moved line is told from a changed one.
        if record::hash(prev, body).as_bytes() != hash {
            return Err(Flaw::BadHash);
        }
        let expected = self.records + 1;
        if seq != expected {
            return Err(Flaw::SeqGap { expected, found: seq });
        }
        if prev != self.prev {
            return Err(Flaw::WrongPrev);
        }
        if seq == 1 && event != "start" {
            return Err(Flaw::NoStart);
        }
        if self.stopped {
            return Err(Flaw::AfterStop);
        }
        Ok(Step {
            hash: String::from_utf8_lossy(hash).into_owned(),
            opens: (event == "intent").then_some(seq),
            closes: json.count("intent").filter(|_| event == "result"),
            stops: event == "stop",
        })
    }

    fn accept(&mut self, step: Step) {
        self.records += 1;
        self.prev = step.hash;
        self.open.extend(step.opens);
        if let Some(intent) = step.closes {
            self.open.remove(&intent);
        }
        self.stopped = step.stops;
    }
}

/// What a proved record means for the walk.
struct Step {
    hash: String,
    opens: Option<u64>,
    closes: Option<u64>,
    stops: bool,
}

/// What is hashed, and the hash.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(LINE_END.as_bytes())?;
    let (line, hash) = line.split_at_checked(line.len().checked_sub(HASH_DIGITS)?)?;
    Some((line.strip_suffix(HASH_MEMBER.as_bytes())?, hash))
}

impl Report {
    /// 0 verified (or no records at all), 1 tampered, 2 the tail is not proven, 3 unreadable.
    pub(crate) fn exit_code(&self) -> u8 {
        let any = |test: fn(&State) -> bool| self.files.iter().any(|file| test(&file.state));
        if any(|state| matches!(state, State::Broken { .. })) {
            1
        } else if self.unreadable.is_some() || any(|state| matches!(state, State::Unreadable(_))) {
            3
        } else if any(|state| matches!(state, State::Torn)) {
            2
        } else {
            0
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
        let (files, records) = (self.files.len(), self.records);
        writeln!(
            f,
            "{}: files {files}, records {records}, unknown outcomes {}",
            match self.exit_code() {
                0 if self.files.is_empty() => "no records",
                0 => "verified",
                1 => "TAMPERED",
                2 => "TAIL NOT PROVEN",
                _ => "UNREADABLE",
            },
            self.unknown_outcomes,
        )?;
        if self.unknown_outcomes > 0 {
            writeln!(
                f,
                "an unknown outcome is an intent without a result: look it up in ActionTrail"
            )?;
        }
        writeln!(
            f,
            "without checkpoints a cut end, a removed file or a wholly rewritten chain cannot be told"
        )
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file name is anybody's text.
        write!(f, "{}: records {}, ", self.name.escape_debug(), self.records)?;
        match &self.state {
            State::Intact if self.stopped => writeln!(f, "chain ok"),
            State::Intact => {
                writeln!(f, "chain ok, no `stop` at its end (still running, crashed or cut)")
            }
            State::Torn => writeln!(f, "the last line is torn (crash or cut)"),
            State::Broken { line, flaw } => writeln!(f, "BROKEN at line {line}: {flaw}"),
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
