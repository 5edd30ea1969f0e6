//! `kms-mcp approve`: the person at a terminal. Only the PIN stands in for the terminal.

mod patient;
mod watch;
mod which;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, State, serve};
use crate::approval::{Answer, Channel, DecideError, Desk, Piped, Terminal};
use crate::approval::{overview, riskiest_first};
use crate::audit::Event;
use crate::clock::Clock;
use crate::config::{Config, state_dir};
use crate::env::Env;
use crate::factor::{PinFile, approver};
use crate::store::{Pending, Store};
use patient::Patient;
use which::{ELSEWHERE, are_tokens, named};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Which ones: match codes or tokens, one yes for all; without any, all that wait are listed
    #[arg(value_name = "MATCHCODE|TOKEN")]
    which: Vec<String>,
    /// Decline them
    #[arg(long)]
    deny: bool,
    /// Stay, ring when something waits, and ask about it
    #[arg(long, conflicts_with_all = ["which", "deny", "pin_stdin"])]
    watch: bool,
    /// Read the PIN from the first line of stdin; for forced deletions, their names from the next.
    /// Needs no terminal, and the tokens (`ct_...`): a match code is too short to be all that is
    /// compared where nobody sees the request
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
    let state = state_dir(flags.state.state_dir.clone(), env)?;
    let pin_set = flags.state.approve_command(env, &state).pin_set();
    let (config, clock) = (Config::load(env)?, Clock::system());
    let store = Store::open(&state)?;
    let place = Place { state, config, clock, store, pin_set };
    if flags.pin_stdin {
        if !are_tokens(&flags.which) {
            return Err(Failure(
                "--pin-stdin takes the token (`ct_...`) and no match code: nobody sees here what is signed"
                    .into(),
            ));
        }
        if place.pin()?.is_none() {
            return Err(Failure(format!(
                "--pin-stdin needs a PIN that is set: run `{}` in a terminal",
                place.pin_set
            )));
        }
        let mut channel = Piped::new(&mut stdout, who("through a pipe"), flags.deny)?;
        let pending = named(&flags.which, &place.waiting().await?, &place.state)?;
        let answer = place.decide(&mut channel, &pending).await??;
        if answer == Answer::Later {
            return Err(Failure(
                "nothing was decided: the second line of stdin must be the name of the secret, with one line for each"
                    .into(),
            ));
        }
        writeln!(stdout, "{}", said(answer, pending.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let who = who(&terminal_name());
    if flags.watch {
        let input = Patient::new(stdin.lock(), &place);
        let mut channel = Terminal { input, output: &mut stdout, who, deny: false, ended: false };
        return watch::run(&place, &mut channel).await;
    }
    let mut channel =
        Terminal { input: stdin.lock(), output: &mut stdout, who, deny: flags.deny, ended: false };
    let pending = chosen(&flags.which, &place, &mut channel).await?;
    if pending.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let answer = place.decide(&mut channel, &pending).await??;
    if answer == Answer::Approve {
        place.offer_pin(channel.output).await?;
    }
    writeln!(stdout, "{}", said(answer, pending.len()))?;
    Ok(ExitCode::SUCCESS)
}

/// What was decided, for the person.
fn said(answer: Answer, questions: usize) -> String {
    match (answer, questions) {
        (Answer::Approve, 1) => {
            "Approved. The agent may make exactly this call once, within 3 minutes.".into()
        }
        (Answer::Approve, all) => {
            format!(
                "Approved. The agent may make exactly these {all} calls once, within 3 minutes."
            )
        }
        (Answer::Deny, _) => "Denied.".into(),
        (Answer::Later, 1) => "Nothing was decided; it still waits.".into(),
        (Answer::Later, _) => "Nothing was decided; they still wait.".into(),
    }
}

/// Where questions wait and decisions are recorded.
struct Place {
    state: PathBuf,
    config: Config,
    clock: Clock,
    store: Store,
    /// What sets a PIN here.
    pin_set: String,
}

impl Place {
    /// What waits now, the highest risk first.
    async fn waiting(&self) -> Result<Vec<Pending>, Failure> {
        let mut waiting = self.store.pending(self.clock.now_ms()).await?;
        riskiest_first(&mut waiting);
        Ok(waiting)
    }

    /// The same for the terminal's input, which is read without awaiting: blocks this thread.
    fn waiting_now(&self) -> Result<Vec<Pending>, Failure> {
        let runtime = tokio::runtime::Handle::current();
        #[expect(
            clippy::disallowed_methods,
            reason = "one person at a terminal: no call waits, and one more stack is no burden"
        )]
        tokio::task::block_in_place(|| runtime.block_on(self.waiting()))
    }

    fn pin(&self) -> Result<Option<PinFile>, Failure> {
        Ok(approver(&self.state)?)
    }

    /// Asks and records, with an audit log open for as long as that takes: a failure is that of
    /// the folder, or of this decision.
    async fn decide(
        &self,
        channel: &mut dyn Channel,
        pending: &[Pending],
    ) -> Result<Result<Answer, DecideError>, Failure> {
        let (pin, instance) = (self.pin()?, serve::instance()?);
        let start = Event::default();
        let audit = super::audit::open(&self.state, &self.config, &self.clock, &instance, start)?;
        let (store, clock) = (&self.store, &self.clock);
        let desk = Desk { store, audit: &audit, clock, pin, state: &self.state };
        let answer = desk.decide(channel, pending).await;
        audit.stop().await;
        Ok(answer)
    }

    /// Offers a PIN where there is none, at most once a day.
    async fn offer_pin(&self, mut output: impl Write) -> Result<(), Failure> {
        let now_ms = self.clock.now_ms();
        if self.pin()?.is_none() && self.store.first_time("pin_offered", now_ms).await? {
            writeln!(
                output,
                "Without a PIN, any program of yours could have approved this. `{}` sets one.",
                self.pin_set
            )?;
        }
        Ok(())
    }
}

/// The requests that were named, or that the person names now.
async fn chosen<R: std::io::BufRead, W: Write>(
    which: &[String],
    place: &Place,
    terminal: &mut Terminal<R, W>,
) -> Result<Vec<Pending>, Failure> {
    let waiting = place.waiting().await?;
    if !which.is_empty() {
        return named(which, &waiting, &place.state);
    }
    if waiting.is_empty() {
        let folder = place.state.display();
        writeln!(terminal.output, "Nothing waits for a decision in {folder}. {ELSEWHERE}")?;
        return Ok(waiting);
    }
    write!(terminal.output, "{}", overview(&waiting))?;
    if waiting.len() == 1 {
        return Ok(waiting);
    }
    match terminal.line("Which ones? Match codes: ")? {
        Some(line) if !line.is_empty() => named(&[line], &waiting, &place.state),
        _ => {
            writeln!(terminal.output, "{}", said(Answer::Later, waiting.len()))?;
            Ok(Vec::new())
        }
    }
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
