//! Files and folders under one set of checks: who owns them, who else can change them, whether a
//! link leads elsewhere, and that what was written is still there after a crash.
//!
//! A leaf module: it does not know what the files hold. Every open is non-blocking, so that a pipe
//! in the place of a file cannot hold a server, and every check is made on the open file.
//!
//! `owned` files of the right user · `folder` private folders · `above` what stands above a path ·
//! `held` a folder opened once · `beneath` a file below it · `created` a new file, told from one in
//! its place · `draft` a file written whole or not at all · `written` paths as people write them

mod above;
mod beneath;
mod created;
mod draft;
mod fault;
mod folder;
mod held;
mod owned;
mod written;

pub(crate) use above::check_anchored;
pub(crate) use created::Created;
pub(crate) use draft::Draft;
pub(crate) use fault::{Fault, FileError};
pub(crate) use folder::{STORE, create_in, own_folder, private_folder, state_folder, sync_folder};
pub(crate) use held::{HeldFolder, Id};
pub(crate) use owned::{Links, Rules, ensure_private, read_owned};
pub(crate) use written::{PathError, absolute, expanded};
