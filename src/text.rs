//! Which characters are seen, and how text is shown that may hold others.
//!
//! A positive list by Unicode's general category: letters, marks, numbers, punctuation and symbols
//! are seen, and so is the space. Everything else is *hidden*: controls, format characters, the
//! other spaces, surrogates, private use and what is not assigned. So are the few characters whose
//! category promises ink that fonts do not draw, and marks that enclose what stands before them.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// How many joining characters may follow a letter.
const MARKS: usize = 2;

/// Whether `character` draws something.
pub(crate) fn has_ink(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_graphic();
    }
    let drawn = match character.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => true,
        GeneralCategoryGroup::Mark => {
            character.general_category() != GeneralCategory::EnclosingMark
        }
        GeneralCategoryGroup::Separator | GeneralCategoryGroup::Other => false,
    };
    drawn && !is_blank(character)
}

/// Whether `character` is neither seen nor the space: it could hide text, reorder it, command a
/// terminal or push text aside.
pub(crate) fn is_hidden(character: char) -> bool {
    character != ' ' && !has_ink(character)
}

/// What its category says is drawn, and is not: fillers, blanks, variation selectors and other
/// characters that Unicode calls default ignorable.
fn is_blank(character: char) -> bool {
    matches!(character,
        '\u{34f}' // combining grapheme joiner
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' // variation selectors
        | '\u{2800}' // Braille pattern without a dot
        | '\u{fffc}' // object replacement character
        | '\u{13441}' | '\u{13442}' // Egyptian blanks
        | '\u{16fe4}' // Khitan filler
        | '\u{1d159}' // musical null notehead
        | '\u{1d9ff}') // SignWriting head, the ground for others
}

/// Whether `character` is drawn into the one before it: a mark, or a vowel or final of Hangul.
fn joins(character: char) -> bool {
    !character.is_ascii()
        && (character.general_category_group() == GeneralCategoryGroup::Mark
            || matches!(character, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}'))
}

/// The text in pieces that are drawn together: a character, and what joins it.
pub(crate) fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let next = rest.char_indices().skip(1).find(|(_, character)| !joins(*character));
        let (cluster, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        rest = after;
        (!cluster.is_empty()).then_some(cluster)
    })
}

/// The text with all that is hidden escaped, and marks without a letter to stand on or beyond two
/// in a row. Our own words need it too: a file or the store can hold what somebody else wrote.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut place = Place::default();
    for character in text.chars() {
        place.show(character, &mut out);
    }
    out
}

/// The same for text of several lines, which stay lines.
pub(crate) fn escaped_lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// Text that others wrote: whole, in quotes, escaped as by [`escaped`], and with no more than one
/// space in a row. What is cut off could hide what matters; and what is pushed aside by spaces could
/// look like a row of ours.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut place = Place::default();
    let mut before = 'x';
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.extend(character.escape_default());
            place = Place::Base;
        } else if character == ' ' && before == ' ' {
            out.extend(character.escape_unicode());
            place = Place::Base;
        } else {
            place.show(character, &mut out);
        }
        before = character;
    }
    out.push('"');
    out
}

/// What stands before the next character.
#[derive(Debug, Default, Clone, Copy)]
enum Place {
    /// Nothing that a mark could stand on.
    #[default]
    Open,
    /// A character with ink.
    Base,
    /// The same, with so many marks.
    Marked(usize),
}

impl Place {
    /// Appends `character`, as it is or escaped.
    fn show(&mut self, character: char, out: &mut String) {
        if is_hidden(character) {
            out.extend(character.escape_default());
            *self = Self::Open;
            return;
        }
        if !joins(character) {
            out.push(character);
            *self = if character == ' ' { Self::Open } else { Self::Base };
            return;
        }
        let marks = match self {
            Self::Open => MARKS,
            Self::Base => 0,
            Self::Marked(marks) => *marks,
        };
        if marks < MARKS {
            out.push(character);
            *self = Self::Marked(marks + 1);
        } else {
            out.extend(character.escape_unicode());
            *self = Self::Open;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_seen() {
        let text =
            "Zażółć gęślą, 数据库密码，每周轮换。 Αθήνα שלום مرحبا हिन्दी ภาษาไทย 한국어 🔑 €5 ½";
        assert_eq!(escaped(text), text);
        assert_eq!(quoted(text), format!("\"{text}\""));
    }

    #[test]
    fn what_draws_nothing_is_hidden() {
        let hidden = "\0\t\n\u{1b}\u{7f}\u{85}\u{9b}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{1680}\u{17b4}\u{180e}\u{2003}\
            \u{200b}\u{200d}\u{2028}\u{202e}\u{2066}\u{2800}\u{3000}\u{3164}\u{e000}\u{fdd0}\u{fe0f}\u{feff}\u{ffa0}\u{fffc}\
            \u{ffff}\u{13430}\u{13441}\u{1d159}\u{1d173}\u{e0041}\u{e0100}\u{f0000}\u{10ffff}\u{378}\u{488}\u{20e0}";
        for character in hidden.chars() {
            assert!(is_hidden(character), "{character:?}");
            assert!(!escaped(&format!("x{character}y")).contains(character), "{character:?}");
        }
        assert!(!is_hidden(' ') && !has_ink(' '));
    }

    #[test]
    fn marks_stand_on_letters_and_at_most_two_of_them() {
        assert_eq!(quoted("e\u{301}\u{323}\u{302}"), "\"e\u{301}\u{323}\\u{302}\"");
        assert_eq!(quoted(" \u{301} \u{301}"), "\" \\u{301} \\u{301}\"");
        assert_eq!(escaped("\u{1161}\u{1100}\u{1161}"), "\\u{1161}\u{1100}\u{1161}");
        let many = format!("a{}", "\u{301}".repeat(40));
        assert_eq!(escaped(&many).matches('\u{301}').count(), 2);
    }

    #[test]
    fn spaces_push_nothing_aside() {
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("a   b"), r#""a \u{20}\u{20}b""#);
        assert_eq!(quoted("a\u{3000}b\u{a0}"), r#""a\u{3000}b\u{a0}""#);
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\n""#);
        assert_eq!(escaped_lines("a\tb\n\u{202e}c\n"), "a\\tb\n\\u{202e}c\n");
    }
}
