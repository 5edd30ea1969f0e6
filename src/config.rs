//! Settings: flags, then environment, then `config.toml` in the XDG folder.
//!
//! The file is the person's. What the agent can edit (flags, environment) chooses a backend or
//! tightens; it never allows a source or replaces the policy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::audit::ROTATE_BYTES;
use crate::env::{Env, STATE_DIR};
use crate::files::{Fault, FileError, PathError, Rules, absolute, read_owned};

/// The file's largest size in bytes.
const CAP: u64 = 256 * 1024;
/// How long a repeated call waits for a decision, in seconds (design §6).
const WAIT_SECONDS: u64 = 45;
/// How long a dialog in the client may stay open, in seconds.
const ASK_SECONDS: u64 = 120;
/// How often a client hears that its call waits, in seconds.
const PROGRESS_SECONDS: u64 = 5;
/// Bytes after which a file of the audit log may be closed.
const AUDIT_FILE: std::ops::RangeInclusive<u64> = 4096..=1 << 40;

/// Why the settings cannot be used. The server does not start then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("`{0}`: {1}")]
    Content(String, String),
    #[error("`{name}`: `{written}` {error}")]
    Path {
        /// The flag, variable or key.
        name: &'static str,
        /// What it says.
        written: String,
        error: PathError,
    },
    #[error(
        "no home folder is known, neither by HOME nor by the user database; pass --state-dir DIR"
    )]
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
    ask_seconds: Option<u64>,
    progress_seconds: Option<u64>,
    /// Each question is opened in the person's browser.
    #[serde(default)]
    pub(crate) open_browser: bool,
    #[serde(default)]
    pub(crate) sources: Sources,
    #[serde(default)]
    pub(crate) destinations: Destinations,
    #[serde(default)]
    pub(crate) limits: Asked,
    #[serde(default)]
    pub(crate) audit: Audit,
    #[serde(default)]
    pub(crate) approval: Approval,
    #[serde(default)]
    pub(crate) network: Network,
}

/// What a person's approval takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Approval {
    /// Only a decision that is signed with a PIN counts. `false`: without a PIN an unsigned one
    /// does.
    pub(crate) require_factor: bool,
}

impl Default for Approval {
    fn default() -> Self {
        Self { require_factor: true }
    }
}

/// Where calls may go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    /// Hosts that are no KMS and that `--endpoint` or its variable may name. `*` for the port is
    /// for tests.
    pub(crate) endpoints: Vec<String>,
}

/// How often a person is asked; what is not said is as it ships.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Questions of one process that may wait at a time: 1 to 20.
    pub(crate) pending: Option<u32>,
    /// Questions of all processes in ten minutes: 1 to 100.
    pub(crate) questions: Option<u32>,
    /// For how long a person who said no is not asked again, in seconds: 0 to 3,600.
    pub(crate) cool_off_seconds: Option<u32>,
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
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            // The message alone does not name the key that has a wrong type.
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            ConfigError::Content(name.clone(), format!("line {line}: {}", error.message()))
        })?;
        config.write_out_paths(env.home())?;
        let limits = &config.limits;
        let ranges = [
            ("wait_seconds", config.wait_seconds, 0..=300),
            ("ask_seconds", config.ask_seconds, 1..=300),
            ("progress_seconds", config.progress_seconds, 1..=60),
            ("limits.pending", limits.pending.map(u64::from), 1..=20),
            ("limits.questions", limits.questions.map(u64::from), 1..=100),
            ("limits.cool_off_seconds", limits.cool_off_seconds.map(u64::from), 0..=3600),
        ];
        for (key, given, range) in ranges {
            if given.is_some_and(|given| !range.contains(&given)) {
                let said = format!("`{key}` must be {} to {}", range.start(), range.end());
                return Err(ConfigError::Content(name, said));
            }
        }
        let audit = &config.audit;
        if !AUDIT_FILE.contains(&audit.rotate_bytes) {
            let said = "`audit.rotate_bytes` must be 4096 to 1099511627776";
            return Err(ConfigError::Content(name, said.into()));
        }
        Ok(config)
    }

    /// The settings that loosen, for the `start` record. `None`: there is none.
    pub(crate) fn loosened(&self) -> Option<String> {
        let mut loosened = Vec::new();
        if !self.approval.require_factor {
            loosened.push("approval.require_factor = false".to_owned());
        }
        if !self.network.endpoints.is_empty() {
            let endpoints = &self.network.endpoints;
            loosened.push(format!("network.endpoints = {endpoints:?}"));
        }
        (!loosened.is_empty()).then(|| loosened.join("; "))
    }

    /// Each path as an absolute one.
    fn write_out_paths(&mut self, home: Option<&Path>) -> Result<(), ConfigError> {
        let checkpoints = &mut self.audit.checkpoints;
        let one = [
            ("audit.checkpoints.file", &mut checkpoints.file),
            ("audit.checkpoints.journald", &mut checkpoints.journald),
            ("destinations.folder", &mut self.destinations.folder),
        ];
        let one = one.into_iter().flat_map(|(name, path)| path.iter_mut().map(move |p| (name, p)));
        let many = self.sources.files.iter_mut().flatten().map(|path| ("sources.files", path));
        for (name, path) in one.chain(many) {
            *path = absolute(path, home).map_err(|error| ConfigError::Path {
                name,
                written: path.display().to_string(),
                error,
            })?;
        }
        Ok(())
    }

    /// How long a repeated call waits for a decision.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds.unwrap_or(WAIT_SECONDS))
    }

    /// How long a dialog in the client may stay open.
    pub(crate) fn ask(&self) -> Duration {
        Duration::from_secs(self.ask_seconds.unwrap_or(ASK_SECONDS))
    }

    /// How often a client that wants to know hears that its call waits.
    pub(crate) fn progress(&self) -> Duration {
        Duration::from_secs(self.progress_seconds.unwrap_or(PROGRESS_SECONDS))
    }
}

/// The text of a file that only the user or root can have written. `None`: it is not there.
fn read_own(path: &Path) -> Result<Option<String>, ConfigError> {
    let Some(bytes) = read_owned(path, Rules::settings(CAP).following_links())? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::NotText.at(path))?;
    // Editors on Windows begin a file with a byte-order mark.
    Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()))
}

/// The folder in which everything is kept: the flag, the environment, else the XDG folder.
pub(crate) fn state_dir(flag: Option<PathBuf>, env: &Env) -> Result<PathBuf, ConfigError> {
    let (name, written) = match (flag, env.get(STATE_DIR)) {
        (Some(folder), _) => ("--state-dir", folder),
        (None, Some(folder)) => (STATE_DIR, PathBuf::from(folder)),
        (None, None) => return env.state_dir().ok_or(ConfigError::NoHome),
    };
    absolute(&written, env.home()).map_err(|error| ConfigError::Path {
        name,
        written: written.display().to_string(),
        error,
    })
}
