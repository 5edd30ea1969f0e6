//! Opening a file that only its owner, or its owner and root, can have written.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, RawMode, Stat, fstat, open, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::above::check_way;
use super::fault::{Fault, FileError};
use super::folder;

/// How many links in a row are followed, as by dotfile managers that link to a store of links.
const MAX_LINKS: usize = 8;
/// What group and others may not do with a file that holds a key.
const ANY: RawMode = 0o077;
/// What they may not do with settings.
const WRITE: RawMode = 0o022;

/// Whether a link in the place of a file or folder is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// A link is refused.
    Refused,
    /// What it leads to is used, if nobody else could have chosen or changed it.
    Followed,
}

/// What a file must be to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Whether root may own it too.
    or_root: bool,
    /// What group and others may not do with it.
    closed: RawMode,
    /// Whether its folder must belong to the same and be closed to the writing of others, and nobody
    /// else may be able to change the way to it.
    folder: bool,
    links: Links,
    /// The largest size in bytes.
    max_bytes: u64,
}

impl Rules {
    /// A file of the user alone, which nobody else can read or write. No link.
    pub(crate) const fn private(max_bytes: u64) -> Self {
        Self { or_root: false, closed: ANY, folder: false, links: Links::Refused, max_bytes }
    }

    /// A file of the user or of root, which nobody else can write, in a folder of the same kind.
    /// No link.
    pub(crate) const fn settings(max_bytes: u64) -> Self {
        Self { or_root: true, closed: WRITE, folder: true, links: Links::Refused, max_bytes }
    }

    /// The same, but a link in its place is followed.
    pub(crate) const fn following_links(self) -> Self {
        Self { links: Links::Followed, ..self }
    }

    /// The users that may own it.
    fn owners(self) -> [u32; 2] {
        let user = geteuid().as_raw();
        [user, if self.or_root { 0 } else { user }]
    }
}

/// The content of a file, wiped when dropped. `None`: there is no such file.
pub(crate) fn read_owned(
    path: &Path,
    rules: Rules,
) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let Some(file) = open_owned(path, rules)? else { return Ok(None) };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(rules.max_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::Io(error).at(path))?;
    if bytes.len() as u64 > rules.max_bytes {
        return Err(Fault::TooLong(rules.max_bytes).at(path));
    }
    Ok(Some(bytes))
}

/// Opens a file for reading. `None`: there is no such file.
fn open_owned(path: &Path, rules: Rules) -> Result<Option<File>, FileError> {
    let owners = rules.owners();
    let mut at = path.to_owned();
    for links in 0..=MAX_LINKS {
        let name = at.file_name().ok_or_else(|| Fault::NoName.at(path))?;
        let parent = parent(&at);
        let missing = |error: Errno| match error {
            Errno::NOENT if links == 0 => Ok(None),
            Errno::NOENT => Err(Fault::Dangling.at(path)),
            error => Err(Fault::from(error).at(path)),
        };
        let folder = open(parent, folder::FLAGS, Mode::empty());
        if rules.folder && links == 0 {
            if let Ok(folder) = &folder {
                let stat = fstat(folder).map_err(|error| Fault::from(error).at(parent))?;
                check(&stat, &owners, WRITE).map_err(|fault| fault.at(parent))?;
            }
            // Of a missing file too: somebody may have taken it away, with the folder it was in.
            check_way(path, &owners)?;
        }
        let folder = match folder {
            Ok(folder) => folder,
            Err(error) => return missing(error),
        };
        // Non-blocking, or a pipe would hold the process.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match openat(&folder, name, flags, Mode::empty()) {
            Ok(file) => {
                let stat = fstat(&file).map_err(|error| Fault::from(error).at(path))?;
                if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                    return Err(Fault::NotAFile.at(path));
                }
                check(&stat, &owners, rules.closed).map_err(|fault| fault.at(path))?;
                return Ok(Some(File::from(file)));
            }
            Err(Errno::LOOP) if rules.links == Links::Followed => {
                let target = readlinkat(&folder, name, Vec::new())
                    .map_err(|error| Fault::from(error).at(&at))?;
                at = parent.join(PathBuf::from(folder::os_string(target)));
            }
            Err(Errno::LOOP) => return Err(Fault::Link.at(path)),
            Err(error) => return missing(error),
        }
    }
    Err(Fault::Links.at(path))
}

/// Makes an empty file of mode 0600 where there is none. What is there must be a file of the user.
pub(crate) fn ensure_private(path: &Path) -> Result<(), FileError> {
    let failed = |error: Errno| match error {
        Errno::LOOP => Fault::Link.at(path),
        error => Fault::from(error).at(path),
    };
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mode = Mode::from_raw_mode(0o600);
    let file = match open(path, flags | OFlags::CREATE | OFlags::EXCL, mode) {
        Ok(_) => {
            return folder::sync_folder(parent(path)).map_err(|error| Fault::Io(error).at(path));
        }
        Err(Errno::EXIST) => open(path, flags, Mode::empty()).map_err(failed)?,
        Err(error) => return Err(failed(error)),
    };
    let stat = fstat(&file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Fault::NotAFile.at(path));
    }
    check(&stat, &[geteuid().as_raw()], 0).map_err(|fault| fault.at(path))
}

/// Whether one of `owners` owns it, and group and others can do nothing of `closed`.
pub(super) fn check(stat: &Stat, owners: &[u32], closed: RawMode) -> Result<(), Fault> {
    let mode = stat.st_mode & 0o7777;
    if !owners.contains(&stat.st_uid) {
        let owner = stat.st_uid;
        return Err(match (owners.contains(&0), owners.iter().all(|allowed| *allowed == 0)) {
            (_, true) => Fault::NotRoots(owner),
            (true, false) => Fault::Owner(owner),
            (false, false) => Fault::NotOwn(owner),
        });
    }
    if mode & closed == 0 {
        Ok(())
    } else if mode & closed & WRITE != 0 {
        Err(Fault::Writable(mode))
    } else {
        Err(Fault::Exposed(mode))
    }
}

/// The folder of a path.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const SETTINGS: Rules = Rules::settings(8).following_links();

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn fault(path: &Path, rules: Rules) -> Fault {
        read_owned(path, rules).unwrap_err().fault
    }

    #[test]
    fn a_link_to_what_others_can_change_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (dots, home) = (root.path().join("dots"), root.path().join("home"));
        fs::create_dir(&dots).unwrap();
        fs::create_dir(&home).unwrap();
        let (target, link) = (dots.join("config"), home.join("config"));
        fs::write(&target, "content").unwrap();
        // Relative and over another link, as such managers make them.
        symlink("../dots/again", &link).unwrap();
        symlink("config", dots.join("again")).unwrap();
        set(&dots, 0o755);
        assert_eq!(**read_owned(&link, SETTINGS).unwrap().unwrap(), *b"content");
        assert!(matches!(fault(&link, Rules::settings(8)), Fault::Link));
        set(&target, 0o664);
        assert!(matches!(fault(&link, SETTINGS), Fault::Writable(0o664)));
        set(&target, 0o444);
        set(&dots, 0o775);
        let refused = read_owned(&link, SETTINGS).unwrap_err();
        assert!(
            matches!(&refused.fault, Fault::Above { folder, .. } if *folder == dots),
            "{refused}"
        );
        // Nobody can replace what lies in a sticky folder, as in the store of Nix.
        set(&dots, 0o1775);
        read_owned(&link, SETTINGS).unwrap().unwrap();
        set(&home, 0o777);
        assert!(matches!(fault(&link, SETTINGS), Fault::Writable(0o777)));
        set(&home, 0o700);
        fs::remove_file(&target).unwrap();
        assert!(matches!(fault(&link, SETTINGS), Fault::Dangling));
        symlink("config", &target).unwrap();
        assert!(matches!(fault(&link, SETTINGS), Fault::Links));
    }

    #[test]
    fn what_is_missing_too_long_or_a_pipe_is_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        assert!(read_owned(&path, SETTINGS).unwrap().is_none());
        assert!(read_owned(&path.join("x/y"), SETTINGS).unwrap().is_none());
        fs::write(&path, "123456789").unwrap();
        assert!(matches!(fault(&path, SETTINGS), Fault::TooLong(8)));
        set(&path, 0o644);
        assert!(matches!(fault(&path, Rules::private(8)), Fault::Exposed(0o644)));
        set(&path, 0o600);
        assert_eq!(read_owned(&path, Rules::private(9)).unwrap().unwrap().len(), 9);
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{CWD, mknodat};
            let pipe = root.path().join("pipe");
            mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
            assert!(matches!(fault(&pipe, SETTINGS), Fault::NotAFile));
            assert!(ensure_private(&pipe).is_err());
        }
    }

    #[test]
    fn a_private_file_is_made_once_and_no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let (path, link) = (root.path().join("file"), root.path().join("link"));
        ensure_private(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "kept").unwrap();
        ensure_private(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        symlink(root.path().join("nowhere"), &link).unwrap();
        assert!(matches!(ensure_private(&link).unwrap_err().fault, Fault::Link));
    }
}
