//! Somebody has the key itself: only the copy of the checkpoints tells, and only it proves.

use std::fs;
use std::path::{Path, PathBuf};

use super::log::{Forger, Log};
use super::material::Material;
use super::{Verdict, both};

/// Both verifiers' verdict on `log` with that text as the copy; they agree.
fn judged(material: &Material, log: &Log, copy: &str) -> Verdict {
    let home = tempfile::tempdir().unwrap();
    let (folder, place) = (home.path().join("log"), home.path().join("copy"));
    log.write(&folder);
    fs::write(&place, copy).unwrap();
    let arguments = arguments(material, &place);
    let (ours, theirs) = both(&[folder], &arguments).remove(0);
    assert_eq!(ours, theirs);
    ours
}

pub(super) fn arguments(material: &Material, copy: &Path) -> [String; 4] {
    let copy = copy.to_str().unwrap().to_owned();
    ["--key".to_owned(), material.key.clone(), "--checkpoints".into(), copy]
}

/// The signed lines of one chain, as they are copied.
pub(super) fn copied(log: &Log) -> Vec<String> {
    let signed = |name: &String| {
        let lines = log.of(name);
        log.signed(name).into_iter().map(move |at| lines[at].clone() + "\n").collect::<Vec<_>>()
    };
    let mut copied: Vec<String> = log.files.keys().flat_map(signed).collect();
    copied.sort_by_key(|line| line.split([':', ',']).nth(1).unwrap().parse::<u64>().unwrap());
    copied
}

#[test]
fn what_was_never_copied_proves_nothing() {
    let material = Material::make();
    let thief = Forger::of(&material.state);
    let long = material.logs().swap_remove(0);
    let name = long.files.keys().next().unwrap().clone();
    let copy = copied(&long);
    assert_eq!(judged(&material, &long, &copy.concat()).1, 0);
    assert_eq!(judged(&material, &long, &copy.join("\n")).1, 0, "an empty line is nothing");

    // The end was not copied yet: so it may be anybody's.
    let running = copy[..copy.len() - 2].concat();
    assert_eq!(judged(&material, &long, &running).1, 2, "the end is not in the copy");
    let last = long.signed(&name)[copy.len() - 3];
    let mut cut = long.clone();
    let mut lines = cut.of(&name);
    let stop = lines.pop().unwrap();
    let (seq, rest) = stop.split_once(',').unwrap();
    let seq: usize = seq.strip_prefix("{\"seq\":").unwrap().parse().unwrap();
    lines.truncate(last + 1);
    lines.push(format!("{{\"seq\":{},{rest}", seq + last + 1 - long.of(&name).len() + 1));
    cut.put(&name, &lines);
    cut.reseal(&name, last + 1, Some(&thief));
    assert_eq!(judged(&material, &cut, &running).1, 2, "cut, with a `stop` of the thief");

    // A chain that never was.
    let instance = name.split(['-', '.']).nth(1).unwrap();
    let invented = name.replace(instance, "0123456789abcdef");
    let mut both = long.clone();
    let lines: Vec<String> =
        long.of(&name).iter().map(|line| line.replacen(instance, "0123456789abcdef", 1)).collect();
    both.put(&invented, &lines);
    both.reseal(&invented, 0, Some(&thief));
    let verdict = judged(&material, &both, &copy.concat());
    assert_eq!((verdict.0[&name], verdict.0[&invented], verdict.1), (0, 2, 2));

    // A later file proves those before it.
    let rotated = material.logs().swap_remove(2);
    let copy = copied(&rotated);
    assert_eq!(judged(&material, &rotated, copy.last().unwrap()).1, 0);
    assert_eq!(judged(&material, &rotated, &copy[..copy.len() - 1].concat()).1, 2);
    assert_eq!(
        judged(&material, &rotated, &copy[0]).0.values().filter(|code| **code == 0).count(),
        1
    );
}

#[test]
fn a_copy_with_two_records_in_one_place_is_tampered_with() {
    let material = Material::make();
    let thief = Forger::of(&material.state);
    let log = material.logs().swap_remove(0);
    let name = log.files.keys().next().unwrap().clone();
    let mut rewritten = log.clone();
    rewritten.rewrite(&name, 1, "\"event\"", "\"was\":\"x\",\"event\"", &thief);
    let (first, second) = (copied(&log).concat(), copied(&rewritten).concat());
    assert_eq!(judged(&material, &log, &(first.clone() + &first)).1, 0, "twice the same");
    for copy in [first.clone() + &second, second + &first] {
        for log in [&log, &rewritten] {
            assert_eq!(judged(&material, log, &copy).1, 1);
        }
    }
}

#[test]
fn what_the_local_key_signed_anew_is_found_by_the_copy() {
    let material = Material::make();
    let thief = Forger::of(&material.state);
    let folders = tempfile::tempdir().unwrap();
    let arguments = arguments(&material, &material.copy);
    let whole = material.whole();
    let mut cases = vec![("nothing changed".to_owned(), whole.clone(), 2)];
    for (file, lines) in whole.lines() {
        // Rewritten from each tenth line on, and signed.
        for at in (1..lines).step_by(10) {
            let mut log = whole.clone();
            log.rewrite(&file, at, "\"event\"", "\"was\":\"x\",\"event\"", &thief);
            let expected = if log.differs_before_a_signature(&whole) { 1 } else { 2 };
            cases.push((format!("{file} rewritten from line {at}"), log, expected));
        }
        // Cut after each signed line but the last, and signed to a new end.
        for at in whole.signed(&file) {
            let mut log = whole.clone();
            if log.cut_and_stop(&file, at, &thief) {
                cases.push((format!("{file} cut at line {at}"), log, 1));
            }
        }
        let mut log = whole.clone();
        log.files.remove(&file);
        if !whole.signed(&file).is_empty() {
            cases.push((format!("{file} removed"), log, 1));
        }
    }
    let places: Vec<PathBuf> =
        (0..cases.len()).map(|number| folders.path().join(number.to_string())).collect();
    for (place, (_, log, _)) in places.iter().zip(&cases) {
        log.write(place);
    }
    for ((what, _, expected), (ours, theirs)) in cases.iter().zip(both(&places, &arguments)) {
        assert_eq!(ours, theirs, "{what}");
        assert_eq!(ours.1, *expected, "{what}: {ours:?}");
    }
    assert!(cases.len() >= 20, "{}", cases.len());
}
