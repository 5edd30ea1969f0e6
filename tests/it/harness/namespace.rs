//! A mount namespace with an `/etc` and a program of its own: what only root can put there, without
//! touching the machine that the tests run on.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::{BINARY, ServerOptions, Watch, output};

/// The program in there: nobody but root can replace it.
pub(crate) const PROGRAM: &str = "/opt/kms-mcp";

/// Puts a copy of `/etc` in place of it, and the program in `/opt`; then waits for its input to end.
const SET_UP: &str = r#"
cp -a /etc "$1/etc"
rm -rf "$1/etc/kms-mcp"
mount --bind "$1/etc" /etc
mount -t tmpfs -o mode=0755 tmpfs /opt
: > /opt/kms-mcp
mount --bind "$2" /opt/kms-mcp
echo ready
exec cat
"#;

/// The namespace; it ends with the value.
pub(crate) struct Namespace {
    holder: Child,
    folder: TempDir,
}

impl Namespace {
    /// `None`, with the reason printed, where the tests do not run as root.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            #[expect(clippy::print_stderr, reason = "says why a test did nothing")]
            {
                eprintln!("skipped: only root can make a mount namespace with an /etc of its own");
            }
            return None;
        }
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let mut holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-ec", SET_UP, "sh"])
            .args([folder.path(), Path::new(BINARY)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let _watch = Watch::over(&holder);
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "a mount namespace cannot be made here");
        Some(Self { holder, folder })
    }

    /// Its `/etc/kms-mcp`, as it is reached from outside.
    pub(crate) fn anchors(&self) -> PathBuf {
        self.folder.path().join("etc/kms-mcp")
    }

    /// Writes root's `config.toml`.
    pub(crate) fn write_settings(&self, text: &str) {
        fs::create_dir_all(self.anchors()).unwrap();
        fs::write(self.anchors().join("config.toml"), text).unwrap();
    }

    /// A home folder that belongs to this user.
    pub(crate) fn home(&self, uid: u32) -> TempDir {
        let home = TempDir::new_in(self.folder.path()).unwrap();
        chown(home.path(), Some(uid), Some(uid)).unwrap();
        home
    }

    /// The words that run a program in there as this user, with nothing of root's left.
    pub(crate) fn as_user(&self, uid: u32) -> Vec<String> {
        let namespace = format!("--mount=/proc/{}/ns/mnt", self.holder.id());
        let (user, group) = (format!("--reuid={uid}"), format!("--regid={uid}"));
        ["/usr/bin/nsenter", &namespace, "/usr/bin/setpriv", &user, &group, "--clear-groups"]
            .map(str::to_owned)
            .to_vec()
    }

    /// Starts the server of these options in there as this user.
    pub(crate) fn options(&self, uid: u32, options: ServerOptions) -> ServerOptions {
        let mut words = self.as_user(uid);
        // The words that follow name the program outside.
        words.extend(["/bin/sh", "-c", "shift; exec /opt/kms-mcp \"$@\"", "sh"].map(str::to_owned));
        ServerOptions { through: words, ..options }
    }

    /// Runs a shell line in there as this user, with nothing in its environment but `HOME`, and this
    /// on its stdin.
    pub(crate) fn shell(&self, uid: u32, home: &Path, line: &str, stdin: &str) -> Output {
        let words = self.as_user(uid);
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args(["/bin/sh", "-c", line])
            .env_clear()
            .env("PATH", "/opt:/usr/local/bin:/usr/bin:/bin")
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        // A program that fails at once does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        output(child)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _watch = Watch::over(&self.holder);
        let _ = self.holder.wait();
    }
}
