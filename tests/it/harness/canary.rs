//! Canaries: secrets that must not be found in anything that leaves, however it was encoded.
//!
//! Made without the product's scrubber in mind: text is decoded as far as it goes, then searched
//! for every 8-character part of the secret, forwards and backwards, and for its hex, base64 and
//! digests. Compressed output is not searched: nothing here compresses.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use super::md5::md5;

/// Characters of a secret that are one already.
const PART: usize = 8;
/// Characters of an encoding or digest that can only come from the secret.
const CODED: usize = 12;

/// Looks for secrets.
pub(crate) struct Canaries {
    search: AhoCorasick,
    /// What each needle is of, for the message.
    of: Vec<String>,
}

impl Canaries {
    /// Of `(name, secret)`. Names are shown, secrets are not.
    pub(crate) fn new(secrets: &[(&str, &str)]) -> Self {
        let mut needles = BTreeSet::new();
        for (name, secret) in secrets {
            let mut add = |text: &str, length: usize, how: &str| {
                let folded = text.to_lowercase().into_bytes();
                assert!(folded.len() >= PART, "{name} is too short to be searched for");
                for part in folded.windows(length.min(folded.len())) {
                    needles.insert((part.to_vec(), format!("{name}, {how}")));
                }
            };
            let bytes = secret.as_bytes();
            add(secret, PART, "plain");
            add(&secret.chars().rev().collect::<String>(), PART, "reversed");
            add(&hex(bytes), 2 * PART, "hex");
            for before in 0..3 {
                let padded = [&b"\0\0"[..before], bytes].concat();
                // The first and the last characters hold bits of what stands beside.
                let inside =
                    |text: &str| text[(before * 8).div_ceil(6)..padded.len() * 8 / 6].to_owned();
                add(&inside(&STANDARD.encode(&padded)), CODED, "base64");
                add(&inside(&URL_SAFE.encode(&padded)), CODED, "base64 for URLs");
            }
            let digests = [
                ("MD5", md5(bytes).to_vec()),
                ("SHA-1", digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()),
                ("SHA-256", digest(&SHA256, bytes).as_ref().to_vec()),
            ];
            for (how, digest) in digests {
                add(&hex(&digest), CODED, how);
                add(&STANDARD.encode(&digest), CODED, how);
                add(&URL_SAFE.encode(&digest), CODED, how);
            }
        }
        let (needles, of): (Vec<_>, Vec<_>) = needles.into_iter().unzip();
        Self { search: AhoCorasick::new(needles).unwrap(), of }
    }

    /// What is found in `output`, if anything.
    pub(crate) fn find(&self, output: &[u8]) -> Option<String> {
        views(output).iter().find_map(|(view, decoded)| {
            let found = self.search.find(view)?;
            let around = view.get(found.start().saturating_sub(40)..found.start())?;
            let around = String::from_utf8_lossy(around).into_owned();
            Some(format!(
                "{} after {decoded} decodings, after {around:?}",
                self.of[found.pattern()]
            ))
        })
    }

    /// Fails if anything is found in `output`.
    pub(crate) fn assert_absent(&self, what: &str, output: &[u8]) {
        if let Some(found) = self.find(output) {
            panic!("{what} holds {found}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The output as it is and decoded up to four times, each also without what is not seen.
fn views(output: &[u8]) -> Vec<(Vec<u8>, usize)> {
    let mut text = output.to_vec();
    let mut views = Vec::new();
    for decoded in 0..5 {
        let lower = String::from_utf8_lossy(&text).to_lowercase();
        let seen: String = lower.chars().filter(|c| !hidden(*c)).collect();
        views.push((seen.into_bytes(), decoded));
        views.push((lower.into_bytes(), decoded));
        let next = decode(&text);
        if next == text {
            break;
        }
        text = next;
    }
    views
}

fn hidden(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xfeff | 0xe0000..=0xe007f)
}

/// Undoes one layer of percent encoding, JSON escapes and HTML entities.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, length) = match first {
            b'%' => (number(after.get(..2), 16), 3),
            b'\\' if after.first() == Some(&b'u') => (number(after.get(1..5), 16), 6),
            b'\\' if after.first() == Some(&b'x') => (number(after.get(1..3), 16), 4),
            b'\\' => (after.first().copied().filter(|c| b"\"\\/".contains(c)).map(char::from), 2),
            b'&' => entity(after),
            _ => (None, 1),
        };
        match byte {
            Some(c) if first == b'%' => out.push(c as u8),
            Some(c) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.push(first),
        }
        rest = &rest[if byte.is_some() { length } else { 1 }..];
    }
    out
}

fn number(digits: Option<&[u8]>, radix: u32) -> Option<char> {
    char::from_u32(u32::from_str_radix(std::str::from_utf8(digits?).ok()?, radix).ok()?)
}

/// `amp;`, `#97;` or `#x61;`, and the length with the ampersand.
fn entity(after: &[u8]) -> (Option<char>, usize) {
    let Some(end) = after.iter().take(10).position(|byte| *byte == b';') else { return (None, 1) };
    let c = match &after[..end] {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        [b'#', b'x' | b'X', digits @ ..] => number(Some(digits), 16),
        [b'#', digits @ ..] => number(Some(digits), 10),
        _ => None,
    };
    (c, end + 2)
}

#[test]
fn a_canary_is_found_in_every_disguise() {
    let secret = "qT7/zW+k9-Vx2_mRj8";
    let canaries = Canaries::new(&[("it", secret)]);
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let units =
        |how: fn(u32) -> String| secret.chars().map(|c| how(u32::from(c))).collect::<String>();
    let disguises = [
        secret.to_owned(),
        secret.to_uppercase(),
        secret[5..13].to_owned(),
        secret.chars().rev().collect(),
        hex(secret.as_bytes()).to_uppercase(),
        STANDARD.encode(secret),
        STANDARD.encode(format!("a{secret}z")),
        URL_SAFE.encode(format!("ab{secret}yz")),
        percent(secret),
        percent(&percent(secret)),
        percent(&percent(&percent(secret))),
        units(|c| format!("\\u{c:04x}")),
        units(|c| format!("&#{c};")),
        units(|c| format!("&#x{c:X};")),
        secret.chars().flat_map(|c| [c, '\u{200b}', '\n']).collect(),
        serde_json::to_string(&serde_json::to_string(secret).unwrap()).unwrap(),
        String::from_utf8(secret.bytes().flat_map(|byte| [byte, 0]).collect()).unwrap(),
        hex(&md5(secret.as_bytes())),
        STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes())),
        hex(digest(&SHA256, secret.as_bytes()).as_ref())[..12].to_owned(),
    ];
    for disguise in disguises {
        assert!(canaries.find(format!("<{disguise}>").as_bytes()).is_some(), "{disguise:?}");
    }
    assert_eq!(canaries.find(b"qT7/zW+ 8-Vx2 and %zz \\u00 &#; &amp"), None);
}
