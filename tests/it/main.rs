//! Through the front door: the real executable over stdio, the emulator over TCP.
//!
//! `cfg(test)` on each module is always true here; clippy allows `unwrap` under it.
#![expect(
    clippy::string_slice,
    clippy::format_collect,
    clippy::needless_pass_by_value,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test may panic, and reads better so"
)]

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod agent;
#[cfg(test)]
mod anchor;
#[cfg(test)]
mod approver;
#[cfg(test)]
mod audit_bounded;
#[cfg(test)]
mod audit_checkpoints;
#[cfg(test)]
mod audit_closed;
#[cfg(test)]
mod audit_full_disk;
#[cfg(test)]
mod audit_mutations;
#[cfg(test)]
mod audit_readers;
#[cfg(test)]
mod audit_second_place;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod closed_answers;
#[cfg(test)]
mod confirmation;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod elicitation;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod file_destination;
#[cfg(test)]
mod first_run;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod given_back;
#[cfg(test)]
mod guesses;
#[cfg(test)]
mod hardening;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod homes;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod left_out;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod load;
#[cfg(test)]
mod new_version;
#[cfg(test)]
mod no_connection;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod page;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod person_destination;
#[cfg(test)]
mod pin;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod raised;
#[cfg(test)]
mod record;
#[cfg(test)]
mod repeated;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod screen;
#[cfg(test)]
mod secret_lock;
#[cfg(test)]
mod session;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod value_files;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod witness;
