//! Request signatures, as pure functions.

pub(crate) mod acs3;
pub(crate) mod percent;
pub(crate) mod rpc1;
