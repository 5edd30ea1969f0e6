//! Checks a folder of chains: each line against its hash and the line before, each checkpoint
//! against its key, each file against the one before, and all against a copy of the checkpoints.
//!
//! [`line`] one line by itself · [`piece`] lines in a row · [`read`] pieces side by side · [`name`]
//! of a file · [`copy`] the second place · [`report`] what is said of it · [`flaw`] what can be wrong

mod copy;
mod flaw;
mod line;
mod name;
mod piece;
mod read;
mod report;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::key::PublicKey;
use copy::Copy;
pub(crate) use flaw::Flaw;
use name::Name;
use piece::{End, Piece, Source, link};
pub(crate) use report::{FileReport, Report, State};

/// What the auditor knows from elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Keys of which one must have signed; if there is none, the key that the log names first.
    pub(crate) keys: Vec<PublicKey>,
    /// Copy of the checkpoints, kept where the writer of the log cannot change it.
    pub(crate) copy: Option<PathBuf>,
}

/// Checks every file of a log in `folder`, in bounded memory a file. `progress` is told the bytes read
/// so far and those to read.
pub(crate) fn verify(
    folder: &Path,
    expected: &Expected,
    progress: &mut dyn FnMut(u64, u64),
) -> Report {
    let mut report = Report::new(folder);
    let copy = expected.copy.as_deref().map(|path| Copy::read(path, &expected.keys));
    let copy = copy.transpose().unwrap_or_else(|error| {
        report.copy_unreadable = Some(error);
        None
    });
    let paths = match list(folder) {
        Ok(paths) => paths,
        Err(error) => {
            report.unreadable = Some(error);
            return report;
        }
    };
    let (mut sources, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        let Some(name) = Name::parse(path.file_name().unwrap_or_default()) else {
            report.strangers.push(shown(&path));
            continue;
        };
        let copied = copy.as_ref().map(|copy| copy.of(&name));
        let mut source = Source { path, length: 0, name, copied };
        match length(&source.path) {
            Ok(length) => {
                source.length = length;
                sources.push(source);
            }
            // It keeps its place in the chain: that it is missing would be another verdict.
            Err(error) => unreadable.push((source, Err(error))),
        }
    }
    let pieces = read::read(&sources, progress);
    let named = pieces.iter().flatten().find_map(|piece| piece.keys.first());
    report.keys = if expected.keys.is_empty() {
        named.map(|(_, key)| *key).into_iter().collect()
    } else {
        report.pinned = true;
        expected.keys.clone()
    };
    let mut chains: Vec<(Source<'_>, io::Result<Piece>)> =
        sources.into_iter().zip(pieces).chain(unreadable).collect();
    // The files of one chain in a row, in its order.
    chains.sort_by(|(one, _), (other, _)| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
    let of_one = |(one, _): &(Source<'_>, _), (other, _): &(Source<'_>, _)| {
        one.name.instance == other.name.instance
    };
    let mut copied: BTreeSet<(String, u64)> = BTreeSet::new();
    let mut unread: BTreeSet<String> = BTreeSet::new();
    for chain in chains.chunk_by(of_one) {
        for (source, piece) in chain {
            let instance = &source.name.instance;
            if piece.is_err() {
                unread.insert(instance.clone());
            }
            let seen = piece.iter().flat_map(|piece| &piece.copied);
            copied.extend(seen.map(|seq| (instance.clone(), *seq)));
        }
        report.files.extend(judge(chain, &report.keys));
    }
    report.files.sort_by(|one, other| one.name.cmp(&other.name));
    let Some(copy) = copy else { return report };
    (report.copy_unfit, report.disputed) = (copy.unfit, copy.disputed);
    let known = copy.chains.iter();
    let known = known.flat_map(|(chain, seqs)| seqs.keys().map(|seq| (chain.clone(), *seq)));
    // What an unreadable file may hold is not said to be missing.
    report.missing =
        known.filter(|record| !copied.contains(record) && !unread.contains(&record.0)).collect();
    report
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    // By its bytes: what counts as an extension is another thing in each language.
    let ends = |path: &PathBuf| path.as_os_str().as_encoded_bytes().ends_with(b".jsonl");
    paths.retain(ends);
    paths.sort();
    Ok(paths)
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Bytes of a file that can be read.
fn length(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    // Opening a pipe would wait for a writer that never comes.
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    fs::File::open(path)?;
    Ok(metadata.len())
}

/// Judges the files of one chain, each by itself and each by the one before it.
fn judge(chain: &[(Source<'_>, io::Result<Piece>)], keys: &[PublicKey]) -> Vec<FileReport> {
    let mut reports: Vec<FileReport> = Vec::new();
    let mut before: Option<&Piece> = None;
    // What a later file proves, it proves of those before it too.
    let proving =
        chain.iter().rposition(|(_, piece)| piece.as_ref().is_ok_and(|piece| piece.proved > 0));
    for (at, (source, piece)) in chain.iter().enumerate() {
        let name = shown(&source.path);
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                reports.push(FileReport::unreadable(
                    name,
                    io::Error::new(error.kind(), error.to_string()),
                ));
                before = None;
                continue;
            }
        };
        let last = at + 1 == chain.len();
        let place = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
        let part = source.name.part;
        let foreign = piece.keys.iter().find(|(_, key)| !keys.contains(key));
        let (records, state) = if part != place {
            (0, State::Broken { line: 1, flaw: Flaw::MissingFile { expected: place } })
        } else if let Err(flaw) = before.map_or(Ok(()), |before| continues(before, piece)) {
            (0, State::Broken { line: 1, flaw })
        } else if let Some((record, _)) = foreign {
            (record - 1, State::Broken { line: *record, flaw: Flaw::ForeignKey })
        } else {
            let covered = proving.is_some_and(|proving| at < proving);
            (piece.records, state(source, piece, last, covered))
        };
        for intent in &piece.closed {
            // The result may stand in a later file than its intent.
            reports.iter_mut().any(|earlier| earlier.unknown_outcomes.remove(intent));
        }
        let unknown_outcomes = piece.opened.clone();
        reports.push(FileReport { name, records, unknown_outcomes, state });
        before = Some(piece);
    }
    reports
}

/// Checks that a file begins where the one before it ended.
fn continues(before: &Piece, piece: &Piece) -> Result<(), Flaw> {
    if let (Some((seq, hash)), Some((first, prev))) = (&before.last, &piece.first) {
        link(*seq, hash, *first, prev)?;
    }
    if before.end == Some(End::Rotate) { Ok(()) } else { Err(Flaw::NotContinued) }
}

/// How far a file can be believed by itself, and, if `covered`, by what a later file of its chain
/// proves.
fn state(source: &Source<'_>, piece: &Piece, last: bool, covered: bool) -> State {
    if let Some(flaw) = piece.flaw {
        return State::Broken { line: piece.records + 1, flaw };
    }
    let unproved = if covered { 0 } else { piece.records - piece.proved };
    match piece.end {
        _ if piece.torn || piece.records == 0 => State::Torn,
        _ if unproved > 0 && source.copied.is_some() => State::Uncopied { unproved },
        Some(End::Stop) => State::Intact,
        Some(End::Rotate) if !last => State::Intact,
        Some(End::Rotate) => State::Continued,
        None => State::Open { unproved },
    }
}
