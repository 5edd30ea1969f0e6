//! `kms-mcp approve --watch`: sits in a side pane, rings when something waits, and asks about it.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

use rustix::termios::{QueueSelector, tcflush};

use super::patient::Patient;
use super::{Place, said};
use crate::approval::{Answer, DecideError, Terminal, overview};
use crate::cli::Failure;
use crate::store::Hash;

/// How often the store is asked whether something waits.
const POLL: Duration = Duration::from_millis(250);
/// The bell of a terminal.
const BELL: char = '\u{7}';

/// Asks about what waits, one after the other and the highest risk first, until the input ends.
pub(super) async fn run<W: Write>(
    place: &Place,
    terminal: &mut Terminal<Patient<'_>, W>,
) -> Result<ExitCode, Failure> {
    writeln!(terminal.output, "Watching. Questions come here; Ctrl-C ends it.")?;
    let mut aside: Vec<Hash> = Vec::new();
    loop {
        let mut waiting = place.waiting().await?;
        aside.retain(|hash| waiting.iter().any(|one| one.token_hash == *hash));
        waiting.retain(|one| !aside.contains(&one.token_hash));
        let Some(first) = waiting.first().cloned() else {
            tokio::time::sleep(POLL).await;
            continue;
        };
        let rung = &mut terminal.input.rung;
        if waiting.iter().any(|one| !rung.contains(&one.token_hash)) {
            *rung = waiting.iter().map(|one| one.token_hash).collect();
            write!(terminal.output, "{BELL}\nWaiting for you:\n{}", overview(&waiting))?;
        }
        terminal.input.shown = Some(first.token_hash);
        // What was typed before a question is shown was meant for another one.
        tcflush(std::io::stdin(), QueueSelector::IFlush).map_err(std::io::Error::from)?;
        match place.decide(terminal, std::slice::from_ref(&first)).await? {
            Ok(Answer::Later) if !terminal.ended => {
                aside.push(first.token_hash);
                let later = said(Answer::Later, 1);
                writeln!(terminal.output, "{later} `kms-mcp approve` asks about it again.")?;
            }
            Ok(Answer::Later) => {
                writeln!(terminal.output, "{} Watching ends here.", said(Answer::Later, 1))?;
                return Ok(ExitCode::SUCCESS);
            }
            Ok(answer) => {
                writeln!(terminal.output, "{}", said(answer, 1))?;
                if answer == Answer::Approve {
                    place.offer_pin(&mut terminal.output).await?;
                }
            }
            Err(wrong @ DecideError::Pin(_)) => writeln!(terminal.output, "{wrong}")?,
            Err(DecideError::Terminal(gone)) if gone.kind() == ErrorKind::TimedOut => {
                writeln!(terminal.output, "\nIt was decided elsewhere, withdrawn, or expired.")?;
            }
            Err(other) => {
                aside.push(first.token_hash);
                writeln!(terminal.output, "{other}")?;
            }
        }
    }
}
