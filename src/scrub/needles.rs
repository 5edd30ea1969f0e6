//! What a credential looks like once somebody has encoded it: the byte strings to search for.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::{Zeroize, Zeroizing};

use super::views;

/// Shorter secrets are not searched for: they occur by chance, and types protect them.
pub(super) const SHORTEST: usize = 8;

/// A token longer than this is searched for by parts of this size: whoever prints the whole prints
/// each part, and the automaton stays small.
const PART: usize = 64;

/// How many parts, spread evenly over the secret.
const PARTS: usize = 16;

/// The needles of some secrets, wiped when dropped.
#[derive(Default)]
pub(super) struct Needles {
    /// Sought in text from which whitespace and invisible characters were taken out.
    pub(super) squeezed: Vec<Zeroizing<Vec<u8>>>,
    /// Sought in the text as it is: what is hardly more than whitespace, and UTF-16, where the
    /// bytes of whitespace mean something else.
    pub(super) plain: Vec<Zeroizing<Vec<u8>>>,
}

impl Needles {
    /// Adds every form of one secret that decoding the text ([`views::decoded`]) does not undo.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        for part in parts(secret) {
            let bytes = part.as_bytes();
            self.add_form(bytes.to_vec());
            self.add_form(part.chars().rev().collect::<String>().into_bytes());
            self.add_form(hex(bytes));
            for before in 0..3 {
                self.add_form(base64_inside(&STANDARD_NO_PAD, bytes, before));
                self.add_form(base64_inside(&URL_SAFE_NO_PAD, bytes, before));
            }
            let units: Zeroizing<Vec<u16>> = Zeroizing::new(part.encode_utf16().collect());
            self.add_plain(units.iter().flat_map(|unit| unit.to_le_bytes()).collect());
            self.add_plain(units.iter().flat_map(|unit| unit.to_be_bytes()).collect());
        }
    }

    fn add_form(&mut self, form: Vec<u8>) {
        let form = Zeroizing::new(form);
        let squeezed = Zeroizing::new(views::squeeze(&form));
        if squeezed.len() < SHORTEST {
            self.plain.push(form);
        } else if !self.squeezed.contains(&squeezed) {
            self.squeezed.push(squeezed);
        }
    }

    fn add_plain(&mut self, form: Vec<u8>) {
        self.plain.push(Zeroizing::new(form));
    }
}

/// The secret itself, or evenly spread parts of a long one, cut between characters.
fn parts(secret: &str) -> Vec<&str> {
    if secret.len() <= PART {
        return vec![secret];
    }
    let last = secret.len().saturating_sub(PART);
    (0..PARTS)
        .filter_map(|n| {
            let start = secret.ceil_char_boundary(last * n / (PARTS - 1));
            let end = secret.floor_char_boundary(start.saturating_add(PART).min(secret.len()));
            secret.get(start..end)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0') as u8;
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The characters of a base64 text that depend on `bytes` alone when `before` other bytes (modulo
/// three) precede them and anything follows.
fn base64_inside(engine: &impl base64::Engine, bytes: &[u8], before: usize) -> Vec<u8> {
    let mut padded = vec![0_u8; before];
    padded.extend_from_slice(bytes);
    let mut text = engine.encode(&padded).into_bytes();
    // Six bits a character: a character counts if all its bits are ours.
    let first = (before * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    padded.zeroize();
    let inside = text.get(first..end).unwrap_or_default().to_vec();
    text.zeroize();
    inside
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn parts_cover_the_ends_of_a_long_secret_and_cut_between_characters() {
        let secret = format!("{}é{}", "a".repeat(63), "z".repeat(3_000));
        let parts = parts(&secret);
        assert_eq!(parts.len(), PARTS);
        assert!(secret.starts_with(parts[0]) && secret.ends_with(parts[PARTS - 1]));
        assert!(parts.iter().all(|part| part.len() >= PART - 4));
    }

    #[test]
    fn base64_keeps_only_characters_of_the_secret() {
        for before in 0..3 {
            let inside = base64_inside(&STANDARD_NO_PAD, b"hunter2-hunter2", before);
            for (left, right) in [("xxx", "yyy"), ("\0\0\0", "\u{7f}")] {
                let text = format!("{}hunter2-hunter2{right}", left.get(..before).unwrap());
                let text = STANDARD_NO_PAD.encode(text);
                assert!(text.as_bytes().windows(inside.len()).any(|window| window == inside));
            }
        }
    }
}
