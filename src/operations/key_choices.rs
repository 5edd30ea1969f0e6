//! What can be chosen of a new key (facts/kms.md §1.17).

use schemars::JsonSchema;
use serde::Deserialize;

use super::choices::choices;
use crate::operation::Invalid;

/// e.g. Aliyun_AES_256 (default), RSA_2048
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct KeySpec(#[schemars(length(min = 1, max = 64))] String);

impl KeySpec {
    /// Open, because KMS adds to the list; 64 characters are ours.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(());
        }
        Err(Invalid::new("KeySpec", "of the characters A-Z a-z 0-9 _, such as Aliyun_AES_256"))
    }
}

impl From<KeySpec> for String {
    fn from(spec: KeySpec) -> Self {
        spec.0
    }
}

choices! {
    enum KeyUsage {
        EncryptDecrypt = "ENCRYPT/DECRYPT",
        SignVerify = "SIGN/VERIFY",
    }

    enum KeyStorageMechanism {
        HsmInternal = "HsmInternal",
        HsmEncryptedDatabase = "HsmEncryptedDatabase",
    }

    enum Origin {
        AliyunKms = "Aliyun_KMS",
        External = "EXTERNAL",
    }

    enum KeyState {
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
    }

    // Those that are published; a key can be asked for by a newer one.
    enum PublishedKeySpec {
        Aes128 = "Aliyun_AES_128",
        Aes192 = "Aliyun_AES_192",
        Aes256 = "Aliyun_AES_256",
        Sm4 = "Aliyun_SM4",
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        P256 = "EC_P256",
        P256K = "EC_P256K",
        Sm2 = "EC_SM2",
    }

    enum ProtectionLevel {
        Software = "SOFTWARE",
        Hsm = "HSM",
    }
}
