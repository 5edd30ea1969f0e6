//! `kms-mcp audit export [DIR]`: the records, for a spreadsheet or another program.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::super::{Failure, State, typed};
use super::filters::Filters;
use super::private::private;
use super::reading::{Walked, walk};
use super::{folder, show};
use crate::audit::query::{Filter, csv};
use crate::clock::Clock;
use crate::env::Env;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder with the log [default: `audit` in the state folder]
    #[arg(value_name = "DIR", value_parser = typed::path())]
    folder: Option<PathBuf>,
    /// csv: a line a record, RFC 4180, safe from formulas; json: one array of records
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    #[command(flatten)]
    filters: Filters,
    /// Write to this file, mode 0600, instead of stdout
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    output: Option<PathBuf>,
    #[command(flatten)]
    state: State,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Json,
}

pub(super) fn run(flags: Flags, env: &Env, clock: &Clock) -> Result<ExitCode, Failure> {
    let folder = folder(flags.folder, flags.state, env)?;
    let filter = flags.filters.at(clock);
    let walked = match &flags.output {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            let walked = write(&mut out, flags.format, &folder, &filter)?;
            show::quietly(out.flush())?;
            walked
        }
        Some(path) => {
            let failed = |error| unwritable(path, &error);
            let mut out = BufWriter::new(private(path, &folder).map_err(failed)?);
            let walked = write(&mut out, flags.format, &folder, &filter).map_err(failed)?;
            let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
            file.place().map_err(failed)?;
            walked
        }
    };
    walked.tell()?;
    Ok(walked.exit_code())
}

/// Why an output file was not made.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure(format!("`{}` cannot be written: {error}; nothing was changed", path.display()))
}

fn write(
    out: &mut impl Write,
    format: Format,
    folder: &Path,
    filter: &Filter,
) -> io::Result<Walked> {
    let (start, between, end) = match format {
        Format::Csv => (csv::head(), "", ""),
        Format::Json => ("[".to_owned(), ",", "\n]\n"),
    };
    let mut between = std::iter::once("").chain(std::iter::repeat(between));
    show::quietly(out.write_all(start.as_bytes()))?;
    let walked = walk(folder, |row| {
        if !filter.wants(&row) {
            return Ok(());
        }
        for record in row.lines().iter().filter(|record| filter.wants_event(record.event())) {
            out.write_all(between.next().unwrap_or_default().as_bytes())?;
            match format {
                Format::Csv => out.write_all(csv::line(record).as_bytes())?,
                Format::Json => write!(out, "\n{}", record.json())?,
            }
        }
        Ok(())
    })?;
    show::quietly(out.write_all(end.as_bytes()))?;
    Ok(walked)
}
