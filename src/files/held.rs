//! [`HeldFolder`]: a folder that is opened once, so that nothing else can take its place later.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Dev, FileType, Mode, OFlags, Stat, fstat, open, openat, readlinkat, statat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::above::{MAX_LINKS, parts, with_unmapped_root};
use super::beneath::open_beneath;
use super::fault::{Fault, FileError};
use super::folder::{FLAGS, os_string};
use super::owned::check;

/// What tells a file or folder from every other: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id {
    device: Dev,
    inode: u64,
}

impl Id {
    pub(super) fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }

    /// Of an open file.
    pub(crate) fn of_file(file: &File) -> Option<Self> {
        fstat(file).ok().map(|stat| Self::of(&stat))
    }

    /// Of what a path leads to.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        rustix::fs::stat(path).ok().map(|stat| Self::of(&stat))
    }
}

/// An open folder to which nobody but the user and root chose the way.
#[derive(Debug)]
pub(crate) struct HeldFolder {
    folder: OwnedFd,
    real: PathBuf,
}

impl HeldFolder {
    /// Opens the folder. It, every folder above it and every link on the way must belong to the
    /// user or root; and nobody else may be able to write in the folders above, unless they are
    /// sticky as `/tmp` is. `None`: it is not there.
    ///
    /// # Errors
    /// Names the first part of the way that is not so.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, FileError> {
        Walk::new(path)?.finish()
    }

    /// Its path without links, as it was when it was opened.
    pub(crate) fn real(&self) -> &Path {
        &self.real
    }

    /// Opens a file below it for reading. `None`: it is not there, or the way to it holds a link or
    /// a `..`.
    pub(crate) fn open_file(&self, relative: &Path) -> Option<File> {
        open_beneath(&self.folder, relative)
    }

    /// The folder itself and those above it, wherever it lies by now.
    pub(crate) fn upwards(&self) -> std::io::Result<Vec<Id>> {
        let mut id = Id::of(&fstat(&self.folder)?);
        let mut ids = vec![id];
        let mut above = openat(&self.folder, "..", FLAGS, Mode::empty())?;
        loop {
            let next = Id::of(&fstat(&above)?);
            if next == id {
                return Ok(ids);
            }
            id = next;
            ids.push(id);
            above = openat(&above, "..", FLAGS, Mode::empty())?;
        }
    }
}

/// A way that is walked from `/` on, part by part: each is opened in the one before it.
struct Walk<'a> {
    /// As it was written.
    path: &'a Path,
    /// The folders so far: those from `/` to the one that was reached.
    reached: Vec<(OwnedFd, PathBuf)>,
    root: PathBuf,
    /// What is still to walk, the next part last.
    rest: Vec<OsString>,
    links: usize,
    owners: Vec<u32>,
}

impl<'a> Walk<'a> {
    fn new(path: &'a Path) -> Result<Self, FileError> {
        if !path.is_absolute() {
            return Err(Fault::NoName.at(path));
        }
        let owners = with_unmapped_root(&[geteuid().as_raw(), 0]);
        let root = PathBuf::from("/");
        let mut walk = Self { path, reached: Vec::new(), root, rest: Vec::new(), links: 0, owners };
        walk.add(path)?;
        Ok(walk)
    }

    /// Puts the parts of `path` before the rest; from `/` on if it is absolute.
    fn add(&mut self, path: &Path) -> Result<(), FileError> {
        if path.is_absolute() {
            let root = open("/", FLAGS, Mode::empty())
                .map_err(|error| Fault::from(error).at(&self.root))?;
            self.reached = vec![(root, self.root.clone())];
        }
        self.rest.extend(parts(path));
        Ok(())
    }

    fn finish(mut self) -> Result<Option<HeldFolder>, FileError> {
        while let Some(part) = self.rest.pop() {
            if part == ".." {
                // Above `/` is `/`.
                if self.reached.len() > 1 {
                    self.reached.pop();
                }
            } else if !self.step(&part)? {
                return Ok(None);
            }
        }
        let Some((folder, real)) = self.reached.pop() else { return Ok(None) };
        self.check(&folder, &real, false)?;
        Ok(Some(HeldFolder { folder, real }))
    }

    /// Goes down into `name`, or to where it leads. `false`: it is not there.
    fn step(&mut self, name: &OsString) -> Result<bool, FileError> {
        let Some((folder, at)) = self.reached.last() else { return Ok(false) };
        self.check(folder, at, true)?;
        let path = at.join(name);
        let failed = |error: Errno| Fault::from(error).at(&path);
        match openat(folder, name, FLAGS | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(next) => {
                self.reached.push((next, path));
                return Ok(true);
            }
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::LOOP | Errno::NOTDIR) => {}
            Err(error) => return Err(failed(error)),
        }
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Err(Fault::NotAFolder.at(&path));
        }
        check(&stat, &self.owners, 0).map_err(|fault| self.above(fault, &path))?;
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Fault::Links.at(self.path));
        }
        let target = readlinkat(folder, name, Vec::new()).map_err(failed)?;
        self.add(Path::new(&os_string(target)))?;
        Ok(true)
    }

    /// A fault of what stands on the way.
    fn above(&self, fault: Fault, at: &Path) -> FileError {
        fault.of_a_folder_above(at, false).at(self.path)
    }

    /// Whether the user or root owns it; if something is to be found in it, also whether nobody
    /// else can put another thing there.
    fn check(&self, folder: &OwnedFd, at: &Path, is_above: bool) -> Result<(), FileError> {
        let stat = fstat(folder).map_err(|error| Fault::from(error).at(at))?;
        let is_sticky = stat.st_mode & 0o1000 != 0;
        let closed = if is_above && !is_sticky { 0o022 } else { 0 };
        check(&stat, &self.owners, closed)
            .map_err(|fault| if is_above { self.above(fault, at) } else { fault.at(at) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn fault(path: &Path) -> Fault {
        HeldFolder::open(path).unwrap_err().fault
    }

    #[test]
    fn nobody_else_chooses_the_way_to_a_held_folder() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (above, folder) = (root.join("above"), root.join("above/folder"));
        fs::create_dir_all(&folder).unwrap();
        symlink("above/../above", root.join("link")).unwrap();
        symlink(&folder, root.join("far")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        for way in ["above/folder", "link/folder", "far", "above/./../link//folder/"] {
            let held = HeldFolder::open(&root.join(way)).unwrap().unwrap();
            assert_eq!(held.real(), folder, "{way}");
        }
        for way in ["missing", "above/missing/deeper", "dangling"] {
            assert!(HeldFolder::open(&root.join(way)).unwrap().is_none(), "{way}");
        }
        assert!(matches!(fault(&root.join("loop")), Fault::Links));
        assert!(matches!(fault(&root.join("file")), Fault::NotAFolder));
        assert!(matches!(fault(Path::new("above")), Fault::NoName));
        for mode in [0o777, 0o775] {
            set(&above, mode);
            assert!(matches!(fault(&folder), Fault::Above { folder, .. } if folder == above));
            assert!(matches!(fault(&root.join("far")), Fault::Above { .. }), "behind a link");
        }
        set(&above, 0o1777);
        set(&folder, 0o770);
        assert!(HeldFolder::open(&folder).unwrap().is_some(), "a group may put files into it");
    }

    /// Only root can give a folder or link to another user.
    #[test]
    fn folders_and_links_of_others_are_refused() {
        if !geteuid().is_root() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let (above, folder) = (root.path().join("above"), root.path().join("above/folder"));
        let link = root.path().join("link");
        fs::create_dir_all(&folder).unwrap();
        symlink("above/folder", &link).unwrap();
        for (owned, asked) in [(&above, &folder), (&folder, &folder), (&link, &link)] {
            std::os::unix::fs::lchown(owned, Some(61_002), None).unwrap();
            let refused = HeldFolder::open(asked).unwrap_err();
            assert!(refused.to_string().contains("belongs to user 61002"), "{refused}");
            std::os::unix::fs::lchown(owned, Some(0), None).unwrap();
        }
        assert!(HeldFolder::open(&link).unwrap().is_some());
    }

    #[test]
    fn a_held_folder_stays_the_same_whatever_takes_its_place() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("in/inner")).unwrap();
        fs::create_dir_all(at("other")).unwrap();
        fs::write(at("in/file"), "").unwrap();
        fs::write(at("other/secret"), "").unwrap();
        let held = HeldFolder::open(&at("in")).unwrap().unwrap();
        fs::rename(at("in"), at("other/in")).unwrap();
        symlink(at("other"), at("in")).unwrap();
        assert!(held.open_file(Path::new("file")).is_some());
        assert!(held.open_file(Path::new("secret")).is_none());
        let upwards = held.upwards().unwrap();
        let id = |path: &Path| Id::of_path(path).unwrap();
        assert_eq!(upwards[..2], [id(&at("other/in")), id(&at("other"))]);
        assert_eq!(upwards.last(), Some(&id(Path::new("/"))));
        assert!(!upwards.contains(&id(&at("other/in/inner"))));
    }
}
