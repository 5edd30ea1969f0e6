//! No test waits for ever: a program that does not end is killed, and what it said is all there is.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::PATIENCE;

/// Kills a program that runs longer than anything here takes.
pub(crate) struct Watch(
    #[expect(dead_code, reason = "dropping it calls the watch off")] Sender<()>,
);

impl Watch {
    /// Over the program, and over what it started if it leads a group.
    pub(crate) fn over(child: &Child) -> Self {
        Self::for_at_most(PATIENCE, child)
    }

    fn for_at_most(time: Duration, child: &Child) -> Self {
        let (done, called_off) = channel::<()>();
        let id = Pid::from_child(child);
        std::thread::spawn(move || {
            if called_off.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process_group(id, Signal::KILL);
                let _ = kill_process(id, Signal::KILL);
            }
        });
        Self(done)
    }
}

/// For programs that read much, on a machine with much else to do.
const LONGEST: Duration = Duration::from_mins(10);

/// A command that is run to its end.
pub(crate) trait Run {
    /// Runs it with nothing on its stdin, and gives what it said.
    fn run(&mut self) -> Output;
}

impl Run for Command {
    fn run(&mut self) -> Output {
        let piped = self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = piped.process_group(0).spawn().unwrap();
        let _watch = Watch::for_at_most(LONGEST, &child);
        child.wait_with_output().unwrap()
    }
}

/// What a program says until its end.
pub(crate) fn output(child: Child) -> Output {
    let _watch = Watch::over(&child);
    child.wait_with_output().unwrap()
}
