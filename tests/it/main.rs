//! Through the front door: the real executable over stdio, the emulator over TCP.

mod bad_input;
mod harness;
mod layout;
mod schema;
mod session;
mod wire;
