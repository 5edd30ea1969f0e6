//! The PIN as far as a server knows it: a public key, pinned for the life of the process.
//!
//! Whoever knows the PIN can sign decisions (`approval::pin`); this room can only check them. So
//! the guard, which reads a store that any program of the user can write, believes a signature and
//! nothing else once a PIN is set.
//!
//! - [`PinFile`] salt, parameters and public key · [`approver`] which file of them counts
//! - [`Factor`] the key that was pinned
//! - [`Statement`] the bytes that are signed · [`PublicKey`] checks them

mod file;
mod origin;
mod pinned;
mod statement;

pub(crate) use file::{FactorError, Kdf, PinFile, path_in};
pub(crate) use origin::{approver, enrolled, set_at};
pub(crate) use pinned::{Factor, Pinned};
pub(crate) use statement::{PublicKey, Statement};
