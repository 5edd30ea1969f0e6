//! The ways a text can be read: as it is, and with its escapes undone, layer by layer.
//!
//! Undoing the escapes of the text finds what a list of encoded secrets cannot: texts where only
//! some characters are escaped, or in mixed spellings.

use std::borrow::Cow;

/// How many layers of escapes are undone: percent-encoding thrice, inside a JSON string.
const LAYERS: usize = 4;

/// The text and every distinct text that undoing its escapes yields.
pub(super) fn of(text: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut views = vec![Cow::Borrowed(text)];
    let mut layer = 0..1;
    for _ in 0..LAYERS {
        let mut next = Vec::new();
        for view in views.get(layer).unwrap_or_default() {
            for undo in [percent, backslash, entity] {
                next.extend(undone(view, undo));
            }
        }
        let start = views.len();
        for view in next {
            if !views.iter().any(|known| known.as_ref() == view) {
                views.push(Cow::Owned(view));
            }
        }
        layer = start..views.len();
    }
    views
}

/// One escape at the start of `rest`: what it stands for and how many bytes it takes.
type Undo = fn(rest: &[u8]) -> Option<(char, usize)>;

fn undone(text: &[u8], undo: Undo) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut changed = false;
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escape = matches!(first, b'%' | b'\\' | b'&').then(|| undo(rest)).flatten();
        if let Some((meant, length)) = escape {
            changed = true;
            // A percent escape is a byte, the others are characters.
            match u8::try_from(meant) {
                Ok(byte) if *first == b'%' => out.push(byte),
                _ => out.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            rest = rest.get(length..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    changed.then_some(out)
}

fn percent(rest: &[u8]) -> Option<(char, usize)> {
    let digits = rest.strip_prefix(b"%")?.get(..2)?;
    Some((number(digits, 16)?, 3))
}

/// JSON's escapes, and `\xNN`, `\u{…}` and `\UNNNNNNNN` of programming languages.
fn backslash(rest: &[u8]) -> Option<(char, usize)> {
    let [b'\\', kind, tail @ ..] = rest else { return None };
    let simple = |meant| Some((meant, 2));
    match kind {
        b'"' | b'\\' | b'/' | b'\'' => simple(char::from(*kind)),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'x' => Some((number(tail.get(..2)?, 16)?, 4)),
        b'U' => Some((number(tail.get(..8)?, 16)?, 10)),
        b'u' if tail.starts_with(b"{") => {
            let end = tail.iter().take(8).position(|byte| *byte == b'}')?;
            Some((number(tail.get(1..end)?, 16)?, end + 3))
        }
        b'u' => {
            let unit = code_unit(tail)?;
            if let Some(meant) = char::from_u32(u32::from(unit)) {
                return Some((meant, 6));
            }
            let second = code_unit(tail.get(4..)?.strip_prefix(b"\\u")?)?;
            let pair = char::decode_utf16([unit, second]).next()?.ok()?;
            Some((pair, 12))
        }
        _ => None,
    }
}

fn code_unit(digits: &[u8]) -> Option<u16> {
    u16::from_str_radix(std::str::from_utf8(digits.get(..4)?).ok()?, 16).ok()
}

/// HTML entities: decimal and hexadecimal, with or without the semicolon, and the named ones of
/// ASCII punctuation, which is all an encoder writes into printable text.
fn entity(rest: &[u8]) -> Option<(char, usize)> {
    let body = rest.strip_prefix(b"&")?;
    if let Some(digits) = body.strip_prefix(b"#x").or_else(|| body.strip_prefix(b"#X")) {
        return numeric_entity(digits, 16, 3);
    }
    if let Some(digits) = body.strip_prefix(b"#") {
        return numeric_entity(digits, 10, 2);
    }
    let end = body.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(body.get(..end)?).ok()?;
    let (_, meant) = NAMED.iter().find(|(names, _)| names.split(' ').any(|n| n == name))?;
    Some((*meant, end + 2))
}

fn numeric_entity(digits: &[u8], radix: u32, before: usize) -> Option<(char, usize)> {
    let count = digits.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let meant = number(digits.get(..count)?, radix)?;
    let semicolon = usize::from(digits.get(count) == Some(&b';'));
    Some((meant, before + count + semicolon))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    if !digits.iter().all(|byte| char::from(*byte).is_digit(radix)) {
        return None; // `from_str_radix` takes a sign, escapes do not
    }
    let digits = std::str::from_utf8(digits).ok()?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}

const NAMED: &[(&str, char)] = &[
    ("amp AMP", '&'),
    ("lt LT", '<'),
    ("gt GT", '>'),
    ("quot QUOT", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb lbrack", '['),
    ("bsol", '\\'),
    ("rsqb rbrack", ']'),
    ("Hat", '^'),
    ("lowbar UnderBar", '_'),
    ("grave", '`'),
    ("lcub lbrace", '{'),
    ("verbar vert VerticalLine", '|'),
    ("rcub rbrace", '}'),
];

/// The text without whitespace, control characters and characters that are not seen.
pub(super) fn squeeze(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars().filter(|character| !unseen(*character)) {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out.extend_from_slice(chunk.invalid());
    }
    out
}

fn unseen(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (text, meant) in [
            ("%41%42", "AB"),
            ("%252541", "A"),
            ("%c3%A9", "é"),
            ("\\u0041\\x42\\u{43}\\U00000044", "ABCD"),
            ("\\ud83d\\ude00", "😀"),
            ("a\\\"b\\/c\\\\d", "a\"b/c\\d"),
            ("&#65;&#x42;&#067;&lt;&lbrace;&#68", "ABC<{D"),
            ("\\u0026lt;", "<"),
            ("&amp;percnt;41", "A"),
        ] {
            let views = of(text.as_bytes());
            assert!(views.iter().any(|view| view.as_ref() == meant.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_yields_no_view() {
        for text in [
            "",
            "plain",
            "100%",
            "%4",
            "%+1",
            "%zz",
            "\\",
            "\\q",
            "\\u12",
            "&",
            "&#;",
            "&nosuch;",
            "&#x110000;",
            "\\ud800",
        ] {
            assert_eq!(of(text.as_bytes()).len(), 1, "{text}");
        }
    }
}
