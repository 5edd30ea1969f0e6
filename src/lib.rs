//! `kms-mcp`: AI agents manage Alibaba Cloud KMS secrets, with a guard between agent and cloud.
//!
//! The map of the house; a room uses only rooms above it (`tests/it/layout.rs` holds this):
//!
//! - [`sensitive`] a value that cannot leak by accident · [`clock`] · `env`
//! - `emulator` the embedded KMS: a real server that shares no code with the client
mod clock;
mod emulator;
mod guard;
mod operation;
mod operations;
mod sensitive;
