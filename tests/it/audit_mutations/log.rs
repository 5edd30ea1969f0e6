//! A log in memory: its files as bytes, and what one who wants to forge it can do to a line.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names and contents of the files of a folder.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Splitmix64: the same mutations each time.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// At least 0, below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap()
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Somebody with a key, the right one or another.
pub(super) struct Forger(Ed25519KeyPair);

impl Forger {
    /// Has a key of its own.
    pub(super) fn stranger() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap())
    }

    /// Has read the key of that state folder.
    pub(super) fn of(state: &Path) -> Self {
        let text = std::fs::read_to_string(state.join("audit-key.json")).unwrap();
        let key: Value = serde_json::from_str(&text).unwrap();
        let seed = URL_SAFE_NO_PAD.decode(key["seed"].as_str().unwrap()).unwrap();
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    fn key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key())
    }
}

/// The text between `before` and the next quotation mark.
fn member<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    line.split_once(before)?.1.split('"').next()
}

fn is_signed(line: &str) -> bool {
    line.contains("\",\"signature\":\"")
}

/// The same line after another one: `prev` and `hash` fit, and so does the signature if there is a
/// key to make one with. Other members stay, `seq` too.
pub(super) fn seal(line: &str, prev: &str, forger: Option<&Forger>) -> String {
    let Some((body, _)) = line.rsplit_once(",\"hash\":\"") else { return line.to_owned() };
    let mut body = match member(body, "\"prev\":\"") {
        Some(old) => body.replace(&format!("\"prev\":\"{old}"), &format!("\"prev\":\"{prev}")),
        None => body.to_owned(),
    };
    if let Some(forger) = forger.filter(|_| is_signed(line)) {
        let old = member(&body, "\"key\":\"").unwrap_or_default().to_owned();
        let unsigned = body.split(",\"signature\":\"").next().unwrap().replace(&old, &forger.key());
        let signed = [b"kms-mcp/audit/signature/v1\0", unsigned.as_bytes()].concat();
        let signature = URL_SAFE_NO_PAD.encode(forger.0.sign(&signed));
        body = format!("{unsigned},\"signature\":\"{signature}\"");
    }
    let hash = Sha256::new()
        .chain_update(b"kms-mcp/audit/v1\0")
        .chain_update(prev)
        .chain_update(&body)
        .finalize();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{body},\"hash\":\"{hash}\"}}")
}

impl Log {
    /// Names, each with its lines.
    pub(super) fn lines(&self) -> Vec<(String, usize)> {
        self.files.keys().map(|name| (name.clone(), self.of(name).len())).collect()
    }

    /// The lines of one file.
    pub(super) fn of(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.files[name]).into_owned();
        text.lines().map(str::to_owned).collect()
    }

    pub(super) fn put(&mut self, name: &str, lines: &[String]) {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        self.files.insert(name.to_owned(), text.into_bytes());
    }

    /// Numbers of the signed lines, from 0.
    pub(super) fn signed(&self, name: &str) -> Vec<usize> {
        let lines = self.of(name);
        (0..lines.len()).filter(|at| is_signed(&lines[*at])).collect()
    }

    /// Makes each line from `at` on follow the one before it.
    pub(super) fn reseal(&mut self, name: &str, at: usize, forger: Option<&Forger>) {
        let mut lines = self.of(name);
        for number in at..lines.len() {
            let prev = match number.checked_sub(1) {
                None => member(&lines[0], "\"prev\":\"").unwrap_or_default().to_owned(),
                Some(before) => {
                    let before = lines[before].rsplit_once(",\"hash\":\"");
                    before
                        .and_then(|(_, hash)| hash.split('"').next())
                        .unwrap_or_default()
                        .to_owned()
                }
            };
            lines[number] = seal(&lines[number], &prev, forger);
        }
        self.put(name, &lines);
    }

    /// Changes a line as somebody with that key would: all from it on is sealed and signed anew,
    /// in this file and in those that follow it.
    pub(super) fn rewrite(&mut self, name: &str, at: usize, from: &str, to: &str, by: &Forger) {
        let mut lines = self.of(name);
        lines[at] = lines[at].replacen(from, to, 1);
        self.put(name, &lines);
        self.reseal(name, at, Some(by));
    }

    /// Ends a chain at a signed line that is not its end. Whether there is anything to cut.
    pub(super) fn cut_and_stop(&mut self, name: &str, at: usize, by: &Forger) -> bool {
        let mut lines = self.of(name);
        let stop = "\"event\":\"stop\"";
        if at + 1 == lines.len() || lines[at + 1].contains(stop) {
            return false;
        }
        lines.truncate(at + 1);
        lines[at] = lines[at].replace("\"event\":\"checkpoint\"", stop);
        self.put(name, &lines);
        self.reseal(name, at, Some(by));
        true
    }

    /// Whether this log is not that one from some byte on that a later signature covers. A file
    /// that was only cut does not differ: it lacks.
    pub(super) fn differs_before_a_signature(&self, original: &Self) -> bool {
        self.changes(original).any(|(at, before, _)| signature_after(at, before))
    }

    /// Whether the changed log has a signature after the change.
    pub(super) fn is_signed_after_change(&self, original: &Self) -> bool {
        self.changes(original).any(|(at, _, after)| signature_after(at, after))
    }

    /// Of each file that was changed: the first byte that differs, the file before and after.
    fn changes<'a>(
        &'a self,
        original: &'a Self,
    ) -> impl Iterator<Item = (usize, &'a [u8], &'a [u8])> {
        self.files.iter().filter_map(|(name, content)| {
            let before = original.files.get(name)?;
            // A line without its newline counts as not written.
            let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let whole = &content[..whole];
            let differs = whole.iter().zip(before).take_while(|(one, other)| one == other).count();
            (!before.starts_with(whole)).then_some((differs, before.as_slice(), whole))
        })
    }
}

fn signature_after(at: usize, bytes: &[u8]) -> bool {
    let member = b",\"signature\":\"";
    bytes.windows(member.len()).rposition(|window| window == member).is_some_and(|last| at < last)
}
