//! Any secret, in any encoding, in any text.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What RFC 3986 asks for: everything but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a careless encoder escapes.
const FEW: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"').add(b'#');

fn each(secret: &str, write: impl Fn(&mut String, char)) -> String {
    secret.chars().fold(String::new(), |mut out, character| {
        write(&mut out, character);
        out
    })
}

fn percent(secret: &str, set: &'static AsciiSet, times: usize) -> String {
    (0..times).fold(secret.to_owned(), |text, _| utf8_percent_encode(&text, set).to_string())
}

fn percent_all(secret: &str) -> String {
    secret.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "%{byte:02x}").unwrap();
        out
    })
}

fn base64_after(secret: &str, before: &str) -> String {
    format!("{before}{secret} and more")
}

type Encoding = (&'static str, fn(&str) -> String);

/// Every encoding, by name.
const ENCODINGS: &[Encoding] = &[
    ("raw", str::to_owned),
    ("lower case", str::to_ascii_lowercase),
    ("upper case", str::to_ascii_uppercase),
    ("base64", |s| STANDARD.encode(s)),
    ("base64 without padding", |s| STANDARD_NO_PAD.encode(s)),
    ("base64 url", |s| URL_SAFE.encode(s)),
    ("base64 url without padding", |s| URL_SAFE_NO_PAD.encode(s)),
    ("base64, inside at 1", |s| STANDARD.encode(base64_after(s, "x"))),
    ("base64, inside at 2", |s| STANDARD.encode(base64_after(s, "xy"))),
    ("base64, inside at 3", |s| URL_SAFE.encode(base64_after(s, "xyz"))),
    ("base64 in lines", |s| {
        let text = STANDARD.encode(s);
        text.as_bytes()
            .chunks(5)
            .map(|c| str::from_utf8(c).unwrap())
            .collect::<Vec<_>>()
            .join("\r\n")
    }),
    ("base64, percent", |s| percent(&STANDARD.encode(s), RESERVED, 1)),
    ("hex", |s| s.bytes().fold(String::new(), |out, b| out + &format!("{b:02x}"))),
    ("hex upper", |s| s.bytes().fold(String::new(), |out, b| out + &format!("{b:02X}"))),
    ("percent", |s| percent(s, RESERVED, 1)),
    ("percent lower", |s| percent_all(s).to_ascii_lowercase()),
    ("percent twice", |s| percent(s, RESERVED, 2)),
    ("percent thrice", |s| percent(s, RESERVED, 3)),
    ("percent all, thrice", |s| percent(&percent_all(s), RESERVED, 2)),
    ("percent few", |s| percent(s, FEW, 1)),
    ("form", |s| percent(s, RESERVED, 1).replace("%20", "+")),
    ("form, twice", |s| percent(&percent(s, RESERVED, 1).replace("%20", "+"), RESERVED, 1)),
    ("JSON", |s| serde_json::to_string(s).unwrap()),
    ("JSON in JSON", |s| serde_json::to_string(&serde_json::to_string(s).unwrap()).unwrap()),
    ("Rust", |s| format!("{s:?}")),
    ("unicode escapes", |s| {
        s.encode_utf16().fold(String::new(), |out, unit| out + &format!("\\u{unit:04x}"))
    }),
    ("entities, named", |s| {
        each(s, |out, c| match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            _ => out.push(c),
        })
    }),
    ("entities, decimal", |s| each(s, |out, c| write!(out, "&#{};", c as u32).unwrap())),
    ("entities, hex", |s| each(s, |out, c| write!(out, "&#x{:X};", c as u32).unwrap())),
    ("reversed", |s| s.chars().rev().collect()),
    ("reversed, percent", |s| percent(&s.chars().rev().collect::<String>(), RESERVED, 1)),
];

/// Encodings that leave nothing to see of a secret that is mostly whitespace.
const SPREAD: &[Encoding] = &[
    ("spaces", |s| each(s, |out, c| out.extend([c, ' ']))),
    ("lines", |s| each(s, |out, c| out.extend([c, '\r', '\n']))),
    ("zero width", |s| each(s, |out, c| out.extend([c, '\u{200b}']))),
    ("zero width, mixed", |s| each(s, |out, c| out.extend([c, '\u{feff}', '\u{2060}', '\u{ad}']))),
    ("line ends in JSON", |s| {
        serde_json::to_string(&each(s, |out, c| out.extend([c, '\n']))).unwrap()
    }),
    ("NUL", |s| each(s, |out, c| out.extend([c, '\0']))),
];

fn knowing(secret: &str) -> Scrubber {
    let scrubber = Scrubber::new(Clock::system());
    scrubber.know(secret);
    scrubber
}

#[track_caller]
fn assert_found(scrubber: &Scrubber, name: &str, text: &str) {
    assert!(scrubber.bytes(text.as_bytes()).is_some(), "{name}: {text:?}");
    let mut value = json!({ "a": [1, { "b": text }], "c": "d" });
    assert_eq!(scrubber.json(&mut value, None), ["/a/1/b"], "{name}: {text:?}");
    assert_eq!(value, json!({ "a": [1, { "b": REMOVED }], "c": "d" }));
}

/// No escape ends here that would swallow what follows.
fn surroundings() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text + " · ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn any_secret_in_any_encoding_is_found(
        secret in "[A-Za-z0-9._+/=~-]{8,80}",
        before in surroundings(),
        after in any::<String>(),
    ) {
        let scrubber = knowing(&secret);
        for (name, encode) in ENCODINGS {
            assert_found(&scrubber, name, &format!("{before}{}{after}", encode(&secret)));
        }
        for (name, to_bytes) in [
            ("UTF-16LE", u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ("UTF-16BE", u16::to_be_bytes),
        ] {
            let mut bytes = before.clone().into_bytes();
            bytes.extend(secret.encode_utf16().flat_map(to_bytes));
            assert!(scrubber.bytes(&bytes).is_some(), "{name}");
        }
    }

    #[test]
    fn any_spread_secret_is_found(
        secret in "[A-Za-z0-9._+/=~-]{8,68}",
        before in surroundings(),
        after in any::<String>(),
    ) {
        let scrubber = knowing(&secret);
        for (name, spread) in SPREAD {
            assert_found(&scrubber, name, &format!("{before}{}{after}", spread(&secret)));
        }
    }

    #[test]
    fn a_clean_text_is_untouched(text in any::<String>(), key in any::<String>()) {
        let scrubber = knowing("LTAI5tExampleExampleExample");
        prop_assert!(scrubber.bytes(text.as_bytes()).is_none());
        let clean = json!({ key: [text, 12_345_678, 1.5, true, null] });
        let mut value = clean.clone();
        prop_assert!(scrubber.json(&mut value, None).is_empty());
        prop_assert_eq!(value.to_string(), clean.to_string());
    }

    #[test]
    fn short_secrets_are_not_searched(secret in "[!-~]{0,7}") {
        let text = format!("[{secret}]");
        prop_assert!(knowing(&secret).bytes(text.as_bytes()).is_none());
    }
}

#[test]
fn a_long_token_is_found_by_its_parts() {
    let secret: String = (0..2_048_u32).map(|n| char::from(b'A' + (n * n % 23) as u8)).collect();
    let scrubber = knowing(&secret);
    for (name, encode) in ENCODINGS {
        assert!(scrubber.bytes(encode(&secret).as_bytes()).is_some(), "{name}");
    }
}

#[test]
fn keys_numbers_and_the_exempt_pointer() {
    let scrubber = knowing("hunter2-hunter2");
    scrubber.know("1234567890");
    let exempt = json!({ "a/b": "hunter2-hunter2", "c": "hunter2-hunter2" });
    let mut value = exempt.clone();
    assert_eq!(scrubber.json(&mut value, Some("/a~1b")), ["/c"]);
    assert_eq!(value, json!({ "a/b": "hunter2-hunter2", "c": REMOVED }));
    let mut value = exempt;
    assert_eq!(scrubber.json(&mut value, Some("")), ["/a~1b", "/c"], "exact, not a subtree");

    let mut value = json!({ "x": { "Hunter2-Hunter2": 1_234_567_890_u64 }, "y": 1 });
    let found = scrubber.json(&mut value, None);
    assert_eq!(found, [format!("/x/{REMOVED}"), format!("/x/{REMOVED}")]);
    assert_eq!(value, json!({ "x": { REMOVED: REMOVED }, "y": 1 }));
}

#[test]
fn a_credential_that_no_call_uses_any_more_is_forgotten() {
    let now = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&now);
    let clock = Clock::from_fn(move || {
        Timestamp::from_millisecond(read.load(Ordering::SeqCst)).unwrap_or_default()
    });
    let scrubber = Scrubber::new(clock);
    scrubber.know("the-first-key");
    scrubber.know("the-first-token");
    now.store(KEPT_MS - 1, Ordering::SeqCst);
    scrubber.know("the-second-key");
    scrubber.know("the-first-key");
    let found = |text: &str| scrubber.bytes(text.as_bytes()).is_some();
    assert!(found("the-first-key") && found("the-first-token") && found("the-second-key"));
    now.store(KEPT_MS, Ordering::SeqCst);
    scrubber.know("the-second-key");
    assert!(found("the-first-key") && found("the-second-key"), "used within the hour");
    assert!(!found("the-first-token"));
}

#[test]
fn the_work_grows_with_the_length_of_a_text_and_no_faster() {
    let scrubber = knowing("LTAI5tExampleExampleExample");
    let cost = |text: String| {
        let before = scrubber.work();
        assert!(scrubber.bytes(text.as_bytes()).is_none());
        scrubber.work().since(before)
    };
    for part in ["%25", "%2525252541", "\\\\u005c", "&amp;", "&#38;#38;", "%5c%5c\\x26amp;"] {
        let (small, large) = (cost(part.repeat(100)), cost(part.repeat(10_000)));
        assert!(large.bytes <= small.bytes * 101, "{part}: {small:?} {large:?}");
        assert!(large.allocations <= small.allocations + 8, "{part}: {small:?} {large:?}");
    }
}

#[test]
fn knowledge_is_shared_idempotent_and_not_shown() {
    let scrubber = Scrubber::new(Clock::system());
    let clone = scrubber.clone();
    assert!(clone.bytes(b"hunter2-hunter2").is_none());
    scrubber.know("hunter2-hunter2");
    let before = scrubber.search();
    scrubber.know("hunter2-hunter2");
    assert!(Arc::ptr_eq(&before, &clone.search()), "nothing is built again");
    assert_eq!(clone.bytes(b"x hunter2-hunter2\n").unwrap(), b"[removed by kms-mcp]\n");
    assert!(!format!("{scrubber:?}").contains("hunter2"));
}
