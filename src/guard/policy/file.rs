//! Reading a policy file: only one that nobody but its user or root can change.

use std::path::Path;

use super::error::PolicyError;
use crate::files::{Fault, Rules, read_owned};

/// No policy is longer.
const MAX_BYTES: u64 = 256 * 1024;

/// The text of the file.
pub(super) fn read(path: &Path) -> Result<String, PolicyError> {
    let Some(bytes) = read_owned(path, Rules::settings(MAX_BYTES))? else {
        return Err(PolicyError::Missing(path.to_owned()));
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::NotText.at(path))?;
    // Editors on Windows begin a file with a byte-order mark.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use rustix::fs::Mode;
    use tempfile::TempDir;

    use super::read;
    use crate::files::Fault;
    use crate::guard::policy::Policy;
    use crate::guard::policy::error::PolicyError;

    /// What is wrong with the file or its folder.
    fn fault(path: &Path) -> Fault {
        let error = read(path).unwrap_err();
        let PolicyError::File(error) = error else { panic!("{error}") };
        error.fault
    }

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
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("policy.toml") && error.contains("chmod go-w"), "{error}");
        }
        set(&path, 0o600);
        for mode in [0o770, 0o707, 0o1777] {
            set(folder.path(), mode);
            assert!(matches!(fault(&path), Fault::Writable(_)));
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (folder, path) = folder();
        let link = folder.path().join("link.toml");
        symlink(&path, &link).unwrap();
        assert!(matches!(fault(&link), Fault::Link));
        let dangling = folder.path().join("dangling.toml");
        symlink("nowhere", &dangling).unwrap();
        assert!(matches!(fault(&dangling), Fault::Link));

        let inner = folder.path().join("folder.toml");
        fs::create_dir(&inner).unwrap();
        assert!(matches!(fault(&inner), Fault::NotAFile));
        let socket = folder.path().join("socket.toml");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(read(&socket).is_err());

        let missing = read(&folder.path().join("missing.toml")).unwrap_err();
        assert!(matches!(missing, PolicyError::Missing(_)), "{missing}");
        assert!(matches!(fault(&path.join("x")), Fault::Io(_)));
        assert!(matches!(fault(Path::new("/")), Fault::NoName));
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused() {
        let (_folder, path) = folder();
        fs::write(&path, "#".repeat(256 * 1024)).unwrap();
        assert_eq!(read(&path).unwrap().len(), 256 * 1024);
        fs::write(&path, "#".repeat(256 * 1024 + 1)).unwrap();
        assert!(matches!(fault(&path), Fault::TooLong(_)));
        fs::write(&path, b"# \xff").unwrap();
        assert!(matches!(fault(&path), Fault::NotText));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let (folder, _) = folder();
        let pipe = folder.path().join("pipe.toml");
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(fault(&pipe), Fault::NotAFile));
    }
}
