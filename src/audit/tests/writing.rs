//! What lands in the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::record;
use super::*;

#[tokio::test]
async fn a_call_is_an_intent_and_a_result_under_one_name() {
    let (_home, file) = written().await;
    let records = records(&file);
    let kinds: Vec<_> = records.iter().map(|r| r["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["start", "intent", "result", "denied", "checkpoint", "stop"]);
    assert_eq!(records[0]["actor"]["pid"], std::process::id());
    assert_eq!(records[1]["time"], "2026-01-02T03:04:05.678Z");
    let result = &records[2];
    let shown: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        shown,
        [
            "seq", "time", "instance", "event", "intent", "call", "tool", "action", "resource",
            "outcome", "prev", "hash"
        ]
    );
    assert_eq!(result["intent"], records[1]["seq"]);
    assert_eq!(result["call"], "c1");
    assert_eq!(result["resource"]["name"], "prod/db");
    assert_eq!(result["prev"], records[1]["hash"]);
    let report = verify(folder(&file));
    assert_eq!((report.exit_code(), report.records(), report.unknown_outcomes()), (0, 6, 0));
    assert!(report.to_string().contains("\nverified: files 1, records 6"), "{report}");
}

#[tokio::test]
async fn folder_and_file_are_private_and_the_file_is_new() {
    let (_home, file, _log) = open();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(folder(&file)), mode(&file)), (0o700, 0o600));
    let again =
        AuditLog::open(folder(&file), clock(), "i-1", Event::default(), keeping()).unwrap_err();
    assert!(matches!(again, AuditError::Io { doing: "create", .. }), "{again}");
    for instance in ["", "a/b", "../x", "é"] {
        let refused = AuditLog::open(folder(&file), clock(), instance, Event::default(), keeping());
        assert!(matches!(refused, Err(AuditError::Instance)));
    }
    fs::set_permissions(folder(&file), fs::Permissions::from_mode(0o777)).unwrap();
    let open_to_all = AuditLog::open(folder(&file), clock(), "i-2", Event::default(), keeping());
    assert!(matches!(open_to_all, Err(AuditError::Exposed { .. })));
}

/// The hash was computed by another program (`sha256sum`): the format cannot drift unseen.
#[test]
fn the_format_is_the_documented_one() {
    let body = br#"{"seq":1,"event":"start","prev":"0000000000000000000000000000000000000000000000000000000000000000""#;
    assert_eq!(
        record::hash(record::GENESIS, body),
        "3579d626a44cf7609e4bff9887ee932714cea0e3a52df3d9cdadb2bf48a4783a"
    );
}

#[tokio::test]
async fn no_text_leaves_its_line_or_its_alphabet() {
    let (_home, file, log) = open();
    let hostile = "a\r\n\"}\u{2028}\u{202e}\u{85}\u{7f}\u{e0041}中";
    let event = Event {
        client: Some(format!("{hostile}{}", "x".repeat(100))),
        destination: Some(hostile.into()),
        ..event(hostile)
    };
    let trail = log.intent(event, Durability::Written).await.unwrap();
    assert!(trail.close(outcome(hostile)).await.is_recorded());
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
    let records = records(&file);
    assert_eq!(records.len(), 3);
    assert_eq!(records[1]["destination"], hostile);
    let client = records[1]["client"].as_str().unwrap();
    assert_eq!(client, format!("a??\"}}??????{}", "x".repeat(53)));
    log.stop().await;
    assert_eq!(judge(&file).1, 0);
}

#[tokio::test]
async fn a_record_too_long_to_read_is_refused_and_spoils_nothing() {
    let (_home, file, log) = open();
    let huge = "x".repeat(record::MAX_LINE);
    let refused = log.intent(event(&huge), Durability::Synced).await;
    assert!(matches!(refused, Err(AuditError::TooLong { .. })));
    assert!(log.refuse(Kind::Denied, event("c1")).await.is_recorded());
    log.stop().await;
    assert_eq!(judge(&file).1, 0);
}

#[tokio::test]
async fn a_trail_that_is_dropped_leaves_aborted() {
    let (_home, file, log) = open();
    let trail = log.intent(event("c1"), Durability::Synced).await.unwrap();
    let seq = trail.seq();
    drop(trail);
    log.stop().await;
    let records = records(&file);
    assert_eq!(records[2]["event"], "aborted");
    assert_eq!((&records[2]["intent"], &records[2]["call"]), (&seq.into(), &"c1".into()));
    let report = verify(folder(&file));
    assert_eq!((report.exit_code(), report.unknown_outcomes()), (0, 1));
    assert!(report.to_string().contains("unknown outcome of 2\n"), "{report}");
}

/// An intent that was written while nobody waited for it any more.
#[tokio::test]
async fn an_intent_given_up_while_waiting_leaves_aborted() {
    let (_home, file, log) = open();
    {
        let mut asking = std::pin::pin!(log.intent(event("c1"), Durability::Written));
        let once = std::future::poll_fn(|cx| std::task::Poll::Ready(asking.as_mut().poll(cx)));
        // Polled once, so asked; whether or not the answer was there already, it is dropped now.
        drop(once.await);
    }
    // Behind the intent, so that its trail is dropped by the time this is answered.
    log.record(Kind::Denied, event("c2"), Durability::Written).await.unwrap();
    log.stop().await;
    let kinds: Vec<_> = records(&file).into_iter().map(|mut r| r["event"].take()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "aborted").count(), 1, "{kinds:?}");
}

#[tokio::test]
async fn after_stop_nothing_is_recorded() {
    let (_home, file, log) = open();
    let trail = log.intent(event("c1"), Durability::Written).await.unwrap();
    log.stop().await;
    log.stop().await;
    assert!(!trail.close(outcome("deleted")).await.is_recorded());
    assert!(!log.refuse(Kind::Denied, event("c2")).await.is_recorded());
    log.post(Kind::EgressBlocked, event("c3"));
    let late = log.intent(event("c4"), Durability::Written).await;
    assert!(matches!(late, Err(AuditError::Stopped)));
    let report = verify(folder(&file));
    assert_eq!((report.records(), report.unknown_outcomes()), (4, 1));
}

#[test]
fn threads_share_one_chain() {
    let (_home, file, log) = open();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = log.clone();
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for n in 0..100 {
                        let call = event(&format!("{thread}-{n}"));
                        let trail = log.intent(call, Durability::Written).await.unwrap();
                        assert!(trail.close(outcome("deleted")).await.is_recorded());
                    }
                });
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.stop());
    let report = verify(folder(&file));
    assert_eq!(
        (report.exit_code(), report.records(), report.unknown_outcomes()),
        (0, 1603 + 1600 / 64, 0)
    );
}
