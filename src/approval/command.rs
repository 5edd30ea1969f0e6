//! [`ApproveCommand`]: what the person runs to decide, to be pasted as it stands.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::env::Env;

const NAME: &str = "kms-mcp";

/// `kms-mcp approve`, of this very program and this server's state folder.
#[derive(Debug, Clone)]
pub(crate) struct ApproveCommand {
    program: String,
    /// When it is not the default.
    state_dir: Option<PathBuf>,
}

impl ApproveCommand {
    /// The command for a server whose state folder was named, if it was. The name alone stands for
    /// the program where that is what the search path finds.
    pub(crate) fn new(env: &Env, state_dir: Option<PathBuf>) -> Self {
        let found = env.get("PATH").and_then(first_on);
        let program = match std::env::current_exe() {
            Ok(own) if own.exists() && !found.is_some_and(|found| is_same(&found, &own)) => {
                quoted(&own)
            }
            _ => NAME.to_owned(),
        };
        Self { program, state_dir }
    }

    /// The command that sets a PIN.
    pub(crate) fn pin_set(&self) -> String {
        self.with("pin set")
    }

    /// The command that decides on the question of `match_code`.
    pub(crate) fn of(&self, match_code: &str) -> String {
        self.with(&format!("approve {match_code}"))
    }

    fn with(&self, words: &str) -> String {
        let mut command = format!("{} {words}", self.program);
        if let Some(folder) = &self.state_dir {
            command.push_str(" --state-dir ");
            command.push_str(&quoted(folder));
        }
        command
    }
}

/// The program that a shell with this search path runs.
fn first_on(path: &str) -> Option<PathBuf> {
    let runs = |file: &PathBuf| {
        fs::metadata(file).is_ok_and(|seen| seen.is_file() && seen.mode() & 0o111 != 0)
    };
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(NAME))
        .find(runs)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path| fs::metadata(path).map(|seen| (seen.dev(), seen.ino()));
    matches!((file(one), file(other)), (Ok(one), Ok(other)) if one == other)
}

/// The path as one word of a POSIX shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    if text.bytes().all(plain) && !text.is_empty() {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_path_is_one_word() {
        for (path, word) in [
            ("/opt/kms-mcp", "/opt/kms-mcp"),
            ("/a b/it's", r"'/a b/it'\''s'"),
            ("/a;b", "'/a;b'"),
            ("/$HOME/~x", "'/$HOME/~x'"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }

    #[test]
    fn the_name_alone_stands_for_this_very_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let (none, first, own) =
            (folder.path().join("none"), folder.path().join("first"), folder.path().join("own"));
        for folder in [&none, &first, &own] {
            fs::create_dir(folder).unwrap();
        }
        let exe = std::env::current_exe().unwrap();
        symlink(&exe, own.join(NAME)).unwrap();
        let command = |folders: &[&PathBuf]| {
            let path = std::env::join_paths(folders).unwrap().into_string().unwrap();
            ApproveCommand::new(&Env::from_pairs([("PATH".into(), path)]), None).of("58-KIWI")
        };
        let absolute = format!("{} approve 58-KIWI", quoted(&exe));
        assert_eq!(command(&[&none]), absolute);
        assert_eq!(command(&[&none, &own]), "kms-mcp approve 58-KIWI");
        fs::write(first.join(NAME), "#!/bin/sh\n").unwrap();
        assert_eq!(command(&[&first, &own]), "kms-mcp approve 58-KIWI", "it cannot be run");
        fs::set_permissions(first.join(NAME), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(command(&[&first, &own]), absolute);
        assert_eq!(ApproveCommand::new(&Env::from_pairs([]), None).of("58-KIWI"), absolute);
    }
}
