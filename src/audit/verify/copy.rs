//! [`Copy`]: what the second place holds of the chains.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::line::Line;
use super::name::Name;
use super::piece::Copied;
use crate::audit::key::PublicKey;
use crate::audit::record::MAX_LINE;

/// The signed records that were copied while the log was written.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    /// Of each instance.
    pub(super) chains: BTreeMap<String, Copied>,
    /// Instance and `seq` that two different records stand for: one of them is forged.
    pub(super) disputed: BTreeSet<(String, u64)>,
    /// Lines that are no signed records.
    pub(super) unfit: u64,
}

impl Copy {
    /// Reads a copy. Other logs may be in the same place: if `keys` are named, what others signed
    /// is passed over.
    pub(super) fn read(path: &Path, keys: &[PublicKey]) -> io::Result<Self> {
        let mut copy = Self::default();
        let mut reader = BufReader::new(File::open(path)?);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            if bytes == b"\n" {
                // Written after half a line.
                continue;
            }
            let line = bytes.strip_suffix(b"\n").and_then(|line| Line::read(line).ok());
            match line.as_ref().and_then(|line| Some((line, line.key?))) {
                None => copy.unfit += 1,
                Some((_, key)) if !keys.is_empty() && !keys.contains(&key) => {}
                Some((line, _)) => {
                    let chain = copy.chains.entry(line.instance().to_owned()).or_default();
                    // The first stays: who can only append must not replace what was copied.
                    let first = chain.entry(line.seq).or_insert_with(|| line.hash.to_owned());
                    if first != line.hash {
                        copy.disputed.insert((line.instance().to_owned(), line.seq));
                    }
                }
            }
        }
        if copy.chains.is_empty() {
            return Err(io::Error::other("it holds no checkpoint of this log"));
        }
        Ok(copy)
    }

    /// What was copied of the chain in a file of that name, if anything.
    pub(super) fn of(&self, name: &Name) -> &Copied {
        static NOTHING: Copied = Copied::new();
        self.chains.get(&name.instance).unwrap_or(&NOTHING)
    }
}
