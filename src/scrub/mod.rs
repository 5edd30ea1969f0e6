//! The last net on every outgoing byte: known secrets, in every encoding.
//!
//! It works after everything else and is not relied on: a hit is a fault elsewhere, and audited.
//! It knows our own credentials for the life of the process and the values of one call until its
//! reply has left; never the values of other calls, or it could be used to test guesses.

mod needles;
mod views;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use serde_json::Value;
use zeroize::Zeroizing;

use self::needles::{Needles, SHORTEST};
use crate::sensitive::Sensitive;

/// What stands in place of a string that held a secret.
pub(crate) const REMOVED: &str = "[removed by kms-mcp]";

/// Finds the secrets that this process knows; clones share their knowledge.
#[derive(Clone, Default)]
pub(crate) struct Scrubber {
    known: Arc<RwLock<Known>>,
}

/// Wiped when dropped, but for the copies inside the automaton, which cannot be reached.
#[derive(Default)]
struct Known {
    secrets: Vec<Zeroizing<String>>,
    search: Arc<Search>,
}

impl Scrubber {
    /// Knows nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Looks for `secret` from now on, for the life of the process. Under 8 bytes it is ignored.
    pub(crate) fn know(&self, secret: &str) {
        if secret.len() < SHORTEST || self.knows(secret) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.secrets.iter().any(|known| known.as_str() == secret) {
            return; // somebody else was faster
        }
        known.secrets.push(Zeroizing::new(secret.to_owned()));
        known.search = Arc::new(Search::new(known.secrets.iter().map(|secret| secret.as_str())));
    }

    fn knows(&self, secret: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.secrets.iter().any(|known| known.as_str() == secret)
    }

    /// Knows also the values of one call, until the result is dropped.
    pub(crate) fn with(&self, values: &[&Sensitive]) -> CallScrubber {
        #[expect(clippy::disallowed_methods, reason = "searched for in what leaves, never shown")]
        let call = Search::new(values.iter().map(|value| value.expose()));
        CallScrubber { process: self.clone(), call }
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
        let process = self.search();
        clean(value, exempt, &|text| process.hits(text))
    }

    /// Replaces a text that holds a known secret, or one of `calls`.
    pub(crate) fn text(&self, text: &mut String, calls: &[CallScrubber]) {
        let holds = |search: &Search| search.hits(text.as_bytes());
        if holds(&self.search()) || calls.iter().any(|call| holds(&call.call)) {
            REMOVED.clone_into(text);
        }
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

/// A [`Scrubber`] that knows also the values of one call.
pub(crate) struct CallScrubber {
    process: Scrubber,
    call: Search,
}

impl CallScrubber {
    /// As [`Scrubber::json`], with the values of the call.
    pub(crate) fn json(&self, value: &mut Value, exempt: Option<&str>) -> Vec<String> {
        let process = self.process.search();
        clean(value, exempt, &|text| process.hits(text) || self.call.hits(text))
    }
}

impl fmt::Debug for CallScrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallScrubber").finish_non_exhaustive()
    }
}

/// The automatons for a set of secrets; `None` where there is nothing to search for.
#[derive(Default)]
struct Search {
    squeezed: Option<AhoCorasick>,
    plain: Option<AhoCorasick>,
}

impl Search {
    fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut needles = Needles::default();
        secrets.for_each(|secret| needles.add(secret));
        Self { squeezed: automaton(&needles.squeezed), plain: automaton(&needles.plain) }
    }

    fn hits(&self, text: &[u8]) -> bool {
        if text.len() < SHORTEST || (self.squeezed.is_none() && self.plain.is_none()) {
            return false;
        }
        let found = |automaton: &Option<AhoCorasick>, text: &[u8]| {
            automaton.as_ref().is_some_and(|automaton| automaton.is_match(text))
        };
        views::of(text)
            .iter()
            .any(|view| found(&self.plain, view) || found(&self.squeezed, &views::squeeze(view)))
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
