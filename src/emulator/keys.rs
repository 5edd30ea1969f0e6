//! Keys and KMS instances: enough of them for secrets to refer to.
//!
//! They encrypt nothing here; secret values are sealed with the key of the data folder.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::behaviour::Behaviour;
use super::error::Refusal;
use super::identity::Identity;
use super::{EmulatorError, arn, random};

/// The alias of the key that KMS keeps for secrets without one of their own.
pub(crate) const SERVICE_ALIAS: &str = "alias/acs/kms";
pub(crate) const SYMMETRIC: [&str; 2] = ["Aliyun_AES_256", "Aliyun_SM4"];

/// A key's row.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) spec: String,
    pub(crate) usage: String,
    pub(crate) origin: String,
    pub(crate) protection: String,
    pub(crate) state: String,
    pub(crate) service: bool,
    pub(crate) description: String,
    pub(crate) created: i64,
    /// In seconds; missing if it does not rotate.
    pub(crate) interval: Option<i64>,
    pub(crate) version: String,
    pub(crate) policy: Option<String>,
    /// A JSON array.
    pub(crate) tags: String,
}

impl Key {
    pub(crate) fn insert(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        tx.execute(
            "INSERT INTO key (id, instance, spec, usage, origin, protection, state, service,
               description, created, interval, version, policy, tags)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                self.id,
                self.instance,
                self.spec,
                self.usage,
                self.origin,
                self.protection,
                self.state,
                self.service,
                self.description,
                self.created,
                self.interval,
                self.version,
                self.policy,
                self.tags,
            ],
        )?;
        Ok(())
    }
}

/// Fills a new database: one KMS instance and the service key.
pub(crate) fn seed(tx: &Transaction<'_>, now: i64) -> Result<(), EmulatorError> {
    let instance = format!("kst-hzz{}", random::lower(17)?);
    tx.execute("INSERT INTO instance (id) VALUES (?)", [instance])?;
    let key = Key {
        id: random::uuid()?,
        instance: None,
        spec: "Aliyun_AES_256".to_owned(),
        usage: "ENCRYPT/DECRYPT".to_owned(),
        origin: "Aliyun_KMS".to_owned(),
        protection: "SOFTWARE".to_owned(),
        state: "Enabled".to_owned(),
        service: true,
        description: String::new(),
        created: now,
        interval: None,
        version: random::uuid()?,
        policy: None,
        tags: "[]".to_owned(),
    };
    Ok(key.insert(tx)?)
}

/// Refuses an instance that is not there.
pub(crate) fn check_instance(tx: &Transaction<'_>, id: &str) -> Result<(), Refusal> {
    let known = "SELECT EXISTS (SELECT 1 FROM instance WHERE id = ?)";
    if tx.query_row(known, [id], |row| row.get(0))? {
        Ok(())
    } else {
        Err(Refusal::InstanceNotFound)
    }
}

/// The id of a key that can encrypt a secret in `instance`, given as id, ARN or alias.
pub(crate) fn for_secret(
    tx: &Transaction<'_>,
    given: &str,
    instance: Option<&str>,
    identity: &Identity,
) -> Result<String, Refusal> {
    let id = arn::local(given, "key", identity)?;
    let found: Option<(String, String, Option<String>, String)> = tx
        .query_row(
            "SELECT id, spec, instance, state FROM key WHERE id = ?1 OR (service AND ?1 = ?2)",
            [id, SERVICE_ALIAS],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let (id, spec, home, state) = found.ok_or(Refusal::ResourceNotFound)?;
    let usable = SYMMETRIC.contains(&spec.as_str()) && home.as_deref() == instance;
    if usable && state == "Enabled" { Ok(id) } else { Err(Refusal::InvalidParameter) }
}

/// Refuses one key more than the account may have.
pub(crate) fn check_room(tx: &Transaction<'_>, behaviour: &Behaviour) -> Result<(), Refusal> {
    let Some(most) = behaviour.most_keys else { return Ok(()) };
    let count: i64 = tx.query_row("SELECT count(*) FROM key", [], |row| row.get(0))?;
    if count < most { Ok(()) } else { Err(Refusal::LimitExceeded) }
}
