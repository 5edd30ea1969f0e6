//! The audit log: what was asked, decided, sent and answered, in an order that can be proved.
//!
//! One process writes one file, and a file is one chain. Each line is one JSON object in printable
//! ASCII: `seq` (from 1), `time` (RFC 3339, UTC, milliseconds), `instance`, `event`, then whatever
//! is known of the call, then `prev` and, last, `hash`. An auditor needs no program of ours:
//!
//! ```text
//! hash = hex(SHA-256("kms-mcp/audit/v1" 0x00 ‖ prev ‖ the line up to, not including, `,"hash":"`))
//! prev = the `hash` of the line before; 64 zeros in the first line
//! ```
//!
//! `result` and `aborted` name in `intent` the `seq` of the intent they close.
//!
//! - [`event`] what a record says · `record` its bytes · `chain` the file, appended to or given up
//! - [`log`] the writer thread and its doors · [`trail`] an open intent and the proof that it closed
//! - [`query`] reads it for people, [`report`] as a page, [`reconcile`] against [`actiontrail`]
//! - [`verify()`] checks a folder of chains · `json` reads a line without forgiving anything
//!
//! Nothing here may hold a value, its length or hash, a token, a PIN, an `AccessKey` id or text
//! that the cloud wrote. `Sensitive` cannot get in: it is not `Serialize`.
pub(crate) mod actiontrail;
mod chain;
mod event;
mod json;
mod log;
pub(crate) mod query;
pub(crate) mod reconcile;
mod record;
pub(crate) mod report;
#[cfg(test)]
mod tests;
mod trail;
mod verify;

pub(crate) use event::{Approval, Cloud, Event, Kind, Resource, Upstream};
pub(crate) use log::{AuditError, AuditLog, Durability};
pub use trail::Closed;
pub(crate) use trail::Trail;
pub(crate) use verify::verify;
#[cfg(test)]
use verify::{Flaw, State};
