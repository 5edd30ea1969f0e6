//! What stands above a path: whether somebody else can put another file or folder in its place.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, RawMode, Stat, readlinkat, statat};
use rustix::io::Errno;

use super::fault::{Fault, FileError};
use super::folder::os_string;
use super::owned::check;

/// How many links are followed on the way to a path, as by Linux.
pub(super) const MAX_LINKS: usize = 40;
/// What others may not do with a folder above.
const WRITE: RawMode = 0o022;

/// Whether `path` and every folder above it belong to one of `owners`, can be written by nobody
/// else, and are no links. Then nobody but `owners` can put something else in its place.
///
/// # Errors
/// Names the first that is not so, from `/` down; also if `path` is relative or does not exist.
pub(crate) fn check_anchored(path: &Path, owners: &[u32]) -> Result<(), FileError> {
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return Err(Fault::NoName.at(path));
    }
    let mut from_root: Vec<&Path> = path.ancestors().collect();
    from_root.reverse();
    for at in from_root {
        let stat = look(at).map_err(|error| Fault::from(error).at(at))?;
        if is_link(&stat) {
            return Err(Fault::Link.at(at));
        }
        check(&stat, owners, WRITE).map_err(|fault| {
            if at == path { fault.at(at) } else { fault.of_a_folder_above(at, true).at(path) }
        })?;
    }
    Ok(())
}

/// Whether nobody but `owners` can change where `path` leads: each folder and link on the way
/// belongs to one of them, and others cannot write in those folders, or the folder is sticky, as
/// `/tmp` is. What is at the end of the way is not looked at; what is missing ends it.
///
/// # Errors
/// Names `path` and the first folder or link that is not so.
pub(super) fn check_way(path: &Path, owners: &[u32]) -> Result<(), FileError> {
    let failed = |error: Errno| Fault::from(error).at(path);
    let whole = std::path::absolute(path).map_err(|error| Fault::Io(error).at(path))?;
    let owners = with_unmapped_root(owners);
    let mut at = PathBuf::from("/");
    let mut rest = parts(&whole);
    let mut links = 0;
    while let Some(part) = rest.pop() {
        let folder = look(&at).map_err(failed)?;
        // In a sticky folder nobody can replace what belongs to somebody else.
        let closed = if folder.st_mode & 0o1000 == 0 { WRITE } else { 0 };
        check(&folder, &owners, closed)
            .map_err(|fault| fault.of_a_folder_above(&at, false).at(path))?;
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        let stat = match look(&next) {
            Err(Errno::NOENT) => return Ok(()),
            stat => stat.map_err(failed)?,
        };
        if !is_link(&stat) {
            at = next;
            continue;
        }
        check(&stat, &owners, 0).map_err(|fault| fault.of_a_folder_above(&next, false).at(path))?;
        links += 1;
        if links > MAX_LINKS {
            return Err(Fault::Links.at(path));
        }
        let target = PathBuf::from(os_string(readlinkat(CWD, &next, Vec::new()).map_err(failed)?));
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        rest.extend(parts(&target));
    }
    Ok(())
}

/// The names in a path, the last one first.
pub(super) fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}

fn look(path: &Path) -> rustix::io::Result<Stat> {
    statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
}

fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

/// `owners`; where root is one of them, and this process is in a user namespace that does not know
/// the root outside, as in a Flatpak, also the id under which root's folders are shown there. Those
/// of all other users outside are shown under it as well.
pub(super) fn with_unmapped_root(owners: &[u32]) -> Vec<u32> {
    let mut all = owners.to_vec();
    if owners.contains(&0) {
        all.extend(unmapped_root().ok().flatten());
    }
    all
}

fn unmapped_root() -> io::Result<Option<u32>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    // A line a range: its first id here, its first id outside, its length (user_namespaces(7)).
    let map = std::fs::read_to_string("/proc/self/uid_map")?;
    if map.lines().any(|range| range.split_whitespace().nth(1) == Some("0")) {
        return Ok(None);
    }
    Ok(std::fs::read_to_string("/proc/sys/kernel/overflowuid")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use rustix::process::geteuid;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_anchored_nobody_else_can_replace() {
        let me = geteuid().as_raw();
        let usr = Path::new("/usr").canonicalize().unwrap();
        check_anchored(&usr, &[0]).unwrap();
        // `/tmp` and its like are open to everybody.
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().canonicalize().unwrap().join("inner");
        fs::create_dir(&inner).unwrap();
        let refused = check_anchored(&inner, &[0, me]).unwrap_err().to_string();
        assert!(refused.contains("move it to a folder that only root can change"), "{refused}");
        assert!(!refused.contains("chmod") && !refused.contains("chown"), "{refused}");
        assert!(check_anchored(Path::new("usr"), &[0]).is_err());
        assert!(check_anchored(Path::new("/usr/../usr"), &[0]).is_err());
    }

    #[test]
    fn a_path_is_as_good_as_every_folder_and_link_on_its_way() {
        let me = geteuid().as_raw();
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (open, inner) = (root.join("open"), root.join("open/inner"));
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir(root.join("safe")).unwrap();
        symlink("../safe", open.join("to-safe")).unwrap();
        symlink("open/inner", root.join("to-inner")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let ways = [
            "open/inner/file",
            "open/missing/file",
            "open/to-safe/file",
            "safe/../open/inner",
            "to-inner",
            "to-inner/file",
        ];
        let refused = |way: &str| check_way(&root.join(way), &[0, me]).unwrap_err();
        for way in ways {
            set(&open, 0o755);
            check_way(&root.join(way), &[0, me]).unwrap();
            set(&open, 0o1777);
            check_way(&root.join(way), &[0, me]).unwrap();
            for mode in [0o777, 0o775] {
                set(&open, mode);
                let refused = refused(way);
                assert_eq!(refused.path, root.join(way));
                let folder =
                    matches!(&refused.fault, Fault::Above { folder, .. } if *folder == open);
                assert!(folder, "{way}: {refused}");
            }
        }
        // What is at the end is looked at by others.
        check_way(&open, &[0, me]).unwrap();
        assert!(matches!(refused("loop").fault, Fault::Links));
        let refused = check_way(&root.join("safe/file"), &[me + 1]).unwrap_err().to_string();
        assert!(refused.contains("belongs to user 0"), "{refused}");
    }
}
