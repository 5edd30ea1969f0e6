//! What two programs may easily read in two ways: keys, names of files, files that cannot be read.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::both;
use super::copies::{arguments, copied};
use super::material::Material;

/// The point 1 (RFC 8032), written canonically, with the sign of x = 0, and as p + 1: under it one
/// signature fits everything.
const IDENTITIES: [(u8, u8, u8); 4] =
    [(0x01, 0x00, 0x00), (0x01, 0x00, 0x80), (0xee, 0xff, 0x7f), (0xee, 0xff, 0xff)];

#[test]
fn a_key_under_which_anything_is_signed_is_none() {
    let material = Material::make();
    let log = material.logs().swap_remove(1);
    let name = log.files.keys().next().unwrap().clone();
    // R = B and s = 1: then R = sB - kA for each k, if A is the neutral point.
    let signature = [[0x58].as_slice(), &[0x66; 31], &[1], &[0; 31]].concat();
    let signature = URL_SAFE_NO_PAD.encode(signature);
    let folders = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    for (first, between, last) in IDENTITIES {
        let key = [[first].as_slice(), &[between; 30], &[last]].concat();
        let key = URL_SAFE_NO_PAD.encode(key);
        let mut forged = log.clone();
        let mut lines = forged.of(&name);
        for at in log.signed(&name) {
            let (body, rest) = lines[at].split_once(",\"signature\":\"").unwrap();
            let body = body.replace(&material.key, &key);
            lines[at] = format!("{body},\"signature\":\"{signature}{}", &rest[86..]);
        }
        forged.put(&name, &lines);
        forged.reseal(&name, 0, None);
        places.push(folders.path().join(places.len().to_string()));
        forged.write(places.last().unwrap());
    }
    for (case, (ours, theirs)) in IDENTITIES.iter().zip(both(&places, &[])) {
        assert_eq!((ours.1, theirs.1), (1, 1), "{case:x?}");
    }
}

#[test]
fn a_file_of_a_name_that_we_do_not_give_takes_no_part() {
    let material = Material::make();
    let log = material.logs().swap_remove(0);
    let (name, content) = log.files.iter().next().unwrap();
    let (time, _) = name.split_once('-').unwrap();
    let dotted = [b"..jsonl".to_vec(), b".jsonl".to_vec(), b"...jsonl".to_vec()];
    let others = ["\u{e9}", "a b", "", "a.x", &"x".repeat(65)]
        .map(|instance| format!("{time}-{instance}.jsonl").into_bytes());
    let no_text = [b"-x\xff.jsonl".as_slice(), b"-\xed\xa0\x80.jsonl"]
        .map(|rest| [time.as_bytes(), rest].concat());
    let no_time = ["notes.jsonl", "a-b.jsonl", "2026-11-26-x.jsonl", "-.2.jsonl"]
        .map(|name| name.as_bytes().to_vec());
    let folders = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    for odd in dotted.iter().chain(&others).chain(&no_text).chain(&no_time) {
        for content in [content.as_slice(), &[], b"{\"seq\":1"] {
            let folder = folders.path().join(places.len().to_string());
            log.write(&folder);
            fs::write(folder.join(OsStr::from_bytes(odd)), content).unwrap();
            places.push(folder);
        }
    }
    for (number, (ours, theirs)) in both(&places, &[]).into_iter().enumerate() {
        assert_eq!((ours.1, theirs.1), (0, 0), "{number}: {ours:?} {theirs:?}");
        assert_eq!(ours.0.len(), 1, "{number}: {ours:?}");
    }
}

#[test]
fn a_part_that_cannot_be_read_is_unreadable_and_not_tampered_with() {
    let material = Material::make();
    let log = material.logs().swap_remove(2);
    let folder = tempfile::tempdir().unwrap();
    let (place, copy) = (folder.path().join("log"), folder.path().join("copy"));
    log.write(&place);
    fs::write(&copy, copied(&log).concat()).unwrap();
    let middle = log.files.keys().find(|name| name.ends_with(".2.jsonl")).unwrap();
    fs::remove_file(place.join(middle)).unwrap();
    // Nobody reads a folder as a file, root neither.
    fs::create_dir(place.join(middle)).unwrap();
    let places = [place];
    for arguments in [[].as_slice(), &arguments(&material, &copy)] {
        let (ours, theirs) = both(&places, arguments).remove(0);
        assert_eq!(ours, theirs);
        assert_eq!((ours.0[middle], ours.1), (3, 3), "{ours:?}");
        assert!(ours.0.iter().all(|(name, code)| name == middle || *code == 0), "{ours:?}");
    }
}
