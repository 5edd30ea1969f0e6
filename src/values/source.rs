//! Reading a value from an environment variable or a file that config.toml allows, so that it
//! never meets the model or the client's transcript.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use zeroize::Zeroizing;

use crate::env::{Env, KEYS};
use crate::files::open_beneath;
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
        let Some(file) = self.folders.iter().find_map(|folder| open_in(folder, path)) else {
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
            Ok(text) if text.len() as u64 > CAP => refused("a file of at most 30,720 bytes"),
            Ok(text) => match oddity(text) {
                Some(allowed) => refused(allowed),
                None => Ok(Sensitive::new(text.to_owned())),
            },
            Err(_) => refused("a file of UTF-8 text; encode binary content first"),
        }
    }
}

/// Opens `path`, given relative to `folder` or as an absolute path below it. No component may be a
/// link or lead out.
fn open_in(folder: &Path, path: &Path) -> Option<File> {
    let canonical = folder.canonicalize().ok()?;
    let relative = if path.is_absolute() {
        path.strip_prefix(folder).or_else(|_| path.strip_prefix(&canonical)).ok()?
    } else {
        path
    };
    open_beneath(&canonical, relative)
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
        let allowed = Allowed::new(&[], vec![folder.clone()]).unwrap();
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
        let some = Allowed::new(&["APP_*".into()], vec![]).unwrap();
        assert!(some.read(&source("APP_KEY"), &env).is_ok());
        assert!(some.read(&source("OTHER"), &env).is_err());
        assert!(some.read(&source("APP_MISSING"), &env).is_err());
        let all = Allowed::new(&["*".into()], vec![]).unwrap();
        assert!(all.read(&source("OTHER"), &env).is_ok());
        for name in ours {
            assert!(all.read(&source(name), &env).is_err(), "{name}");
        }
    }
}
