//! [`Factor`]: the PIN's public key, pinned when it is first seen.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::file::FactorError;
use super::origin::{Origin, content, parse};
use super::statement::PublicKey;

/// What a process knows of the PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// None is set.
    Unset,
    /// Decisions are signed with this key.
    Key(PublicKey),
    /// The file is not the one that was pinned. Only a restart leads out of this.
    Changed,
    /// The file cannot be read just now; what was pinned stays.
    Unread,
}

/// Watches over the file that counts, root's or `pin.json`, for the life of a process.
#[derive(Debug)]
pub(crate) struct Factor {
    state: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    pinned: Pinned,
    /// The bytes that were pinned, and whose they are: another salt would lock the person out.
    content: Option<(Origin, Vec<u8>)>,
    /// What has changed and is not on record yet, the first change first.
    unrecorded: VecDeque<Pinned>,
}

impl Factor {
    /// Pins root's key for this user, else the key of the state folder, if there is one.
    ///
    /// # Errors
    /// The file is there and cannot be used: then no server starts.
    pub(crate) fn pin(state: &Path) -> Result<Self, FactorError> {
        let content = content(state)?;
        let pinned = match &content {
            None => Pinned::Unset,
            Some((origin, bytes)) => Pinned::Key(parse(*origin, bytes)?.public_key),
        };
        Ok(Self {
            state: state.to_owned(),
            seen: Mutex::new(Seen { pinned, content, unrecorded: VecDeque::new() }),
        })
    }

    /// Looks at the file again. A change stays unrecorded until [`Self::recorded`].
    pub(crate) fn look(&self) -> Pinned {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.pinned;
        match (before, content(&self.state)) {
            (Pinned::Unset | Pinned::Key(_), Err(FactorError::Busy)) => {
                return Pinned::Unread;
            }
            (Pinned::Changed | Pinned::Unread, _) | (Pinned::Unset, Ok(None)) => {}
            (Pinned::Key(_), Ok(content)) if content == seen.content => {}
            // The first one to be set is pinned, as if it had been there at the start.
            (Pinned::Unset, Ok(Some((origin, bytes)))) => match parse(origin, &bytes) {
                Ok(file) => {
                    seen.content = Some((origin, bytes));
                    seen.pinned = Pinned::Key(file.public_key);
                }
                Err(_) => seen.pinned = Pinned::Changed,
            },
            (Pinned::Key(_), Ok(_)) | (_, Err(_)) => seen.pinned = Pinned::Changed,
        }
        let now = seen.pinned;
        if now != before {
            seen.unrecorded.push_back(now);
        }
        now
    }

    /// The first change that is not on record yet.
    pub(crate) fn unrecorded(&self) -> Option<Pinned> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).unrecorded.front().copied()
    }

    /// The first change is on record.
    pub(crate) fn recorded(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).unrecorded.pop_front();
    }

    /// Whether root chose the key: nothing that the user can write takes its place.
    pub(crate) fn is_anchored(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(seen.content, Some((Origin::Root, _)))
    }

    /// What is known, without looking.
    pub(crate) fn known(&self) -> Pinned {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).pinned
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::file::{Kdf, PinFile, SALT, path_in};
    use super::*;

    fn file(key: u8) -> PinFile {
        PinFile { kdf: Kdf::strong([5; SALT]), public_key: PublicKey::new(&[key; 32]).unwrap() }
    }

    /// What a look finds, and whether it is to be recorded.
    fn look(factor: &Factor) -> (Pinned, bool) {
        let pinned = factor.look();
        let is_new = factor.unrecorded() == Some(pinned);
        factor.recorded();
        (pinned, is_new)
    }

    #[test]
    fn the_first_key_is_pinned_and_nothing_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        let factor = Factor::pin(folder.path()).unwrap();
        assert_eq!(look(&factor), (Pinned::Unset, false));
        file(1).create(&path).unwrap();
        assert_eq!(look(&factor), (Pinned::Key(file(1).public_key), true));
        assert_eq!(look(&factor), (Pinned::Key(file(1).public_key), false));
        file(2).replace(&path).unwrap();
        assert_eq!(look(&factor), (Pinned::Changed, true));
        file(1).replace(&path).unwrap();
        assert_eq!(look(&factor), (Pinned::Changed, false), "putting it back does not help");
    }

    #[test]
    fn a_removed_file_is_a_changed_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        file(1).create(&path).unwrap();
        let factor = Factor::pin(folder.path()).unwrap();
        assert_eq!(look(&factor), (Pinned::Key(file(1).public_key), false));
        fs::remove_file(&path).unwrap();
        assert_eq!(look(&factor), (Pinned::Changed, true));
    }

    #[test]
    fn a_damaged_file_is_no_start_and_no_absence() {
        let folder = tempfile::tempdir().unwrap();
        let factor = Factor::pin(folder.path()).unwrap();
        file(1).create(&path_in(folder.path())).unwrap();
        fs::write(path_in(folder.path()), "{}").unwrap();
        assert!(Factor::pin(folder.path()).is_err());
        assert_eq!(look(&factor), (Pinned::Changed, true));
    }
}
