//! The differential oracle: one script, two worlds that differ only in their secrets. Whatever
//! leaves is the same in both, so it says nothing of them.
//!
//! What may differ is listed in `harness/normal.rs`; beside that, the one JSON pointer of an
//! approved disclosure. Everything is also searched for the secrets in every encoding; the one
//! declared exception is `caller_key`, 12 hex digits of a digest of the AccessKey id, in the audit
//! log and in approval records.

mod every_tool;
mod guessing;
mod script;

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Canaries, Emulator, Era, Pty, Server, ServerOptions, normal};

/// Where a disclosed value stands in a line on stdout.
const POINTER: &str = "/result/structuredContent/Result/SecretData";

/// Everything that differs between two runs.
pub(super) struct World {
    pub(super) value: &'static str,
    pub(super) second: &'static str,
    pub(super) key: &'static str,
    pub(super) secret: &'static str,
    pub(super) token: Option<&'static str>,
}

/// Other lengths, other alphabets; no part is a word.
const WORLDS: [World; 4] = [
    World {
        value: "pkqvgjysjptgzsmgjq",
        second: "qjmjsqgytjmvvtgttqgmg",
        key: "LTAI5t5sMWt4r6N5wq76xSq5",
        secret: "n6m9y14XPZ7ZSNGwGp6N31QYM8nr2W",
        token: None,
    },
    World {
        value: "7$P9VN0Y/%41+ {\"p\":\"#J6K923VV7\"}\\u0041\nW403ZKKS076K=^*()<>?|é漢字߷ЖJ87T536ZT7X6WGZWP4M0",
        second: "+/+/JQ9TN8RXX0KPZX==",
        key: "LTAI2SNY2S7YW6XR",
        secret: "NKPNR6RG03PSTGNY2W43VN7145",
        token: None,
    },
    World {
        value: "vwgrzyxyvxsqqqqjrvq",
        second: "jqkqzpmv4jmg3n2mw4",
        key: "STS.NTjny9TtJR8S0rr1Z00N",
        secret: "ptqQJ0v3jy3St4j3NpJ3SvRz442Qz9",
        token: Some("CAISxGVzx31RjjK0Jx8RYRSpzqz0xQy099g0RprTx0wXQpVZVpvvsjt7Zt980Rt5"),
    },
    World {
        value: "\u{1F511}2NGG85M18N/QYMYYMGNM+NSMXTPNS%2541%41QYKGZWPZ,,,,79868282",
        second: "SSGYRXKTGXXKKKRT",
        key: "STS.Z29ZZ13QP1054PMZTNK275J4",
        secret: "11209M2JRQSJ9M1Z2G9KZV41",
        token: Some("TSMWNRSSXRSM+/XQ8R6N4M3KNG2W7M26W93Z4XVWJ484=="),
    },
];

/// What came out of a run.
#[derive(Default)]
struct Outputs {
    stdout: String,
    stderr: String,
    audit: Vec<String>,
    screens: Vec<String>,
    /// Names and contents of what is kept.
    state: Vec<(String, Vec<u8>)>,
    disclosures: usize,
}

fn run(world: &World, era: Era, signature: &str) -> Outputs {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("kms/data");
    fs::create_dir_all(&data).unwrap();
    let identity = serde_json::json!({
        "account_id": "1234567890123456", "access_key_id": world.key,
        "access_key_secret": world.secret, "region_id": "cn-hangzhou",
    });
    let path = data.join("identity.json");
    let mut file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .unwrap();
    std::io::Write::write_all(&mut file, identity.to_string().as_bytes()).unwrap();
    let emulator = Emulator::start_in(&folder.path().join("kms"));
    assert_eq!(emulator.access_key_id, world.key);

    let home = folder.path().join("home");
    let sources = folder.path().join("sources");
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&sources).unwrap();
    fs::write(sources.join("value"), world.value).unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, script::POLICY).unwrap();
    let config = format!(
        "wait_seconds = 0\npolicy = '{}'\n[sources]\nenv = ['APP_*']\nfiles = ['{}']\n\
         [limits]\nquestions = 100\ncool_off_seconds = 0\n",
        policy.display(),
        sources.display()
    );
    let mut options = ServerOptions::with_emulator(&emulator)
        .era(era)
        .arg("--signature")
        .arg(signature)
        .config(&config)
        .env("APP_VALUE", world.value)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    if let Some(token) = world.token {
        options = options.env("ALIBABA_CLOUD_SECURITY_TOKEN", token);
    }
    let mut server = Server::start_in(&home, options);
    let mut screens = Vec::new();
    script::play(world, &emulator, &mut server, &mut screens);
    screens.push(Pty::approve(&home, &[], &[]).text);
    let stdout = server.transcript.clone();
    let (status, stderr) = server.finish();
    assert!(status.success(), "{stderr}");

    let hide = |text: String| text.replace(folder.path().to_str().unwrap(), "<folder>");
    let mut outputs = Outputs { stderr: hide(stderr), ..Outputs::default() };
    for line in stdout.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(value) = line.pointer_mut(POINTER).filter(|held| *held == world.value) {
            *value = "<the value>".into();
            outputs.disclosures += 1;
        }
        outputs.stdout.push_str(&hide(line.to_string()));
        outputs.stdout.push('\n');
    }
    outputs.screens = screens.into_iter().map(hide).collect();
    read(&home.join("state"), &mut outputs.state);
    for (name, content) in &outputs.state {
        if name.ends_with(".jsonl") {
            outputs.audit.push(hide(String::from_utf8(content.clone()).unwrap()));
        }
    }
    // The journal and the sealed data are the emulator's own; values are not in them either.
    let mut kms = Vec::new();
    read(&folder.path().join("kms"), &mut kms);
    let value = Canaries::new(&[("the value", world.value), ("the second value", world.second)]);
    for (name, content) in kms.iter().filter(|(name, _)| !name.ends_with("faults.toml")) {
        value.assert_absent(name, content);
    }
    outputs
}

fn read(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, found);
        } else {
            found.push((
                path.file_name().unwrap().to_str().unwrap().into(),
                fs::read(&path).unwrap(),
            ));
        }
    }
}

/// Both runs, line by line.
fn assert_same(what: &str, one: &str, other: &str) {
    let (one, other) = (normal(one), normal(other));
    for (number, (one, other)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(one, other, "{what}, line {}", number + 1);
    }
    assert_eq!(one.lines().count(), other.lines().count(), "{what}");
}

/// Without the one thing that is told of an AccessKey id.
fn without_caller_key(bytes: &[u8], key: &str) -> Vec<u8> {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let shown: String = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let mut out = bytes.to_vec();
    for place in [format!("\"caller_key\":\"{shown}\""), format!("fingerprint {shown}")] {
        while let Some(at) = out.windows(place.len()).position(|part| part == place.as_bytes()) {
            out.drain(at..at + place.len());
        }
    }
    out
}

fn assert_closed(world: &World, outputs: &Outputs) {
    let mut secrets = vec![
        ("the value", world.value),
        ("the second value", world.second),
        ("the AccessKey id", world.key),
        ("the AccessKey secret", world.secret),
    ];
    secrets.extend(world.token.map(|token| ("the STS token", token)));
    let canaries = Canaries::new(&secrets);
    canaries.assert_absent("stdout", outputs.stdout.as_bytes());
    canaries.assert_absent("stderr", outputs.stderr.as_bytes());
    for screen in &outputs.screens {
        canaries.assert_absent("a screen", &without_caller_key(screen.as_bytes(), world.key));
    }
    for (name, content) in &outputs.state {
        canaries.assert_absent(name, &without_caller_key(content, world.key));
    }
}

fn compare(one: &World, other: &World, era: Era, signature: &str) {
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| run(one, era, signature));
        (run(other, era, signature), first.join().unwrap())
    });
    let (first, second) = (second, first);
    assert_closed(one, &first);
    assert_closed(other, &second);
    assert_eq!((first.disclosures, second.disclosures), (1, 1));
    assert_same("stdout", &first.stdout, &second.stdout);
    assert_same("stderr", &first.stderr, &second.stderr);
    assert_eq!(first.screens.len(), second.screens.len());
    for (one, other) in first.screens.iter().zip(&second.screens) {
        assert_same("a screen", one, other);
    }
    // Chains that begin in the same second are named in no order.
    let sorted = |outputs: &Outputs| {
        let mut audit: Vec<String> = outputs.audit.iter().map(|text| normal(text)).collect();
        audit.sort_by_key(|text| (text.lines().count(), text.clone()));
        audit.concat()
    };
    assert_same("the audit log", &sorted(&first), &sorted(&second));
    let names = |outputs: &Outputs| {
        outputs
            .state
            .iter()
            .filter(|(name, _)| !name.ends_with(".jsonl"))
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), names(&second));
}

#[test]
fn two_worlds_with_other_access_keys_and_values_look_the_same() {
    let [one, other, ..] = &WORLDS;
    compare(one, other, Era::V2025_11_25, "acs3");
}

#[test]
fn two_worlds_with_other_sts_tokens_look_the_same() {
    let [.., one, other] = &WORLDS;
    compare(one, other, Era::V2025_11_25, "acs3");
}

#[test]
fn two_worlds_look_the_same_in_the_new_era() {
    let [one, other, ..] = &WORLDS;
    compare(one, other, Era::V2026_07_28, "acs3");
}

#[test]
fn two_worlds_look_the_same_under_the_old_signature() {
    let [.., one, other] = &WORLDS;
    compare(one, other, Era::V2026_07_28, "rpc1");
}

#[test]
fn two_worlds_look_the_same_in_the_old_era_under_the_old_signature() {
    let [one, other, ..] = &WORLDS;
    compare(one, other, Era::V2025_06_18, "rpc1");
}
