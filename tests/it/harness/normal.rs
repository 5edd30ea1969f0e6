//! What may differ between two runs of one script, and nothing else.

/// A matcher: at the beginning of `text`, which follows `before`, the length of what may differ.
type Matcher = fn(text: &[u8], before: Option<u8>) -> Option<usize>;

/// The whole list.
const MAY_DIFFER: [(&str, Matcher); 10] = [
    ("<token>", token),
    ("<time>", time),
    ("<request id>", uuid),
    ("<hash or id>", hex),
    ("<match code>", match_code),
    ("<nonce>", nonce),
    ("<port>", port),
    ("<count>", count),
    ("<made by KMS>", resource),
    ("<signed>", signed),
];

/// `text` with what may differ replaced by its name.
pub(crate) fn normal(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let found = MAY_DIFFER
            .iter()
            .find_map(|(name, matcher)| matcher(&bytes[at..], before).map(|length| (name, length)));
        if let Some((name, length)) = found {
            out.extend(name.as_bytes());
            at += length;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// `9` stands for a digit, `A` for a capital, `h` for a lower-case hex digit, the rest for itself.
fn shape(text: &[u8], shape: &str) -> Option<usize> {
    let fits = text.len() >= shape.len()
        && shape.bytes().zip(text).all(|(kind, byte)| match kind {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'h' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            exact => exact == *byte,
        });
    fits.then_some(shape.len())
}

fn run(text: &[u8], allowed: fn(&u8) -> bool) -> usize {
    text.iter().take_while(|byte| allowed(byte)).count()
}

fn opens(before: Option<u8>) -> bool {
    !before.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what `run` asks for")]
fn base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// `ct_` and 43 characters.
fn token(text: &[u8], _: Option<u8>) -> Option<usize> {
    shape(text, "ct_").filter(|_| run(&text[3..], base64) == 43).map(|length| length + 43)
}

fn time(text: &[u8], before: Option<u8>) -> Option<usize> {
    let whole = shape(text, "9999-99-99T99:99:99")?;
    let fraction = if text.get(whole) == Some(&b'.') {
        1 + run(&text[whole + 1..], u8::is_ascii_digit)
    } else {
        0
    };
    let end = whole + fraction;
    let zone = if text.get(end) == Some(&b'Z') { 1 } else { shape(&text[end..], "+08:00")? };
    opens(before).then_some(end + zone)
}

fn uuid(text: &[u8], before: Option<u8>) -> Option<usize> {
    let lower = text.get(..36)?.to_ascii_lowercase();
    shape(&lower, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh").filter(|_| opens(before))
}

/// At least 12 hex digits: hashes, digests, fingerprints, instances.
fn hex(text: &[u8], before: Option<u8>) -> Option<usize> {
    let length = run(text, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let ends = !text.get(length).is_some_and(u8::is_ascii_alphanumeric);
    (opens(before) && ends && matches!(length, 12 | 16 | 32 | 64)).then_some(length)
}

/// Two digits and a word of four or five letters.
fn match_code(text: &[u8], before: Option<u8>) -> Option<usize> {
    let length = shape(text, "99-AAAA")?;
    let length = length + run(&text[length..], u8::is_ascii_uppercase);
    // Words have four or five letters, and columns are padded.
    let padding = run(&text[length..], |byte| *byte == b' ');
    (opens(before) && length <= 8).then_some(length + padding)
}

/// 22 characters of base64 after the instance, on the approver's screen.
fn nonce(text: &[u8], before: Option<u8>) -> Option<usize> {
    (before == Some(b' ') && run(text, base64) == 22 && text.get(22) == Some(&b'\r')).then_some(22)
}

fn port(text: &[u8], _: Option<u8>) -> Option<usize> {
    let host = shape(text, "127.0.0.1:")?;
    Some(host + run(&text[host..], u8::is_ascii_digit))
}

/// Ids of instances and keys, which the emulator makes.
fn resource(text: &[u8], before: Option<u8>) -> Option<usize> {
    let prefix =
        ["kst-hzz", "key-hzz"].iter().find(|made| text.starts_with(made.as_bytes()))?.len();
    let random = run(&text[prefix..], |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (opens(before) && random >= 12).then_some(prefix + random)
}

/// The audit log's public key and what is signed with it: 43 and 86 characters of base64.
fn signed(text: &[u8], _: Option<u8>) -> Option<usize> {
    [("\"key\":\"", 43), ("\"signature\":\"", 86)].iter().find_map(|(name, length)| {
        let from = shape(text, name)?;
        (run(&text[from..], base64) == *length).then_some(from + length)
    })
}

/// Milliseconds, process ids, terminals, and spaces that pad a match code.
fn count(text: &[u8], _: Option<u8>) -> Option<usize> {
    ["\"ms\":", "\"latency_ms\":", "\"pid\":", "/dev/pts/"].iter().find_map(|name| {
        let length = shape(text, name)?;
        Some(length + run(&text[length..], u8::is_ascii_digit))
    })
}
