//! A person at a terminal: `kms-mcp approve` on a pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use super::{BINARY, PATIENCE, Watch};

/// Wide enough that most rows stand on one line.
const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };

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
        let (child, mut terminal, chunks) = start(&[BINARY.into()], home, arguments);
        let _watch = Watch::over(&child);
        for line in lines {
            terminal.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
        // The kernel holds what was typed until it is read, so nothing needs to wait for a prompt.
        terminal.write_all(b"\x04").unwrap();
        finish(child, &chunks, Vec::new())
    }

    /// Runs any subcommand and types each text, followed by Enter, once its prompt is shown: what
    /// is typed unseen is taken only after the question.
    pub(crate) fn converse(home: &Path, arguments: &[&str], turns: &[(&str, &str)]) -> Self {
        Self::converse_through(&[BINARY.into()], home, arguments, turns)
    }

    /// The same with the program that these words start.
    pub(crate) fn converse_through(
        words: &[String],
        home: &Path,
        arguments: &[&str],
        turns: &[(&str, &str)],
    ) -> Self {
        let typed = |text: &str| {
            let text = text.to_owned();
            Box::new(move || Some(text)) as Turn<'static>
        };
        let turns = turns.iter().map(|(prompt, text)| (*prompt, typed(text)));
        Self::act_through(words, home, arguments, turns)
    }

    /// The same, doing something else beside at each prompt.
    pub(crate) fn act<'a>(
        home: &Path,
        arguments: &[&str],
        turns: impl IntoIterator<Item = (&'a str, Turn<'a>)>,
    ) -> Self {
        Self::act_through(&[BINARY.into()], home, arguments, turns)
    }

    fn act_through<'a>(
        words: &[String],
        home: &Path,
        arguments: &[&str],
        turns: impl IntoIterator<Item = (&'a str, Turn<'a>)>,
    ) -> Self {
        let (child, mut terminal, chunks) = start(words, home, arguments);
        let _watch = Watch::over(&child);
        let mut shown = Vec::new();
        let mut seen = 0;
        for (prompt, does) in turns {
            while !String::from_utf8_lossy(&shown[seen..]).contains(prompt) {
                // It ended without asking: the text says why.
                let Ok(chunk) = chunks.recv_timeout(PATIENCE) else {
                    return finish(child, &chunks, shown);
                };
                shown.extend(chunk);
            }
            seen = shown.len();
            if let Some(text) = does() {
                terminal.write_all(format!("{text}\n").as_bytes()).unwrap();
            }
        }
        finish(child, &chunks, shown)
    }
}

/// What is done at a prompt, and what is typed then, if anything.
pub(crate) type Turn<'a> = Box<dyn FnOnce() -> Option<String> + 'a>;

/// The program, its terminal to type on, and what is shown there, piece by piece.
fn start(words: &[String], home: &Path, arguments: &[&str]) -> (Child, File, Receiver<Vec<u8>>) {
    let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = || File::options().read(true).write(true).open(&name).unwrap();
    // What is typed before a prompt would be echoed in no certain place.
    let mut modes = tcgetattr(slave()).unwrap();
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(slave(), OptionalActions::Now, &modes).unwrap();
    tcsetwinsize(slave(), SIZE).unwrap();
    let child = Command::new(&words[0])
        .args(&words[1..])
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("TERM", "xterm")
        .stdin(Stdio::from(slave()))
        .stdout(Stdio::from(slave()))
        .stderr(Stdio::from(slave()))
        .spawn()
        .unwrap();
    let terminal = File::from(master);
    let mut seen = terminal.try_clone().unwrap();
    let (tell, chunks) = channel();
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        // Reading a terminal whose other side is closed ends with an error.
        while let Ok(count @ 1..) = seen.read(&mut chunk) {
            if tell.send(chunk[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    (child, terminal, chunks)
}

/// Waits for the end, which the watch over the program brings if nothing else does. What it left
/// behind may hold the terminal for longer.
fn finish(mut child: Child, chunks: &Receiver<Vec<u8>>, mut shown: Vec<u8>) -> Pty {
    while let Ok(chunk) = chunks.recv_timeout(PATIENCE) {
        shown.extend(chunk);
    }
    Pty { text: String::from_utf8_lossy(&shown).into_owned(), status: child.wait().unwrap() }
}
