//! Every environment variable the program reads, once; and [`Env`], the door they come through.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::files::{PathError, absolute};
use crate::sensitive::Sensitive;

/// Where the KMS is: `alibaba` or `embedded`; the flag `--backend` wins.
pub(crate) const BACKEND: &str = "KMS_MCP_BACKEND";
/// Where everything that kms-mcp keeps is; the flag `--state-dir` wins.
pub(crate) const STATE_DIR: &str = "KMS_MCP_STATE_DIR";
/// A second policy, evaluated beside the one in force: it can only tighten.
pub(crate) const POLICY: &str = "KMS_MCP_POLICY";
/// A KMS endpoint to use instead of the region's.
pub(crate) const ENDPOINT: &str = "KMS_MCP_ENDPOINT";

/// The variables that hold an AccessKey.
#[derive(Debug)]
pub(crate) struct KeyNames {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) token: &'static str,
}

/// An AccessKey, in the order of the CLI (aliyun-cli, `config/profile.go`).
pub(crate) const KEYS: [KeyNames; 3] = [
    KeyNames {
        id: "ALIBABA_CLOUD_ACCESS_KEY_ID",
        secret: "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        token: "ALIBABA_CLOUD_SECURITY_TOKEN",
    },
    KeyNames {
        id: "ALIBABACLOUD_ACCESS_KEY_ID",
        secret: "ALIBABACLOUD_ACCESS_KEY_SECRET",
        token: "ALIBABACLOUD_SECURITY_TOKEN",
    },
    KeyNames {
        id: "ALICLOUD_ACCESS_KEY_ID",
        secret: "ALICLOUD_ACCESS_KEY_SECRET",
        token: "ALICLOUD_SECURITY_TOKEN",
    },
];
/// The profile, in the order of the CLI (aliyun-cli, `config/configuration.go`).
pub(crate) const PROFILE: [&str; 3] =
    ["ALIBABACLOUD_PROFILE", "ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE"];
/// `true` in one of them leaves the file of profiles aside: of the SDKs, and twice of the CLI.
pub(crate) const PROFILE_DISABLED: [&str; 3] = [
    "ALIBABA_CLOUD_CLI_PROFILE_DISABLED",
    "ALIBABA_CLOUD_IGNORE_PROFILE",
    "ALIBABACLOUD_IGNORE_PROFILE",
];

/// The region, in the order the CLI asks (facts/kms.md §5.2).
pub(crate) const REGION: [&str; 3] =
    ["ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION_ID"];

/// Seconds to wait for a connection, 1 to 300; 30 when unset.
pub(crate) const CONNECT_TIMEOUT: &str = "ALIBABA_CLOUD_CONNECT_TIMEOUT";
/// Seconds to wait for an answer, 1 to 300; 30 when unset.
pub(crate) const READ_TIMEOUT: &str = "ALIBABA_CLOUD_READ_TIMEOUT";

/// A proxy in one of them is not used; it is named when no connection comes about.
pub(crate) const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Certificates that TLS trusts in place of the system's (`rustls-native-certs`; on macOS the system
/// itself is asked, and no variable counts).
const TRUSTED: &[&str] =
    if cfg!(target_vendor = "apple") { &[] } else { &["SSL_CERT_FILE", "SSL_CERT_DIR"] };

/// XDG folders (freedesktop.org base directory specification) and what they default from.
const HOME: &str = "HOME";
const CONFIG_HOME: &str = "XDG_CONFIG_HOME";
const STATE_HOME: &str = "XDG_STATE_HOME";
/// What a program that opens a browser needs; it gets nothing else.
pub(crate) const OF_A_BROWSER: [&str; 13] = [
    "PATH",
    HOME,
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "XDG_DATA_DIRS",
    "DBUS_SESSION_BUS_ADDRESS",
    "BROWSER",
    CONFIG_HOME,
];
/// The user who called `sudo` (sudo(8)).
pub(crate) const SUDO_UID: &str = "SUDO_UID";
/// `NO_COLOR`: when set, the demo's transcript has no colours (no-color.org).
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// The log level of our own targets; nothing a dependency says is ever let through.
pub(crate) const LOG: &str = "RUST_LOG";

/// A variable that cannot mean what it says. No program starts: without the folder that it names,
/// settings would be passed over in silence.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EnvError {
    /// A folder that cannot be found.
    #[error("`{name}`: `{written}` {error}")]
    Folder {
        /// The variable.
        name: &'static str,
        /// What it says.
        written: String,
        error: PathError,
    },
    /// Bytes that are no text. The content may be a secret.
    #[error("`{0}` is not UTF-8 text; set it anew, or take it away")]
    NotText(String),
}

/// The environment, taken once at the start. A variable set to nothing counts as unset.
pub(crate) struct Env {
    variables: HashMap<String, String>,
    home: Option<PathBuf>,
    config_home: Option<PathBuf>,
    state_home: Option<PathBuf>,
    /// The first that cannot mean what it says.
    error: Option<EnvError>,
}

impl Env {
    /// What the process was started with.
    pub(crate) fn of_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the door itself")]
        let variables = std::env::vars_os();
        let mut error = None;
        let texts = variables.filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let value = match value.into_string() {
                Ok(value) => return Some((name, value)),
                Err(value) => value,
            };
            // Of these it counts that they are set, whatever the path is.
            if TRUSTED.contains(&name.as_str()) {
                return Some((name, value.to_string_lossy().into_owned()));
            }
            if is_ours(&name) {
                error.get_or_insert(EnvError::NotText(name));
            }
            None
        });
        let texts: Vec<_> = texts.collect();
        // MCP clients and containers may leave HOME out: the user database has it.
        let env = Self::new(texts, || std::env::home_dir().filter(|home| home.is_absolute()));
        Self { error: error.or(env.error), ..env }
    }

    /// These variables and no others.
    #[cfg(test)]
    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::new(pairs, || None)
    }

    fn new(
        pairs: impl IntoIterator<Item = (String, String)>,
        of_the_database: impl FnOnce() -> Option<PathBuf>,
    ) -> Self {
        let variables: HashMap<String, String> =
            pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut error = None;
        let mut folder = |name: &'static str, home: Option<&Path>| {
            let written = variables.get(name)?;
            absolute(Path::new(written), home)
                .map_err(|why| {
                    let written = written.clone();
                    error.get_or_insert(EnvError::Folder { name, written, error: why });
                })
                .ok()
        };
        let home =
            if variables.contains_key(HOME) { folder(HOME, None) } else { of_the_database() };
        let config_home = folder(CONFIG_HOME, home.as_deref());
        let state_home = folder(STATE_HOME, home.as_deref());
        Self { variables, home, config_home, state_home, error }
    }

    /// Whether every variable means what it says.
    ///
    /// # Errors
    /// Names the first one that cannot.
    pub(crate) fn check(&self) -> Result<(), EnvError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// A variable that is no secret.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The first of these variables that is set, with its name.
    pub(crate) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// The variables that are set and name the certificates that TLS trusts.
    pub(crate) fn trusted(&self) -> Vec<&'static str> {
        TRUSTED.iter().copied().filter(|name| self.get(name).is_some()).collect()
    }

    /// A variable whose content is a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<Sensitive> {
        self.variables.get(name).map(|value| Sensitive::new(value.clone()))
    }

    /// The home folder: `HOME`, or where that is unset, the one in the user database.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// `$XDG_CONFIG_HOME/kms-mcp`.
    pub(crate) fn config_dir(&self) -> Option<PathBuf> {
        self.xdg(self.config_home.as_deref(), ".config")
    }

    /// `$XDG_STATE_HOME/kms-mcp`.
    pub(crate) fn state_dir(&self) -> Option<PathBuf> {
        self.xdg(self.state_home.as_deref(), ".local/state")
    }

    fn xdg(&self, base: Option<&Path>, below_home: &str) -> Option<PathBuf> {
        let base = base.map(Path::to_owned);
        Some(base.or_else(|| Some(self.home()?.join(below_home)))?.join("kms-mcp"))
    }
}

/// Whether a variable of this name changes what is done, so that leaving it out would be wrong.
fn is_ours(name: &str) -> bool {
    let keys = KEYS.iter().flat_map(|names| [names.id, names.secret, names.token]);
    let one = [
        BACKEND,
        STATE_DIR,
        POLICY,
        ENDPOINT,
        CONNECT_TIMEOUT,
        READ_TIMEOUT,
        CONFIG_HOME,
        STATE_HOME,
    ];
    let mut all = keys.chain(one).chain(PROFILE).chain(PROFILE_DISABLED).chain(REGION);
    all.any(|ours| ours == name)
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}
