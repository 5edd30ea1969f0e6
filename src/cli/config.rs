//! `kms-mcp config`: the settings of config.toml.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use super::generated::Generated;
use crate::config::{TITLE, reference};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write config.md, the reference of all keys, or check that it is up to date
    Reference(Flags),
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Change nothing; fail if config.md is missing or differs
    #[arg(long)]
    check: bool,
    /// Folder of config.md
    #[arg(long, value_name = "DIR", default_value = "references")]
    dir: PathBuf,
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Failure> {
    let Command::Reference(flags) = command;
    let reference = reference();
    let folder = Generated {
        command: "kms-mcp config reference",
        dir: &flags.dir,
        others: None,
        is_ours: Some(|_, text| {
            let rest = text.strip_prefix(TITLE);
            rest.is_some_and(|rest| rest.starts_with("\nWritten by `kms-mcp config reference` "))
        }),
    };
    folder.run(&[("config.md".to_owned(), reference)], flags.check)
}
