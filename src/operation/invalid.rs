//! [`Invalid`]: an argument that was refused before anything was sent.

use std::fmt;

/// Which argument, and what is allowed. Never the refused content itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// The path of the argument, such as `Tags[0].TagKey`.
    pub field: String,
    /// What is allowed, completing the sentence "… must be".
    pub allowed: String,
}

impl Invalid {
    /// `field` must be `allowed`.
    pub fn new(field: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { field: field.into(), allowed: allowed.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` must be {}", self.field, self.allowed)
    }
}
