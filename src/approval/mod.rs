//! Ways to a person. Each shows the record's bytes and nothing else; the decision is over their
//! digest, and signed with the PIN if one is set.

mod channel;
mod command;
mod essentials;
mod hidden;
mod page;
mod pin;
mod piped;
mod policy_rows;
mod row;
mod rows;
mod screen;
mod signing;
mod terminal;
mod waiting;

pub(crate) use channel::{Answer, Channel, DecideError, Desk, NewPin};
pub(crate) use command::ApproveCommand;
pub(crate) use hidden::{piped, typed};
pub(crate) use page::{Page, Viewer};
pub(crate) use pin::{PinError, SHORTEST, enrol, unlock};
pub(crate) use piped::Piped;
pub(crate) use rows::as_lines;
pub(crate) use signing::Signing;
pub(crate) use terminal::Terminal;
pub use terminal::screen_of;
pub(crate) use waiting::{overview, riskiest_first};
