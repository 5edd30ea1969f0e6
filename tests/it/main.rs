//! Through the front door: the real executable over stdio, the emulator over TCP.
//!
//! `cfg(test)` on each module is always true here; clippy allows `unwrap` under it.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod first_run;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod session;
#[cfg(test)]
mod wire;
