//! When a checkpoint is written, what it proves, and where it is copied to.

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::super::record::{self, GENESIS, Record};
use super::super::verify::Expected;
use super::*;

fn kinds(file: &Path) -> Vec<String> {
    records(file).iter().map(|record| record["event"].as_str().unwrap().to_owned()).collect()
}

async fn note(log: &AuditLog) -> Result<u64, AuditError> {
    log.record(Kind::Denied, event("c1"), Durability::Written).await
}

/// A log over a folder of its own.
fn kept(keeping: Keeping, clock: Clock) -> (TempDir, PathBuf, AuditLog) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("audit");
    let log = AuditLog::open(&folder, clock, "i-1", Event::default(), keeping).unwrap();
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    (home, file, log)
}

#[tokio::test]
async fn after_64_records_comes_a_checkpoint() {
    let (_home, file, log) = open();
    for _ in 0..200 {
        note(&log).await.unwrap();
    }
    let kinds = kinds(&file);
    let signed: Vec<usize> = (1..=kinds.len()).filter(|n| kinds[n - 1] == "checkpoint").collect();
    assert_eq!(signed, [65, 130, 195]);
    let report = verify(folder(&file));
    assert!(matches!(report.files[0].state, State::Open { unproved: 9 }), "{report}");
}

#[tokio::test]
async fn after_a_minute_comes_a_checkpoint_and_after_nothing_none() {
    let seconds = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&seconds);
    let clock =
        Clock::from_fn(move || jiff::Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
    let (_home, file, log) = kept(keeping(), clock);
    let at = |second| seconds.store(second, Ordering::SeqCst);
    at(59);
    note(&log).await.unwrap();
    assert_eq!(kinds(&file), ["start", "denied"]);
    at(60);
    note(&log).await.unwrap();
    assert_eq!(kinds(&file), ["start", "denied", "checkpoint", "denied"]);
    // The minute begins with the first record that is not signed yet, and a clock that is set
    // back does not shorten it.
    at(30);
    note(&log).await.unwrap();
    at(119);
    note(&log).await.unwrap();
    assert_eq!(kinds(&file).len(), 6);
    log.stop().await;
    assert_eq!(kinds(&file)[6..], ["checkpoint", "stop"]);
}

/// With no interval at all a checkpoint is due as soon as nobody asks for anything.
#[tokio::test]
async fn an_idle_log_writes_its_checkpoint_by_itself_and_once() {
    let mut keeping = keeping();
    keeping.interval = Duration::ZERO;
    let (_home, file, log) = kept(keeping, clock());
    let written = async {
        while kinds(&file).len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), written).await.expect("a checkpoint comes");
    assert_eq!(kinds(&file), ["start", "checkpoint"]);
    log.stop().await;
    assert_eq!(kinds(&file), ["start", "checkpoint", "stop"], "nothing to sign but the end");
}

#[tokio::test]
async fn a_signature_of_another_key_or_over_another_line_is_found() {
    let (_home, file) = written().await;
    let foreign = AuditKey::of_seed(&[8; 32]).unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let before: Value = serde_json::from_str(lines[3]).unwrap();
    let record = |instance| Record {
        seq: 5,
        time: clock().now(),
        instance,
        event: Kind::Checkpoint,
        part: None,
        intent: None,
        actor: None,
        body: Event::default(),
        key: None,
        prev: before["hash"].as_str().unwrap(),
    };
    let with = |line: Vec<u8>| {
        fs::write(&file, [lines[..4].join("\n").as_bytes(), b"\n", &line].concat()).unwrap();
    };
    with(record("i-1").seal(Some(&foreign)).unwrap().0);
    assert_eq!(flaw(&file), (5, Flaw::ForeignKey));
    with(record("i-1").seal(None).unwrap().0);
    assert_eq!(flaw(&file), (5, Flaw::BadSignature));
    // Signed, but over other bytes: the signature of another chain's checkpoint.
    let own = String::from_utf8(record("i-1").seal(Some(&key())).unwrap().0).unwrap();
    let other = String::from_utf8(record("i-2").seal(Some(&key())).unwrap().0).unwrap();
    let signature = |line: &str| {
        let rest = line.split("\"signature\":\"").nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let body = own.split(",\"hash\"").next().unwrap();
    let body = body.replace(&signature(&own), &signature(&other));
    let hash = record::hash(before["hash"].as_str().unwrap(), body.as_bytes());
    with(format!("{body},\"hash\":\"{hash}\"}}\n").into_bytes());
    assert_eq!(flaw(&file), (5, Flaw::BadSignature));
    with(own.into_bytes());
    assert!(matches!(judge(&file), (State::Open { unproved: 0 }, 2)));
}

/// Of another program's making (Python's hashlib, RFC 8032): the format cannot drift unseen.
#[test]
fn the_signature_is_the_documented_one() {
    let (line, _) = Record {
        seq: 1,
        time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        instance: "i-1",
        event: Kind::Checkpoint,
        part: None,
        intent: None,
        actor: None,
        body: Event::default(),
        key: None,
        prev: GENESIS,
    }
    .seal(Some(&key()))
    .unwrap();
    let line = String::from_utf8(line).unwrap();
    let (body, rest) = line.split_once(",\"signature\":\"").unwrap();
    assert!(body.ends_with(&format!(",\"key\":\"{}\",\"prev\":\"{GENESIS}\"", key().public())));
    let signed = [b"kms-mcp/audit/signature/v1\0", body.as_bytes()].concat();
    assert!(key().public().verifies(&signed, rest.split('"').next().unwrap()));
}

#[tokio::test]
async fn each_signed_line_is_copied_and_a_cut_or_rewritten_chain_is_found_by_it() {
    let elsewhere = tempfile::tempdir().unwrap();
    let (copy, socket) = (elsewhere.path().join("copy"), elsewhere.path().join("socket"));
    let journal = UnixDatagram::bind(&socket).unwrap();
    let mut keeping = keeping();
    keeping.copies = Copies::open(Some(&copy), Some(&socket)).unwrap();
    let (_home, file, log) = kept(keeping, clock());
    for _ in 0..70 {
        note(&log).await.unwrap();
    }
    log.stop().await;
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let mut signed = lines.clone();
    signed.retain(|line| line.contains("\"signature\""));
    let signed = signed.concat();
    assert_eq!(signed.lines().count(), 3);
    assert_eq!(fs::read_to_string(&copy).unwrap(), signed);
    for line in signed.lines() {
        let mut datagram = vec![0; 4096];
        let length = journal.recv(&mut datagram).unwrap();
        let told = String::from_utf8(datagram[..length].to_vec()).unwrap();
        assert_eq!(told, format!("SYSLOG_IDENTIFIER=kms-mcp\nPRIORITY=5\nMESSAGE={line}\n"));
    }

    let judged = |keys: Vec<PublicKey>| {
        let expected = Expected { keys, copy: Some(copy.clone()) };
        super::super::verify(folder(&file), &expected, &mut |_, _| ()).exit_code()
    };
    let ours = vec![key().public()];
    assert_eq!(judged(ours.clone()), 0);
    // Cut back to its first checkpoint.
    fs::write(&file, lines[..65].concat()).unwrap();
    assert_eq!((verify(folder(&file)).exit_code(), judged(ours.clone())), (2, 1));
    // Written anew, whole, by somebody who can read the key.
    fs::remove_file(&file).unwrap();
    assert_eq!((verify(folder(&file)).exit_code(), judged(ours.clone())), (2, 1));
    let forged =
        AuditLog::open(folder(&file), clock(), "i-1", Event::default(), super::keeping()).unwrap();
    for _ in 0..70 {
        forged.record(Kind::Denied, event("c2"), Durability::Written).await.unwrap();
    }
    forged.stop().await;
    assert_eq!((verify(folder(&file)).exit_code(), judged(ours.clone())), (0, 1));
    // A place shared with others: what other keys signed is theirs, unless no key is known.
    fs::write(&file, &whole).unwrap();
    let (_other_home, other, log) =
        kept(Keeping::new(AuditKey::of_seed(&[8; 32]).unwrap()), clock());
    log.stop().await;
    let theirs = fs::read_to_string(other).unwrap();
    let (start, theirs) = theirs.split_once('\n').unwrap();
    fs::write(&copy, signed.clone() + theirs).unwrap();
    assert_eq!((judged(Vec::new()), judged(ours.clone())), (1, 0));
    // The `start` of the other log is no signed record: who knows what was there before.
    fs::write(&copy, signed + start).unwrap();
    assert_eq!(judged(ours.clone()), 2);
    fs::write(&copy, "").unwrap();
    assert_eq!(judged(ours), 3);
}

#[tokio::test]
async fn a_second_place_that_fails_ends_the_log() {
    let elsewhere = tempfile::tempdir().unwrap();
    let socket = elsewhere.path().join("socket");
    let journal = UnixDatagram::bind(&socket).unwrap();
    let mut keeping = keeping();
    keeping.copies = Copies::open(None, Some(&socket)).unwrap();
    let (_home, _file, log) = kept(keeping, clock());
    // Started anew, it has another socket, which is found.
    drop(journal);
    fs::remove_file(&socket).unwrap();
    let journal = UnixDatagram::bind(&socket).unwrap();
    for _ in 0..70 {
        note(&log).await.unwrap();
    }
    assert!(journal.recv(&mut [0; 64]).unwrap() > 0);
    drop(journal);
    let mut failed = 0;
    for _ in 0..70 {
        match note(&log).await {
            Ok(_) => assert_eq!(failed, 0),
            Err(AuditError::Copy { .. }) => failed += 1,
            Err(AuditError::Poisoned) => assert_eq!(failed, 1),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(failed, 1);
}

#[test]
fn a_second_place_that_cannot_be_opened_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    // Nobody reads it.
    assert!(matches!(Copies::open(Some(&fifo), None), Err(AuditError::Copy { .. })));
    let nowhere = folder.path().join("no/such");
    assert!(matches!(Copies::open(Some(&nowhere), None), Err(AuditError::Copy { .. })));
    assert!(matches!(Copies::open(None, Some(&nowhere)), Err(AuditError::Copy { .. })));
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut text = String::new();
            fs::File::open(fifo).unwrap().read_to_string(&mut text).unwrap();
            text
        }
    });
    let mut copies = loop {
        // The reader is about to open it.
        if let Ok(copies) = Copies::open(Some(&fifo), None) {
            break copies;
        }
        std::thread::yield_now();
    };
    copies.keep(b"a line\n").unwrap();
    drop(copies);
    assert_eq!(reader.join().unwrap(), "a line\n");
}
