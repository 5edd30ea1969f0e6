//! The last net on every outgoing byte: the credentials of this process, in every encoding.
//!
//! It works after everything else and is not relied on: a hit is a fault elsewhere, and audited. It
//! never knows the value of a secret: what it does to an answer, and how long it takes, says nothing
//! of one. Values are kept in by types, see [`crate::operation::Echo`] and [`crate::sensitive`].

mod needles;
mod views;
#[cfg(test)]
pub(crate) mod work;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use serde_json::Value;
use zeroize::Zeroizing;

use self::needles::{Needles, SHORTEST};
use crate::clock::Clock;

/// What stands in place of a string that held a secret.
pub(crate) const REMOVED: &str = "[removed by kms-mcp]";

/// How long a credential is searched for after a call last used it, in milliseconds: no call takes
/// as long.
const KEPT_MS: i64 = 3_600_000;

/// Finds the credentials that this process uses; clones share their knowledge.
#[derive(Clone)]
pub(crate) struct Scrubber {
    clock: Clock,
    known: Arc<RwLock<Known>>,
}

/// Wiped when dropped, but for the copies inside the automaton, which cannot be reached.
#[derive(Default)]
struct Known {
    secrets: Vec<Secret>,
    search: Arc<Search>,
}

struct Secret {
    text: Zeroizing<String>,
    used_ms: i64,
}

impl Scrubber {
    /// Knows nothing yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, known: Arc::default() }
    }

    /// Looks for a part of a credential that a call uses, and forgets those that no call has used
    /// for an hour. Under 8 bytes it is ignored.
    pub(crate) fn know(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let now = self.clock.now_ms();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.secrets.len();
        match known.secrets.iter_mut().find(|known| known.text.as_str() == secret) {
            Some(known) => known.used_ms = now,
            None => known.secrets.push(Secret { text: secret.to_owned().into(), used_ms: now }),
        }
        let added = known.secrets.len() != before;
        known.secrets.retain(|secret| now.saturating_sub(secret.used_ms) < KEPT_MS);
        if added || known.secrets.len() != before {
            let secrets = known.secrets.iter().map(|secret| secret.text.as_str());
            let search = Search::new(secrets);
            #[cfg(test)]
            let search = Search { work: known.search.work.clone(), ..search };
            known.search = Arc::new(search);
        }
    }

    /// `None` if `bytes` are clean, else what may be written instead: nothing of them, since
    /// what is left around a hit may be the rest of the secret. A final newline is kept.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.search().hits(bytes).then(|| {
            let newline = if bytes.ends_with(b"\n") { "\n" } else { "" };
            [REMOVED, newline].concat().into_bytes()
        })
    }

    /// Replaces each string, number and object key of `value` that holds a known secret, except
    /// the one at the JSON pointer `exempt`, and tells where they stood.
    pub(crate) fn json(&self, value: &mut Value, exempt: Option<&str>) -> Vec<String> {
        let search = self.search();
        clean(value, exempt, &|text| search.hits(text))
    }

    /// Replaces a text that holds a known secret.
    pub(crate) fn text(&self, text: &mut String) {
        if self.search().hits(text.as_bytes()) {
            REMOVED.clone_into(text);
        }
    }

    /// What it has done so far.
    #[cfg(test)]
    pub(crate) fn work(&self) -> work::Work {
        self.search().work.work()
    }

    fn search(&self) -> Arc<Search> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known.search)
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

/// The automatons for a set of secrets; `None` where there is nothing to search for.
#[derive(Default)]
struct Search {
    squeezed: Option<AhoCorasick>,
    plain: Option<AhoCorasick>,
    #[cfg(test)]
    work: work::Counter,
}

impl Search {
    fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut needles = Needles::default();
        secrets.for_each(|secret| needles.add(secret));
        Self {
            squeezed: automaton(&needles.squeezed),
            plain: automaton(&needles.plain),
            #[cfg(test)]
            work: work::Counter::default(),
        }
    }

    fn hits(&self, text: &[u8]) -> bool {
        #[cfg(test)]
        return self.work.counted(self.needles(), || self.finds(text));
        #[cfg(not(test))]
        self.finds(text)
    }

    fn finds(&self, text: &[u8]) -> bool {
        if text.len() < SHORTEST || (self.squeezed.is_none() && self.plain.is_none()) {
            return false;
        }
        self.finds_in(text) || views::decoded(text).is_some_and(|decoded| self.finds_in(&decoded))
    }

    fn finds_in(&self, text: &[u8]) -> bool {
        #[cfg(test)]
        self.work.searched(text.len());
        let found = |automaton: &Option<AhoCorasick>, text: &[u8]| {
            automaton.as_ref().is_some_and(|automaton| automaton.is_match(text))
        };
        found(&self.plain, text) || found(&self.squeezed, &views::squeeze(text))
    }

    #[cfg(test)]
    fn needles(&self) -> usize {
        [&self.squeezed, &self.plain].into_iter().flatten().map(AhoCorasick::patterns_len).sum()
    }
}

/// `None` also if the automaton cannot be built, which takes gigabytes of needles: their number
/// and size are bounded.
fn automaton(needles: &[Zeroizing<Vec<u8>>]) -> Option<AhoCorasick> {
    if needles.is_empty() {
        return None;
    }
    let needles = needles.iter().map(|needle| needle.as_slice());
    AhoCorasickBuilder::new().ascii_case_insensitive(true).build(needles).ok()
}

fn clean(value: &mut Value, exempt: Option<&str>, hits: &dyn Fn(&[u8]) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    Walk { exempt, hits, found: &mut found }.value(value, &mut String::new());
    found
}

struct Walk<'a> {
    exempt: Option<&'a str>,
    hits: &'a dyn Fn(&[u8]) -> bool,
    found: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn value(&mut self, value: &mut Value, pointer: &mut String) {
        match value {
            Value::String(text) => {
                if self.exempt != Some(pointer.as_str()) && (self.hits)(text.as_bytes()) {
                    self.remove(value, pointer);
                }
            }
            Value::Number(number) => {
                // A secret of digits may have become a number on the way.
                if self.exempt != Some(pointer.as_str())
                    && (self.hits)(number.to_string().as_bytes())
                {
                    self.remove(value, pointer);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.member(item, &index.to_string(), pointer);
                }
            }
            Value::Object(members) => {
                if members.keys().any(|key| (self.hits)(key.as_bytes())) {
                    *members = std::mem::take(members)
                        .into_iter()
                        .map(|(key, member)| {
                            if !(self.hits)(key.as_bytes()) {
                                return (key, member);
                            }
                            self.found.push(format!("{pointer}/{REMOVED}"));
                            (REMOVED.to_owned(), member)
                        })
                        .collect();
                }
                for (key, member) in members {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    self.member(member, &key, pointer);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn member(&mut self, member: &mut Value, name: &str, pointer: &mut String) {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(name);
        self.value(member, pointer);
        pointer.truncate(length);
    }

    fn remove(&mut self, value: &mut Value, pointer: &str) {
        *value = Value::String(REMOVED.to_owned());
        self.found.push(pointer.to_owned());
    }
}

#[cfg(test)]
mod tests;
