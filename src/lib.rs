//! `kms-mcp`: AI agents manage Alibaba Cloud KMS secrets, with a guard between agent and cloud.
//!
//! The map of the house. A room uses only rooms named before it; `tests/it/layout.rs` holds this.
//!
//! 1. `sensitive` a value that cannot leak by accident · `clock` · `hex` · `env` every variable, once ·
//!    `files` opened, made and replaced under one set of checks · `anchor` root's files in `/etc` ·
//!    `text` which characters are seen · `json` JSON for people to read
//! 2. `operation` what a KMS action is, said once
//! 3. `operations` the actions, one file each, and their catalogue
//! 4. `audit` the log · `scrub` the last net · `credentials` · `store` approvals and limits ·
//!    `factor` the PIN's public key
//! 5. `guard` policy, approval, and [`proofs::Permit`]: nothing is sent without one
//! 6. `client` signs and sends what was permitted
//! 7. `approval` ways to a person · `values` where values come from
//! 8. `pipeline` a call, end to end · `reply` the envelope: nothing is answered unrecorded
//! 9. `mcp` the only place that names rmcp · `cli` one file a subcommand
//!
//! Beside it all stands `emulator`, the embedded KMS: a real server over TCP that shares neither
//! wire types nor signing code with the client.

mod anchor;
mod approval;
mod audit;
mod cli;
mod client;
mod clock;
mod config;
mod credentials;
mod emulator;
mod env;
mod factor;
mod files;
mod guard;
mod harden;
mod hex;
mod json;
mod mcp;
mod operation;
mod operations;
mod pipeline;
mod reply;
mod scrub;
mod sensitive;
mod store;
mod text;
mod values;

pub use cli::run;

/// What `tests/compile_fail` names, to prove that a leak does not compile, and the screen that
/// `tests/interop/screen` draws. Not an interface.
#[doc(hidden)]
pub mod proofs {
    pub use crate::approval::screen_of;
    pub use crate::audit::Closed;
    pub use crate::guard::Permit;
    pub use crate::operation::Operation;
    pub use crate::reply::Reply;
    pub use crate::sensitive::{Masked, Sensitive};
}
