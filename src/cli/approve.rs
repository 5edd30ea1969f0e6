//! `kms-mcp approve`: the person at a terminal. Only the PIN stands in for the terminal.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, State, serve};
use crate::approval::{Answer, Channel, DecideError, Desk, Piped, Terminal, overview};
use crate::audit::Event;
use crate::clock::Clock;
use crate::config::{Config, state_dir};
use crate::env::Env;
use crate::factor::{PinFile, path_in};
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
    /// Read the PIN from the first line of stdin; for a forced deletion, its name from the second.
    /// Needs no terminal
    #[arg(long, requires = "which")]
    pin_stdin: bool,
    #[command(flatten)]
    state: State,
}

pub(super) async fn run(flags: Flags, env: &Env) -> Result<ExitCode, Failure> {
    let (stdin, mut stdout) = (std::io::stdin(), std::io::stdout());
    let on_terminal = stdin.is_terminal() && stdout.is_terminal();
    if !on_terminal && !flags.pin_stdin {
        return Err(Failure(
            "approving needs a terminal: run it yourself, in one of your own".into(),
        ));
    }
    let state = state_dir(flags.state.state_dir, env)?;
    let config = Config::load(env)?;
    let clock = Clock::system();
    let store = Store::open(&state)?;
    let pin = PinFile::read(&path_in(&state))?;
    let waiting = store.pending(clock.now_ms())?;
    let answer = if flags.pin_stdin {
        if pin.is_none() {
            return Err(Failure(
                "--pin-stdin needs a PIN that is set: run `kms-mcp pin set` in a terminal".into(),
            ));
        }
        let mut channel = Piped::new(&mut stdout, who("through a pipe"), flags.deny)?;
        let pending = named(flags.which.as_deref().unwrap_or_default(), waiting)?;
        let answer = decide(&mut channel, &pending, (&state, &config), &store, &clock, pin).await?;
        if answer == Answer::Later {
            return Err(Failure(
                "nothing was decided: the second line of stdin must be the name of the secret"
                    .into(),
            ));
        }
        answer
    } else {
        let who = who(&terminal_name());
        let mut channel =
            Terminal { input: stdin.lock(), output: &mut stdout, who, deny: flags.deny };
        let Some(pending) = chosen(flags.which, waiting, &mut channel)? else {
            return Ok(ExitCode::SUCCESS);
        };
        let offer = pin.is_none();
        let answer = decide(&mut channel, &pending, (&state, &config), &store, &clock, pin).await?;
        if offer && store.first_time("pin_offered", clock.now_ms())? {
            writeln!(stdout, "{OFFER}")?;
        }
        answer
    };
    let said = match answer {
        Answer::Approve => "Approved. The agent may make exactly this call once, within 3 minutes.",
        Answer::Deny => "Denied.",
        Answer::Later => "Nothing was decided; it still waits.",
    };
    writeln!(stdout, "{said}")?;
    Ok(ExitCode::SUCCESS)
}

/// Said once in a while, to those who have no PIN.
const OFFER: &str = "Without a PIN, any program of yours could have approved this. `kms-mcp pin set` sets one (with the same --state-dir, if you named one).";

/// Asks and records, with an audit log open for as long as that takes.
async fn decide(
    channel: &mut dyn Channel,
    pending: &Pending,
    (state, config): (&Path, &Config),
    store: &Store,
    clock: &Clock,
    pin: Option<PinFile>,
) -> Result<Answer, Failure> {
    let instance = serve::instance()?;
    let audit = super::audit::open(state, config, clock, &instance, Event::default())?;
    let desk = Desk { store, audit: &audit, clock, pin };
    let answer: Result<Answer, DecideError> = desk.decide(channel, pending).await;
    audit.stop().await;
    Ok(answer?)
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
    named(&which, waiting).map(Some)
}

/// The one request of that match code or token.
fn named(which: &str, mut waiting: Vec<Pending>) -> Result<Pending, Failure> {
    let hash = token_hash(which);
    let code = which.to_ascii_uppercase();
    waiting.retain(|one| one.token_hash == hash || one.match_code == code);
    if waiting.len() > 1 {
        return Err(Failure("two requests have this match code; name one by its token".into()));
    }
    waiting.pop().ok_or_else(|| {
        Failure("nothing waits under this match code or token; it may have expired".into())
    })
}

/// Who sits here, as far as the system knows.
fn who(place: &str) -> String {
    format!("uid {} {place}", rustix::process::getuid().as_raw())
}

fn terminal_name() -> String {
    let name = rustix::termios::ttyname(std::io::stdin(), Vec::new());
    let name = name.ok().and_then(|name| name.into_string().ok());
    format!("at {}", name.as_deref().unwrap_or("a terminal"))
}
