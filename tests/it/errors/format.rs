//! The files of `tests/cases/errors/`: the table of codes, and the cases that reach them. Unknown
//! keys are refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// `table.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// By action; `gateway` stands for the codes that any action can answer.
    pub(super) actions: BTreeMap<String, Vec<Row>>,
    /// A part of the `Next` that an agent is given for a code.
    pub(super) next: BTreeMap<String, String>,
}

/// A published error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) status: u16,
    pub(super) code: String,
    /// Where it is published: the tags of facts/kms.md.
    pub(super) source: String,
}

/// `<Action>.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) cases: Vec<Case>,
}

/// A call that is answered with an error, on what `before.json` made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The row of the table that it reaches.
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) by: By,
    /// What brings it about, in a few words.
    pub(super) about: String,
    /// The action, in `gateway.json`; else the file's.
    pub(super) tool: Option<String>,
    /// Calls before it, which must succeed.
    #[serde(default)]
    pub(super) before: Vec<Call>,
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
    /// What the person types when asked; without it, a token that needs nobody is redeemed.
    pub(super) approve: Option<String>,
    /// The emulator's fault file for this call and those before it; `by: fault` writes its own.
    pub(super) faults: Option<Value>,
    /// The emulator's behaviour, which gives the case a server and an emulator of its own.
    pub(super) behaviour: Option<String>,
    /// The server's environment, which does so too.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// `Error.Changed`; `no` unless it is said.
    pub(super) changed: Option<String>,
    /// `Error.Code`, where it is not the code of KMS.
    pub(super) told: Option<String>,
    /// A part of `Error.Next`, where it is not the one of the table.
    pub(super) next: Option<String>,
    /// The `Outcome`, where the code says that the wanted state holds already.
    pub(super) outcome: Option<String>,
}

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) tool: String,
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
    #[serde(default)]
    pub(super) approve: Option<String>,
    /// Made so many times; `{n}` in the arguments counts from 1.
    #[serde(default = "once")]
    pub(super) times: u32,
}

fn once() -> u32 {
    1
}

/// How a code is reached. The run checks it against what the emulator saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    /// What the emulated KMS holds makes it refuse.
    State,
    /// What the call says does.
    Input,
    /// It depends on the cloud, and was told to the emulator.
    Fault,
    /// The program refuses it before KMS is asked.
    Local,
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/errors"))
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}
