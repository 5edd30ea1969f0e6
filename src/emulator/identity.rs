//! Who owns the emulated account: made up once, kept in the data folder.

use std::fmt;

use serde_json::json;

use super::folder::Folder;
use super::{EmulatorError, random};
use crate::sensitive::Sensitive;

const FILE: &str = "identity.json";

/// The account and the one access key that may call the emulator.
#[non_exhaustive]
#[derive(serde::Deserialize)]
pub(crate) struct Identity {
    /// 16 digits.
    pub account_id: String,
    /// Throw-away: it opens nothing but this data folder's emulator.
    pub access_key_id: String,
    /// The secret to it.
    pub access_key_secret: Sensitive,
    /// The region in ARNs.
    pub region_id: String,
}

impl Identity {
    /// Reads `identity.json`, or creates it.
    pub(crate) fn open(folder: &Folder) -> Result<Self, EmulatorError> {
        let content = folder.once(FILE, || {
            let identity = json!({
                "account_id": random::digits(16)?,
                "access_key_id": format!("LTAI5t{}", random::alphanumeric(18)?),
                "access_key_secret": random::alphanumeric(30)?,
                "region_id": "cn-hangzhou",
            });
            Ok(format!("{identity:#}\n").into_bytes())
        })?;
        serde_json::from_slice(&content)
            .map_err(|_| EmulatorError::Damaged { path: folder.path(FILE) })
    }

    /// `acs:kms:<region>:<account>:<resource>`.
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("acs:kms:{}:{}:{resource}", self.region_id, self.account_id)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("account_id", &self.account_id)
            .field("access_key_id", &self.access_key_id)
            .field("region_id", &self.region_id)
            .finish_non_exhaustive()
    }
}
