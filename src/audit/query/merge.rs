//! [`Merge`]: all files of a folder as one log, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::line::Line;
use super::source::{self, Source};

/// What could not be read. Readers say so, whatever else they say.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// The folder, or names in it, and why.
    pub(crate) unreadable: Vec<(String, io::Error)>,
    /// Lines that are no records.
    pub(crate) broken: u64,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Item {
    /// A record of the file of that number.
    Line(usize, Line),
    /// No more records in that file.
    End(usize),
}

/// The files of a folder, merged. A file is open only while its records are due.
pub(crate) struct Merge<'a> {
    /// Files by the time of their first record, the latest first.
    waiting: Vec<(Timestamp, PathBuf)>,
    open: BinaryHeap<Reverse<Head>>,
    /// How many files were opened.
    files: usize,
    /// A file that has ended, to be told.
    ended: Option<usize>,
    trouble: Trouble,
    /// Told the bytes read since last time.
    progress: Box<dyn FnMut(u64) + 'a>,
}

impl std::fmt::Debug for Merge<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Merge")
    }
}

/// An open file and its next record. Ordered by time, then by file.
#[derive(Debug)]
struct Head {
    /// Never earlier than that of the record before: within a file its own order counts.
    due: Timestamp,
    file: usize,
    line: Line,
    source: Source,
}

impl Head {
    fn key(&self) -> (Timestamp, usize) {
        (self.due, self.file)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Head {}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<'a> Merge<'a> {
    /// Every `*.jsonl` in `folder`. `progress` is told how many bytes were read.
    pub(crate) fn of(folder: &Path, progress: impl FnMut(u64) + 'a) -> Self {
        let mut merge = Self {
            waiting: Vec::new(),
            open: BinaryHeap::new(),
            files: 0,
            ended: None,
            trouble: Trouble::default(),
            progress: Box::new(progress),
        };
        match list(folder) {
            Ok(paths) => paths.into_iter().for_each(|path| merge.note(path)),
            Err(error) => merge.trouble.unreadable.push((folder.display().to_string(), error)),
        }
        // The files of one second have names that order them.
        merge.waiting.sort_by(|one, other| other.cmp(one));
        merge
    }

    /// Bytes in all files of `folder`, as far as they can be seen.
    pub(crate) fn size(folder: &Path) -> u64 {
        let paths = list(folder).unwrap_or_default();
        paths.iter().filter_map(|path| Some(fs::symlink_metadata(path).ok()?.len())).sum()
    }

    /// What could not be read; complete once there is nothing next.
    pub(crate) fn trouble(self) -> Trouble {
        self.trouble
    }

    /// Puts a file in line, by its first record.
    fn note(&mut self, path: PathBuf) {
        let first = Source::open(&path).and_then(|mut source| source.next());
        match first {
            Ok(first) => {
                let time = first.map_or(Timestamp::UNIX_EPOCH, |line| line.time());
                self.waiting.push((time, path));
            }
            Err(error) => self.unreadable(&path, error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: io::Error) {
        self.trouble.unreadable.push((source::name(path), error));
    }

    /// The next record by time, or the end of a file.
    pub(super) fn next(&mut self) -> Option<Item> {
        if let Some(file) = self.ended.take() {
            return Some(Item::End(file));
        }
        self.open_what_is_due();
        let Reverse(Head { due, file, line, source }) = self.open.pop()?;
        self.advance(source, file, due);
        Some(Item::Line(file, line))
    }

    fn open_what_is_due(&mut self) {
        while let Some((first, _)) = self.waiting.last() {
            if self.open.peek().is_some_and(|Reverse(head)| head.due < *first) {
                return;
            }
            let Some((first, path)) = self.waiting.pop() else { return };
            let file = self.files;
            self.files += 1;
            match Source::open(&path) {
                Ok(source) => self.advance(source, file, first),
                Err(error) => self.unreadable(&path, error),
            }
            // It held no record: its end is nobody's concern.
            self.ended = None;
        }
    }

    /// Reads the next record of a file and puts it back in line.
    fn advance(&mut self, mut source: Source, file: usize, before: Timestamp) {
        let next = source.next();
        (self.progress)(std::mem::take(&mut source.read));
        match next {
            Ok(Some(line)) => {
                let due = before.max(line.time());
                self.open.push(Reverse(Head { due, file, line, source }));
                return;
            }
            Ok(None) => {}
            Err(error) => self.trouble.unreadable.push((source.name.to_string(), error)),
        }
        self.trouble.broken += source.broken;
        self.ended = Some(file);
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
