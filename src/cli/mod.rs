//! The command line: one file a subcommand.

mod approve;
mod audit;
mod config;
mod demo;
mod emulator;
mod enroll;
mod failure;
mod generated;
mod logging;
mod pin;
mod policy;
mod schemas;
mod serve;
mod signals;
mod typed;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::approval::ApproveCommand;
use crate::clock::Clock;
use crate::env::{Env, STATE_DIR};
use crate::harden;
use crate::scrub::Scrubber;

/// AI agents manage Alibaba Cloud KMS secrets, with a guard between agent and cloud
#[derive(Debug, Parser)]
#[command(name = "kms-mcp", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP over stdio; what a client starts
    Serve(serve::Flags),
    /// Show the whole main job on a throw-away embedded KMS
    Demo,
    /// Serve the embedded KMS over HTTP, for programs and SDKs
    Emulator(emulator::Flags),
    /// Decide on what waits for a person; needs a terminal
    Approve(approve::Flags),
    /// Set, change or remove the PIN that signs decisions; needs a terminal
    #[command(subcommand)]
    Pin(pin::Command),
    /// Look at the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check a guard policy, and see what it says before it matters
    #[command(subcommand)]
    Policy(policy::Command),
    /// Write the reference of config.toml, or check that it is up to date
    #[command(subcommand)]
    Config(config::Command),
    /// Write tool-schemas/, or check that it is up to date
    Schemas(schemas::Flags),
}

/// Where everything that kms-mcp keeps is.
#[derive(Debug, clap::Args)]
struct State {
    /// Folder for everything that kms-mcp keeps [default: the XDG state folder]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl State {
    /// The command for a person who decides in `folder`, the one that is meant here: it names the
    /// folder if that is not the default.
    fn approve_command(&self, env: &Env, folder: &Path) -> ApproveCommand {
        let is_named = self.state_dir.is_some() || env.get(STATE_DIR).is_some();
        ApproveCommand::new(env, is_named.then(|| folder.to_owned()))
    }
}

/// Why a subcommand failed: said on stderr, exit code 1.
#[derive(Debug)]
struct Failure(String);

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(failure::with_causes(&error))
    }
}

/// Runs the program.
pub fn run() -> ExitCode {
    harden::process();
    let env = Env::of_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // The one place where text goes to stdout that is no data: `--help` and `--version`.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let Some(command) = cli.command.or_else(default_command) else {
        let _ = Cli::command().print_help();
        return ExitCode::SUCCESS;
    };
    let scrubber = Scrubber::new(Clock::system());
    logging::start(&env, &scrubber);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else {
        tracing::error!("the async runtime could not be started");
        return ExitCode::FAILURE;
    };
    let done = runtime.block_on(async {
        env.check()?;
        match command {
            Command::Serve(flags) => serve::run(flags, env, scrubber).await,
            Command::Demo => demo::run(&env).await,
            Command::Emulator(flags) => emulator::run(flags).await,
            Command::Approve(flags) => approve::run(flags, &env).await,
            Command::Pin(command) => pin::run(command, &env).await,
            Command::Audit(command) => audit::run(command, &env),
            Command::Policy(command) => policy::run(command, &env),
            Command::Config(command) => config::run(&command),
            Command::Schemas(flags) => schemas::run(&flags),
        }
    });
    // A thread that blocks on stdin would keep the process: it is left behind.
    runtime.shutdown_background();
    done.unwrap_or_else(|Failure(why)| {
        tracing::error!("{why}");
        ExitCode::FAILURE
    })
}

/// Help on a terminal, the server for a client.
fn default_command() -> Option<Command> {
    (!std::io::stdin().is_terminal()).then(|| Command::Serve(serve::Flags::default()))
}
