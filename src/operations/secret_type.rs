//! [`SecretType`]: Generic, or managed by KMS together with the thing it opens.

use super::choices::choices;

choices! {
    enum SecretType {
        Generic = "Generic",
        Rds = "Rds",
        Redis = "Redis",
        RamCredentials = "RAMCredentials",
        Ecs = "ECS",
        PolarDb = "PolarDB",
    }
}
