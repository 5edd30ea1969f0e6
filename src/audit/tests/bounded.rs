//! What costs an agent nothing fills no disk, and no alarm is lost.

use super::*;

fn count(records: &[Value], event: &str) -> usize {
    records.iter().filter(|record| record["event"] == event).count()
}

#[tokio::test]
async fn a_flood_of_refusals_is_a_count() {
    let (_home, file, log) = open();
    let refused = Event { code: Some("DeniedByPolicy".into()), ..event("c1") };
    for _ in 0..1_000 {
        assert!(log.refuse(Kind::Denied, refused.clone()).await.is_recorded());
    }
    // What was sent is never counted only, and neither is what KMS said of it.
    for _ in 0..200 {
        let trail = log.intent(event("c2"), Durability::Written).await.unwrap();
        assert!(trail.close(outcome("deleted")).await.is_recorded());
        assert!(log.refuse(Kind::Result, event("c3")).await.is_recorded());
    }
    // Nor is what a person decided.
    for _ in 0..200 {
        log.record(Kind::Denied, outcome("no"), Durability::Written).await.unwrap();
    }
    log.stop().await;
    let records = records(&file);
    assert_eq!(count(&records, "denied"), 100 + 200);
    assert_eq!((count(&records, "intent"), count(&records, "result")), (200, 400));
    let told: Vec<&Value> =
        records.iter().filter(|record| record["event"] == "suppressed").collect();
    assert_eq!(told.len(), 1);
    let expected = serde_json::json!({ "event": "denied", "count": 900,
        "since": "2026-01-02T03:04:05.678Z", "codes": { "DeniedByPolicy": 900 } });
    assert_eq!(told[0]["suppressed"], expected);
    assert_eq!(verify(folder(&file)).exit_code(), 0);
}

#[tokio::test]
async fn a_count_is_told_a_second_later_without_another_record() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("audit");
    let clock = Clock::system();
    let log = AuditLog::open(&folder, clock, "i-1", Event::default(), keeping()).unwrap();
    for _ in 0..200 {
        assert!(log.refuse(Kind::Denied, event("c1")).await.is_recorded());
    }
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    // The writer has a clock of its own.
    let told = (0..6_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        count(&records(&file), "suppressed") > 0
    });
    assert!(told);
}

#[tokio::test]
async fn a_refusal_is_only_counted_while_the_log_can_be_written() {
    let (_home, file, log) = open();
    for _ in 0..150 {
        assert!(log.refuse(Kind::Denied, event("c1")).await.is_recorded());
    }
    fs::remove_file(&file).unwrap();
    assert!(!log.refuse(Kind::Denied, event("c1")).await.is_recorded());
    let later = log.intent(event("c2"), Durability::Written).await;
    assert!(matches!(later, Err(AuditError::Poisoned)));
}

#[tokio::test]
async fn an_alarm_of_many_places_is_on_record() {
    let (_home, file, log) = open();
    let places: Vec<String> =
        (0..10_000).map(|place| format!("/result/{place}/{}", "x".repeat(300))).collect();
    log.post(Kind::EgressBlocked, Event::egress_blocked(Some("ListSecrets".into()), &places));
    log.stop().await;
    let record = &records(&file)[1];
    assert_eq!((&record["event"], &record["places"]), (&"egress_blocked".into(), &10_000.into()));
    let named = record["outcome"].as_str().unwrap();
    assert_eq!((named.split(' ').count(), named.len()), (16, 16 * 200 + 15));
}

#[tokio::test]
async fn an_alarm_that_is_too_long_is_shortened_or_ends_the_log() {
    let (_home, file, log) = open();
    let too_long = || Some("x".repeat(70_000));
    log.post(Kind::EgressBlocked, Event { outcome: too_long(), ..event("c1") });
    log.record(Kind::Shown, event("c2"), Durability::Written).await.unwrap();
    let record = &records(&file)[1];
    let told = ["event", "call", "tool", "code"].map(|name| record[name].as_str().unwrap());
    assert_eq!(told, ["egress_blocked", "c1", "DeleteSecret", "RecordTooLong"]);
    log.post(Kind::Lockout, Event { tool: too_long(), ..Event::default() });
    let later = log.record(Kind::Shown, event("c3"), Durability::Written).await;
    assert!(matches!(later, Err(AuditError::Poisoned)), "{later:?}");
}
