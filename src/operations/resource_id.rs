//! [`InstanceId`] and [`KeyId`]: the other things that an argument may name.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::operation::Invalid;

/// KMS instance, kst-…
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct InstanceId(#[schemars(length(min = 5, max = 64))] String);

/// Symmetric key of the same KMS instance
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct KeyId(#[schemars(length(min = 1, max = 256))] String);

impl InstanceId {
    /// As the documents write it (facts/kms.md §7); 64 characters are ours.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.0.starts_with("kst-") && consists_of(&self.0, b"-_") {
            return Ok(());
        }
        Err(Invalid::new("DKMSInstanceId", "the id of a KMS instance: kst-… of A-Z a-z 0-9 _-"))
    }
}

impl KeyId {
    /// An id, alias or ARN; 256 characters are ours.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if consists_of(&self.0, b"-_:/.") {
            return Ok(());
        }
        Err(Invalid::new("EncryptionKeyId", "a key id, of the characters A-Z a-z 0-9 _:/.-"))
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.0
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

fn consists_of(text: &str, marks: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
}
