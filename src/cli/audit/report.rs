//! `kms-mcp audit report --html FILE [DIR]`: the log as one page.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::policy::named;
use super::super::{Failure, State, typed};
use super::export::unwritable;
use super::folder;
use super::private::private;
use super::reading::walk;
use crate::audit::query::{Filter, When};
use crate::audit::report::{About, Figures, page};
use crate::clock::Clock;
use crate::env::Env;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder with the log [default: `audit` in the state folder]
    #[arg(value_name = "DIR", value_parser = typed::path())]
    folder: Option<PathBuf>,
    /// File to write, mode 0600
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    html: PathBuf,
    /// Policy whose rules are looked for in the log: a shipped one by name, or a file
    #[arg(long, value_name = "NAME|PATH", default_value = "default")]
    policy: String,
    /// Not before: RFC 3339, a day in UTC, or an age such as 7d
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Before; a day counts to its end
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    #[command(flatten)]
    state: State,
}

pub(super) fn run(flags: Flags, env: &Env, clock: &Clock) -> Result<ExitCode, Failure> {
    let policy = named(&flags.policy)?;
    let folder = folder(flags.folder, flags.state, env)?;
    let now = clock.now();
    let filter = Filter {
        since: flags.since.map(|when| when.since(now)),
        until: flags.until.map(|when| when.until(now)),
        ..Filter::default()
    };
    let failed = |error| unwritable(&flags.html, &error);
    let mut out = BufWriter::new(private(&flags.html, &folder).map_err(failed)?);
    let mut figures = Figures::default();
    let walked = walk(&folder, |row| {
        if filter.wants(&row) {
            figures.add(&row);
        } else {
            figures.saw(&row);
        }
        Ok(())
    })?;
    let rules: Vec<String> = policy.rule_ids().map(str::to_owned).collect();
    let about = About {
        folder: &folder.display().to_string(),
        made: now,
        records: walked.records,
        trouble: &walked.trouble,
        policy: policy.name(),
        policy_digest: &policy.digest(),
        rules: &rules,
    };
    out.write_all(page(&figures.finished(), &about).as_bytes()).map_err(failed)?;
    out.into_inner().map_err(|error| failed(error.into_error()))?.place().map_err(failed)?;
    walked.tell()?;
    Ok(walked.exit_code())
}
