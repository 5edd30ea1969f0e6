//! Where a secret value may come from, and go to.

mod destination;
mod overlap;
mod source;

pub(crate) use destination::{Folder, Lost, Prepared};
pub(crate) use overlap::Closed;
pub(crate) use source::Allowed;
