//! What was done to a file afterwards, and how it is judged.

use std::fs;

use serde_json::Value;

use super::super::record;
use super::*;

#[tokio::test]
async fn any_flipped_byte_is_found() {
    let (_home, file) = written().await;
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&file, bytes).unwrap();
        let (state, code) = judge(&file);
        // Without its newline the last line is one that was not written to its end.
        let expected = if at + 1 == whole.len() { 2 } else { 1 };
        assert_eq!(code, expected, "byte {at}: {state:?}");
    }
}

#[tokio::test]
async fn dropped_swapped_inserted_and_copied_lines_are_found() {
    for (change, found) in [
        ((|lines| drop(lines.remove(2))) as fn(&mut Vec<String>), 3),
        (|lines| drop(lines.remove(0)), 1),
        (|lines| lines.swap(1, 2), 2),
        (|lines| lines.insert(2, lines[1].clone()), 3),
        (|lines| lines.push(lines[5].clone()), 7),
    ] {
        let (_home, file) = written().await;
        edit(&file, change);
        let (line, flaw) = flaw(&file);
        assert!(line == found && matches!(flaw, Flaw::SeqGap { .. }), "{line} {flaw}");
    }
}

#[tokio::test]
async fn a_line_rewritten_with_a_new_hash_breaks_the_next() {
    let (_home, file) = written().await;
    edit(&file, |lines| {
        let old: Value = serde_json::from_str(&lines[2]).unwrap();
        let (body, _) = lines[2].split_once(",\"hash\"").unwrap();
        let body = body.replace("deleted", "already_absent");
        let hash = record::hash(old["prev"].as_str().unwrap(), body.as_bytes());
        lines[2] = format!("{body},\"hash\":\"{hash}\"}}");
    });
    assert_eq!(flaw(&file), (4, Flaw::WrongPrev));
}

#[tokio::test]
async fn what_readers_could_read_in_two_ways_is_refused() {
    let sealed = |body: &str| {
        let body = &body.replace("{\"seq\"", "{\"instance\":\"i-1\",\"seq\"");
        let hash = record::hash(record::GENESIS, body.as_bytes());
        format!("{body},\"hash\":\"{hash}\"}}")
    };
    let prev = record::GENESIS;
    for (line, expected) in [
        (
            sealed(&format!(r#"{{"seq":1,"event":"start","prev":"{prev}","seq":1"#)),
            Flaw::RepeatedMember,
        ),
        (
            sealed(&format!(r#"{{"seq":1,"event":"start","a":[{{"b":1,"b":2}}],"prev":"{prev}""#)),
            Flaw::RepeatedMember,
        ),
        (sealed(&format!(r#"{{"seq":1,"event":"intent","prev":"{prev}""#)), Flaw::NoStart),
        (sealed(&format!(r#"{{"seq":"1","event":"start","prev":"{prev}""#)), Flaw::NotARecord),
        (sealed(&format!(r#"{{"seq":1,"event":"start","x":true,"prev":"{prev}""#)), Flaw::NotJson),
        (sealed(r#"{"seq":1,"event":"start""#) + " ", Flaw::HashNotLast),
        (r#"{"seq":1,"event":"start","hash":"","prev":""}"#.into(), Flaw::HashNotLast),
        ("[".repeat(1000), Flaw::NotJson),
        (String::new(), Flaw::NotJson),
        (r#"{"seq":1"#.into(), Flaw::NotJson),
        ("x".repeat(record::MAX_LINE), Flaw::TooLong),
    ] {
        let (_home, file) = written().await;
        fs::write(&file, format!("{line}\n")).unwrap();
        assert_eq!(flaw(&file), (1, expected), "{line}");
    }
}

#[tokio::test]
async fn a_record_after_stop_is_found() {
    let (_home, file) = written().await;
    edit(&file, |lines| {
        let last: Value = serde_json::from_str(&lines[5]).unwrap();
        let prev = last["hash"].as_str().unwrap();
        let body = format!(r#"{{"seq":7,"instance":"i-1","event":"denied","prev":"{prev}""#);
        let hash = record::hash(prev, body.as_bytes());
        lines.push(format!("{body},\"hash\":\"{hash}\"}}"));
    });
    assert_eq!(flaw(&file), (7, Flaw::AfterStop));
}

#[tokio::test]
async fn a_torn_or_cut_tail_is_not_proven() {
    let (_home, file) = written().await;
    let whole = fs::read(&file).unwrap();
    let ends: Vec<_> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let (state, code) = judge(&file);
        assert_eq!(code, 2, "{length}: {state:?}");
        let whole_lines = length > 0 && ends.contains(&(length - 1));
        assert_eq!(whole_lines, matches!(state, State::Open { .. }), "{length}: {state:?}");
    }
    let mut zeros = whole[..whole.len() - 20].to_vec();
    zeros.extend([0; 500]);
    fs::write(&file, zeros).unwrap();
    assert_eq!(judge(&file).1, 2);
}

#[test]
fn folders_without_chains() {
    let home = tempfile::tempdir().unwrap();
    let missing = verify(&home.path().join("none"));
    assert_eq!(missing.exit_code(), 3);
    assert!(missing.to_string().contains("UNREADABLE"));
    fs::write(home.path().join("notes.txt"), "x").unwrap();
    let empty = verify(home.path());
    assert_eq!(empty.exit_code(), 2);
    assert!(empty.to_string().contains("no records"));
    fs::create_dir(home.path().join("a\n.jsonl")).unwrap();
    let stranger = verify(home.path());
    assert_eq!(stranger.exit_code(), 2);
    assert!(stranger.to_string().contains(r"a\n.jsonl: left out"), "{stranger}");
    fs::create_dir(home.path().join("20260102T030405Z-i.jsonl")).unwrap();
    let odd = verify(home.path());
    assert_eq!(odd.exit_code(), 3);
    assert!(odd.to_string().contains("20260102T030405Z-i.jsonl: UNREADABLE"), "{odd}");
}
