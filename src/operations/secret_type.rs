//! [`SecretType`]: Generic, or managed by KMS together with the thing it opens.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum SecretType {
    Generic,
    Rds,
    Redis,
    #[serde(rename = "RAMCredentials")]
    RamCredentials,
    #[serde(rename = "ECS")]
    Ecs,
    #[serde(rename = "PolarDB")]
    PolarDb,
}

impl SecretType {
    /// Its name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Generic => "Generic",
            Self::Rds => "Rds",
            Self::Redis => "Redis",
            Self::RamCredentials => "RAMCredentials",
            Self::Ecs => "ECS",
            Self::PolarDb => "PolarDB",
        }
    }
}
