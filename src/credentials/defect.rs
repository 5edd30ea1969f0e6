//! [`Defect`]: why a text cannot be a part of an AccessKey, or a name. Each part is looked at before
//! anything is signed: KMS would answer with codes that do not name the cause.

use super::CredentialError;
use crate::sensitive::Sensitive;

/// What is wrong with a part of a key, or a name. Says nothing else of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Defect {
    /// `${VAR}`, `${env:AK}`, `<your-access-key-id>`.
    #[error(
        "holds a placeholder such as `${{NAME}}` or `<your-key>` that no program has expanded, not the MCP client either; put what it stands for in its place"
    )]
    Placeholder,
    /// As of a file that was pasted whole.
    #[error("has a space or a line break at its beginning or end; take it away")]
    EndsInSpace,
    /// In between.
    #[error("has a space or a line break in it")]
    Space,
    /// The syntax of a file, not of the key.
    #[error("stands in quotation marks; take these characters away")]
    Quoted,
    /// Anything else.
    #[error("has a character that no AccessKey has")]
    Character,
}

/// Which part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Id,
    Secret,
    Token,
}

/// Whether `value` can be that part.
pub(super) fn check(
    part: Part,
    value: &Sensitive,
    place: impl FnOnce() -> String,
) -> Result<(), CredentialError> {
    #[expect(clippy::disallowed_methods, reason = "only its kinds of characters are looked at")]
    match defect(part, value.expose()) {
        None => Ok(()),
        Some(defect) => Err(CredentialError::Defect { place: place(), defect }),
    }
}

/// Why a text that names nothing that is there cannot be meant as it stands.
pub(crate) fn defect_of_name(text: &str) -> Option<Defect> {
    if is_placeholder(text) {
        Some(Defect::Placeholder)
    } else {
        (text.starts_with(is_blank) || text.ends_with(is_blank)).then_some(Defect::EndsInSpace)
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}'
}

fn is_placeholder(text: &str) -> bool {
    ["${", "$(", "{{", "<"].iter().any(|mark| text.contains(mark))
        || text.starts_with('$')
        || (text.starts_with('%') && text.ends_with('%'))
}

fn defect(part: Part, text: &str) -> Option<Defect> {
    let quoted = |mark: char| text.len() > 1 && text.starts_with(mark) && text.ends_with(mark);
    let example = part == Part::Id && text.to_ascii_lowercase().starts_with("your");
    let allowed = |c: char| match part {
        Part::Id => c.is_ascii_alphanumeric() || "-_.".contains(c),
        Part::Secret | Part::Token => c.is_ascii_graphic(),
    };
    if is_placeholder(text) || example {
        Some(Defect::Placeholder)
    } else if text.starts_with(is_blank) || text.ends_with(is_blank) {
        Some(Defect::EndsInSpace)
    } else if text.contains(is_blank) {
        Some(Defect::Space)
    } else if quoted('"') || quoted('\'') {
        Some(Defect::Quoted)
    } else if !text.chars().all(allowed) {
        Some(Defect::Character)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_defect_is_told_apart() {
        for (text, expected) in [
            ("LTAI5tAbCdEfGhIjKlMnOp", None),
            ("STS.NUgYrLnoC37mZZCNnAbez", None),
            ("canary-of-a_key", None),
            ("${AK}", Some(Defect::Placeholder)),
            ("${env:AK}", Some(Defect::Placeholder)),
            ("${input:ak}", Some(Defect::Placeholder)),
            ("$AK", Some(Defect::Placeholder)),
            ("%AK%", Some(Defect::Placeholder)),
            ("{{ak}}", Some(Defect::Placeholder)),
            ("<your-access-key-id>", Some(Defect::Placeholder)),
            ("YOUR_ACCESS_KEY_ID", Some(Defect::Placeholder)),
            ("LTAI5t\n", Some(Defect::EndsInSpace)),
            ("LTAI5t\r\n", Some(Defect::EndsInSpace)),
            (" LTAI5t", Some(Defect::EndsInSpace)),
            ("LTAI5t\u{a0}", Some(Defect::EndsInSpace)),
            ("\u{feff}LTAI5t", Some(Defect::EndsInSpace)),
            ("LTAI 5t", Some(Defect::Space)),
            ("\"LTAI5t\"", Some(Defect::Quoted)),
            ("'LTAI5t'", Some(Defect::Quoted)),
            ("LTAI5t密钥", Some(Defect::Character)),
            ("LTAI5t/", Some(Defect::Character)),
        ] {
            assert_eq!(defect(Part::Id, text), expected, "{text:?}");
        }
        for text in ["CAIS+/abc==", "yourOwnSecretIsRandom"] {
            assert_eq!(defect(Part::Token, text), None);
            assert_eq!(defect(Part::Secret, text), None);
        }
        assert_eq!(defect(Part::Secret, "abc\n"), Some(Defect::EndsInSpace));
        assert_eq!(defect(Part::Token, "ä"), Some(Defect::Character));
    }
}
