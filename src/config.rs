//! Settings: flags, then environment, then `config.toml` in the XDG folder.
//!
//! The file is the person's. What the agent can edit (flags, environment) chooses a backend or
//! tightens; it never allows a source or replaces the policy.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::audit::ROTATE_BYTES;
use crate::env::Env;

/// The file's largest size in bytes.
const CAP: u64 = 256 * 1024;
/// How long a repeated call waits for a decision, in seconds (design §6).
const WAIT_SECONDS: u64 = 45;
/// Bytes after which a file of the audit log may be closed.
const AUDIT_FILE: std::ops::RangeInclusive<u64> = 4096..=1 << 40;

/// Why the settings cannot be used. The server does not start then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("`{0}` {1}")]
    File(String, &'static str),
    #[error("`{0}`: {1}")]
    Content(String, String),
    #[error("there is no home folder; pass --state-dir DIR")]
    NoHome,
}

/// What `config.toml` may say; unknown keys are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The policy in force: the name of a shipped one, or an absolute path.
    pub(crate) policy: Option<String>,
    /// The region, when neither argument, flag nor environment names one.
    pub(crate) region: Option<String>,
    wait_seconds: Option<u64>,
    /// Each question is opened in the person's browser.
    #[serde(default)]
    pub(crate) open_browser: bool,
    #[serde(default)]
    pub(crate) sources: Sources,
    #[serde(default)]
    pub(crate) destinations: Destinations,
    #[serde(default)]
    pub(crate) audit: Audit,
}

/// How the audit log is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audit {
    /// A file of that many bytes is closed, and the chain goes on in a new one.
    pub(crate) rotate_bytes: u64,
    pub(crate) checkpoints: Checkpoints,
}

impl Default for Audit {
    fn default() -> Self {
        Self { rotate_bytes: ROTATE_BYTES, checkpoints: Checkpoints::default() }
    }
}

/// The second place of each checkpoint: where the agent cannot take it back.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Checkpoints {
    /// A file or a pipe, appended to.
    pub(crate) file: Option<PathBuf>,
    /// The socket of journald, `/run/systemd/journal/socket` on most systems.
    pub(crate) journald: Option<PathBuf>,
}

/// Where values may go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destinations {
    /// The folder of the destination `file`; `disclosed` below the state folder by default.
    pub(crate) folder: Option<PathBuf>,
}

/// Where values may come from.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sources {
    /// Globs over names of environment variables; none by default.
    #[serde(default)]
    pub(crate) env: Vec<String>,
    /// Folders; one below the state folder by default.
    pub(crate) files: Option<Vec<PathBuf>>,
}

impl Config {
    /// Reads `config.toml`; an absent file is an empty one.
    pub(crate) fn load(env: &Env) -> Result<Self, ConfigError> {
        let Some(path) = env.config_dir().map(|folder| folder.join("config.toml")) else {
            return Ok(Self::default());
        };
        let Some(text) = read_own(&path)? else { return Ok(Self::default()) };
        let name = path.display().to_string();
        let config: Self = toml::from_str(&text).map_err(|error| {
            // The message alone does not name the key that has a wrong type.
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            ConfigError::Content(name.clone(), format!("line {line}: {}", error.message()))
        })?;
        match config.unfit() {
            Some(why) => Err(ConfigError::Content(name, why.into())),
            None => Ok(config),
        }
    }

    /// What a type cannot say.
    fn unfit(&self) -> Option<&'static str> {
        let Audit { rotate_bytes, checkpoints } = &self.audit;
        let mut places = checkpoints.file.iter().chain(&checkpoints.journald);
        if self.wait_seconds.is_some_and(|seconds| seconds > 300) {
            Some("`wait_seconds` must be 0 to 300")
        } else if !AUDIT_FILE.contains(rotate_bytes) {
            Some("`audit.rotate_bytes` must be 4096 to 1099511627776")
        } else if places.any(|place| !place.is_absolute()) {
            Some("`audit.checkpoints` names absolute paths")
        } else {
            None
        }
    }

    /// How long a repeated call waits for a decision.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds.unwrap_or(WAIT_SECONDS))
    }
}

/// Reads a file that only its owner can have written. `None`: it is not there.
fn read_own(path: &Path) -> Result<Option<String>, ConfigError> {
    let refuse = |why| ConfigError::File(path.display().to_string(), why);
    let seen = match fs::symlink_metadata(path) {
        Ok(seen) => seen,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(refuse("cannot be read")),
    };
    if !seen.is_file() {
        return Err(refuse("must be a regular file, not a link"));
    }
    let file = fs::File::open(path).map_err(|_| refuse("cannot be opened"))?;
    let held = file.metadata().map_err(|_| refuse("cannot be read"))?;
    if held.ino() != seen.ino() || held.dev() != seen.dev() {
        return Err(refuse("changed while it was opened"));
    }
    let me = rustix::process::geteuid().as_raw();
    if held.uid() != me && held.uid() != 0 {
        return Err(refuse("must belong to you; it belongs to somebody else"));
    }
    if held.mode() & 0o022 != 0 {
        return Err(refuse("can be written by others; run `chmod go-w` on it"));
    }
    let mut text = String::new();
    file.take(CAP + 1).read_to_string(&mut text).map_err(|_| refuse("is not UTF-8 text"))?;
    if text.len() as u64 > CAP {
        return Err(refuse("is longer than 256 KiB"));
    }
    Ok(Some(text))
}

/// The folder in which everything is kept: the flag, the environment, else the XDG folder.
pub(crate) fn state_dir(flag: Option<PathBuf>, env: &Env) -> Result<PathBuf, ConfigError> {
    let named = flag.or_else(|| env.get(crate::env::STATE_DIR).map(PathBuf::from));
    let folder = match named {
        Some(folder) => folder,
        None => env.state_dir().ok_or(ConfigError::NoHome)?,
    };
    std::path::absolute(&folder)
        .map_err(|_| ConfigError::File(folder.display().to_string(), "is not a path"))
}
