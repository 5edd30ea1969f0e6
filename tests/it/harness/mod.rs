//! What every test stands on: real processes, spoken to as their users do.

mod emulator;
mod pty;
mod question;
mod server;

pub(crate) use emulator::Emulator;
pub(crate) use pty::Pty;
pub(crate) use question::Question;
pub(crate) use server::{Era, Server, ServerOptions};

/// The executable under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_kms-mcp");

/// How long anything may take before a test gives up; nothing waits that long when all is well.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
