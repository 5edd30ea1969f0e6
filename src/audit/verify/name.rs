//! [`Name`]: what the name of a file says of the chain in it.

use std::ffi::OsStr;

use super::line::Line;

/// `<yyyymmddThhmmssZ>-<instance>.jsonl` or, for a later file of a chain,
/// `<yyyymmddThhmmssZ>-<instance>.<part>.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) instance: String,
    pub(super) part: u32,
    time: String,
}

impl Name {
    /// Takes a name apart. None: we do not call a file so, and what is in it is none of ours.
    pub(super) fn parse(name: &OsStr) -> Option<Self> {
        let (time, rest) = name.to_str()?.strip_suffix(".jsonl")?.split_once('-')?;
        let (instance, part) = match rest.split_once('.') {
            None => (rest, 1),
            Some((instance, part)) => {
                let number = part.parse().ok().filter(|number| *number > 1)?;
                // One number has one name: no sign, no leading zero.
                (part == format!("{number}")).then_some((instance, number))?
            }
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fits = is_time(time) && matches!(instance.len(), 1..=64);
        (fits && instance.chars().all(plain)).then_some(())?;
        Some(Self { instance: instance.to_owned(), part, time: time.to_owned() })
    }

    /// Whether a record is the first one of the file of this name.
    pub(super) fn opens_with(&self, line: &Line<'_>) -> bool {
        let second = line.time().split('.').next().unwrap_or_default();
        let digits = || second.chars().filter(|c| !matches!(c, '-' | ':')).chain(['Z']);
        line.event() == "start"
            && line.part() == Some(u64::from(self.part))
            && digits().eq(self.time.chars())
    }
}

/// `yyyymmddThhmmssZ`, of whatever digits: whether it is the time of the first record is looked at
/// when the file is read.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"00000000T000000Z";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(found, wanted)| match wanted {
            b'0' => found.is_ascii_digit(),
            letter => found == *letter,
        })
}
