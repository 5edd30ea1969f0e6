//! Through the front door: the real executable over stdio, the emulator over TCP.
//!
//! `cfg(test)` on each module is always true here; clippy allows `unwrap` under it.

#[cfg(test)]
mod approver;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod confirmation;
#[cfg(test)]
mod file_destination;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod pin;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod session;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod witness;
