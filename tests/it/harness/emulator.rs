//! `kms-mcp emulator` as a child process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{BINARY, Watch};

/// A running emulator. Ends with the value.
pub(crate) struct Emulator {
    child: Child,
    pub url: String,
    pub account_id: String,
    pub access_key_id: String,
    pub access_key_secret: String,
    folder: PathBuf,
    own: Option<TempDir>,
}

impl Emulator {
    /// Starts on a folder of its own.
    pub(crate) fn start() -> Self {
        let own = TempDir::new().unwrap();
        let mut emulator = Self::start_in(own.path());
        emulator.own = Some(own);
        emulator
    }

    /// Starts on `folder`: data in `data`, faults from `faults.toml`, requests to `requests.jsonl`,
    /// and `behaviour.toml` if it is there.
    pub(crate) fn start_in(folder: &Path) -> Self {
        let faults = folder.join("faults.toml");
        if !faults.exists() {
            std::fs::write(&faults, "").unwrap();
        }
        let behaviour = folder.join("behaviour.toml");
        let mut child = Command::new(BINARY)
            .args(["emulator", "--listen", "127.0.0.1:0"])
            .args(behaviour.exists().then_some("--behaviour"))
            .args(behaviour.exists().then_some(&behaviour))
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--faults")
            .arg(&faults)
            .arg("--requests")
            .arg(folder.join("requests.jsonl"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("stderr.txt")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let watch = Watch::over(&child);
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        drop(watch);
        let says: Value = serde_json::from_str(&line).expect("one JSON line");
        let text = |name: &str| says[name].as_str().unwrap().to_owned();
        Self {
            child,
            url: text("Url"),
            account_id: text("AccountId"),
            access_key_id: text("AccessKeyId"),
            access_key_secret: text("AccessKeySecret"),
            folder: folder.to_owned(),
            own: None,
        }
    }

    /// What it said on stderr.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("stderr.txt")).unwrap()
    }

    /// Tells it how to fail from now on.
    pub(crate) fn faults(&self, toml: &str) {
        std::fs::write(self.folder.join("faults.toml"), toml).unwrap();
    }

    /// What it was asked, one JSON object a request.
    pub(crate) fn requests(&self) -> Vec<Value> {
        std::fs::read_to_string(self.folder.join("requests.jsonl"))
            .unwrap_or_default()
            // It may be in the middle of the last line.
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// How often an action was asked for.
    pub(crate) fn count(&self, action: &str) -> usize {
        self.requests().iter().filter(|request| request["action"] == action).count()
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
