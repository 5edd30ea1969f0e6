//! [`Service`]: an opened emulator, shared by all its requests.

use tokio::sync::watch;

use super::behaviour::Behaviour;
use super::db::Db;
use super::faults::Faults;
use super::folder::Folder;
use super::identity::Identity;
use super::journal::Journal;
use super::quota::Quota;
use super::seal::Seal;
use super::verify::Nonces;
use super::{EmulatorError, Options, keys};
use crate::clock::Clock;

/// Everything a request needs.
pub(crate) struct Service {
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) db: Db,
    pub(crate) seal: Seal,
    pub(crate) behaviour: Behaviour,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) nonces: Nonces,
    pub(crate) quota: Quota,
    pub(crate) stop: watch::Sender<bool>,
}

impl Service {
    pub(crate) fn open(options: Options) -> Result<Self, EmulatorError> {
        let folder = Folder::open(&options.data)?;
        let faults = Faults::new(options.faults);
        faults.conditions().map_err(EmulatorError::Faults)?;
        let now = options.clock.now_ms();
        Ok(Self {
            identity: Identity::open(&folder)?,
            seal: Seal::open(&folder)?,
            db: Db::open(&folder.reserve("kms.db")?, |db| keys::seed(db, now))?,
            clock: options.clock,
            behaviour: options.behaviour,
            faults,
            journal: Journal::open(options.requests.as_deref())?,
            nonces: Nonces::open(&folder.reserve("nonces.db")?)?,
            quota: Quota::default(),
            stop: watch::channel(false).0,
        })
    }

    /// The name KMS would have.
    pub(crate) fn host(&self) -> String {
        format!("kms.{}.aliyuncs.com", self.identity.region_id)
    }
}
