//! `kms-mcp emulator`: the embedded KMS for others' programs.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;

use super::Failure;
use super::signals::Signals;
use super::typed;
use crate::clock::Clock;
use crate::emulator::{Behaviour, Emulator, Options};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Address to listen on, a loopback one; port 0 takes any
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Folder for its data and its throw-away key
    #[arg(long, value_name = "DIR", value_parser = typed::path())]
    data: PathBuf,
    /// File that settles what the documents of KMS leave open, quotas too; read once
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    behaviour: Option<PathBuf>,
    /// File of faults to make, read anew whenever it changes
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    faults: Option<PathBuf>,
    /// File that gets one JSON line a request: names and outcomes, never values
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    requests: Option<PathBuf>,
}

pub(super) async fn run(flags: Flags) -> Result<ExitCode, Failure> {
    let Flags { listen, data, behaviour, faults, requests } = flags;
    if !listen.ip().is_loopback() {
        return Err(Failure(
            "the emulator listens on a loopback address only, such as 127.0.0.1:0".into(),
        ));
    }
    let signals = Signals::listen()?;
    let behaviour = behaviour.as_deref().map(Behaviour::read).transpose()?.unwrap_or_default();
    let options = Options { data, clock: Clock::system(), faults, requests, behaviour };
    let emulator = Emulator::open(options)?;
    let listener = TcpListener::bind(listen).await?;
    let identity = emulator.identity();
    #[expect(
        clippy::disallowed_methods,
        reason = "the throw-away key of this folder, no credential of anybody"
    )]
    let secret = identity.access_key_secret.expose();
    let url = format!("http://{}", listener.local_addr()?);
    // For a person; what a program reads is on stdout, so it does not matter if nobody listens.
    let _ = writeln!(
        std::io::stderr(),
        "To let `kms-mcp serve --endpoint {url}` call it, add to config.toml:\n[network]\nendpoints = [\"{url}\"]"
    );
    let line = json!({
        "Url": url,
        "RegionId": identity.region_id,
        "AccountId": identity.account_id,
        "AccessKeyId": identity.access_key_id,
        "AccessKeySecret": secret,
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    emulator.serve(listener, signals.stopping().clone().cancelled_owned()).await?;
    Ok(ExitCode::SUCCESS)
}
