//! `kms-mcp approve`: the person at a terminal. No flag or variable stands in for the terminal.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, State, serve};
use crate::approval::{Answer, Terminal, decide, overview};
use crate::audit::{AuditLog, Event};
use crate::clock::Clock;
use crate::config::state_dir;
use crate::env::Env;
use crate::guard::approval::token_hash;
use crate::store::{Pending, Store};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Which one: its match code or its token; without it, all that wait are listed
    #[arg(value_name = "MATCHCODE|TOKEN")]
    which: Option<String>,
    /// Decline it
    #[arg(long)]
    deny: bool,
    #[command(flatten)]
    state: State,
}

pub(super) async fn run(flags: Flags, env: &Env) -> Result<ExitCode, Failure> {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    if !stdin.is_terminal() || !stdout.is_terminal() {
        return Err(Failure(
            "approving needs a terminal: run it yourself, in one of your own".into(),
        ));
    }
    let state = state_dir(flags.state.state_dir, env)?;
    let clock = Clock::system();
    let store = Store::open(&state)?;
    let waiting = store.pending(clock.now_ms())?;
    let mut terminal =
        Terminal { input: stdin.lock(), output: stdout, who: who(), deny: flags.deny };
    let Some(pending) = chosen(flags.which, waiting, &mut terminal)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let audit =
        AuditLog::open(&state.join("audit"), clock.clone(), &serve::instance()?, Event::default())?;
    let answer = decide(&mut terminal, &pending, &store, &audit, &clock).await;
    audit.stop().await;
    let said = match answer? {
        Answer::Approve => "Approved. The agent may make exactly this call once, within 3 minutes.",
        Answer::Deny => "Denied.",
        Answer::Later => "Nothing was decided; it still waits.",
    };
    writeln!(terminal.output, "{said}")?;
    Ok(ExitCode::SUCCESS)
}

/// The request that was named, or that the person names now.
fn chosen<R: std::io::BufRead, W: Write>(
    which: Option<String>,
    mut waiting: Vec<Pending>,
    terminal: &mut Terminal<R, W>,
) -> Result<Option<Pending>, Failure> {
    let which = match which {
        Some(which) => which,
        None if waiting.is_empty() => {
            writeln!(terminal.output, "Nothing waits for a decision.")?;
            return Ok(None);
        }
        None => {
            write!(terminal.output, "{}", overview(&waiting))?;
            if waiting.len() == 1 {
                return Ok(waiting.pop());
            }
            match terminal.line("Which one? Match code: ")? {
                Some(which) if !which.is_empty() => which,
                _ => return Ok(None),
            }
        }
    };
    let hash = token_hash(&which);
    let code = which.to_ascii_uppercase();
    waiting.retain(|one| one.token_hash == hash || one.match_code == code);
    if waiting.len() > 1 {
        return Err(Failure("two requests have this match code; name one by its token".into()));
    }
    match waiting.pop() {
        Some(one) => Ok(Some(one)),
        None => {
            Err(Failure("nothing waits under this match code or token; it may have expired".into()))
        }
    }
}

/// Who sits here, as far as the system knows.
fn who() -> String {
    let uid = rustix::process::getuid().as_raw();
    let tty = rustix::termios::ttyname(std::io::stdin(), Vec::new())
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "a terminal".into());
    format!("uid {uid} at {tty}")
}
