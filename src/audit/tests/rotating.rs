//! A chain over several files.

use super::*;

/// A stopped chain in several files, in order.
async fn rotated() -> (TempDir, Vec<PathBuf>) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("audit");
    let mut keeping = keeping();
    keeping.rotate_bytes = 4096;
    let start = Event { policy_digest: Some("ab".into()), ..Event::default() };
    let log = AuditLog::open(&folder, clock(), "i-1", start, keeping).unwrap();
    // Its result comes in a later file.
    let trail = log.intent(event("c0"), Durability::Synced).await.unwrap();
    for _ in 0..30 {
        log.record(Kind::Denied, event("c1"), Durability::Written).await.unwrap();
    }
    assert!(trail.close(outcome("deleted")).await.is_recorded());
    log.stop().await;
    let count = fs::read_dir(&folder).unwrap().count();
    assert!(count >= 3, "{count}");
    let file = |part| {
        let part = if part == 1 { String::new() } else { format!(".{part}") };
        folder.join(format!("20260102T030405Z-i-1{part}.jsonl"))
    };
    (home, (1..=count).map(file).collect())
}

/// How each file is judged, in the order of `files`; one that is not there: 9.
fn judged(files: &[PathBuf]) -> (Vec<u8>, u8) {
    let report = verify(folder(&files[0]));
    let of = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let found = report.files.iter().find(|report| report.name == name);
        found.map_or(9, |report| match report.state {
            State::Intact => 0,
            State::Broken { .. } => 1,
            State::Continued | State::Open { .. } | State::Uncopied { .. } | State::Torn => 2,
            State::Unreadable(_) => 3,
        })
    };
    (files.iter().map(of).collect(), report.exit_code())
}

#[tokio::test]
async fn one_chain_goes_on_from_file_to_file() {
    let (_home, files) = rotated().await;
    assert_eq!(judged(&files), (vec![0; files.len()], 0));
    let report = verify(folder(&files[0]));
    assert_eq!(report.unknown_outcomes(), 0, "{report}");
    let mut last: Option<Value> = None;
    for (number, file) in files.iter().enumerate() {
        let records = records(file);
        assert_eq!(records[0]["event"], "start");
        assert_eq!(records[0]["policy_digest"], "ab");
        if let Some(last) = last {
            assert_eq!(last["event"], "rotate");
            assert_eq!(records[0]["part"], number + 1);
            assert_eq!(records[0]["prev"], last["hash"]);
            assert_eq!(records[0]["seq"], last["seq"].as_u64().unwrap() + 1);
        }
        last = records.last().cloned();
    }
    assert_eq!(last.unwrap()["event"], "stop");
}

#[tokio::test]
async fn a_file_that_is_missing_twice_there_or_renamed_is_found() {
    type Change = fn(&[PathBuf]);
    let cases: [(&str, Change, &[u8], u8); 8] = [
        ("the first is missing", |files| fs::remove_file(&files[0]).unwrap(), &[9, 1, 1], 1),
        ("one between is missing", |files| fs::remove_file(&files[1]).unwrap(), &[0, 9, 1], 1),
        (
            "the last is missing",
            |files| fs::remove_file(files.last().unwrap()).unwrap(),
            &[0, 2, 9],
            2,
        ),
        (
            "one is there twice",
            |files| {
                drop(fs::copy(&files[1], folder(&files[1]).join("20260102T030406Z-i-1.2.jsonl")));
            },
            &[0, 0, 1],
            1,
        ),
        (
            "one is called as another",
            |files| {
                fs::rename(&files[1], folder(&files[1]).join("20260102T030405Z-i-1.9.jsonl"))
                    .unwrap();
            },
            &[0, 9, 1],
            1,
        ),
        (
            "two are swapped",
            |files| {
                let aside = files[0].with_extension("aside");
                fs::rename(&files[0], &aside).unwrap();
                fs::rename(&files[1], &files[0]).unwrap();
                fs::rename(&aside, &files[1]).unwrap();
            },
            &[1, 1],
            1,
        ),
        ("one between is cut", |files| edit(&files[1], |lines| lines.truncate(3)), &[0, 2, 1], 1),
        ("one between is emptied", |files| fs::write(&files[1], "").unwrap(), &[0, 2], 1),
    ];
    for (what, change, expected, code) in cases {
        let (_home, files) = rotated().await;
        change(&files);
        let (found, exit) = judged(&files);
        assert_eq!((&found[..expected.len()], exit), (expected, code), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn a_new_file_that_cannot_be_made_ends_the_log() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("audit");
    let mut keeping = keeping();
    keeping.rotate_bytes = 4096;
    let log = AuditLog::open(&folder, clock(), "i-1", Event::default(), keeping).unwrap();
    fs::write(folder.join("20260102T030405Z-i-1.2.jsonl"), "in the way").unwrap();
    let failed = loop {
        if let Err(error) = log.record(Kind::Denied, event("c1"), Durability::Written).await {
            break error;
        }
    };
    assert!(matches!(failed, AuditError::Io { doing: "create", .. }), "{failed:?}");
    let later = log.intent(event("c2"), Durability::Written).await;
    assert!(matches!(later, Err(AuditError::Poisoned)));
}

/// Long enough for several pieces, which different threads read.
#[tokio::test]
async fn a_long_file_is_read_in_pieces_and_means_the_same() {
    let (_home, file, log) = open();
    let big = Event {
        resource: Some(Resource { name: Some("x".repeat(60_000)), ..Resource::default() }),
        ..Event::default()
    };
    for _ in 0..90 {
        log.record(Kind::Denied, big.clone(), Durability::Written).await.unwrap();
    }
    log.stop().await;
    assert!(fs::metadata(&file).unwrap().len() > 5_000_000);
    let whole = fs::read(&file).unwrap();
    assert_eq!(judge(&file).1, 0);
    // In the first piece, at its edge and in the last.
    for at in [10, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, whole.len() - 10] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let line = whole[..at].split(|byte| *byte == b'\n').count() as u64;
        assert_eq!(flaw(&file), (line, Flaw::BadHash), "{at}");
    }
    // One line less, so that pieces begin elsewhere and do not follow each other.
    edit(&file, |lines| drop(lines.remove(40)));
    assert_eq!(judge(&file).1, 1);
    fs::write(&file, &whole).unwrap();
    edit(&file, |lines| drop(lines.remove(40)));
    assert!(matches!(flaw(&file), (41, Flaw::SeqGap { .. })));
    // All on one line.
    fs::write(&file, vec![b'x'; 9 << 20]).unwrap();
    assert_eq!(flaw(&file), (1, Flaw::TooLong));
}
