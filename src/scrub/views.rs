//! A text as it may be read: as it is, and with its escapes undone.
//!
//! Undoing the escapes of the text finds what a list of encoded secrets cannot: texts where only
//! some characters are escaped, or in mixed spellings. The time it takes grows with the length of the
//! text and with nothing else, whoever wrote it.

use crate::text::is_hidden;

/// How many layers are undone that one pass leaves: an escape whose own digits are escaped.
const PASSES: usize = 3;

/// The text with all escapes undone, those of escapes too. `None` if there are none.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = pass(text)?;
    for _ in 1..PASSES {
        match pass(&decoded) {
            Some(further) => decoded = further,
            None => break,
        }
    }
    Some(decoded)
}

/// One pass. What an escape stands for may begin an escape itself, and is read on from there.
fn pass(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut changed = false;
    let mut meant_before = None;
    let mut rest = text;
    loop {
        let (first, tail) = match (meant_before.take(), rest) {
            (Some(first), tail) => (first, tail),
            (None, [first, tail @ ..]) => (*first, tail),
            (None, []) => break,
        };
        rest = tail;
        match undo(first, tail) {
            None => out.push(first),
            Some((meant, length)) => {
                changed = true;
                rest = tail.get(length..).unwrap_or_default();
                match u8::try_from(meant) {
                    Ok(byte @ (b'%' | b'\\' | b'&')) => meant_before = Some(byte),
                    // A percent escape is a byte, the others are characters.
                    Ok(byte) if first == b'%' => out.push(byte),
                    Ok(_) | Err(_) => {
                        out.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
            }
        }
    }
    changed.then_some(out)
}

/// What the escape means that begins with `first`, and how many bytes of the `tail` belong to it.
fn undo(first: u8, tail: &[u8]) -> Option<(char, usize)> {
    match first {
        b'%' => Some((number(tail.get(..2)?, 16)?, 2)),
        b'\\' => backslash(tail),
        b'&' => entity(tail),
        _ => None,
    }
}

/// JSON's escapes, and `\xNN`, `\u{…}` and `\UNNNNNNNN` of programming languages.
fn backslash(tail: &[u8]) -> Option<(char, usize)> {
    let [kind, tail @ ..] = tail else { return None };
    let simple = |meant| Some((meant, 1));
    match kind {
        b'"' | b'\\' | b'/' | b'\'' => simple(char::from(*kind)),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'x' => Some((number(tail.get(..2)?, 16)?, 3)),
        b'U' => Some((number(tail.get(..8)?, 16)?, 9)),
        b'u' if tail.starts_with(b"{") => {
            let end = tail.iter().take(8).position(|byte| *byte == b'}')?;
            Some((number(tail.get(1..end)?, 16)?, end + 2))
        }
        b'u' => {
            let unit = code_unit(tail)?;
            if let Some(meant) = char::from_u32(u32::from(unit)) {
                return Some((meant, 5));
            }
            let second = code_unit(tail.get(4..)?.strip_prefix(b"\\u")?)?;
            let pair = char::decode_utf16([unit, second]).next()?.ok()?;
            Some((pair, 11))
        }
        _ => None,
    }
}

fn code_unit(digits: &[u8]) -> Option<u16> {
    u16::from_str_radix(std::str::from_utf8(digits.get(..4)?).ok()?, 16).ok()
}

/// HTML entities: decimal and hexadecimal, with or without the semicolon, and the named ones of
/// ASCII punctuation, which is all an encoder writes into printable text.
fn entity(body: &[u8]) -> Option<(char, usize)> {
    if let Some(digits) = body.strip_prefix(b"#x").or_else(|| body.strip_prefix(b"#X")) {
        return numeric_entity(digits, 16, 2);
    }
    if let Some(digits) = body.strip_prefix(b"#") {
        return numeric_entity(digits, 10, 1);
    }
    let end = body.iter().take(16).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(body.get(..end)?).ok()?;
    let (_, meant) = NAMED.iter().find(|(names, _)| names.split(' ').any(|n| n == name))?;
    Some((*meant, end + 1))
}

/// `before` bytes stand before the digits. The highest character has seven digits, and zeros may
/// stand before them.
fn numeric_entity(digits: &[u8], radix: u32, before: usize) -> Option<(char, usize)> {
    let most = digits.get(..digits.len().min(64))?;
    let count = most.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
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

/// The text without whitespace and characters that are not seen.
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
    character.is_whitespace() || is_hidden(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (text, meant) in [
            ("%41%42", "AB"),
            ("%252541", "A"),
            ("%25%34%31", "A"),
            ("%c3%A9", "é"),
            ("\\u0041\\x42\\u{43}\\U00000044", "ABCD"),
            ("\\ud83d\\ude00", "😀"),
            ("a\\\"b\\/c", "a\"b/c"),
            ("\\\\\\\"", "\""),
            ("&#65;&#x42;&#067;&lt;&lbrace;&#68", "ABC<{D"),
            ("\\u0026lt;", "<"),
            ("&amp;percnt;41", "A"),
        ] {
            let decoded = decoded(text.as_bytes());
            assert_eq!(decoded.as_deref(), Some(meant.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_is_left_alone() {
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
            assert_eq!(decoded(text.as_bytes()), None, "{text}");
        }
    }
}
