//! `kms-mcp policy`: what the guard policies say, before it matters.

mod explain;
mod ram;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::generated::Generated;
use super::{Failure, serve, typed};
use crate::config::Config;
use crate::env::{self, Env};
use crate::guard::policy::{Blocked, InForce, Policy, SHIPPED, matrix};
use crate::text::{escaped, escaped_lines};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Load a policy file with every check, and say what is in it
    Check {
        /// The file
        #[arg(value_name = "FILE", value_parser = typed::path())]
        file: PathBuf,
    },
    /// Say what becomes of a call, and by which rules
    Explain(Box<explain::Flags>),
    /// Write what every shipped policy says to every kind of call, or check that it is up to date
    Matrix(Matrix),
    /// Print the RAM policy with no more rights than a guard policy can let through
    Ram(ram::Flags),
}

#[derive(Debug, Args)]
pub(super) struct Matrix {
    /// Change nothing; fail if MATRIX.md is missing or differs
    #[arg(long)]
    check: bool,
    /// Folder of MATRIX.md
    #[arg(long, value_name = "DIR", default_value = "policies")]
    dir: PathBuf,
    /// Print the matrix of this policy alone, and write nothing
    #[arg(long, value_name = "NAME|PATH", conflicts_with_all = ["check", "dir"])]
    policy: Option<String>,
}

pub(super) fn run(command: Command, env: &Env) -> Result<ExitCode, Failure> {
    match command {
        Command::Check { file } => check(&file),
        Command::Explain(flags) => explain::run(*flags, env),
        Command::Matrix(flags) => write_matrix(&flags),
        Command::Ram(flags) => ram::run(&flags),
    }
}

fn check(file: &Path) -> Result<ExitCode, Failure> {
    let policy = Policy::load(file)?;
    let ids: Vec<&str> = policy.rule_ids().collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} is well formed and safe from others.", escaped(&file.display().to_string()))?;
    writeln!(out, "rules     {}: {}", ids.len(), escaped(&ids.join(", ")))?;
    writeln!(out, "examples  {} hold", policy.examples())?;
    let unlisted = policy.unlisted();
    if unlisted.is_empty() {
        writeln!(out, "tools     all are listed")?;
    } else {
        writeln!(out, "tools     not listed, as every call is denied: {}", unlisted.join(", "))?;
    }
    for Blocked { action, step } in policy.blocked() {
        writeln!(
            out,
            "note      {action} is allowed, but the guard takes {step} on the way, which is denied: \
             such calls end there. Allow {step} too."
        )?;
    }
    writeln!(out, "digest    {}", policy.digest())?;
    Ok(ExitCode::SUCCESS)
}

fn write_matrix(flags: &Matrix) -> Result<ExitCode, Failure> {
    if let Some(policy) = &flags.policy {
        write!(std::io::stdout(), "{}", escaped_lines(&matrix(&[named(policy)?])))?;
        return Ok(ExitCode::SUCCESS);
    }
    let policies = SHIPPED.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?;
    let command = "kms-mcp policy matrix";
    let files = Generated {
        command,
        dir: &flags.dir,
        others: None,
        // A document that only speaks of the line is a person's.
        is_ours: Some(|_, text| {
            text.lines()
                .nth(2)
                .is_some_and(|line| line.starts_with("<!-- Written by `kms-mcp policy matrix`; "))
        }),
    };
    files.run(&[("MATRIX.md".to_owned(), matrix(&policies))], flags.check)
}

/// A shipped policy by name, or a file by a path that cannot be taken for one.
pub(super) fn named(policy: &str) -> Result<Policy, Failure> {
    let path = Path::new(policy);
    if policy.contains('/') || path.extension().is_some_and(|ending| ending == "toml") {
        let path = typed::expand(path)
            .map_err(|error| Failure(format!("the policy `{policy}` {error}")))?;
        return Ok(Policy::load(&path)?);
    }
    match Policy::named(policy) {
        Some(policy) => Ok(policy?),
        None => Err(Failure(format!(
            "`{policy}` is no shipped policy; those are {}. A file is named by its path, such as ./{policy}.toml",
            SHIPPED.join(", ")
        ))),
    }
}

/// The policies that a server would start with here, unless others are named.
fn in_force(base: Option<&str>, second: Option<&str>, env: &Env) -> Result<InForce, Failure> {
    let second = match second {
        Some(second) => Some(named(second)?),
        None => env.get(env::POLICY).map(|named| serve::policy(named, env)).transpose()?,
    };
    match base {
        Some(base) => Ok(InForce::new(named(base)?, second)),
        None => Ok(serve::in_force(&Config::load(env)?, env)?.tightened(second)),
    }
}
