//! `kms-mcp policy ram`: the cloud's own guard, set to what ours can let through.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::Failure;
use super::super::generated::Generated;
use super::named;
use crate::guard::policy::{SESSION_MAX, Scope, least_privilege, skill_policies};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// The guard policy: a shipped name, or the path of a file
    #[arg(value_name = "NAME|PATH", required_unless_present_any = ["write", "check"])]
    policy: Option<String>,
    /// Only this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only this region
    #[arg(long)]
    region: Option<String>,
    /// Only secrets whose names begin so
    #[arg(long)]
    prefix: Option<String>,
    /// Only this key, for secrets that are encrypted under it
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// On one line, as a session policy of an assumed role
    #[arg(long)]
    session: bool,
    /// Write the RAM policies of the skill instead; no file is replaced
    #[arg(long, conflicts_with_all = ["policy", "account", "region", "prefix", "key", "session"])]
    write: bool,
    /// Fail if one of those files is missing or differs; change nothing
    #[arg(long, conflicts_with_all = ["policy", "account", "region", "prefix", "key", "session"])]
    check: bool,
    /// Folder of those files
    #[arg(long, value_name = "DIR", default_value = "policies/ram")]
    dir: PathBuf,
}

pub(super) fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let Some(policy) = &flags.policy else { return files(flags) };
    let scope = Scope::new(
        flags.region.as_deref(),
        flags.account.as_deref(),
        flags.prefix.as_deref(),
        flags.key.as_deref(),
    )
    .map_err(Failure)?;
    let document = least_privilege(&named(policy)?, &scope);
    if document.pointer("/Statement/0").is_none() {
        return Err(Failure(format!(
            "`{policy}` allows nothing within these limits, so there is no right to give; change the policy or --prefix"
        )));
    }
    let mut out = std::io::stdout();
    if !flags.session {
        writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = document.to_string();
    let length = text.chars().count();
    if length > SESSION_MAX {
        return Err(Failure(format!(
            "this session policy has {length} characters and AssumeRole takes {SESSION_MAX}; name fewer secrets in the policy, or give --prefix"
        )));
    }
    writeln!(out, "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn files(flags: &Flags) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    for (name, document) in skill_policies().map_err(Failure)? {
        let text = serde_json::to_string_pretty(&document)?;
        files.push((format!("{name}.json"), format!("{text}\n")));
    }
    let folder = Generated {
        command: "kms-mcp policy ram --write",
        dir: &flags.dir,
        others: Some("json"),
        // A RAM policy has no room for a mark, and a person's own may have the same name.
        is_ours: None,
    };
    folder.run(&files, flags.check)
}
