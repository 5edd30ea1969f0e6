//! The published call rates of an account; refused beyond them if `Behaviour::quotas` says so.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::actions::Action;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;

/// How often each group of actions was called in its current window.
#[derive(Debug, Default)]
pub(crate) struct Quota(Mutex<HashMap<Group, Window>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    CreateDelete,
    Read,
    List,
    Rotate,
    KeyRead,
    KeyCreate,
}

#[derive(Debug, Default)]
struct Window {
    start: i64,
    calls: u32,
}

impl Quota {
    /// Counts a call; `false` if it is one too many.
    pub(crate) fn admit(&self, action: Action, now: i64) -> bool {
        let group = group(action);
        let (limit, length) = rate(group);
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(group).or_default();
        let start = now - now.rem_euclid(length);
        if window.start != start {
            *window = Window { start, calls: 0 };
        }
        window.calls += 1;
        window.calls <= limit
    }
}

fn rate(group: Group) -> (u32, i64) {
    match group {
        Group::CreateDelete | Group::KeyCreate => (10, SECOND),
        Group::Read => (450, SECOND),
        Group::List => (40, SECOND),
        Group::Rotate => (50, HOUR),
        Group::KeyRead => (50, SECOND),
    }
}

fn group(action: Action) -> Group {
    match action {
        Action::CreateSecret | Action::DeleteSecret => Group::CreateDelete,
        Action::GetSecretValue | Action::DescribeSecret => Group::Read,
        Action::RotateSecret => Group::Rotate,
        Action::ListKeys | Action::ListKmsInstances => Group::KeyRead,
        Action::CreateKey => Group::KeyCreate,
        Action::UpdateSecret
        | Action::ListSecrets
        | Action::PutSecretValue
        | Action::ListSecretVersionIds
        | Action::UpdateSecretVersionStage
        | Action::UpdateSecretRotationPolicy
        | Action::RestoreSecret
        | Action::SetSecretPolicy
        | Action::GetSecretPolicy => Group::List,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_creation_in_a_second_is_refused() {
        let quota = Quota::default();
        assert!((0..10).all(|ms| quota.admit(Action::CreateSecret, ms)));
        assert!(!quota.admit(Action::DeleteSecret, 999));
        assert!(quota.admit(Action::DescribeSecret, 999));
        assert!(quota.admit(Action::CreateSecret, 1000));
    }
}
