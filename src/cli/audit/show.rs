//! `kms-mcp audit show [DIR]`: who asked for what, who let it through, and what came of it.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::super::{Failure, State, typed};
use super::filters::Filters;
use super::folder;
use super::reading::walk;
use super::table::{Table, columns};
use crate::audit::query::{Filter, Outcome, Row, Story, plain, took};
use crate::clock::Clock;
use crate::env::Env;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder with the log [default: `audit` in the state folder]
    #[arg(value_name = "DIR", value_parser = typed::path())]
    folder: Option<PathBuf>,
    #[command(flatten)]
    filters: Filters,
    /// table: one row per call; json: the records of those rows, one per line
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show the calls that calls made on their way, too
    #[arg(long)]
    steps: bool,
    #[command(flatten)]
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(super) fn run(flags: Flags, env: &Env, clock: &Clock) -> Result<ExitCode, Failure> {
    let folder = folder(flags.folder, flags.state, env)?;
    let everything = flags.steps || flags.filters.names_records();
    let filter = flags.filters.at(clock);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut left_out = 0_u64;
    let walked = match flags.format {
        Format::Json => walk(&folder, |row| json(&mut out, &filter, &row))?,
        Format::Table => {
            let table = Calls::new(columns());
            table.head(&mut out)?;
            walk(&folder, |row| {
                if !filter.wants(&row) {
                    return Ok(());
                }
                if !everything && is_aside(&row) {
                    left_out += u64::from(row.is_step());
                    return Ok(());
                }
                table.row(&mut out, &row)
            })?
        }
    };
    quietly(out.flush())?;
    if left_out > 0 {
        let steps = "calls made on the way to others are not shown; --steps shows them";
        writeln!(io::stderr(), "{left_out} {steps}")?;
    }
    walked.tell()?;
    Ok(walked.exit_code())
}

/// Whoever reads our output may have left.
pub(super) fn quietly(written: io::Result<()>) -> io::Result<()> {
    written.or_else(
        |error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) },
    )
}

fn json(out: &mut impl Write, filter: &Filter, row: &Row) -> io::Result<()> {
    if filter.wants(row) {
        for line in row.lines().iter().filter(|line| filter.wants_event(line.event())) {
            writeln!(out, "{}", line.json())?;
        }
    }
    Ok(())
}

/// What an auditor has no question about: a step that went well, a process that came and went.
fn is_aside(row: &Row) -> bool {
    let step = row.is_step() && row.outcome() != Some(Outcome::Unknown);
    step || matches!(row.event(), "start" | "stop" | "checkpoint" | "rotate")
}

/// The table.
struct Calls(Table<6>);

impl Calls {
    fn new(columns: usize) -> Self {
        let more = columns.saturating_sub(100) / 2;
        let widths =
            if columns < 100 { [10, 9, 14, 14, 6, 0] } else { [19, 9, 14, 16 + more, 6, 0] };
        Self(Table::new(widths, columns))
    }

    fn head(&self, out: &mut impl Write) -> io::Result<()> {
        self.0.row(out, ["TIME (UTC)", "CALL", "ACTION", "SECRET", "TO", "WHAT CAME OF IT"])
    }

    fn row(&self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        let time = row.time().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let cell = |text: Option<&str>| plain(text.unwrap_or("-"), 300);
        let (number, action) = (cell(short(row).as_deref()), cell(row.text("action")));
        let (secret, to) = (cell(row.secret()), cell(row.text("destination")));
        self.0.row(out, [&time, &number, &action, &secret, &to, &plain(&what(row), 600)])
    }
}

/// The process by its first digits, and the call.
fn short(row: &Row) -> Option<String> {
    let process: String = row.text("instance")?.chars().take(4).collect();
    Some(format!("{process}/{}", row.text("call")?))
}

/// What came of it, by whom, by which rule.
fn what(row: &Row) -> String {
    let code = row.text("code").map(|code| format!(": {code}")).unwrap_or_default();
    let orphan = row.story() == Story::Answered && row.integer("intent").is_some();
    let mut parts: Vec<String> =
        orphan.then(|| "NO INTENT ON RECORD".to_owned()).into_iter().collect();
    parts.push(match row.story() {
        Story::Call | Story::Answered => match row.outcome() {
            Some(Outcome::Done) => row.text("outcome").unwrap_or("ok").to_owned(),
            Some(Outcome::Failed) => format!("failed{code}"),
            Some(Outcome::Unknown) | None => format!("UNKNOWN OUTCOME{code}"),
        },
        Story::Asked => "asked for a yes".to_owned(),
        Story::Refused => format!("refused{code}"),
        Story::Approved => "approved".to_owned(),
        Story::Denied => "denied".to_owned(),
        Story::Other => other(row, &code),
    });
    let by = by(row).and_then(|by| match row.story() {
        Story::Approved | Story::Denied => Some(format!("by {by}")),
        Story::Call => Some(format!("approved by {by}")),
        // No decision came of these, whoever was asked.
        Story::Asked | Story::Refused | Story::Answered | Story::Other => None,
    });
    parts.extend(by);
    parts.extend(row.text("rule").map(|rule| format!("rule {rule}")));
    parts.join("; ")
}

/// What is no call, question, decision or refusal.
fn other(row: &Row, code: &str) -> String {
    let event = row.event().replace('_', " ");
    let text = |path| row.text(path);
    match row.event() {
        "suppressed" => {
            let count = row.integer("suppressed.count").unwrap_or_default();
            let of = text("suppressed.event").unwrap_or("records").replace('_', " ");
            let since = text("suppressed.since").unwrap_or("an unknown time");
            format!("{count} more {of} since {since}, only counted")
        }
        // Why there was no consent; nobody approved.
        "client_declined" => match text("outcome") {
            Some("declined") | None => "client declined".to_owned(),
            Some(why) => format!("client did not consent: {}", why.replace('_', " ")),
        },
        _ => format!("{event}{code}"),
    }
}

/// Who decided, how, and how long that took.
fn by(row: &Row) -> Option<String> {
    let method = row.text("approval.method");
    // A token of that level works from the start: nobody was asked.
    let who = row.text("approval.who").filter(|_| method != Some("token"))?;
    let took = row.integer("approval.latency_ms").map(took);
    let how: Vec<String> = method.map(str::to_owned).into_iter().chain(took).collect();
    Some(if how.is_empty() { who.to_owned() } else { format!("{who}, {}", how.join(", ")) })
}
