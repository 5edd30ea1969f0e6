//! What is done to a log: a table. Each mutation that leaves the log as it was is passed over.

use super::log::{Forger, Log, Random};

/// How a mutation must be judged.
#[derive(Clone, Copy)]
pub(super) enum Expect {
    /// Not with 0; with 1 if it is before a signature.
    Found,
    /// With 1, wherever it is.
    Tampered,
    /// Not with 0; with 1 if a signature is left after it. Without one it is the same as a cut.
    Cut,
}

pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) expect: Expect,
    pub(super) change: fn(&mut Log, &mut Random, &Forger),
}

const fn found(name: &'static str, change: fn(&mut Log, &mut Random, &Forger)) -> Kind {
    Kind { name, expect: Expect::Found, change }
}

const fn tampered(name: &'static str, change: fn(&mut Log, &mut Random, &Forger)) -> Kind {
    Kind { name, expect: Expect::Tampered, change }
}

const fn cut(name: &'static str, change: fn(&mut Log, &mut Random, &Forger)) -> Kind {
    Kind { name, expect: Expect::Cut, change }
}

/// One of the files.
fn any(log: &Log, random: &mut Random) -> String {
    let names: Vec<&String> = log.files.keys().collect();
    (*random.pick(&names)).clone()
}

/// Changes the bytes of one file.
fn bytes(log: &mut Log, random: &mut Random, change: impl FnOnce(&mut Vec<u8>, &mut Random)) {
    let name = any(log, random);
    change(log.files.get_mut(&name).unwrap(), random);
}

/// Changes the lines of one file.
fn lines(log: &mut Log, random: &mut Random, change: impl FnOnce(&mut Vec<String>, &mut Random)) {
    let name = any(log, random);
    let mut lines = log.of(&name);
    change(&mut lines, random);
    log.put(&name, &lines);
}

/// Changes one line and makes all from it on follow: everything fits but the signatures.
fn sealed(
    log: &mut Log,
    random: &mut Random,
    forger: Option<&Forger>,
    change: impl FnOnce(&str, &mut Random) -> String,
) {
    let name = any(log, random);
    let mut lines = log.of(&name);
    let at = random.below(lines.len());
    lines[at] = change(&lines[at], random);
    log.put(&name, &lines);
    log.reseal(&name, at, forger);
}

/// Puts `text` behind the opening brace, into a record that is sealed anew.
fn insert(log: &mut Log, random: &mut Random, text: &str) {
    sealed(log, random, None, |line, _| line.replacen('{', &format!("{{{text},"), 1));
}

/// Writes `seq` in another way.
fn number(log: &mut Log, random: &mut Random, write: fn(u64) -> String) {
    sealed(log, random, None, |line, _| {
        let (seq, rest) = line.strip_prefix("{\"seq\":").unwrap().split_once(',').unwrap();
        format!("{{\"seq\":{},{rest}", write(seq.parse().unwrap()))
    });
}

/// Cuts a file and ends it with a `stop` of one's own.
fn end(log: &mut Log, random: &mut Random, key: &str, signature: &str, forger: Option<&Forger>) {
    let name = any(log, random);
    let mut lines = log.of(&name);
    lines.truncate(random.below(lines.len()) + 1);
    let at = lines.len();
    let seq: u64 = lines[at - 1].split([':', ',']).nth(1).unwrap().parse().unwrap();
    let (seq, instance) = (seq + 1, name.split(['-', '.']).nth(1).unwrap());
    lines.push(format!(
        r#"{{"seq":{seq},"instance":"{instance}","event":"stop"{key},"prev":""{signature},"hash":""}}"#
    ));
    log.put(&name, &lines);
    log.reseal(&name, at, forger);
}

pub(super) const KINDS: &[Kind] = &[
    found("a flipped bit", |log, random, _| {
        bytes(log, random, |bytes, random| {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        });
    }),
    found("another byte", |log, random, _| {
        bytes(log, random, |bytes, random| {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        });
    }),
    found("a byte more", |log, random, _| {
        bytes(log, random, |bytes, random| {
            let at = random.below(bytes.len() + 1);
            bytes.insert(at, u8::try_from(random.below(256)).unwrap());
        });
    }),
    found("a byte less", |log, random, _| {
        bytes(log, random, |bytes, random| {
            bytes.remove(random.below(bytes.len()));
        });
    }),
    found("cut anywhere", |log, random, _| {
        bytes(log, random, |bytes, random| bytes.truncate(random.below(bytes.len())));
    }),
    found("cut between lines", |log, random, _| {
        lines(log, random, |lines, random| lines.truncate(random.below(lines.len())));
    }),
    found("its begin cut", |log, random, _| {
        lines(log, random, |lines, random| drop(lines.drain(..=random.below(lines.len() - 1))));
    }),
    found("zeros at the end", |log, random, _| {
        bytes(log, random, |bytes, random| {
            bytes.truncate(random.below(bytes.len()));
            bytes.resize(bytes.len() + random.below(500) + 1, 0);
        });
    }),
    found("a line less", |log, random, _| {
        lines(log, random, |lines, random| drop(lines.remove(random.below(lines.len()))));
    }),
    found("a line twice", |log, random, _| {
        lines(log, random, |lines, random| {
            let at = random.below(lines.len());
            lines.insert(random.below(lines.len() + 1), lines[at].clone());
        });
    }),
    found("two lines swapped", |log, random, _| {
        lines(log, random, |lines, random| {
            let (one, other) = (random.below(lines.len()), random.below(lines.len()));
            lines.swap(one, other);
        });
    }),
    found("an empty line", |log, random, _| {
        lines(log, random, |lines, random| {
            lines.insert(random.below(lines.len() + 1), String::new());
        });
    }),
    found("two lines in one", |log, random, _| {
        lines(log, random, |lines, random| {
            let at = random.below(lines.len() - 1);
            let next = lines.remove(at + 1);
            lines[at].push_str(&next);
        });
    }),
    found("a line of nothing but braces", |log, random, _| {
        lines(log, random, |lines, random| {
            lines.insert(random.below(lines.len() + 1), "{}".into());
        });
    }),
    tampered("a line of 70,000 bytes", |log, random, _| {
        lines(log, random, |lines, random| {
            let at = random.below(lines.len());
            lines[at] = lines[at].replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(70_000)), 1);
        });
    }),
    found("a record rewritten and sealed", |log, random, _| {
        sealed(log, random, None, |line, _| line.replacen("\"event\"", "\"x\":1,\"event\"", 1));
    }),
    found("an outcome rewritten and sealed", |log, random, _| {
        sealed(log, random, None, |line, _| {
            line.replace("\"outcome\":\"ok\"", "\"outcome\":\"no\"")
        });
    }),
    found("all sealed and signed with another key", |log, random, forger| {
        let name = any(log, random);
        log.reseal(&name, 0, Some(forger));
    }),
    tampered("a stop of another key", |log, random, forger| {
        end(log, random, ",\"key\":\"-\"", ",\"signature\":\"\"", Some(forger));
    }),
    tampered("a stop that nobody signed", |log, random, _| end(log, random, "", "", None)),
    cut("a checkpoint removed, the rest numbered and sealed anew", |log, random, _| {
        let name = any(log, random);
        let signed = log.signed(&name);
        if signed.is_empty() {
            return;
        }
        let at = *random.pick(&signed);
        let mut lines = log.of(&name);
        lines.remove(at);
        for line in lines.iter_mut().skip(at) {
            let (seq, rest) = line.strip_prefix("{\"seq\":").unwrap().split_once(',').unwrap();
            *line = format!("{{\"seq\":{},{rest}", seq.parse::<u64>().unwrap() - 1);
        }
        log.put(&name, &lines);
        log.reseal(&name, at, None);
    }),
    found("a signature moved to another record", |log, random, _| {
        let name = any(log, random);
        let (signed, mut lines) = (log.signed(&name), log.of(&name));
        if let [.., one, other] = signed[..] {
            let text = |line: &str| line.split("\"signature\":\"").nth(1).unwrap()[..86].to_owned();
            let (from, to) = (text(&lines[one]), text(&lines[other]));
            lines[other] = lines[other].replace(&to, &from);
            log.put(&name, &lines);
            log.reseal(&name, other, None);
        }
    }),
    found("whitespace", |log, random, _| {
        lines(log, random, |lines, random| {
            let at = random.below(lines.len());
            let white = *random.pick(&[" ", "\t", "\r", "\x0b", "\u{a0}"]);
            let place = *random.pick(&[",", ":", "{", "}"]);
            lines[at] = lines[at].replacen(place, &format!("{place}{white}"), 1);
        });
    }),
    found("whitespace, sealed", |log, random, _| {
        let comma = *random.pick(&[", ", ",\t", " ,"]);
        sealed(log, random, None, |line, _| line.replacen(',', comma, 1));
    }),
    found("a space before a line", |log, random, _| {
        sealed(log, random, None, |line, _| format!(" {line}"));
    }),
    found("one line ends in CRLF", |log, random, _| {
        lines(log, random, |lines, random| {
            let at = random.below(lines.len());
            lines[at].push('\r');
        });
    }),
    found("all lines end in CRLF", |log, random, _| {
        lines(log, random, |lines, _| lines.iter_mut().for_each(|line| line.push('\r')));
    }),
    found("a byte order mark", |log, random, _| {
        bytes(log, random, |bytes, _| drop(bytes.splice(0..0, *b"\xef\xbb\xbf")));
    }),
    found("bytes that are no UTF-8, sealed", |log, random, _| {
        bytes(log, random, |bytes, random| {
            let at = random.below(bytes.len());
            bytes.splice(at..at, *random.pick(&[*b"\xff\xfe", *b"\xc0\x80", *b"\xed\xa0"]));
        });
    }),
    found("letters outside ASCII, sealed", |log, random, _| {
        insert(log, random, "\"x\":\"\u{e9}\"");
    }),
    found("an escaped letter, sealed", |log, random, _| {
        sealed(log, random, None, |line, _| line.replacen("event", "\\u0065vent", 1));
    }),
    found("half a character, sealed", |log, random, _| {
        let half = *random.pick(&["\\ud800", "\\udc00", "\\ud800\\u0041", "\\udc00\\ud800"]);
        insert(log, random, &format!("\"x\":\"{half}\""));
    }),
    found("a whole character of two halves, sealed", |log, random, _| {
        insert(log, random, "\"\\ud83d\\ude00\":\"\\uD83D\\uDE00\"");
    }),
    found("a member twice, sealed", |log, random, _| {
        let text = *random.pick(&[
            "\"seq\":1",
            "\"\\u0073eq\":1",
            "\"event\":\"stop\"",
            "\"prev\":\"\"",
            "\"x\":{\"a\":1,\"a\":1}",
            "\"x\":[{\"a\":1,\"\\u0061\":2}]",
        ]);
        insert(log, random, text);
    }),
    found("a value that no record has, sealed", |log, random, _| {
        let value =
            *random.pick(&["null", "true", "false", "NaN", "Infinity", "'a'", "[1,]", "{,}"]);
        insert(log, random, &format!("\"x\":{value}"));
    }),
    found("a number in another form, sealed", |log, random, _| {
        let forms: [fn(u64) -> String; 10] = [
            |n| format!("{n}.0"),
            |n| format!("{n}e0"),
            |n| format!("0{n}"),
            |n| format!("+{n}"),
            |n| format!("-{n}"),
            |n| format!("\"{n}\""),
            |n| format!("[{n}]"),
            |n| format!("0x{n}"),
            |n| format!("{n}0000000000000000000000"),
            |_| "-0".into(),
        ];
        let form = *random.pick(&forms);
        number(log, random, form);
    }),
    found("a number at the edge, sealed", |log, random, _| {
        let value = *random.pick(&[
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "-0",
            "00",
            "1e400",
            "1.",
            ".5",
        ]);
        insert(log, random, &format!("\"x\":{value}"));
    }),
    found("nested, sealed", |log, random, _| {
        let depth = *random.pick(&[2, 125, 126, 127, 128, 200, 2000, 20_000]);
        let (open, close) = if random.below(2) == 0 { ("[", "]") } else { ("{\"x\":", "}") };
        let inner = if open == "[" { "" } else { "1" };
        let nested = format!("\"x\":{}{inner}{}", open.repeat(depth), close.repeat(depth));
        insert(log, random, &nested);
    }),
    found("a member missing, sealed", |log, random, _| {
        let name = *random.pick(&["seq", "instance", "event", "prev", "time", "key"]);
        sealed(log, random, None, |line, _| {
            line.replacen(&format!("\"{name}\":"), &format!("\"{name}x\":"), 1)
        });
    }),
    found("another instance, sealed", |log, random, _| {
        sealed(log, random, None, |line, _| {
            line.replacen("\"instance\":\"", "\"instance\":\"x", 1)
        });
    }),
    found("another event, sealed", |log, random, _| {
        let event = *random.pick(&["start", "stop", "rotate", "checkpoint", "intent", ""]);
        sealed(log, random, None, |line, _| {
            let (begin, rest) = line.split_once("\"event\":\"").unwrap();
            let (_, rest) = rest.split_once('"').unwrap();
            format!("{begin}\"event\":\"{event}\"{rest}")
        });
    }),
    found("a capital in a hash", |log, random, _| {
        lines(log, random, |lines, random| {
            let at = random.below(lines.len());
            let (body, hash) = lines[at].rsplit_once("\"hash\":\"").unwrap();
            lines[at] = format!("{body}\"hash\":\"{}\"}}", hash[..64].to_uppercase());
        });
    }),
    tampered("a file under another time", |log, random, _| {
        let name = any(log, random);
        let content = log.files.remove(&name).unwrap();
        log.files.insert(name.replacen('2', "1", 1), content);
    }),
    tampered("a file under the name of another chain", |log, random, _| {
        let name = any(log, random);
        let content = log.files.remove(&name).unwrap();
        let (time, rest) = name.split_once('-').unwrap();
        log.files.insert(format!("{time}-x{rest}"), content);
    }),
    // The same as a file that was removed.
    cut("a file under a name that is none of a log", |log, random, _| {
        let name = any(log, random);
        let content = log.files.remove(&name).unwrap();
        let new = *random.pick(&[
            "audit",
            "a-b-c",
            "-",
            ".",
            "20260101T000000Z-x.01",
            "20260101T000000Z-x.1",
            "20260101T000000Z-x.4294967296",
            "20260101T00000\u{660}Z-x",
            "20260101t000000z-x",
            "x-y.2.3",
        ]);
        log.files.insert(format!("{new}.jsonl"), content);
    }),
    tampered("a file twice", |log, random, _| {
        let name = any(log, random);
        let content = log.files[&name].clone();
        let (_, rest) = name.split_once('-').unwrap();
        let second = random.below(60);
        log.files.insert(format!("20250101T0000{second:02}Z-{rest}"), content);
    }),
    tampered("a file as the next of its chain", |log, random, _| {
        let name = any(log, random);
        let content = log.files[&name].clone();
        let stem = name.split('.').next().unwrap();
        log.files.insert(format!("{stem}.{}.jsonl", 20 + random.below(3)), content);
    }),
    found("an empty file more", |log, random, _| {
        let name = any(log, random);
        let stem = name.split('.').next().unwrap();
        log.files.insert(format!("{stem}.{}.jsonl", 2 + random.below(8)), Vec::new());
    }),
];
