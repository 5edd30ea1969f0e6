//! A chain and the file it is in: appended to while nothing is wrong with it, given up for good otherwise.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::event::{Event, Kind};
use super::folder::{failed, file_name, make_private_folder, new_file, sync_folder};
use super::keeping::Keeping;
use super::log::{AuditError, Durability, Entry};
use super::record::{Actor, GENESIS, Record};
use super::suppressed::Suppressor;
use crate::clock::Clock;

/// Bytes that an instance may have: it becomes part of a file name.
const MAX_INSTANCE: usize = 64;

/// How long a full disk is left alone while nothing is asked of the log.
const PAUSE: Duration = Duration::from_secs(1);

/// An open chain. The one writer of its files.
#[derive(Debug)]
pub(super) struct Chain {
    folder: PathBuf,
    file: File,
    path: PathBuf,
    /// Device and inode of `file`: what `path` must still name.
    identity: (u64, u64),
    /// Bytes written so far: what `file` must still hold.
    length: u64,
    /// Which file of the chain this is, from 1.
    part: u32,
    /// Of the last record; 0 before the first.
    seq: u64,
    /// Hash of the last record.
    prev: String,
    instance: String,
    clock: Clock,
    /// What the first record of each file says.
    start: Event,
    keeping: Keeping,
    suppressor: Suppressor,
    /// Records after the last signed one, and the time of the first of them.
    unsigned: u64,
    since: Timestamp,
    /// A record was lost: no later one may pretend otherwise.
    poisoned: bool,
    /// The last record found no room, and left no trace.
    full: bool,
}

impl Chain {
    /// Makes a new file in `folder`, writes `start` and makes both durable.
    pub(super) fn create(
        folder: &Path,
        clock: Clock,
        instance: &str,
        start: Event,
        keeping: Keeping,
    ) -> Result<Self, AuditError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if instance.is_empty() || instance.len() > MAX_INSTANCE || !instance.chars().all(plain) {
            return Err(AuditError::Instance);
        }
        make_private_folder(folder)?;
        let now = clock.now();
        let path = folder.join(file_name(now, instance, 1));
        let mut chain = Self::on(new_file(&path)?, path, clock, instance, keeping)?;
        folder.clone_into(&mut chain.folder);
        chain.start = start;
        chain.put_start(now)?;
        Ok(chain)
    }

    /// A chain on a file that was just opened.
    pub(super) fn on(
        file: File,
        path: PathBuf,
        clock: Clock,
        instance: &str,
        keeping: Keeping,
    ) -> Result<Self, AuditError> {
        let metadata = file.metadata().map_err(failed("look at", &path))?;
        Ok(Self {
            folder: PathBuf::new(),
            identity: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            part: 1,
            seq: 0,
            prev: GENESIS.to_owned(),
            instance: instance.to_owned(),
            start: Event::default(),
            suppressor: Suppressor::default(),
            unsigned: 0,
            since: clock.now(),
            poisoned: false,
            full: false,
            file,
            path,
            clock,
            keeping,
        })
    }

    /// Writes one record and answers its `seq`. A checkpoint that is due, and a new file once this
    /// one is long enough, come before it: if they fail, there is no record and nothing is sent.
    ///
    /// # Errors
    /// After a failure to write every later call fails too: a log with a hole is no log.
    pub(super) fn append(&mut self, entry: Entry) -> Result<u64, AuditError> {
        if self.poisoned {
            return Err(AuditError::Poisoned);
        }
        if self.length >= self.keeping.rotate_bytes {
            self.rotate()?;
        } else if self.unsigned >= self.keeping.records || self.wait() == Some(Duration::ZERO) {
            self.put(mark(Kind::Checkpoint), self.clock.now())?;
        }
        self.put_counts(false)?;
        self.put(entry, self.clock.now())
    }

    /// Writes a refusal or alarm, or counts it if too many came; then answers the `seq` of the last
    /// record. It is counted only while the log could also be written.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(super) fn append_or_count(&mut self, entry: Entry) -> Result<u64, AuditError> {
        if self.poisoned {
            return Err(AuditError::Poisoned);
        }
        if self.suppressor.admits(entry.kind, &entry.event, self.clock.now()) {
            return self.append(entry);
        }
        self.check_untouched().map_err(|error| self.give_up(error))?;
        self.put_counts(false)?;
        Ok(self.seq)
    }

    /// Writes what nobody waits for: an alarm, or `aborted`. What is too long for a record goes in
    /// as one that says no more than which event and call it is.
    pub(super) fn post(&mut self, entry: Entry) {
        let (kind, intent, durability) = (entry.kind, entry.intent, entry.durability);
        let short = Entry { kind, intent, event: entry.event.shortened(), durability };
        let written =
            if intent.is_some() { self.append(entry) } else { self.append_or_count(entry) };
        let written = match written {
            Err(AuditError::TooLong { .. } | AuditError::Encode(_)) => self.append(short),
            written => written,
        };
        if let Err(error) = written {
            tracing::error!(event = ?kind, "an audit record that nobody waits for was lost");
            if !self.poisoned {
                self.give_up(error);
            }
        }
    }

    /// In how long a checkpoint or a count is due, if no record comes. None: neither is.
    pub(super) fn due_in(&self) -> Option<Duration> {
        let counts = self.suppressor.due_in(self.clock.now());
        let due = [self.wait(), counts].into_iter().flatten().min();
        let pause = if self.full { PAUSE } else { Duration::ZERO };
        due.filter(|_| !self.poisoned).map(|due| due.max(pause))
    }

    /// Writes the checkpoint and the counts that are due. A failure is told to whoever writes next.
    pub(super) fn write_due(&mut self) {
        if !self.poisoned && self.put_counts(false).is_ok() && self.wait() == Some(Duration::ZERO) {
            self.checkpoint();
        }
    }

    /// Records how many refusals and alarms were not: those of a second or more ago, or all.
    fn put_counts(&mut self, all: bool) -> Result<(), AuditError> {
        let now = self.clock.now();
        while let Some(counted) = self.suppressor.take(now, all) {
            let event = Event { suppressed: Some(counted.clone()), ..Event::default() };
            if let Err(error) = self.put(Entry { event, ..mark(Kind::Suppressed) }, now) {
                self.suppressor.give_back(counted);
                return Err(error);
            }
        }
        Ok(())
    }

    fn wait(&self) -> Option<Duration> {
        let interval = self.keeping.interval;
        // A clock that was set back counts as no time; the wait is never longer than the interval.
        let passed = self.clock.now().duration_since(self.since);
        let passed = Duration::try_from(passed).unwrap_or_default();
        (self.unsigned > 0).then(|| interval.saturating_sub(passed))
    }

    /// Signs the chain up to here. A failure is told to whoever writes next.
    pub(super) fn checkpoint(&mut self) {
        if !self.poisoned {
            let _ = self.put(mark(Kind::Checkpoint), self.clock.now());
        }
    }

    /// Records what was only counted, and signs the chain up to here and its end.
    pub(super) fn stop(&mut self) {
        if !self.poisoned {
            // A failure gives the log up, and then it has no end.
            let _ = self.put_counts(true);
        }
        if self.unsigned > 0 {
            self.checkpoint();
        }
        if !self.poisoned {
            let _ = self.put(mark(Kind::Stop), self.clock.now());
        }
    }

    /// Closes the file with `rotate` and goes on in a new one.
    fn rotate(&mut self) -> Result<(), AuditError> {
        let now = self.clock.now();
        self.put(mark(Kind::Rotate), now)?;
        self.part += 1;
        let path = self.folder.join(file_name(now, &self.instance, self.part));
        let opened = new_file(&path).and_then(|file| {
            let metadata = file.metadata().map_err(failed("look at", &path))?;
            Ok((file, (metadata.dev(), metadata.ino())))
        });
        (self.file, self.identity) = opened.map_err(|error| self.give_up(error))?;
        (self.path, self.length) = (path, 0);
        self.put_start(now)
    }

    /// The first record of a file. It and the file's name are durable afterwards.
    fn put_start(&mut self, now: Timestamp) -> Result<(), AuditError> {
        let start = Entry { event: self.start.clone(), ..mark(Kind::Start) };
        self.put(start, now).map_err(|error| self.give_up(error))?;
        // Without this the name of the file may not survive what its content does.
        sync_folder(&self.folder).map_err(|error| self.give_up(error))
    }

    /// Writes one record, signed and copied if it is of such a kind.
    fn put(&mut self, entry: Entry, time: Timestamp) -> Result<u64, AuditError> {
        let Entry { kind, intent, event, durability } = entry;
        let seq = self.seq + 1;
        let first = kind == Kind::Start;
        let (line, hash) = Record {
            seq,
            time,
            instance: &self.instance,
            event: kind,
            part: (first && self.part > 1).then_some(self.part),
            intent,
            actor: first.then(Actor::current),
            body: event,
            key: None,
            prev: &self.prev,
        }
        .seal(kind.is_signed().then_some(&self.keeping.key))?;
        self.write(&line, durability).map_err(|error| self.failed_to_write(error))?;
        self.full = false;
        self.length += line.len() as u64;
        self.seq = seq;
        self.prev = hash;
        if kind.is_signed() {
            self.unsigned = 0;
            // What was promised to be elsewhere and is not would be found out too late.
            self.keeping.copies.keep(&line).map_err(|error| self.give_up(error))?;
        } else {
            if self.unsigned == 0 {
                self.since = time;
            }
            self.unsigned += 1;
        }
        Ok(seq)
    }

    /// A disk that is full has room again some time. What was not recorded did not happen, and the
    /// chain has no hole: the next record follows the last one. Anything else ends the log.
    fn failed_to_write(&mut self, error: AuditError) -> AuditError {
        if !matches!(error, AuditError::NoRoom { .. }) {
            return self.give_up(error);
        }
        if !std::mem::replace(&mut self.full, true) {
            tracing::error!(%error, "nothing is sent until there is room");
        }
        error
    }

    /// From here on nothing is recorded any more.
    fn give_up(&mut self, error: AuditError) -> AuditError {
        if !std::mem::replace(&mut self.poisoned, true) {
            let source = std::error::Error::source(&error);
            tracing::error!(%error, ?source, "audit log given up");
        }
        error
    }

    fn write(&mut self, line: &[u8], durability: Durability) -> Result<(), AuditError> {
        self.check_untouched()?;
        let written = self.file.write_all(line);
        // What a disk holds after a failed fsync nobody knows: that is never gone on from.
        let full = written.as_ref().is_err_and(|error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        });
        let written = written.and_then(|()| match durability {
            Durability::Written => Ok(()),
            Durability::Synced => self.file.sync_all(),
        });
        written.map_err(|error| {
            // The caller is told that there is no record, so there should be none, and half a line
            // would read as a torn tail.
            let taken_back = self.file.set_len(self.length).is_ok();
            if full && taken_back {
                return AuditError::NoRoom { path: self.path.clone() };
            }
            failed("write", &self.path)(error)
        })
    }

    /// Writing on into a file that was unlinked, replaced or cut would be writing for nobody.
    fn check_untouched(&self) -> Result<(), AuditError> {
        let moved = || AuditError::Replaced { path: self.path.clone() };
        let named = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(moved()),
            named => named.map_err(failed("look at", &self.path))?,
        };
        if (named.dev(), named.ino()) != self.identity {
            return Err(moved());
        }
        if named.len() != self.length {
            let (path, expected, found) = (self.path.clone(), self.length, named.len());
            return Err(AuditError::Resized { path, expected, found });
        }
        // Not only when a copy is due: until then calls would go on that nothing outside proves.
        self.keeping.copies.check()
    }
}

/// A record that says no more than what it is.
fn mark(kind: Kind) -> Entry {
    Entry { kind, intent: None, event: Event::default(), durability: Durability::Synced }
}
