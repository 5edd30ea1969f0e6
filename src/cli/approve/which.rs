//! Which questions the person means: match codes as people type them, or tokens.

use std::path::Path;

use crate::cli::Failure;
use crate::guard::approval::token_hash;
use crate::store::{Hash, Pending};

/// What every token begins with.
const TOKEN: &str = "ct_";

/// A question by one of its two names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Token(Hash),
    /// Letters and digits of a match code, in capitals.
    Code(String),
}

/// The questions that `which` names, in that order, none twice.
pub(super) fn named(
    which: &[String],
    waiting: &[Pending],
    state: &Path,
) -> Result<Vec<Pending>, Failure> {
    let names = names(which);
    if names.is_empty() {
        return Err(Failure("that is neither a match code nor a token".into()));
    }
    let mut found: Vec<Pending> = Vec::new();
    for name in names {
        let mut matching = waiting.iter().filter(|one| match &name {
            Name::Token(hash) => one.token_hash == *hash,
            Name::Code(code) => folded(&one.match_code) == *code,
        });
        let Some(one) = matching.next() else {
            return Err(Failure(format!(
                "nothing waits under this match code or token in {}; it may be decided or expired. {ELSEWHERE}",
                state.display()
            )));
        };
        if matching.next().is_some() {
            return Err(Failure("two requests have this match code; name one by its token".into()));
        }
        if found.iter().all(|other| other.token_hash != one.token_hash) {
            found.push(one.clone());
        }
    }
    Ok(found)
}

/// Where else a question may wait.
pub(super) const ELSEWHERE: &str = "A server with another state folder names it in ApproveWith of its answer: run that command as it stands.";

/// Whether all of them are tokens.
pub(super) fn are_tokens(which: &[String]) -> bool {
    let names = names(which);
    !names.is_empty() && names.iter().all(|name| matches!(name, Name::Token(_)))
}

/// What people make of `58-KIWI` on its way from one screen to another: lower case, a blank or
/// nothing for the dash, a full stop, quotes or backticks that came along, several in one word.
fn names(which: &[String]) -> Vec<Name> {
    let apart = |character: char| character.is_whitespace() || matches!(character, ',' | ';');
    let mut words = which.iter().flat_map(|one| one.split(apart)).peekable();
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        let outside = |character: char| {
            !(character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
        };
        let bare = word.trim_matches(outside);
        if bare.starts_with(TOKEN) {
            names.push(Name::Token(token_hash(bare)));
            continue;
        }
        let mut code = folded(word);
        if code.bytes().all(|byte| byte.is_ascii_digit()) {
            // The other half of a code in two words.
            if let Some(next) = words.peek().map(|next| folded(next))
                && !code.is_empty()
                && !next.is_empty()
                && next.bytes().all(|byte| byte.is_ascii_alphabetic())
            {
                code.push_str(&next);
                words.next();
            }
        }
        if !code.is_empty() {
            names.push(Name::Code(code));
        }
    }
    names
}

fn folded(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Vec<Name> {
        names(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let kiwi = || Name::Code("58KIWI".into());
        for typed in [
            &["58-KIWI"][..],
            &["58-kiwi"],
            &["58KIWI"],
            &["58 Kiwi"],
            &["58", "KIWI"],
            &["58\u{2013}KIWI"],
            &["58-KIWI."],
            &["`58-KIWI`"],
            &["\"58-KIWI\","],
            &["  58-KIWI  "],
        ] {
            assert_eq!(of(typed), [kiwi()], "{typed:?}");
        }
        assert_eq!(of(&["58-KIWI,61-LLAMA"]), [kiwi(), Name::Code("61LLAMA".into())]);
        assert_eq!(of(&["58", "KIWI", "61", "LLAMA"]).len(), 2);
        assert_eq!(of(&["", " . "]), []);
    }

    #[test]
    fn a_token_keeps_its_case_and_its_dashes() {
        let token = [Name::Token(token_hash("ct_aB-_c-"))];
        assert_eq!(of(&["`ct_aB-_c-`."]), token);
        assert_ne!(of(&["CT_AB-_C-"]), token);
        assert!(are_tokens(&["ct_a".into(), "ct_b".into()]));
        assert!(!are_tokens(&["ct_a".into(), "58-KIWI".into()]) && !are_tokens(&[]));
    }
}
