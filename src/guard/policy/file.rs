//! Reading a policy file: only one that nobody but its user or root can change.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::PolicyError;

/// No policy is longer.
const MAX_BYTES: u64 = 256 * 1024;

/// Who may change a thing, taken from the open handle: a path could lead elsewhere a moment later.
#[derive(Debug, Clone, Copy)]
struct Access {
    owner: u32,
    mode: Mode,
}

impl Access {
    fn of(handle: &impl std::os::fd::AsFd) -> Result<(Self, FileType), Errno> {
        let stat = fstat(handle)?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        let access = Self { owner: stat.st_uid, mode };
        Ok((access, FileType::from_raw_mode(stat.st_mode)))
    }

    /// Whether it belongs to neither the user nor root.
    const fn is_foreign(self, user: u32) -> bool {
        self.owner != user && self.owner != 0
    }

    /// Whether group or others can write it.
    const fn is_open(self) -> bool {
        self.mode.intersects(Mode::WGRP.union(Mode::WOTH))
    }
}

/// The text of the file.
pub(super) fn read(path: &Path) -> Result<String, PolicyError> {
    let user = geteuid().as_raw();
    let unreadable = |error: Errno| match error {
        Errno::NOENT => PolicyError::Missing(path.to_owned()),
        Errno::LOOP => PolicyError::Symlink(path.to_owned()),
        other => PolicyError::Unreadable { path: path.to_owned(), source: other.into() },
    };
    let name = path.file_name().ok_or_else(|| PolicyError::NoName(path.to_owned()))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let folder = open(parent, flags | OFlags::DIRECTORY, Mode::empty()).map_err(unreadable)?;
    let (access, _) = Access::of(&folder).map_err(unreadable)?;
    check_folder(path, access, user)?;
    // Non-blocking, or a pipe would hold the server.
    let file = openat(&folder, name, flags | OFlags::NOFOLLOW | OFlags::NONBLOCK, Mode::empty())
        .map_err(unreadable)?;
    let (access, kind) = Access::of(&file).map_err(unreadable)?;
    if kind != FileType::RegularFile {
        return Err(PolicyError::NotAFile(path.to_owned()));
    }
    check_file(path, access, user)?;
    text(File::from(file), path)
}

fn check_folder(path: &Path, access: Access, user: u32) -> Result<(), PolicyError> {
    if access.is_foreign(user) {
        return Err(PolicyError::FolderOwner { path: path.to_owned(), owner: access.owner });
    }
    if access.is_open() {
        return Err(PolicyError::FolderWritable {
            path: path.to_owned(),
            mode: access.mode.bits(),
        });
    }
    Ok(())
}

fn check_file(path: &Path, access: Access, user: u32) -> Result<(), PolicyError> {
    if access.is_foreign(user) {
        return Err(PolicyError::Owner { path: path.to_owned(), owner: access.owner });
    }
    if access.is_open() {
        return Err(PolicyError::Writable { path: path.to_owned(), mode: access.mode.bits() });
    }
    Ok(())
}

fn text(file: File, path: &Path) -> Result<String, PolicyError> {
    let here = || -> PathBuf { path.to_owned() };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source: io::Error| PolicyError::Unreadable { path: here(), source })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(PolicyError::TooLarge { path: here(), limit: MAX_BYTES });
    }
    String::from_utf8(bytes).map_err(|_| PolicyError::NotText(here()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use rustix::fs::Mode;
    use tempfile::TempDir;

    use super::{Access, check_file, check_folder, read};
    use crate::guard::policy::Policy;
    use crate::guard::policy::error::PolicyError;

    fn folder() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        fs::write(&path, "version = 1\nextends = \"ci\"\n").unwrap();
        set(&path, 0o600);
        (folder, path)
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_only_its_user_can_write_is_loaded() {
        let (_folder, path) = folder();
        for mode in [0o600, 0o644, 0o400] {
            set(&path, mode);
            let policy = Policy::load(&path).unwrap();
            assert_eq!(policy.name(), path.display().to_string());
        }
    }

    #[test]
    fn what_others_can_write_is_refused() {
        let (folder, path) = folder();
        for mode in [0o620, 0o602, 0o666] {
            set(&path, mode);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, PolicyError::Writable { .. }), "{error}");
            assert!(error.to_string().contains("chmod go-w"), "{error}");
        }
        set(&path, 0o600);
        for mode in [0o770, 0o707, 0o1777] {
            set(folder.path(), mode);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, PolicyError::FolderWritable { .. }), "{error}");
        }
    }

    #[test]
    fn what_another_user_owns_is_refused() {
        let path = Path::new("/etc/kms-mcp/policy.toml");
        let owned = |owner| Access { owner, mode: Mode::from_raw_mode(0o600) };
        for (owner, user) in [(7, 7), (0, 7), (0, 0)] {
            check_file(path, owned(owner), user).unwrap();
            check_folder(path, owned(owner), user).unwrap();
        }
        for user in [0, 8] {
            let error = check_file(path, owned(7), user).unwrap_err();
            assert!(matches!(error, PolicyError::Owner { owner: 7, .. }), "{error}");
            let error = check_folder(path, owned(7), user).unwrap_err();
            assert!(matches!(error, PolicyError::FolderOwner { owner: 7, .. }), "{error}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (folder, path) = folder();
        let link = folder.path().join("link.toml");
        symlink(&path, &link).unwrap();
        assert!(matches!(read(&link).unwrap_err(), PolicyError::Symlink(_)));
        let dangling = folder.path().join("dangling.toml");
        symlink("nowhere", &dangling).unwrap();
        assert!(matches!(read(&dangling).unwrap_err(), PolicyError::Symlink(_)));

        let inner = folder.path().join("folder.toml");
        fs::create_dir(&inner).unwrap();
        assert!(matches!(read(&inner).unwrap_err(), PolicyError::NotAFile(_)));
        let socket = folder.path().join("socket.toml");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(read(&socket).is_err());

        let missing = read(&folder.path().join("missing.toml")).unwrap_err();
        assert!(matches!(missing, PolicyError::Missing(_)), "{missing}");
        assert!(matches!(read(&path.join("x")).unwrap_err(), PolicyError::Unreadable { .. }));
        assert!(matches!(read(Path::new("/")).unwrap_err(), PolicyError::NoName(_)));
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused() {
        let (_folder, path) = folder();
        fs::write(&path, "#".repeat(256 * 1024)).unwrap();
        assert_eq!(read(&path).unwrap().len(), 256 * 1024);
        fs::write(&path, "#".repeat(256 * 1024 + 1)).unwrap();
        assert!(matches!(read(&path).unwrap_err(), PolicyError::TooLarge { .. }));
        fs::write(&path, b"# \xff").unwrap();
        assert!(matches!(read(&path).unwrap_err(), PolicyError::NotText(_)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let (folder, _) = folder();
        let pipe = folder.path().join("pipe.toml");
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(read(&pipe).unwrap_err(), PolicyError::NotAFile(_)));
    }
}
