//! A log that can no longer be trusted while it is in use: nothing may be sent afterwards.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::Command;

use super::super::chain::Chain;
use super::super::log::Entry;
use super::*;

/// Nothing gets in any more, and what was open cannot be closed.
async fn assert_given_up(log: &AuditLog, open: Trail, expected: fn(&AuditError) -> bool) {
    let error = log.intent(event("c8"), Durability::Synced).await.unwrap_err();
    assert!(expected(&error), "{error:?}");
    let later = log.intent(event("c9"), Durability::Written).await;
    assert!(matches!(later, Err(AuditError::Poisoned)));
    assert!(!open.close(outcome("deleted")).await.is_recorded());
}

#[tokio::test]
async fn an_unlinked_file_ends_the_log() {
    let (_home, file, log) = open();
    let trail = log.intent(event("c1"), Durability::Synced).await.unwrap();
    fs::remove_file(&file).unwrap();
    assert_given_up(&log, trail, |error| matches!(error, AuditError::Replaced { .. })).await;
    assert!(!file.exists());
}

#[tokio::test]
async fn a_replaced_file_ends_the_log_even_if_it_reads_the_same() {
    let (_home, file, log) = open();
    let trail = log.intent(event("c1"), Durability::Synced).await.unwrap();
    let copy = file.with_extension("copy");
    fs::copy(&file, &copy).unwrap();
    fs::rename(&copy, &file).unwrap();
    assert_given_up(&log, trail, |error| matches!(error, AuditError::Replaced { .. })).await;
}

#[tokio::test]
async fn a_link_in_place_of_the_file_ends_the_log() {
    let (_home, file, log) = open();
    let trail = log.intent(event("c1"), Durability::Synced).await.unwrap();
    let moved = file.with_extension("moved");
    fs::rename(&file, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &file).unwrap();
    assert_given_up(&log, trail, |error| matches!(error, AuditError::Replaced { .. })).await;
}

#[tokio::test]
async fn a_cut_or_grown_file_ends_the_log_and_is_left_as_found() {
    for length in [0, 10, 100_000] {
        let (_home, file, log) = open();
        let trail = log.intent(event("c1"), Durability::Synced).await.unwrap();
        OpenOptions::new().write(true).open(&file).unwrap().set_len(length).unwrap();
        assert_given_up(&log, trail, |error| matches!(error, AuditError::Resized { .. })).await;
        assert_eq!(fs::metadata(&file).unwrap().len(), length);
    }
}

#[tokio::test]
async fn a_byte_changed_in_place_is_found_by_verify() {
    let (_home, file, log) = open();
    let mut raw = OpenOptions::new().write(true).open(&file).unwrap();
    raw.seek(SeekFrom::Start(30)).unwrap();
    raw.write_all(b"X").unwrap();
    log.stop().await;
    assert_eq!(flaw(&file), (1, Flaw::BadHash));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_ends_the_log() {
    let full = PathBuf::from("/dev/full");
    let file = OpenOptions::new().append(true).open(&full).unwrap();
    let chain = Chain::on(file, full.clone(), clock(), "i-1", keeping()).unwrap();
    let log = AuditLog::over(chain, &full).unwrap();
    let error = log.intent(event("c1"), Durability::Written).await.unwrap_err();
    assert!(matches!(error, AuditError::Io { doing: "write", .. }), "{error:?}");
    let later = log.intent(event("c2"), Durability::Written).await;
    assert!(matches!(later, Err(AuditError::Poisoned)));
    assert!(!log.refuse(Kind::Denied, event("c3")).await.is_recorded());
}

/// `/dev/null` takes every byte and cannot be synced: so a synced record is seen to be synced, and
/// one that cannot be is seen to count as none.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_record_that_cannot_be_synced_ends_the_log() {
    let null = PathBuf::from("/dev/null");
    let log = || {
        let file = OpenOptions::new().append(true).open(&null).unwrap();
        AuditLog::over(Chain::on(file, null.clone(), clock(), "i-1", keeping()).unwrap(), &null)
            .unwrap()
    };
    assert!(log().record(Kind::Denied, event("c1"), Durability::Written).await.is_ok());
    assert!(!log().refuse(Kind::Denied, event("c1")).await.is_recorded());
    let synced = log();
    let error = synced.intent(event("c1"), Durability::Synced).await.unwrap_err();
    assert!(matches!(error, AuditError::Io { doing: "write", .. }), "{error:?}");
    let later = synced.intent(event("c2"), Durability::Written).await;
    assert!(matches!(later, Err(AuditError::Poisoned)));
}

#[test]
fn no_log_opens_where_no_file_can_be_made() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    for folder in [file.clone(), file.join("audit")] {
        let refused = AuditLog::open(&folder, clock(), "i-1", Event::default(), keeping());
        assert!(matches!(refused, Err(AuditError::Io { .. })));
    }
}

/// Run by the next test in a process that may not write files of more than a few kilobytes.
#[test]
#[ignore = "needs the file size limit that `half_a_line_is_taken_back` sets"]
fn writes_until_the_limit() {
    if !Path::new("limited").exists() {
        return;
    }
    let log =
        AuditLog::open(Path::new("audit"), clock(), "i-1", Event::default(), keeping()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        loop {
            match log.record(Kind::Denied, event("c1"), Durability::Written).await {
                Ok(_) => {}
                Err(AuditError::Io { doing: "write", .. }) => break,
                Err(error) => panic!("{error:?}"),
            }
        }
    });
}

#[test]
fn half_a_line_is_taken_back() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("limited"), "").unwrap();
    // The signal ignored, a write over the limit is cut short and the next one fails.
    let status = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 7 && exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "audit::tests::failing::writes_until_the_limit"])
        .current_dir(home.path())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let report = verify(&home.path().join("audit"));
    // Nothing is torn, but nobody could sign the end.
    assert_eq!(report.exit_code(), 2, "{report}");
    assert!(matches!(report.files[0].state, State::Open { .. }), "{report}");
    assert!((5..100).contains(&report.records()), "{report}");
}

/// A pipe takes what is written and cannot be synced: so it shows whether syncing was tried.
#[test]
fn a_record_that_cannot_be_synced_is_none() {
    for (durability, holds) in [(Durability::Written, true), (Durability::Synced, false)] {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let pipe = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut chain = Chain::on(pipe, path, clock(), "i-1", keeping()).unwrap();
        let entry = Entry { kind: Kind::Intent, intent: None, event: event("c1"), durability };
        assert_eq!(chain.append(entry).is_ok(), holds, "{durability:?}");
    }
}
