//! Where a secret value may come from, and go to.

mod destination;
mod source;

pub(crate) use destination::{Folder, Prepared};
pub(crate) use source::Allowed;
