//! Where a secret value may come from.

mod source;

pub(crate) use source::Allowed;
