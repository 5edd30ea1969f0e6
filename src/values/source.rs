//! Reading a value from an environment variable or a file that config.toml allows, so that it
//! never meets the model or the client's transcript.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use zeroize::Zeroizing;

use crate::env::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, Env, SECURITY_TOKEN};
use crate::operation::{Invalid, SecretDataSource};
use crate::sensitive::Sensitive;

/// The longest value, in bytes (facts/kms.md §1.1).
const CAP: u64 = 30_720;

/// Why the allow-lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("`sources.env`: `{0}` is not a glob")]
    Glob(String),
}

/// What config.toml allows.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
    names: GlobSet,
    folders: Vec<PathBuf>,
}

impl Allowed {
    /// These names (globs) and folders (absolute).
    pub(crate) fn new(names: &[String], folders: Vec<PathBuf>) -> Result<Self, SourceError> {
        let mut set = GlobSetBuilder::new();
        for name in names {
            let glob =
                GlobBuilder::new(name).build().map_err(|_| SourceError::Glob(name.clone()))?;
            set.add(glob);
        }
        let names = set.build().map_err(|_| SourceError::Glob(names.join(", ")))?;
        Ok(Self { names, folders })
    }

    /// Reads the value.
    pub(crate) fn read(&self, source: &SecretDataSource, env: &Env) -> Result<Sensitive, Invalid> {
        match source {
            SecretDataSource { env: Some(name), .. } => self.variable(name, env),
            SecretDataSource { file: Some(path), .. } => self.file(Path::new(path)),
            SecretDataSource { env: None, file: None } => {
                Err(Invalid::new("SecretDataSource", "exactly one of `Env` and `File`"))
            }
        }
    }

    fn variable(&self, name: &str, env: &Env) -> Result<Sensitive, Invalid> {
        const FIELD: &str = "SecretDataSource.Env";
        let ours = [ACCESS_KEY_ID, ACCESS_KEY_SECRET, SECURITY_TOKEN];
        if ours.contains(&name) || !self.names.is_match(name) {
            return Err(Invalid::new(
                FIELD,
                "a name that `sources.env` in the person's config.toml allows",
            ));
        }
        let value = env.secret(name).ok_or_else(|| {
            Invalid::new(FIELD, "a variable that was set when kms-mcp was started")
        })?;
        #[expect(clippy::disallowed_methods, reason = "only its length is looked at")]
        let length = value.expose().len() as u64;
        if length > CAP {
            return Err(Invalid::new(FIELD, "a variable of at most 30,720 bytes"));
        }
        Ok(value)
    }

    fn file(&self, path: &Path) -> Result<Sensitive, Invalid> {
        const FIELD: &str = "SecretDataSource.File";
        let refused = |allowed: &str| Err(Invalid::new(FIELD, allowed));
        let Some(file) = self.folders.iter().find_map(|folder| open_beneath(folder, path)) else {
            let folders: Vec<_> =
                self.folders.iter().map(|folder| folder.display().to_string()).collect();
            return Err(Invalid::new(
                FIELD,
                format!(
                    "a file, not a link, in one of the allowed folders: {}",
                    folders.join(", ")
                ),
            ));
        };
        let metadata = match file.metadata() {
            Ok(metadata) if metadata.is_file() => metadata,
            _ => return refused("a regular file"),
        };
        if metadata.len() > CAP {
            return refused("a file of at most 30,720 bytes");
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(30_721));
        if file.take(CAP + 1).read_to_end(&mut bytes).is_err() {
            return refused("a readable file");
        }
        match std::str::from_utf8(&bytes) {
            Ok("") => refused("a file that is not empty"),
            Ok(text) if text.len() as u64 <= CAP => Ok(Sensitive::new(text.to_owned())),
            Ok(_) => refused("a file of at most 30,720 bytes"),
            Err(_) => refused("a file of UTF-8 text; encode binary content first"),
        }
    }
}

/// Opens `path`, given relative to `folder` or as an absolute path below it. No component may be a
/// link or lead out.
fn open_beneath(folder: &Path, path: &Path) -> Option<File> {
    let canonical = folder.canonicalize().ok()?;
    let relative = if path.is_absolute() {
        path.strip_prefix(folder).or_else(|_| path.strip_prefix(&canonical)).ok()?
    } else {
        path
    };
    if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    open_checked(&canonical, relative)
}

/// By the kernel's own check where there is one: no component may be a link or lead out.
#[cfg(target_os = "linux")]
fn open_checked(folder: &Path, relative: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
    use rustix::io::Errno;
    let directory =
        open(folder, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    // O_NONBLOCK: a pipe in the folder must not hang the call.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(directory, relative, flags, Mode::empty(), resolve) {
        Ok(file) => Some(File::from(file)),
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => open_compared(folder, relative),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn open_checked(folder: &Path, relative: &Path) -> Option<File> {
    open_compared(folder, relative)
}

/// By comparing the path with what it leads to.
fn open_compared(folder: &Path, relative: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let path = folder.join(relative);
    if path.canonicalize().ok()? != path {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    open(&path, flags, Mode::empty()).ok().map(File::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn file(path: &str) -> SecretDataSource {
        SecretDataSource { env: None, file: Some(path.into()) }
    }

    #[test]
    fn only_files_below_the_folder_are_read() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("values");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("ok"), "line\n").unwrap();
        std::fs::write(folder.join("empty"), "").unwrap();
        std::fs::write(folder.join("binary"), [0xff, 0xfe]).unwrap();
        std::fs::write(folder.join("long"), "x".repeat(30_721)).unwrap();
        std::fs::write(root.path().join("outside"), "no").unwrap();
        symlink(root.path().join("outside"), folder.join("link")).unwrap();
        let env = Env::from_pairs([]);
        let allowed = Allowed::new(&[], vec![folder.clone()]).unwrap();
        let read = |path: &str| allowed.read(&file(path), &env);
        assert!(read("ok").is_ok());
        assert!(read(folder.join("ok").to_str().unwrap()).is_ok());
        for path in ["../outside", "link", "empty", "binary", "long", "missing", ".", "/etc/passwd"]
        {
            assert!(read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn only_allowed_names_are_read_and_never_our_own_credentials() {
        let pairs = [("APP_KEY", "v"), ("OTHER", "v"), (ACCESS_KEY_SECRET, "v")];
        let env = Env::from_pairs(pairs.map(|(name, value)| (name.into(), value.into())));
        let source = |name: &str| SecretDataSource { env: Some(name.into()), file: None };
        let some = Allowed::new(&["APP_*".into()], vec![]).unwrap();
        assert!(some.read(&source("APP_KEY"), &env).is_ok());
        assert!(some.read(&source("OTHER"), &env).is_err());
        assert!(some.read(&source("APP_MISSING"), &env).is_err());
        let all = Allowed::new(&["*".into()], vec![]).unwrap();
        assert!(all.read(&source("OTHER"), &env).is_ok());
        assert!(all.read(&source(ACCESS_KEY_SECRET), &env).is_err());
    }
}
