//! The format of a case file. Unknown keys are refused, so that nothing is believed to be checked
//! that is not.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows.
    pub(crate) about: String,
    /// `config.toml`, beside the harness's own.
    pub(crate) config: Option<String>,
    /// The policy flag of the server.
    pub(crate) policy: Option<String>,
    /// How the emulator settles what is open: `emulator --behaviour`, in TOML.
    pub(crate) behaviour: Option<String>,
    /// Files for `SecretDataSource`, in the default folder.
    #[serde(default)]
    pub(crate) values: Map<String, Value>,
    pub(crate) steps: Vec<Step>,
}

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// The tool to call, with `arguments`.
    pub(crate) tool: Option<String>,
    #[serde(default)]
    pub(crate) arguments: Map<String, Value>,
    /// Repeats the last call with the token that it was answered; what stands here is changed.
    pub(crate) again: Option<Map<String, Value>>,
    /// What the person types at `kms-mcp approve MATCHCODE` before the call is repeated.
    pub(crate) approve: Option<String>,
    /// The emulator's fault file from here on.
    pub(crate) faults: Option<Value>,
    /// The envelope. `Result` is compared whole, `Error` and `Confirmation` as far as they are
    /// given; a member that is not given must be missing, but for `RequestId` and `Notes`.
    /// Placeholders: `<time>`, `<request-id>`, `<token>`, `<match-code>`, `<text>`,
    /// `<contains …>`; in arguments too: `{account}`, `{instance}`, `{key}`, and
    /// `{"$repeat": ["x", 30720]}`.
    pub(crate) expect: Map<String, Value>,
    /// The requests that reach the emulator, in order, each written as
    /// `Action Query Names | Body Names -> STATUS Code (fault)`: names by the alphabet, `nothing` for
    /// a missing status, code and fault where there is one.
    pub(crate) sent: Vec<String>,
}

const ENVELOPE: [&str; 7] =
    ["Status", "Result", "Outcome", "Confirmation", "Error", "RequestId", "Notes"];

impl Case {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let case: Self = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if case.steps.is_empty() {
            return Err("no steps".into());
        }
        if case.about.is_empty() {
            return Err("`about` says nothing".into());
        }
        for step in &case.steps {
            if step.tool.is_some() == step.again.is_some() {
                return Err("a step has either `tool` or `again`".into());
            }
            if let Some(key) = step.expect.keys().find(|key| !ENVELOPE.contains(&key.as_str())) {
                return Err(format!("`{key}` is not in the envelope"));
            }
        }
        Ok(case)
    }
}
