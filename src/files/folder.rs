//! Folders: private ones, and those that nobody but the right users can change.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, DirEntry, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, fsync, open, openat, statat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::above::check_way;
use super::created::Created;
use super::fault::{Fault, FileError};
use super::owned::{Links, check, parent};

/// How a folder is opened that is only looked at.
#[cfg(target_os = "linux")]
pub(super) const FLAGS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
pub(super) const FLAGS: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// A folder of the user, by its path without links: made with mode 0700 where there is none. The
/// mode of one that exists is left as it is.
pub(crate) fn own_folder(path: &Path) -> Result<PathBuf, FileError> {
    Ok(Own::open(path, Links::Followed)?.real)
}

/// Makes the empty file `name` of mode 0600, durably, in a folder of the user that is closed to
/// others and no link; the folder is made where there is none.
///
/// # Errors
/// [`Fault::Io`] with `AlreadyExists` if something of that name is there: it stays as it is.
pub(crate) fn create_in(folder: &Path, name: &OsStr) -> Result<Created, FileError> {
    let Own { folder: handle, stat, real, .. } = Own::open(folder, Links::Refused)?;
    check(&stat, &[stat.st_uid], 0o077).map_err(|fault| fault.at(&real))?;
    let path = real.join(name);
    if path.file_name() != Some(name) {
        return Err(Fault::NoName.at(&path));
    }
    // In the folder that was checked, whatever its path leads to by now.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(&handle, name, flags, Mode::from_raw_mode(0o600))
        .map_err(|error| Fault::from(error).at(&path))?;
    fsync(&handle).map_err(|error| Fault::from(error).at(&real))?;
    Ok(Created { folder: handle, file: File::from(file), path })
}

/// The same, closed to others, where nobody else can put another folder in its place. What others
/// may do in one that exists is taken away; if a link led to it, it is refused instead: its mode is
/// not ours to change.
pub(crate) fn private_folder(path: &Path, links: Links) -> Result<PathBuf, FileError> {
    check_way(path, &[geteuid().as_raw(), 0])?;
    let Own { folder, stat, real, is_link } = Own::open(path, links)?;
    if let Err(fault) = check(&stat, &[stat.st_uid], 0o077) {
        if is_link {
            return Err(fault.at(&real));
        }
        let failed = |error: Errno| Fault::from(error).at(path);
        fchmod(&folder, Mode::from_raw_mode(0o700)).map_err(failed)?;
    }
    Ok(real)
}

/// The database, by which a state folder is known.
pub(crate) const STORE: &str = "store.sqlite";
/// What else may be in one before there is a database: put there by a person, or by a command.
const BESIDE: [&str; 7] =
    ["audit", "audit-key.json", "disclosed", "embedded", "locks", "pin.json", "values"];

/// The same for a state folder, which the user may have named: one that is open to others and holds
/// files of something else stays as it is and is refused.
pub(crate) fn state_folder(path: &Path) -> Result<PathBuf, FileError> {
    if let Ok(stat) = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
        && FileType::from_raw_mode(stat.st_mode) == FileType::Directory
        && stat.st_mode & 0o077 != 0
        && fs::symlink_metadata(path.join(STORE)).is_err()
        && holds_others(path)
    {
        return Err(Fault::InUse(stat.st_mode & 0o7777).at(path));
    }
    private_folder(path, Links::Followed)
}

/// Whether there is anything in it that is not of kms-mcp. One that cannot be read is refused later,
/// for what is wrong with it.
fn holds_others(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else { return false };
    entries.any(|entry| !entry.is_ok_and(|entry| is_ours(&entry)))
}

fn is_ours(entry: &DirEntry) -> bool {
    let is_folder = || entry.file_type().is_ok_and(|kind| kind.is_dir());
    // A volume of ext4 has the latter from the start.
    entry
        .file_name()
        .to_str()
        .is_some_and(|name| BESIDE.contains(&name) || (name == "lost+found" && is_folder()))
}

/// A folder that belongs to the user.
struct Own {
    folder: OwnedFd,
    stat: Stat,
    real: PathBuf,
    /// Whether the last part of the path was a link.
    is_link: bool,
}

impl Own {
    fn open(path: &Path, links: Links) -> Result<Self, FileError> {
        let failed = |error: io::Error| Fault::Io(error).at(path);
        make_folders(path).map_err(failed)?;
        let is_link = fs::symlink_metadata(path).map_err(failed)?.is_symlink();
        if is_link && links == Links::Refused {
            return Err(Fault::Link.at(path));
        }
        let real = path.canonicalize().map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = open(&real, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOTDIR => Fault::NotAFolder.at(path),
            error => Fault::from(error).at(path),
        })?;
        let stat = fstat(&folder).map_err(|error| Fault::from(error).at(path))?;
        check(&stat, &[geteuid().as_raw()], 0).map_err(|fault| fault.at(path))?;
        Ok(Self { folder, stat, real, is_link })
    }
}

/// Makes the folders of `path` that are missing, with mode 0700.
fn make_folders(path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        match fs::metadata(folder) {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(folder),
            Err(error) => return Err(error),
        }
    }
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => sync_folder(parent(folder))?,
            // Another process came first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A path as the system gives it.
pub(super) fn os_string(path: std::ffi::CString) -> OsString {
    OsString::from_vec(path.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_private_folder_is_made_and_closed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        let real = private_folder(&folder, Links::Refused).unwrap();
        assert_eq!(real, folder.canonicalize().unwrap());
        assert_eq!((mode(&folder), mode(&root.path().join("a"))), (0o700, 0o700));
        set(&folder, 0o755);
        own_folder(&folder).unwrap();
        let name = OsStr::new("file");
        assert!(matches!(create_in(&folder, name).unwrap_err().fault, Fault::Exposed(0o755)));
        assert_eq!(mode(&folder), 0o755, "only looked at");
        private_folder(&folder, Links::Refused).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let path = create_in(&folder, name).unwrap().path;
        assert_eq!((mode(&path), path), (0o600, real.join("file")));
        let taken = create_in(&folder, name).unwrap_err().fault;
        assert!(matches!(taken, Fault::Io(error) if error.kind() == io::ErrorKind::AlreadyExists));
        assert!(create_in(&folder, OsStr::new("../file")).is_err());
        fs::write(root.path().join("file"), "").unwrap();
        assert!(private_folder(&root.path().join("file"), Links::Refused).is_err());
    }

    #[test]
    fn only_an_empty_or_our_own_folder_is_closed_for_the_state() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("project");
        state_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700, "made");
        set(&folder, 0o755);
        state_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700, "empty");
        set(&folder, 0o755);
        fs::create_dir(folder.join("values")).unwrap();
        fs::create_dir(folder.join("lost+found")).unwrap();
        state_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700, "prepared by a person");
        fs::write(folder.join("main.rs"), "").unwrap();
        state_folder(&folder).unwrap();
        set(&folder, 0o755);
        assert!(matches!(state_folder(&folder).unwrap_err().fault, Fault::InUse(0o755)));
        assert_eq!(mode(&folder), 0o755, "of something else");
        fs::write(folder.join(STORE), "").unwrap();
        state_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700, "ours already");
    }

    #[test]
    fn a_link_is_followed_where_it_may_be_and_its_target_is_never_changed() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        fs::create_dir(&real).unwrap();
        set(&real, 0o755);
        symlink(&real, &link).unwrap();
        let refused = |links| private_folder(&link, links).unwrap_err().fault;
        assert!(matches!(refused(Links::Refused), Fault::Link));
        assert!(matches!(refused(Links::Followed), Fault::Exposed(0o755)));
        assert_eq!(mode(&real), 0o755);
        set(&real, 0o700);
        assert_eq!(private_folder(&link, Links::Followed).unwrap(), real.canonicalize().unwrap());
        // A link above the last part leads to a folder of the user's own.
        private_folder(&link.join("inner"), Links::Refused).unwrap();
        assert_eq!(mode(&real.join("inner")), 0o700);
    }
}
