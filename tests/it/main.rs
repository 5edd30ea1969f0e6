//! Through the front door: the real executable over stdio, the emulator over TCP.

mod harness;
mod layout;
mod policy;
mod session;
mod tags;
