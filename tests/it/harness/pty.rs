//! A person at a terminal: `kms-mcp approve` on a pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::BINARY;

/// What a command showed on the terminal, and how it ended.
pub(crate) struct Pty {
    pub text: String,
    pub status: ExitStatus,
}

impl Pty {
    /// Runs `kms-mcp approve ARGUMENTS` for the home of a server and types `lines`, each followed
    /// by Enter, as prompts come.
    pub(crate) fn approve(home: &Path, arguments: &[&str], lines: &[&str]) -> Self {
        let mut all = vec!["approve"];
        all.extend(arguments);
        let state = home.join("state");
        all.extend(["--state-dir", state.to_str().unwrap()]);
        Self::run(home, &all, lines)
    }

    /// Runs any subcommand on a terminal of its own.
    pub(crate) fn run(home: &Path, arguments: &[&str], lines: &[&str]) -> Self {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        // What is typed before a prompt would be echoed in no certain place.
        let mut modes = tcgetattr(slave()).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(slave(), OptionalActions::Now, &modes).unwrap();
        let mut child = Command::new(BINARY)
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .env("TERM", "xterm")
            .stdin(Stdio::from(slave()))
            .stdout(Stdio::from(slave()))
            .stderr(Stdio::from(slave()))
            .spawn()
            .unwrap();
        let mut terminal = File::from(master);
        for line in lines {
            terminal.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
        // The kernel holds what was typed until it is read, so nothing needs to wait for a prompt.
        terminal.write_all(b"\x04").unwrap();
        let mut reader = terminal.try_clone().unwrap();
        let text = std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut chunk = [0; 4096];
            // Reading a terminal whose other side is closed ends with an error.
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                text.extend_from_slice(&chunk[..count]);
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let status = child.wait().unwrap();
        Self { text: text.join().unwrap(), status }
    }
}
