//! Attempts at a PIN that is locked: they cost nothing, and must not fill the disk.

use serde_json::json;

use super::{Asked, server};
use crate::audit_bounded::assert_bounded;

#[test]
fn attempts_at_a_locked_pin_are_counted_and_the_lock_is_on_record_once() {
    let mut server = server(true);
    let asked = Asked::disclosure(&mut server);
    let form = format!("seal={}&answer=approve&pin=five+horses", asked.open().seal());
    for _ in 0..5 {
        assert_eq!(asked.post(&form).status, 403);
    }
    let attempts = 400;
    for _ in 0..attempts {
        assert!(asked.post(&form).body.contains("the PIN is locked"));
    }
    assert_bounded(&server, "factor_failed", &json!("PinLocked"), attempts);
    let audit = server.audit();
    let of = |event: &str, code: &str| {
        audit.iter().filter(|one| one["event"] == event && one["code"] == code).count()
    };
    assert_eq!((of("factor_failed", "PinWrong"), of("lockout", "PinLocked")), (5, 1));
}
