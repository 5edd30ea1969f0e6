//! A policy as written: TOML read strictly, where every refusal names its line and key.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::PolicyError;

/// The text, for finding lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
}

impl<'a> Source<'a> {
    /// The document. The caller keeps it, for what is read from it borrows.
    pub(super) fn document(self) -> Result<Spanned<DeTable<'a>>, PolicyError> {
        DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.refuse(at, "TOML", error.message())
        })
    }

    /// A refusal of what stands at this byte.
    pub(super) fn refuse(self, at: usize, place: &str, what: impl Into<String>) -> PolicyError {
        let before = self.text.bytes().take(at);
        PolicyError::Invalid {
            origin: self.origin.to_owned(),
            line: before.filter(|byte| *byte == b'\n').count() + 1,
            place: shown(place, 120),
            what: shown(&what.into(), 700),
        }
    }
}

/// A table of which every key is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    source: Source<'a>,
    entries: &'a DeTable<'a>,
    /// The key it is the value of; empty for the document.
    path: &'a str,
    at: usize,
}

impl<'a> Table<'a> {
    /// The whole document.
    pub(super) fn root(
        source: Source<'a>,
        entries: &'a DeTable<'a>,
        allowed: &[&str],
    ) -> Result<Self, PolicyError> {
        Self::new(source, entries, "", 0, allowed)
    }

    fn new(
        source: Source<'a>,
        entries: &'a DeTable<'a>,
        path: &'a str,
        at: usize,
        allowed: &[&str],
    ) -> Result<Self, PolicyError> {
        // The one that comes first in the text.
        let unknown = entries
            .keys()
            .filter(|key| !allowed.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        if let Some(key) = unknown {
            let place = place(path, key.get_ref());
            let what = format!("unknown key; known here: {}", allowed.join(", "));
            return Err(source.refuse(key.span().start, &place, what));
        }
        // A table under a header starts where its first key stands.
        let first = entries.keys().map(|key| key.span().start).min();
        Ok(Self { source, entries, path, at: first.unwrap_or(at) })
    }

    /// What a key holds.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.entries.iter().find(|(name, _)| name.get_ref() == key).map(|(name, value)| Item {
            source: self.source,
            key: name.get_ref(),
            parent: self.path,
            at: value.span().start,
            value: value.get_ref(),
        })
    }

    /// What a key holds that must be there.
    pub(super) fn need(&self, key: &str, what: &str) -> Result<Item<'a>, PolicyError> {
        self.get(key).ok_or_else(|| self.refuse(key, format!("missing; {what}")))
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A refusal of a key of this table, or of its absence.
    pub(super) fn refuse(&self, key: &str, what: impl Into<String>) -> PolicyError {
        let at = self.get(key).map_or(self.at, |item| item.at);
        self.source.refuse(at, &place(self.path, key), what)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    source: Source<'a>,
    key: &'a str,
    parent: &'a str,
    at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    /// A refusal of it.
    pub(super) fn refuse(&self, what: impl Into<String>) -> PolicyError {
        self.source.refuse(self.at, &place(self.parent, self.key), what)
    }

    fn expect<T>(&self, value: Option<T>, what: &str) -> Result<T, PolicyError> {
        value.ok_or_else(|| self.refuse(format!("must be {what}, not {}", self.value.type_str())))
    }

    /// Text of one line, not empty.
    pub(super) fn text(&self, max: usize) -> Result<&'a str, PolicyError> {
        let text = self.expect(self.value.as_str(), "a string")?;
        let length = text.chars().count();
        if length == 0 || length > max || text.chars().any(char::is_control) {
            return Err(self.refuse(format!("must be one line of 1 to {max} characters")));
        }
        Ok(text)
    }

    /// A number from 1.
    pub(super) fn number(&self) -> Result<u32, PolicyError> {
        let number = self.expect(self.value.as_integer(), "a number")?;
        u32::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|number| (1..=1_000_000).contains(number))
            .ok_or_else(|| self.refuse("must be a number from 1 to 1000000"))
    }

    /// `true`. To say nothing, leave the key out: a `false` reads like its opposite.
    pub(super) fn yes(&self) -> Result<(), PolicyError> {
        if self.expect(self.value.as_bool(), "true")? {
            Ok(())
        } else {
            Err(self.refuse("can only be true; leave the key out instead"))
        }
    }

    /// The items of a list, at least one.
    pub(super) fn list(&self) -> Result<Vec<Item<'a>>, PolicyError> {
        let list = self.expect(self.value.as_array(), "a list")?;
        if list.is_empty() {
            return Err(self.refuse("an empty list matches nothing; leave the key out, or fill it"));
        }
        if list.len() > 500 {
            return Err(self.refuse("more than 500 items"));
        }
        Ok(list
            .iter()
            .map(|value| Item { at: value.span().start, value: value.get_ref(), ..*self })
            .collect())
    }

    /// A table.
    pub(super) fn table(&self, allowed: &[&str]) -> Result<Table<'a>, PolicyError> {
        let entries = self.expect(self.value.as_table(), "a table")?;
        Table::new(self.source, entries, self.key, self.at, allowed)
    }
}

/// What a terminal can be shown of what may have been written by anyone.
fn shown(text: &str, max: usize) -> String {
    text.chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn place(parent: &str, key: &str) -> String {
    if parent.is_empty() { format!("key `{key}`") } else { format!("key `{key}` of `{parent}`") }
}
