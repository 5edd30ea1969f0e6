//! [`Browser`]: opens a question for the person, if `config.toml` says so.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use tokio::process::Command;

use crate::env::{Env, OF_A_BROWSER};
use crate::store::Hash;

/// What opens an address the way the person chose.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// How many questions are remembered as opened: more than wait at a time.
const REMEMBERED: usize = 1_024;

/// The person's browser, and what was opened in it.
pub(super) struct Browser {
    /// All that it gets of our environment: credentials may stand in the rest.
    environment: Vec<(&'static str, String)>,
    /// The latest questions that were opened, the oldest first.
    opened: Mutex<VecDeque<Hash>>,
}

impl Browser {
    pub(super) fn of(env: &Env) -> Self {
        let given = |name: &&'static str| Some((*name, env.get(name)?.to_owned()));
        Self {
            environment: OF_A_BROWSER.iter().filter_map(given).collect(),
            opened: Mutex::default(),
        }
    }

    /// Opens `address`, unless the question was opened before.
    pub(super) fn open_once(&self, question: Hash, address: &str) {
        {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if opened.contains(&question) {
                return;
            }
            opened.push_back(question);
            if opened.len() > REMEMBERED {
                opened.pop_front();
            }
        }
        let started = Command::new(OPENER)
            .arg(address)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(mut child) => {
                tokio::spawn(async move { child.wait().await });
            }
            Err(error) => {
                tracing::warn!("the browser could not be started with {OPENER} ({})", error.kind());
            }
        }
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser")
    }
}
