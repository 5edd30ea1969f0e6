//! [`Filters`] of the listing actions: values of one key are alternatives, keys add up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At most 10 filters of at most 10 values (facts/kms.md §1.5); 256 characters a value is ours.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct Filters<Key>(#[schemars(length(max = 10))] Vec<Filter<Key>>);

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(inline)]
struct Filter<Key> {
    key: Key,
    #[schemars(length(min = 1, max = 10), inner(length(max = 256)))]
    values: Vec<String>,
}
