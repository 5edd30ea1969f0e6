//! Opening a file below a folder: no part of the way may be a link or lead out.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, openat};

use super::folder;

/// O_NONBLOCK: a pipe in the folder must not hold the call.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// Opens `relative` below `folder` for reading. `None`: it is not there, or the way to it holds a
/// link or a `..`.
pub(super) fn open_beneath(folder: &OwnedFd, relative: &Path) -> Option<File> {
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(plain) {
        return None;
    }
    at_once(folder, relative).unwrap_or_else(|Unknown| one_by_one(folder, relative))
}

/// The kernel does not know the call, or a sandbox forbids it.
struct Unknown;

/// By the kernel's own check.
#[cfg(target_os = "linux")]
fn at_once(folder: &OwnedFd, relative: &Path) -> Result<Option<File>, Unknown> {
    use rustix::fs::{ResolveFlags, openat2};
    use rustix::io::Errno;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(folder, relative, READ, Mode::empty(), resolve) {
        Ok(file) => Ok(Some(File::from(file))),
        // Kernels before 5.6; filters of system calls that answer as for any they do not know.
        Err(Errno::NOSYS | Errno::PERM) => Err(Unknown),
        Err(_) => Ok(None),
    }
}

#[cfg(not(target_os = "linux"))]
fn at_once(_: &OwnedFd, _: &Path) -> Result<Option<File>, Unknown> {
    Err(Unknown)
}

/// Part by part: each is opened in the folder that was opened before, and no link is followed.
fn one_by_one(folder: &OwnedFd, relative: &Path) -> Option<File> {
    let mut parts = relative.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        Component::CurDir | Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
            None
        }
    });
    let mut name = parts.next()?;
    let mut inner = None;
    for next in parts {
        let flags = folder::FLAGS | OFlags::NOFOLLOW;
        inner = Some(openat(inner.as_ref().unwrap_or(folder), name, flags, Mode::empty()).ok()?);
        name = next;
    }
    openat(inner.as_ref().unwrap_or(folder), name, READ | OFlags::NOFOLLOW, Mode::empty())
        .ok()
        .map(File::from)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_open_the_same_and_no_more() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::write(folder.join("a/b/file"), "inside").unwrap();
        fs::write(root.path().join("file"), "outside").unwrap();
        symlink("a", folder.join("to-folder")).unwrap();
        symlink("b/file", folder.join("a/to-file")).unwrap();
        symlink("../..", folder.join("a/out")).unwrap();
        let read = |file: Option<File>| {
            let mut text = String::new();
            file.map(|mut file| file.read_to_string(&mut text));
            text
        };
        let folder = rustix::fs::open(&folder, folder::FLAGS, Mode::empty()).unwrap();
        for (path, content) in [
            ("a/b/file", "inside"),
            ("./a/./b/file", "inside"),
            ("to-folder/b/file", ""),
            ("a/to-file", ""),
            ("a/out/file", ""),
            ("missing", ""),
            ("a/b/file/x", ""),
            ("", ""),
        ] {
            assert_eq!(read(open_beneath(&folder, Path::new(path))), content, "{path}");
            assert_eq!(read(one_by_one(&folder, Path::new(path))), content, "{path}, one by one");
        }
        for path in ["../file", "a/../../file", "/etc/passwd"] {
            assert!(open_beneath(&folder, Path::new(path)).is_none(), "{path}");
        }
    }
}
