//! Settings: flags, then environment, then `config.toml`: the user's, bounded by root's.
//!
//! The user's file lies in the XDG folder. What the agent can edit (flags, environment) chooses a
//! backend or tightens; it never allows a source or replaces the policy. `/etc/kms-mcp/config.toml`
//! is root's, and an upper bound: nothing that the user can write loosens what it says.

mod reference;
mod rule;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::anchor;
use crate::audit::ROTATE_BYTES;
use crate::env::{Env, STATE_DIR};
use crate::files::{Fault, FileError, PathError, Rules, absolute, read_owned};

pub(crate) use reference::{TITLE, reference};
use rule::Policies;
pub(crate) use table::Settings;

/// The largest size of a file in bytes.
const MAX_BYTES: u64 = 256 * 1024;
/// How long a repeated call waits for a decision, in seconds.
const WAIT_SECONDS: u64 = 45;
/// How long a dialog in the client may stay open, in seconds.
const ASK_SECONDS: u64 = 120;
/// How often a client hears that its call waits, in seconds.
const PROGRESS_SECONDS: u64 = 5;

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
    #[error(
        "`{0}` is set and would replace the certificates that the system trusts, so that another host could pass for KMS; where `{1}` bounds the settings, no server starts with it. Unset it; a certificate that is needed belongs among those of the system"
    )]
    Trusted(String, String),
}

/// What counts of root's file and the user's.
#[derive(Debug, Default)]
pub(crate) struct Config {
    settings: Settings,
    /// Whether root's file bounds them.
    pub(crate) is_anchored: bool,
}

impl std::ops::Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl Config {
    /// Reads both files; an absent one is an empty one.
    ///
    /// # Errors
    /// A file that is there and cannot be read, understood or trusted.
    pub(crate) fn load(env: &Env) -> Result<Self, ConfigError> {
        let users = match env.config_dir().map(|folder| folder.join("config.toml")) {
            None => Settings::default(),
            Some(path) => read_owned(&path, Rules::settings(MAX_BYTES).following_links())?
                .map(|bytes| parse(&path, &bytes, env.home().ok_or(PathError::NoHome)))
                .transpose()?
                .unwrap_or_default(),
        };
        Ok(match roots()? {
            Some(roots) => Self { settings: roots.bounding(users), is_anchored: true },
            None => Self { settings: users, is_anchored: false },
        })
    }

    /// The policy that judges each call, and those that judge it as well.
    pub(crate) fn policies(&self) -> (&str, impl Iterator<Item = &str>) {
        let names = self.policy.as_ref().map(Policies::names).unwrap_or_default();
        let mut names = names.iter().map(String::as_str);
        (names.next().unwrap_or("default"), names)
    }

    /// Whether only a signed decision counts where no PIN is set.
    pub(crate) fn require_factor(&self) -> bool {
        self.approval.require_factor.unwrap_or(true)
    }

    /// Hosts that are no KMS and may be named.
    pub(crate) fn endpoints(&self) -> &[String] {
        self.network.endpoints.as_deref().unwrap_or_default()
    }

    /// Globs over the names of environment variables that a value may come from.
    pub(crate) fn source_names(&self) -> &[String] {
        self.sources.env.as_deref().unwrap_or_default()
    }

    /// Whether each approval request is opened in the browser.
    pub(crate) fn opens_browser(&self) -> bool {
        self.open_browser.unwrap_or(false)
    }

    /// Size in bytes at which a file of the audit log is closed.
    pub(crate) fn rotate_bytes(&self) -> u64 {
        self.audit.rotate_bytes.unwrap_or(ROTATE_BYTES)
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

    /// The variables that name the certificates that TLS trusts, which says who counts as KMS.
    ///
    /// # Errors
    /// Root's file bounds the settings: then no variable of the user may say it.
    pub(crate) fn trusted(&self, env: &Env) -> Result<Vec<&'static str>, ConfigError> {
        let names = env.trusted();
        if self.is_anchored && !names.is_empty() {
            let path = anchor::settings().display().to_string();
            return Err(ConfigError::Trusted(names.join("` and `"), path));
        }
        Ok(names)
    }

    /// The settings that loosen, and `trusted` variables, for the `start` record. `None`: there is
    /// none.
    pub(crate) fn loosened(&self, trusted: &[&str]) -> Option<String> {
        let mut loosened = Vec::new();
        if !self.require_factor() {
            loosened.push("approval.require_factor = false".to_owned());
        }
        if !self.endpoints().is_empty() {
            loosened.push(format!("network.endpoints = {:?}", self.endpoints()));
        }
        loosened.extend(trusted.iter().map(|name| format!("certificates of {name}")));
        (!loosened.is_empty()).then(|| loosened.join("; "))
    }
}

/// What root's file says. `None`: there is none.
fn roots() -> Result<Option<Settings>, ConfigError> {
    let path = anchor::settings();
    let Some(bytes) = anchor::read(&path, MAX_BYTES)? else { return Ok(None) };
    // The user chooses what is called the home folder: `~/` has no place in root's file.
    let settings = parse(&path, &bytes, Err(PathError::RootsHome))?;
    let policies = settings.policy.as_ref().map(Policies::names).unwrap_or_default();
    for policy in policies.iter().map(Path::new).filter(|policy| policy.is_absolute()) {
        anchor::check(policy)?;
    }
    Ok(Some(settings))
}

/// What the bytes of a file say; `~/` stands for `home`, or for nothing and why.
fn parse(
    path: &Path,
    bytes: &[u8],
    home: Result<&Path, PathError>,
) -> Result<Settings, ConfigError> {
    let refuse = |why: String| ConfigError::Content(path.display().to_string(), why);
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotText.at(path))?;
    // Editors on Windows begin a file with a byte-order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut settings: Settings = toml::from_str(text).map_err(|error| {
        // The message alone does not name the key that has a wrong type.
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        refuse(format!("line {line}: {}", error.message()))
    })?;
    if let Some((key, range)) = settings.out_of_range() {
        return Err(refuse(format!("`{key}` must be {} to {}", range.start(), range.end())));
    }
    settings.write_out_paths(home.ok()).map_err(|(key, (written, error))| {
        let error = home.err().filter(|_| error == PathError::NoHome).unwrap_or(error);
        refuse(format!("`{key}`: `{written}` {error}"))
    })?;
    Ok(settings)
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

#[cfg(test)]
mod tests {
    use super::table::KEYS;
    use super::*;

    fn settings(text: &str) -> Settings {
        parse(Path::new("config.toml"), text.as_bytes(), Err(PathError::NoHome)).unwrap()
    }

    fn joined(root: &str, user: &str) -> Config {
        Config { settings: settings(root).bounding(settings(user)), is_anchored: true }
    }

    /// A value of each key that is stricter or root's, another one, and what counts of the two
    /// whoever says them.
    const BOUNDED: [(&str, &str, &str, Counts); 17] = [
        ("policy", "'hardened'", "'default'", Counts::Both),
        ("region", "'cn-beijing'", "'cn-shanghai'", Counts::Roots),
        ("wait_seconds", "0", "300", Counts::First),
        ("ask_seconds", "1", "300", Counts::First),
        ("progress_seconds", "1", "60", Counts::First),
        ("open_browser", "false", "true", Counts::First),
        ("sources.env", "['A_*']", "['*']", Counts::Roots),
        ("sources.files", "['/a']", "['/']", Counts::Roots),
        ("destinations.folder", "'/a'", "'/b'", Counts::Roots),
        ("limits.pending", "1", "20", Counts::First),
        ("limits.questions", "1", "100", Counts::First),
        ("limits.cool_off_seconds", "3600", "0", Counts::First),
        ("approval.require_factor", "true", "false", Counts::First),
        ("network.endpoints", "[]", "['http://127.0.0.1:*']", Counts::Roots),
        ("audit.rotate_bytes", "4096", "1099511627776", Counts::First),
        ("audit.checkpoints.file", "'/a'", "'/b'", Counts::Roots),
        ("audit.checkpoints.journald", "'/a'", "'/b'", Counts::Roots),
    ];

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Counts {
        /// The first, whoever says it.
        First,
        Roots,
        /// Each of the two, root's first.
        Both,
    }

    #[test]
    fn of_each_key_the_user_can_only_tighten_what_root_says() {
        let names: Vec<&str> = BOUNDED.iter().map(|(key, ..)| *key).collect();
        assert_eq!(names, KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
        for (key, first, second, counts) in BOUNDED {
            let line = |value: &str| format!("{key} = {value}");
            let both = |root: &str, user: &str| {
                format!("{:?}", settings(&line(root)).bounding(settings(&line(user))))
            };
            let alone = |value: &str| format!("{:?}", settings(&line(value)));
            assert_ne!(alone(first), alone(second), "{key}");
            match counts {
                Counts::First => {
                    assert_eq!(both(first, second), alone(first), "{key}");
                    assert_eq!(both(second, first), alone(first), "{key}");
                }
                Counts::Roots => {
                    assert_eq!(both(first, second), alone(first), "{key}");
                    assert_eq!(both(second, first), alone(second), "{key}");
                }
                Counts::Both => {
                    for (root, user) in [(first, second), (second, first)] {
                        let joined = joined(&line(root), &line(user));
                        let (base, further) = joined.policies();
                        let judging: Vec<String> = std::iter::once(base)
                            .chain(further)
                            .map(|name| format!("'{name}'"))
                            .collect();
                        assert_eq!(judging, [root, user], "{key}");
                    }
                }
            }
            // What one file sets holds, whichever it is.
            for said in [joined(&line(first), ""), joined("", &line(first))] {
                assert_eq!(format!("{:?}", said.settings), alone(first), "{key}");
            }
        }
    }

    #[test]
    fn the_reference_names_the_defaults() {
        let nothing = Config::default();
        let limits = crate::guard::Limits::default();
        for (key, unset) in [
            ("wait_seconds", nothing.wait().as_secs().to_string()),
            ("ask_seconds", nothing.ask().as_secs().to_string()),
            ("progress_seconds", nothing.progress().as_secs().to_string()),
            ("limits.pending", limits.pending.to_string()),
            ("limits.questions", limits.questions.to_string()),
            ("limits.cool_off_seconds", (limits.cool_off_ms / 1000).to_string()),
            ("audit.rotate_bytes", nothing.rotate_bytes().to_string()),
            ("policy", format!("`{}`", nothing.policies().0)),
            ("open_browser", format!("`{}`", nothing.opens_browser())),
            ("approval.require_factor", format!("`{}`", nothing.require_factor())),
        ] {
            let named = KEYS.iter().find(|known| known.name == key).unwrap();
            assert_eq!(named.unset, unset, "{key}");
        }
    }
}
