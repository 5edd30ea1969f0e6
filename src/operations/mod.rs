//! The catalogue: the KMS actions, one file and one line each.

use crate::operation::Operation;

/// Makes one entry of some table from each action: tools, schemas, documents, tests.
pub(crate) trait Visit {
    /// What an action becomes.
    type Entry;
    /// Makes it.
    fn visit<O: Operation>(&mut self) -> Self::Entry;
}
