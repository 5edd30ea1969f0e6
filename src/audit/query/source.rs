//! [`Source`]: one file of the log, read line by line.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::line::{Line, Place};
use crate::audit::record::MAX_LINE;

/// An open file.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name in the folder.
    pub(super) name: Arc<str>,
    reader: BufReader<File>,
    line: Vec<u8>,
    /// Lines read so far.
    lines: u64,
    /// Of the record before.
    time: Timestamp,
    /// Lines that are no records.
    pub(super) broken: u64,
    /// Bytes read and not yet told.
    pub(super) read: u64,
}

impl Source {
    /// Opens a regular file. A pipe would wait for a writer that never comes.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(Self {
            name: name(path).into(),
            reader: BufReader::new(File::open(path)?),
            line: Vec::new(),
            lines: 0,
            time: Timestamp::UNIX_EPOCH,
            broken: 0,
            read: 0,
        })
    }

    /// The next record; nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        while let Some(fits) = self.fill()? {
            self.lines += 1;
            let (file, bytes) = (Arc::clone(&self.name), self.line.len());
            let place = Place { file, line: self.lines, bytes };
            if let Some(line) = fits.then(|| Line::parse(&self.line, self.time, place)).flatten() {
                self.time = line.time();
                return Ok(Some(line));
            }
            self.broken += 1;
        }
        Ok(None)
    }

    /// Reads one line; of a longer one than any record only the length is looked at.
    fn fill(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let mut length = 0_usize;
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok((length > 0).then_some(length < MAX_LINE));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            length += part.len();
            if length < MAX_LINE {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.read += used as u64;
            if end.is_some() {
                return Ok(Some(length < MAX_LINE));
            }
        }
    }
}

/// The name of a file in its folder.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
