//! [`Piece`]: what a stretch of a file proves by itself. Pieces are read side by side, then joined.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::flaw::Flaw;
use super::line::Line;
use super::name::Name;
use crate::audit::key::PublicKey;
use crate::audit::record::{GENESIS, MAX_LINE};

/// Bytes that one piece is about.
pub(super) const LENGTH: u64 = 4 * 1024 * 1024;

/// `seq` and hash of each copied record of one chain.
pub(super) type Copied = BTreeMap<u64, String>;

/// Records in a row, each the next of the one before it.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Lines that are records, from the first on.
    pub(super) records: u64,
    /// `seq` of the first record, and the hash that it names as that of the record before.
    pub(super) first: Option<(u64, String)>,
    /// `seq` and hash of the last record.
    pub(super) last: Option<(u64, String)>,
    /// Intents without a result here.
    pub(super) opened: BTreeSet<u64>,
    /// Results here whose intent is not.
    pub(super) closed: Vec<u64>,
    /// Whether the last record is `stop` or `rotate`.
    pub(super) end: Option<End>,
    /// Records up to the last one that proves them: signed or, if there is a copy, copied.
    pub(super) proved: u64,
    /// Where a key was first used after another one: record, from 1, and key.
    pub(super) keys: Vec<(u64, PublicKey)>,
    /// Records that are as they were copied.
    pub(super) copied: Vec<u64>,
    /// What is wrong with the line after the last record.
    pub(super) flaw: Option<Flaw>,
    /// Whether the file ends within a line.
    pub(super) torn: bool,
}

/// What a file may end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The chain goes on in another file.
    Rotate,
    /// The chain ends.
    Stop,
}

/// A file that is read, and what is known of it.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) path: PathBuf,
    /// Bytes that are looked at: what it held at first.
    pub(super) length: u64,
    pub(super) name: Name,
    /// What the second place holds of its chain, if there is one. Then nothing else proves: who has
    /// the key can sign what was never copied.
    pub(super) copied: Option<&'a Copied>,
}

impl Source<'_> {
    /// Checks the lines that begin in the piece of that number, from 0.
    pub(super) fn piece(&self, number: u64, buffer: &mut Vec<u8>) -> io::Result<Piece> {
        let begin = number.saturating_mul(LENGTH).min(self.length);
        let end = begin.saturating_add(LENGTH).min(self.length);
        // One byte before, to see whether a line begins here; one line more, to see its end.
        let from = begin.saturating_sub(1);
        let to = end.saturating_add(MAX_LINE as u64).min(self.length);
        buffer.clear();
        buffer.resize(usize::try_from(to - from).map_err(io::Error::other)?, 0);
        File::open(&self.path)?.read_exact_at(buffer, from)?;
        let mut piece = Piece::default();
        let mut at = from;
        let mut lines = buffer.split_inclusive(|byte| *byte == b'\n');
        if number > 0 {
            // The line that began before, or the newline that ended it.
            at += lines.next().map_or(0, <[u8]>::len) as u64;
        }
        for line in lines {
            if at >= end {
                break;
            }
            at += line.len() as u64;
            let read = match line.strip_suffix(b"\n") {
                _ if line.len() > MAX_LINE => Err(Flaw::TooLong),
                Some(line) => Line::read(line),
                None if line.len() == MAX_LINE => Err(Flaw::TooLong),
                None => {
                    piece.torn = true;
                    break;
                }
            };
            let first_of_file = number == 0 && piece.records == 0;
            let followed = read.and_then(|line| {
                self.follows(&piece, &line, first_of_file)?;
                piece.accept(&line, self.copied.map(|copied| copied.contains_key(&line.seq)));
                Ok(())
            });
            if let Err(flaw) = followed {
                piece.flaw = Some(flaw);
                break;
            }
        }
        Ok(piece)
    }

    /// Checks that `line` is of this chain and the next one of this piece.
    fn follows(&self, piece: &Piece, line: &Line<'_>, first_of_file: bool) -> Result<(), Flaw> {
        let name = &self.name;
        if name.instance != line.instance() {
            return Err(Flaw::WrongInstance);
        }
        if first_of_file {
            if name.part == 1 {
                link(0, GENESIS, line.seq, line.prev())?;
            }
            if !name.opens_with(line) {
                return Err(Flaw::NoStart);
            }
        } else if let Some((seq, hash)) = &piece.last {
            link(*seq, hash, line.seq, line.prev())?;
        }
        if piece.end.is_some() {
            return Err(Flaw::AfterStop);
        }
        let copy = self.copied.and_then(|copied| copied.get(&line.seq));
        if copy.is_some_and(|hash| hash != line.hash) { Err(Flaw::NotTheCopy) } else { Ok(()) }
    }
}

/// Checks that a record of that `seq` and `prev` is the next one of another.
pub(super) fn link(seq: u64, hash: &str, next: u64, prev: &str) -> Result<(), Flaw> {
    let expected = seq.saturating_add(1);
    if next != expected {
        Err(Flaw::SeqGap { expected, found: next })
    } else if prev != hash {
        Err(Flaw::WrongPrev)
    } else {
        Ok(())
    }
}

impl Piece {
    /// Joins what follows in the same file.
    pub(super) fn append(&mut self, next: Self) {
        if self.flaw.is_some() || self.torn {
            return;
        }
        if let (Some((seq, hash)), Some((first, prev))) = (&self.last, &next.first) {
            let linked = link(*seq, hash, *first, prev);
            let linked = linked.and(if self.end.is_some() { Err(Flaw::AfterStop) } else { Ok(()) });
            if let Err(flaw) = linked {
                self.flaw = Some(flaw);
                return;
            }
        }
        for intent in next.closed {
            if !self.opened.remove(&intent) {
                self.closed.push(intent);
            }
        }
        self.opened.extend(next.opened);
        if next.proved > 0 {
            self.proved = self.records + next.proved;
        }
        self.keys.extend(next.keys.iter().map(|(record, key)| (self.records + record, *key)));
        self.copied.extend(next.copied);
        self.records += next.records;
        self.first = self.first.take().or(next.first);
        if next.last.is_some() {
            (self.last, self.end) = (next.last, next.end);
        }
        (self.flaw, self.torn) = (next.flaw, next.torn);
    }

    /// Takes a line in. `copied` says whether it is in the copy, if there is one.
    fn accept(&mut self, line: &Line<'_>, copied: Option<bool>) {
        self.records += 1;
        self.first.get_or_insert_with(|| (line.seq, line.prev().to_owned()));
        match &mut self.last {
            Some((seq, hash)) => {
                *seq = line.seq;
                line.hash.clone_into(hash);
            }
            last @ None => *last = Some((line.seq, line.hash.to_owned())),
        }
        if line.event() == "intent" {
            self.opened.insert(line.seq);
        }
        if let Some(intent) = line.closes()
            && !self.opened.remove(&intent)
        {
            self.closed.push(intent);
        }
        if let Some(key) = line.key
            && self.keys.last().is_none_or(|(_, last)| *last != key)
        {
            self.keys.push((self.records, key));
        }
        if copied.unwrap_or(line.key.is_some()) {
            self.proved = self.records;
        }
        if copied == Some(true) {
            self.copied.push(line.seq);
        }
        self.end = match line.event() {
            "stop" => Some(End::Stop),
            "rotate" => Some(End::Rotate),
            _ => None,
        };
    }
}
