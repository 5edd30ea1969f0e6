//! Ways to a person. Each shows the record's bytes and nothing else; the decision is over their
//! digest.

mod channel;
mod terminal;

pub(crate) use channel::{Answer, Channel, decide};
pub(crate) use terminal::{Terminal, overview};
