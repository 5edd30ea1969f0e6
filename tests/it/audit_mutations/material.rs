//! Real logs of the real binary: a long chain, a short one, one in several files, one that was
//! killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::log::Log;
use crate::harness::{BINARY, Question, Run, Server, ServerOptions};

/// A folder of logs under one key, and their copied checkpoints.
pub(super) struct Material {
    _home: TempDir,
    pub(super) state: PathBuf,
    /// The public key, as `audit key` prints it.
    pub(super) key: String,
    pub(super) copy: PathBuf,
    /// The files of each chain.
    chains: Vec<Vec<String>>,
}

impl Material {
    pub(super) fn make() -> Self {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let copy = home.path().join("checkpoints");
        let mut chains: Vec<Vec<String>> = Vec::new();
        let mut known: Vec<String> = Vec::new();
        let mut look = |chains: &mut Vec<Vec<String>>| {
            let mut new: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for entry in fs::read_dir(state.join("audit")).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if !known.contains(&name) {
                    known.push(name.clone());
                    let instance = name.split(['-', '.']).nth(1).unwrap().to_owned();
                    new.entry(instance).or_default().push(name);
                }
            }
            // The longest first: the server's, then that of an approving process.
            let mut new: Vec<_> = new.into_values().collect();
            let size = |name: &String| fs::metadata(state.join("audit").join(name)).unwrap().len();
            new.sort_by_key(|chain| std::cmp::Reverse(chain.iter().map(size).sum::<u64>()));
            chains.extend(new);
        };
        let config = |more: &str| {
            let file = copy.display();
            let text = format!("wait_seconds = 1\n{more}\n[audit.checkpoints]\nfile = '{file}'\n");
            ServerOptions::embedded().config(&text)
        };

        let mut server = Server::start_in(home.path(), config(""));
        server.create("app/db", "hunter2-hunter2");
        let question = Question::disclosure(&mut server, "app/db");
        question.approve(&server);
        assert_eq!(question.redeem(&mut server)["Status"], "ok");
        for _ in 0..30 {
            server.call("ListSecrets", json!({}));
        }
        assert!(server.finish().0.success());
        look(&mut chains);

        let mut server = Server::start_in(home.path(), config("[audit]\nrotate_bytes = 4096"));
        for _ in 0..8 {
            server.call("DescribeSecret", json!({ "SecretName": "app/db" }));
        }
        assert!(server.finish().0.success());
        look(&mut chains);

        let mut server = Server::start_in(home.path(), config(""));
        for _ in 0..40 {
            server.call("ListSecrets", json!({}));
        }
        server.kill();
        look(&mut chains);
        assert!(chains.len() == 4 && chains[2].len() >= 3, "{chains:?}");

        let key = Command::new(BINARY)
            .args(["audit", "key", "--state-dir"])
            .arg(&state)
            .env_clear()
            .run();
        let key = String::from_utf8(key.stdout).unwrap().trim().to_owned();
        assert_eq!(key.len(), 43);
        Self { _home: home, state, key, copy, chains }
    }

    /// The log of the folder.
    pub(super) fn whole(&self) -> Log {
        let names = self.chains.concat();
        self.read(&names)
    }

    /// Each chain as a log of its own: long, short, in several files, killed.
    pub(super) fn logs(&self) -> Vec<Log> {
        self.chains.iter().map(|names| self.read(names)).collect()
    }

    fn read(&self, names: &[String]) -> Log {
        let read = |name: &String| fs::read(self.state.join("audit").join(name)).unwrap();
        Log { files: names.iter().map(|name| (name.clone(), read(name))).collect() }
    }
}
