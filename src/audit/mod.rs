//! The audit log: what was asked, decided, sent and answered, in an order that can be proved.
//!
//! One process writes one chain. A chain is one file, `<yyyymmddThhmmssZ>-<instance>.jsonl`, or, once
//! that is long enough, goes on in `<yyyymmddThhmmssZ>-<instance>.<part>.jsonl` with `part` 2, 3 …;
//! the time is that of the file's first record, `instance` has 1 to 64 of `A-Z a-z 0-9 - _`, and `part`
//! has no leading zero and 32 bits. A file of any other name takes no part in a verdict; readers say
//! so of those that end in `.jsonl`. An auditor needs no program of ours: `tools/verify_audit.py` was
//! written from this page.
//!
//! **A line** is one JSON object in printable ASCII (0x20 to 0x7e) and a newline, at most 64 KiB with
//! it. It holds objects, lists, strings and integers from -2^63 to 2^64-1 (no fraction, no exponent,
//! no `-0`), no member twice, and nests at most 127 deep. Members: `seq` (a count from 1), `time`
//! (RFC 3339, UTC, milliseconds), `instance`, `event`, then whatever is known of the call, `prev`, and
//! last, with no space between, `hash`:
//!
//! ```text
//! hash = hex(SHA-256("kms-mcp/audit/v1" 0x00 ‖ prev ‖ the line up to, not including, `,"hash":"`))
//! prev = the `hash` of the line before; 64 zeros in the first line of a chain
//! ```
//!
//! **A checkpoint**, at most every 64 records and 60 seconds, proves all records before it. So do
//! `rotate`, the last record of a file whose chain goes on in the next one, and `stop`, the last
//! record of a chain; a checkpoint stands before it. These three name the public `key` (32 bytes) and
//! hold the `signature` (64 bytes) as last member before `hash`, both in base64url without padding:
//!
//! ```text
//! signature = Ed25519(key, "kms-mcp/audit/signature/v1" 0x00 ‖ the line up to, not including, `,"signature":"`)
//! ```
//! A key is a point as RFC 8032 writes it, and not of order 1, 2, 4 or 8: under those anybody signs.
//!
//! **Across files** `seq` and `prev` go on. The first record of each file is `start`; from the second
//! file on it names its `part`. All records of a chain have the `instance` of the file's name.
//!
//! `result` and `aborted` name in `intent` the `seq` of the intent they close. An intent without
//! `result` has an unknown outcome: the request may or may not have been carried out.
//!
//! **The log is bounded.** Refusals (`denied`, `challenge`, `aborted` without `intent`) and alarms that
//! the server raises by itself (`lockout`, `egress_blocked`) cost the agent nothing. Of each such event
//! and `level`, 100 at once and five a second over longer times are written one by one. The rest is
//! counted, and each second, and before the end, a record `suppressed` tells in its member
//! `suppressed`: the `event`, the `level` if there is one, the `count`, `since` when, and in `codes` how
//! many had which `code` (16 of them by name, the rest as `other`). A process that is killed leaves the
//! counts of its last second out. Nothing that was sent is ever counted so.
//!
//! An `egress_blocked` counts in `places` where a secret was removed, and names at most 16 of them. A
//! record that nobody waits for and that is too long stands with the code `RecordTooLong` and only the
//! names of its call.
//!
//! **A verdict** on a file is 1, tampered, if a line breaks a rule above, if a key signed that is not
//! the expected one, if a file before it is missing or does not end in the `rotate` it goes on from,
//! or if the copy of the checkpoints has another hash for a `seq`. It is 2, tail not proven, if nothing
//! is broken but the chain does not end in `stop`: the last line lacks its newline (whatever it holds),
//! the process runs or was killed, or the next file is not there; with a copy also if a record comes
//! after the last one of the chain that was copied. It is 3 if the file cannot be read,
//! else 0. A folder is what its worst file is, 1 before 3 before 2 before 0; 1 too if the copy has a
//! record that the folder has not or two for one place, and 2 if it holds no file or a line of the
//! copy is no signed record.
//!
//! - [`event`] what a record says · `record` its bytes · [`chain`] the files, appended to or given up
//! - `folder` where they are made
//! - [`log`] the writer thread and its doors · [`trail`] an open intent and the proof that it closed
//! - [`query`] reads it for people, [`report`] as a page, [`reconcile`] against [`actiontrail`]
//! - `suppressed` which refusals are only counted
//! - [`key`] what signs · [`copies`] the second place of checkpoints · [`keeping`] how a log is kept
//! - [`proven`] which records the verifier vouches for
//! - [`verify()`] checks a folder of chains · `json` reads a line without forgiving anything
//!
//! Nothing here may hold a value, its length or hash, a token, a PIN, an `AccessKey` id or text
//! that the cloud wrote. `Sensitive` cannot get in: it is not `Serialize`.
pub(crate) mod actiontrail;
mod chain;
mod copies;
mod event;
mod folder;
mod json;
mod keeping;
mod key;
mod log;
pub(crate) mod proven;
pub(crate) mod query;
pub(crate) mod reconcile;
mod record;
pub(crate) mod report;
mod suppressed;
#[cfg(test)]
mod tests;
mod trail;
mod verify;

pub(crate) use copies::Copies;
pub(crate) use event::{Approval, Cloud, Event, Kind, Resource, Upstream};
pub(crate) use keeping::{Keeping, ROTATE_BYTES};
pub(crate) use key::{AuditKey, PublicKey};
pub(crate) use log::{AuditError, AuditLog, Durability};
pub use trail::Closed;
pub(crate) use trail::Trail;
pub(crate) use verify::{Expected, verify};
#[cfg(test)]
use verify::{Flaw, State};
