//! [`ApproveCommand`]: what the person runs to decide, to be pasted as it stands.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use crate::env::{Env, SUDO_UID};
use crate::guard::Commands;

const NAME: &str = "kms-mcp";

/// `kms-mcp approve`, of this very program, this server's user and its state folder.
#[derive(Debug, Clone)]
pub(crate) struct ApproveCommand {
    /// With `sudo` before it where the person is another user than the server.
    program: String,
    /// When it is not the default.
    state_dir: Option<PathBuf>,
}

impl ApproveCommand {
    /// The command for a server whose state folder was named, if it was. The name alone stands for
    /// the program where that is what the search path finds; a rule of sudo wants the whole path.
    pub(crate) fn new(env: &Env, state_dir: Option<PathBuf>) -> Self {
        let through = through_sudo(env, rustix::process::geteuid().as_raw());
        let found = env.get("PATH").filter(|_| through.is_none()).and_then(first_on);
        let program = match std::env::current_exe() {
            Ok(own) if own.exists() && !found.is_some_and(|found| is_same(&found, &own)) => {
                quoted(&own)
            }
            _ => NAME.to_owned(),
        };
        Self { program: through.unwrap_or_default() + &program, state_dir }
    }

    /// The command that sets a PIN.
    pub(crate) fn pin_set(&self) -> String {
        self.with("pin set")
    }

    /// The command that decides on the question of `match_code`.
    pub(crate) fn of(&self, match_code: &str) -> String {
        self.with(&format!("approve {match_code}"))
    }

    /// What the person runs for a call that cannot be asked about.
    pub(crate) fn commands(&self) -> Commands {
        Commands { approve: self.with("approve"), pin_set: self.pin_set() }
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

/// `sudo -u USER `, if the user `server` was started through sudo by another one, as docs/anchors.md
/// has it: the questions and the PIN of the server are not those of the person's own user.
fn through_sudo(env: &Env, server: u32) -> Option<String> {
    let caller: u32 = env.get(SUDO_UID)?.parse().ok()?;
    if caller == server {
        return None;
    }
    let user = User::from_uid(Uid::from_raw(server)).ok().flatten();
    // sudo takes a number after `#`, which is a comment where a shell sees it first.
    Some(user.map_or_else(
        || format!("sudo -u '#{server}' "),
        |user| format!("sudo -u {} ", quoted(Path::new(&user.name))),
    ))
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
    fn who_came_through_sudo_goes_back_through_sudo() {
        let sudo = |caller: &str, server| {
            through_sudo(&Env::from_pairs([(SUDO_UID.into(), caller.into())]), server)
        };
        assert_eq!(sudo("64991", 0).as_deref(), Some("sudo -u root "));
        assert_eq!(sudo("64991", 64_993).as_deref(), Some("sudo -u '#64993' "), "without a name");
        for (caller, server) in [("64991", 64_991), ("", 64_991), ("root", 64_991)] {
            assert_eq!(sudo(caller, server), None, "{caller} {server}");
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
