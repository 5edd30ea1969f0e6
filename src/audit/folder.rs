//! The folder of a log and the files in it: made private, and durable by name.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use jiff::Timestamp;

use super::log::AuditError;

/// `<yyyymmddThhmmssZ>-<instance>.jsonl`, and from the second file of a chain on
/// `<yyyymmddThhmmssZ>-<instance>.<part>.jsonl`, by the time of its first record.
pub(super) fn file_name(time: Timestamp, instance: &str, part: u32) -> String {
    let time = time.strftime("%Y%m%dT%H%M%SZ");
    if part == 1 {
        format!("{time}-{instance}.jsonl")
    } else {
        format!("{time}-{instance}.{part}.jsonl")
    }
}

pub(super) fn new_file(path: &Path) -> Result<File, AuditError> {
    OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("create", path))
}

/// Makes `folder` with mode 0700, or sees to it that an existing one is not open to everybody.
pub(super) fn make_private_folder(folder: &Path) -> Result<(), AuditError> {
    match fs::metadata(folder) {
        // In a folder that anyone may write to, anyone may also take the log away.
        Ok(found) if found.mode() & 0o002 != 0 => {
            Err(AuditError::Exposed { path: folder.to_owned() })
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Each level that is made is a name in the one above, which must survive as well.
            let above: Vec<&Path> = folder
                .ancestors()
                .take_while(|level| !level.as_os_str().is_empty() && !level.exists())
                .filter_map(Path::parent)
                .collect();
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(failed("create", folder))?;
            above.into_iter().try_for_each(|level| {
                sync_folder(if level.as_os_str().is_empty() { Path::new(".") } else { level })
            })
        }
        Err(error) => Err(failed("look at", folder)(error)),
    }
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), AuditError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuditError {
    let path = path.to_owned();
    move |source| AuditError::Io { doing, path, source }
}
