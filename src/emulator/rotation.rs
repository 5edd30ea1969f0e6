//! Rotation of managed secrets: intervals, and new values for a service that is not there.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::behaviour::Behaviour;
use super::error::Refusal;
use super::managed;
use super::seal::Seal;
use super::secrets::Secret;
use super::stages::{CURRENT, Stages};
use super::versions::{self, Version};

/// `integer[unit]` with unit d, h, m or s, in seconds.
pub(crate) fn interval(text: &str, behaviour: &Behaviour) -> Result<i64, Refusal> {
    let units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(letter, seconds)| Some((text.strip_suffix(letter)?, seconds)))
        .ok_or(Refusal::InvalidParameter)?;
    let bounds = behaviour.shortest_rotation_seconds..=behaviour.longest_rotation_seconds;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse::<i64>().ok()?.checked_mul(unit))
        .flatten()
        .filter(|seconds| bounds.contains(seconds))
        .ok_or(Refusal::InvalidParameter)
}

/// Gives a managed secret a new value as version `id`, which must be new.
pub(crate) fn rotate(
    tx: &Transaction<'_>,
    seal: &Seal,
    secret: &mut Secret,
    id: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut stages = Stages::load(tx, secret.id)?;
    let current = stages.holder(CURRENT).ok_or(Refusal::Internal)?;
    let current = Version::find(tx, secret.id, current)?.ok_or(Refusal::Internal)?;
    let value = seal.open_value(&secret.name, &current.id, &current.data)?;
    let value = managed::rotated(secret.kind, secret.extended.as_deref(), &value, now)?;
    let data = seal.seal(&secret.name, id, &value)?;
    let ms = now.as_millisecond();
    Version { id: id.to_owned(), created: ms, data, data_type: "text".to_owned() }
        .insert(tx, secret.id)?;
    stages.put(id, &[CURRENT.to_owned()])?;
    stages.save(tx, secret.id)?;
    versions::drop_overflow(tx, secret.id)?;
    secret.rotated = Some(ms);
    plan(secret, ms);
    secret.update(tx, ms)
}

/// Sets the next rotation: an interval after the last one, at once if that is past.
pub(crate) fn plan(secret: &mut Secret, now: i64) {
    secret.next_rotation = match (secret.rotates, secret.interval) {
        (Some(true), Some(seconds)) => {
            let next = secret.rotated.unwrap_or(secret.created).saturating_add(seconds * 1000);
            Some(next.max(now))
        }
        _ => None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_in_seconds_and_bounds() {
        let interval = |text| interval(text, &Behaviour::default());
        assert_eq!(interval("7d"), Ok(604_800));
        assert_eq!(interval("168h"), Ok(604_800));
        assert_eq!(interval("604800s"), Ok(604_800));
        for wrong in ["", "d", "604800", "-7d", "7w", "5h", "8761h", "99999999999999999999d"] {
            assert_eq!(interval(wrong), Err(Refusal::InvalidParameter), "{wrong}");
        }
    }
}
