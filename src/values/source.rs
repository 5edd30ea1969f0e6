//! Reading a value from an environment variable or a file that config.toml allows, so that it
//! never meets the model or the client's transcript.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use zeroize::Zeroizing;

use super::overlap::{Closed, Overlap};
use crate::env::{Env, KEYS};
use crate::files::{FileError, HeldFolder};
use crate::operation::{Invalid, SecretDataSource};
use crate::sensitive::Sensitive;

/// The longest value, in bytes (facts/kms.md §1.1).
const CAP: u64 = 30_720;

/// Why the allow-lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("`sources.env`: `{0}` is not a glob")]
    Glob(String),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Why no value is read from a folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// Somebody else could put another folder in its place.
    #[error(
        "the folder of sources `{}` is not used: {error}. `sources.files` of config.toml takes folders that are yours or root's, as are all folders above them", named.display()
    )]
    Way { named: PathBuf, error: FileError },
    #[error(transparent)]
    Overlap(#[from] Overlap),
}

/// What config.toml allows.
#[derive(Debug)]
pub(crate) struct Allowed {
    names: GlobSet,
    folders: Vec<Folder>,
    closed: Closed,
}

impl Allowed {
    /// These names (globs) and folders (absolute), but nothing of what is closed. The folders are
    /// opened now; those that are not there yet, when a value is read from them.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub(crate) fn new(
        names: &[String],
        folders: Vec<PathBuf>,
        closed: Closed,
    ) -> Result<Self, SourceError> {
        let mut set = GlobSetBuilder::new();
        for name in names {
            let glob =
                GlobBuilder::new(name).build().map_err(|_| SourceError::Glob(name.clone()))?;
            set.add(glob);
        }
        let names = set.build().map_err(|_| SourceError::Glob(names.join(", ")))?;
        let folders: Vec<_> =
            folders.into_iter().map(|named| Folder { named, held: OnceLock::new() }).collect();
        for folder in &folders {
            if folder.held(&closed)?.is_none() {
                tracing::warn!(
                    "the folder of sources `{}` is not there; once it is, values can be read from it",
                    folder.named.display()
                );
            }
        }
        Ok(Self { names, folders, closed })
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
        let is_ours =
            KEYS.iter().any(|names| [names.id, names.secret, names.token].contains(&name));
        if is_ours || !self.names.is_match(name) {
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
        let mut unusable = None;
        let found = self.folders.iter().find_map(|folder| match folder.held(&self.closed) {
            Ok(held) => open_in(&folder.named, held?, path),
            Err(error) => {
                unusable.get_or_insert(error);
                None
            }
        });
        let Some(file) = found else {
            if let Some(error) = unusable {
                return refused(&format!("in a folder that can be used: {error}"));
            }
            let folders: Vec<_> =
                self.folders.iter().map(|folder| folder.named.display().to_string()).collect();
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
        if self.closed.is_profiles(&file) {
            return refused("a file other than that of the AccessKey");
        }
        if metadata.len() > CAP {
            return refused("a file of at most 30,720 bytes");
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(30_721));
        if file.take(CAP + 1).read_to_end(&mut bytes).is_err() {
            return refused("a readable file");
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.len() as u64 > CAP => refused("a file of at most 30,720 bytes"),
            Ok(text) => match oddity(text) {
                Some(allowed) => refused(allowed),
                None => Ok(Sensitive::new(text.to_owned())),
            },
            Err(_) => refused("a file of UTF-8 text; encode binary content first"),
        }
    }
}

/// A folder that values may be read from.
#[derive(Debug)]
struct Folder {
    /// As config.toml names it.
    named: PathBuf,
    /// Opened once: whatever is put in its place later is not read.
    held: OnceLock<HeldFolder>,
}

impl Folder {
    /// The open folder. It may have been moved to where something closed can be reached, so that is
    /// looked at each time. `None`: it is not there yet.
    fn held(&self, closed: &Closed) -> Result<Option<&HeldFolder>, FolderError> {
        if let Some(held) = self.held.get() {
            closed.check(&self.named, Some(held))?;
            return Ok(Some(held));
        }
        let opened = HeldFolder::open(&self.named)
            .map_err(|error| FolderError::Way { named: self.named.clone(), error })?;
        closed.check(&self.named, opened.as_ref())?;
        // If another call came first, its folder is the one, by the same checks.
        Ok(opened.map(|opened| self.held.get_or_init(|| opened)))
    }
}

/// Opens `path`, given relative to the folder or as an absolute path below it. No component may be
/// a link or lead out.
fn open_in(named: &Path, held: &HeldFolder, path: &Path) -> Option<File> {
    let relative = if path.is_absolute() {
        path.strip_prefix(named).or_else(|_| path.strip_prefix(held.real())).ok()?
    } else {
        path
    };
    held.open_file(relative)
}

/// What kind of a file holds something that is hardly meant as the value; says no more of it.
fn oddity(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("a file that is not empty")
    } else if text.starts_with('\u{feff}') {
        Some("a file without a byte-order mark at its beginning: save it as UTF-8 without BOM")
    } else if text.contains('\0') {
        Some("a file without NUL bytes: save it as UTF-8, or encode binary content first")
    } else if text.chars().all(char::is_whitespace) {
        Some("a file that holds more than white space")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn file(path: &str) -> SecretDataSource {
        SecretDataSource { env: None, file: Some(path.into()) }
    }

    fn closed(root: &Path) -> Closed {
        Closed {
            destination: root.join("disclosed"),
            state: root.join("state"),
            profiles: Some(root.join(".aliyun/config.json")),
        }
    }

    #[test]
    fn what_takes_the_place_of_a_folder_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["in", "other", "disclosed", ".aliyun"] {
            std::fs::create_dir(at(name)).unwrap();
            std::fs::write(at(name).join(name), name).unwrap();
        }
        std::fs::write(at(".aliyun/config.json"), "{}").unwrap();
        std::fs::hard_link(at(".aliyun/config.json"), at("in/harmless")).unwrap();
        let env = Env::from_pairs([]);
        let folders = vec![at("in"), at("later")];
        let allowed = Allowed::new(&[], folders, closed(root.path())).unwrap();
        let read = |path: &str| allowed.read(&file(path), &env);
        assert!(read("in").is_ok());
        assert!(read("harmless").unwrap_err().allowed.contains("AccessKey"));
        // One that is made later is opened when it is first read, with the same checks.
        symlink(at(".aliyun"), at("later")).unwrap();
        assert!(read("config.json").unwrap_err().allowed.contains("overlap"));
        std::fs::remove_file(at("later")).unwrap();
        std::fs::create_dir(at("later")).unwrap();
        std::fs::write(at("later/later"), "later").unwrap();
        assert!(read("later").is_ok());
        for closed in ["disclosed", ".aliyun", "other"] {
            std::fs::rename(at("in"), at("moved")).unwrap();
            symlink(at(closed), at("in")).unwrap();
            assert!(read(closed).is_err(), "{closed}");
            assert!(read(at("in").join(closed).to_str().unwrap()).is_err(), "{closed}");
            assert!(read("in").is_ok(), "{closed}: the folder that was opened is still read");
            std::fs::remove_file(at("in")).unwrap();
            std::fs::rename(at("moved"), at("in")).unwrap();
        }
        // Values would be written into it.
        std::fs::rename(at("disclosed"), at("moved")).unwrap();
        std::fs::rename(at("in"), at("disclosed")).unwrap();
        assert!(read("in").unwrap_err().allowed.contains("overlap"));
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
        std::fs::write(folder.join("bom"), "\u{feff}value").unwrap();
        std::fs::write(folder.join("nul"), "v\0a\0l\0").unwrap();
        std::fs::write(folder.join("blank"), " \r\n").unwrap();
        std::fs::write(root.path().join("outside"), "no").unwrap();
        symlink(root.path().join("outside"), folder.join("link")).unwrap();
        let env = Env::from_pairs([]);
        let allowed = Allowed::new(&[], vec![folder.clone()], closed(root.path())).unwrap();
        let read = |path: &str| allowed.read(&file(path), &env);
        assert!(read("ok").is_ok());
        assert!(read(folder.join("ok").to_str().unwrap()).is_ok());
        for path in [
            "../outside",
            "link",
            "empty",
            "binary",
            "long",
            "bom",
            "nul",
            "blank",
            "missing",
            ".",
            "/etc/passwd",
        ] {
            assert!(read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn only_allowed_names_are_read_and_never_our_own_credentials() {
        let ours = KEYS.iter().flat_map(|names| [names.id, names.secret, names.token]);
        let pairs = ["APP_KEY", "OTHER"].into_iter().chain(ours.clone());
        let env = Env::from_pairs(pairs.map(|name| (name.into(), "v".into())));
        let source = |name: &str| SecretDataSource { env: Some(name.into()), file: None };
        let closed = || closed(Path::new("/nowhere"));
        let some = Allowed::new(&["APP_*".into()], vec![], closed()).unwrap();
        assert!(some.read(&source("APP_KEY"), &env).is_ok());
        assert!(some.read(&source("OTHER"), &env).is_err());
        assert!(some.read(&source("APP_MISSING"), &env).is_err());
        let all = Allowed::new(&["*".into()], vec![], closed()).unwrap();
        assert!(all.read(&source("OTHER"), &env).is_ok());
        for name in ours {
            assert!(all.read(&source(name), &env).is_err(), "{name}");
        }
    }
}
