//! [`private`]: the file that `report` and `export` write, for its owner alone.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::files::Draft;

/// A draft of `path`, where nothing is yet; [`Draft::place`] puts it there.
///
/// # Errors
/// Also if `path` is in the folder `read` or below it: what is read is not to be changed.
pub(super) fn private(path: &Path, read: &Path) -> io::Result<Draft> {
    let place = path.parent().filter(|place| !place.as_os_str().is_empty());
    let place = fs::canonicalize(place.unwrap_or(Path::new(".")))?;
    // A folder that is not there has nothing in it.
    if fs::canonicalize(read).is_ok_and(|read| place.starts_with(read)) {
        return Err(io::Error::other("it is in the folder that is read"));
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Err(io::Error::other(
            "there is a file of that name already; remove it, or choose another name",
        )),
        Ok(_) => Err(io::Error::other("something else has that name; choose another name")),
        Err(error) if error.kind() == ErrorKind::NotFound => Draft::of(path),
        Err(error) => Err(error),
    }
}
