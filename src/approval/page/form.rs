//! [`Form`]: what a person sends.

use percent_encoding::percent_decode;

use crate::approval::Answer;
use crate::sensitive::Sensitive;

/// The fields of the form, each at most once and no others.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) seal: String,
    pub(super) answer: Option<Answer>,
    /// For what nothing brings back: its name, typed.
    pub(super) name: String,
    /// `None`: nothing was typed.
    pub(super) pin: Option<Sensitive>,
}

impl Form {
    /// Parses `application/x-www-form-urlencoded`. `None`: it is not our form.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut form = Self::default();
        let mut seen = Vec::new();
        for pair in body.split(|byte| *byte == b'&') {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at_checked(at)?;
            let value = value.get(1..)?;
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
            match name {
                b"seal" => form.seal = text(value)?,
                b"name" => form.name = text(value)?,
                b"pin" => {
                    form.pin = Some(text(value)?).filter(|pin| !pin.is_empty()).map(Sensitive::new);
                }
                b"answer" => {
                    form.answer = match value {
                        b"approve" => Some(Answer::Approve),
                        b"deny" => Some(Answer::Deny),
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        Some(form)
    }
}

/// A value, decoded into memory of exactly its size: it may be a PIN, and what grows is copied.
fn text(encoded: &[u8]) -> Option<String> {
    let spaced: zeroize::Zeroizing<Vec<u8>> = encoded
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect::<Vec<_>>()
        .into();
    let mut text = Vec::with_capacity(percent_decode(&spaced).count());
    text.extend(percent_decode(&spaced));
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let form =
            Form::parse(b"seal=ab&answer=approve&name=a%2Fb+c&pin=four+h%C3%B6rses").unwrap();
        assert_eq!((form.seal.as_str(), form.name.as_str()), ("ab", "a/b c"));
        assert_eq!(form.answer, Some(Answer::Approve));
        #[expect(clippy::disallowed_methods, reason = "compared in a test")]
        let pin = form.pin.unwrap().expose().to_owned();
        assert_eq!(pin, "four h\u{f6}rses");
        assert!(Form::parse(b"pin=").unwrap().pin.is_none());
    }

    #[test]
    fn what_is_not_our_form_is_refused() {
        for body in [
            "",
            "seal",
            "seal=a&seal=b",
            "answer=yes",
            "answer=approve&answer=deny",
            "more=1",
            "name=%FF",
            "answer=later",
            "answer=Approve",
        ] {
            assert!(Form::parse(body.as_bytes()).is_none(), "{body}");
        }
    }
}
