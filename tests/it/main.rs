//! Through the front door: the real executable over stdio, the emulator over TCP.

mod approver;
mod confirmation;
mod harness;
mod layout;
mod session;
mod witness;
