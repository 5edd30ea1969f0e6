//! More than a thousand mutations of real logs, judged by two verifiers that share no code:
//! `kms-mcp audit verify` and `tools/verify_audit.py`. They agree on each file, and no mutation
//! passes: what stands before the last signature is found to be tampered with.
//!
//! [`kinds`] is the table of mutations; [`copies`] is about who has the key itself;
//! [`odd`] about keys, names and files that are none;
//! [`material`] makes real logs; [`log`] reads and seals lines.

mod copies;
mod kinds;
mod log;
mod material;
mod odd;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::{BINARY, Run};
use kinds::{Expect, KINDS};
use log::{Forger, Log, Random};
use material::Material;

/// Times that each kind is done to each log, at other places.
const ROUNDS: u64 = 7;

/// The verdict of each file by its name, and the exit code.
type Verdict = (BTreeMap<String, u8>, i32);

const WORDS: [&str; 4] = [": verified", ": TAMPERED", ": TAIL NOT PROVEN", ": UNREADABLE"];

/// What a verifier said of each file.
fn files(report: &str) -> BTreeMap<String, u8> {
    let verdict = |line: &str| {
        let found = |word: &&str| line.find(*word);
        let (code, at) = (0..).zip(&WORDS).find_map(|(code, word)| Some((code, found(word)?)))?;
        Some((line[..at].trim_matches('\'').to_owned(), code))
    };
    report.lines().filter_map(verdict).collect()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Our own verdict on a folder.
fn ours(folder: &Path, arguments: &[String]) -> Verdict {
    let mut command = Command::new(BINARY);
    command.args(["audit", "verify"]).arg(folder).args(arguments).env_clear();
    let output = command.run();
    (files(&text(&output)), output.status.code().unwrap())
}

/// The other verifier's verdicts on all folders, in one process.
fn theirs(folders: &[PathBuf], arguments: &[String]) -> Vec<Verdict> {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/verify_audit.py");
    let output = Command::new("python3")
        .arg("-B")
        .arg(tool)
        .args(folders)
        .args(arguments)
        .output()
        .expect("python3 is on PATH");
    let text = text(&output);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.is_empty(), "{error}");
    let mut verdicts = Vec::new();
    for report in text.split("audit folder ").skip(1) {
        let last = report.trim_end().lines().last().unwrap();
        let word = WORDS.iter().position(|word| last.starts_with(&word[2..])).unwrap();
        verdicts.push((files(report), i32::try_from(word).unwrap()));
    }
    verdicts
}

/// All verdicts of both, folder by folder.
fn both(folders: &[PathBuf], arguments: &[String]) -> Vec<(Verdict, Verdict)> {
    let (theirs, ours) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| theirs(folders, arguments));
        let halves: Vec<_> = folders
            .chunks(folders.len().div_ceil(2))
            .map(|half| scope.spawn(|| half.iter().map(|one| ours(one, arguments)).collect()))
            .collect();
        let ours: Vec<Vec<Verdict>> = halves.into_iter().map(|half| half.join().unwrap()).collect();
        (theirs.join().unwrap(), ours.concat())
    });
    assert_eq!(theirs.len(), folders.len());
    ours.into_iter().zip(theirs).collect()
}

#[test]
fn no_mutation_passes_and_two_verifiers_agree_on_each() {
    let material = Material::make();
    let folders = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for (base, log) in material.logs().into_iter().enumerate() {
        for (number, kind) in KINDS.iter().enumerate() {
            for round in 0..ROUNDS {
                let seed = (base as u64 * 1000 + number as u64) * 1000 + round;
                let mut mutated = log.clone();
                let forger = Forger::stranger();
                (kind.change)(&mut mutated, &mut Random::new(seed), &forger);
                if mutated == log {
                    continue;
                }
                let folder = folders.path().join(cases.len().to_string());
                mutated.write(&folder);
                cases.push((
                    format!("{} of log {base}, round {round}", kind.name),
                    log.clone(),
                    mutated,
                    kind,
                    folder,
                ));
            }
        }
    }
    assert!(cases.len() >= 1_000, "only {}", cases.len());
    let places: Vec<PathBuf> = cases.iter().map(|case| case.4.clone()).collect();
    let verdicts = both(&places, &["--key".into(), material.key.clone()]);
    let mut wrong = Vec::new();
    for ((what, log, mutated, kind, folder), (ours, theirs)) in cases.iter().zip(verdicts) {
        let mut complain = |why: &str| {
            wrong.push(format!("{what}: {why}: {ours:?}, {theirs:?} ({})", folder.display()));
        };
        if ours != theirs {
            complain("the verifiers differ");
        }
        match kind.expect {
            Expect::Found | Expect::Cut if ours.1 == 0 => complain("not found"),
            Expect::Found if mutated.differs_before_a_signature(log) && ours.1 != 1 => {
                complain("found, but not as tampering");
            }
            Expect::Tampered if ours.1 != 1 => complain("not tampering"),
            Expect::Cut if mutated.is_signed_after_change(log) && ours.1 != 1 => {
                complain("found, but not as tampering");
            }
            Expect::Tampered | Expect::Found | Expect::Cut => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}: {:#?}",
        wrong.len(),
        cases.len(),
        wrong.get(..20.min(wrong.len()))
    );
}

#[test]
fn real_logs_pass_and_are_judged_alike() {
    let material = Material::make();
    let folder = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    for (number, log) in material.logs().iter().enumerate() {
        places.push(folder.path().join(number.to_string()));
        log.write(&places[number]);
    }
    places.push(folder.path().join("nothing"));
    fs::create_dir(places.last().unwrap()).unwrap();
    places.push(folder.path().join("not there"));
    let expected = [0, 0, 0, 2, 2, 3];
    for pinned in [true, false] {
        let arguments =
            if pinned { vec!["--key".to_owned(), material.key.clone()] } else { Vec::new() };
        for (number, (ours, theirs)) in both(&places, &arguments).into_iter().enumerate() {
            assert_eq!(ours, theirs, "log {number}");
            assert_eq!(ours.1, expected[number], "log {number}: {ours:?}");
        }
    }
    let all = [material.state.join("audit")];
    for (ours, theirs) in both(&all, &[]) {
        assert_eq!(ours, theirs);
        assert_eq!(ours.1, 2, "one was killed: {ours:?}");
    }
}

impl Log {
    /// Writes the files into a new folder.
    fn write(&self, folder: &Path) {
        fs::create_dir(folder).unwrap();
        for (name, content) in &self.files {
            fs::write(folder.join(name), content).unwrap();
        }
    }
}
