//! A secret's row: everything but its versions, stages and tags.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::answer::Answer;
use super::behaviour::Behaviour;
use super::dates;
use super::error::Refusal;
use super::managed::SecretType;

const COLUMNS: &str = "id, name, type, description, instance, key, created, updated, \
     planned_delete, extended, rotates, interval, rotated, next_rotation, policy";

/// A secret.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) kind: SecretType,
    pub(crate) description: String,
    pub(crate) instance: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) planned_delete: Option<i64>,
    /// Of managed types: a JSON object.
    pub(crate) extended: Option<String>,
    /// Of managed types: whether it rotates by itself.
    pub(crate) rotates: Option<bool>,
    /// In seconds.
    pub(crate) interval: Option<i64>,
    pub(crate) rotated: Option<i64>,
    pub(crate) next_rotation: Option<i64>,
    pub(crate) policy: Option<String>,
}

impl Secret {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let kind: String = row.get("type")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            kind: SecretType::named(&kind).unwrap_or(SecretType::Generic),
            description: row.get("description")?,
            instance: row.get("instance")?,
            key: row.get("key")?,
            created: row.get("created")?,
            updated: row.get("updated")?,
            planned_delete: row.get("planned_delete")?,
            extended: row.get("extended")?,
            rotates: row.get("rotates")?,
            interval: row.get("interval")?,
            rotated: row.get("rotated")?,
            next_rotation: row.get("next_rotation")?,
            policy: row.get("policy")?,
        })
    }

    pub(crate) fn find(tx: &Transaction<'_>, name: &str) -> Result<Option<Self>, Refusal> {
        let select = format!("SELECT {COLUMNS} FROM secret WHERE name = ?");
        Ok(tx.query_row(&select, [name], Self::of).optional()?)
    }

    /// The secrets whose rotation is due at `now`.
    pub(crate) fn due(tx: &Transaction<'_>, now: i64) -> Result<Vec<Self>, Refusal> {
        let select = format!(
            "SELECT {COLUMNS} FROM secret WHERE next_rotation <= ? AND planned_delete IS NULL"
        );
        let mut select = tx.prepare(&select)?;
        let due = select.query_map([now], Self::of)?;
        Ok(due.collect::<Result<_, _>>()?)
    }

    /// Stores a new secret and sets its `id`.
    pub(crate) fn insert(&mut self, tx: &Transaction<'_>) -> Result<(), Refusal> {
        tx.execute(
            "INSERT INTO secret (name, type, description, instance, key, created, updated,
               extended, rotates, interval, rotated, next_rotation, policy)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                self.name,
                self.kind.name(),
                self.description,
                self.instance,
                self.key,
                self.created,
                self.updated,
                self.extended,
                self.rotates,
                self.interval,
                self.rotated,
                self.next_rotation,
                self.policy,
            ],
        )?;
        self.id = tx.last_insert_rowid();
        Ok(())
    }

    /// Stores what may change, with `now` as the time of the change.
    pub(crate) fn update(&mut self, tx: &Transaction<'_>, now: i64) -> Result<(), Refusal> {
        self.updated = now;
        tx.execute(
            "UPDATE secret SET description = ?, updated = ?, planned_delete = ?, extended = ?,
               rotates = ?, interval = ?, rotated = ?, next_rotation = ?, policy = ?
             WHERE id = ?",
            params![
                self.description,
                self.updated,
                self.planned_delete,
                self.extended,
                self.rotates,
                self.interval,
                self.rotated,
                self.next_rotation,
                self.policy,
                self.id,
            ],
        )?;
        Ok(())
    }

    /// Adds what answers say of the rotation of managed types.
    pub(crate) fn with_rotation(&self, answer: Answer) -> Answer {
        let state = self.rotates.map(|rotates| if rotates { "Enabled" } else { "Disabled" });
        let interval = self.interval.map(|seconds| format!("{seconds}s"));
        answer
            .maybe("AutomaticRotation", state)
            .maybe("RotationInterval", interval)
            .maybe("LastRotationDate", self.rotated.map(dates::seconds))
            .maybe("NextRotationDate", self.next_rotation.map(dates::seconds))
    }
}

/// Refuses a name that KMS would not take for a secret of that type.
pub(crate) fn check_name(name: &str, kind: SecretType) -> Result<(), Refusal> {
    let valid = name.len() <= 192
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_/+=.@-".contains(c))
        && match kind {
            SecretType::Ecs => name.strip_prefix("acs/ecs/").is_some_and(|rest| !rest.is_empty()),
            SecretType::RamCredentials => name.starts_with("acs/ram/user/"),
            SecretType::Generic | SecretType::Rds | SecretType::Redis | SecretType::PolarDb => {
                !name.starts_with("acs/")
            }
        };
    if valid { Ok(()) } else { Err(Refusal::InvalidParameter) }
}

/// Refuses one secret more than the account may have.
pub(crate) fn check_room(tx: &Transaction<'_>, behaviour: &Behaviour) -> Result<(), Refusal> {
    let Some(most) = behaviour.most_secrets else { return Ok(()) };
    let count: i64 = tx.query_row("SELECT count(*) FROM secret", [], |row| row.get(0))?;
    if count < most { Ok(()) } else { Err(Refusal::LimitExceeded) }
}
