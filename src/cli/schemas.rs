//! `kms-mcp schemas`: what `tools/list` says of each tool, one file each, checked in.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::mcp::tools;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Change nothing; fail if a file is missing, differs, or belongs to no tool
    #[arg(long)]
    check: bool,
    /// Folder of the files
    #[arg(long, value_name = "DIR", default_value = "tool-schemas")]
    dir: PathBuf,
}

pub(super) fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let mut expected = Vec::new();
    for tool in tools() {
        let text = format!("{}\n", serde_json::to_string_pretty(&tool.listed)?);
        expected.push((flags.dir.join(format!("{}.json", tool.listed.name)), text));
    }
    let strays: Vec<PathBuf> = existing(&flags.dir)?
        .into_iter()
        .filter(|path| !expected.iter().any(|(wanted, _)| wanted == path))
        .collect();
    if !flags.check {
        fs::create_dir_all(&flags.dir)?;
        for (path, text) in &expected {
            fs::write(path, text)?;
        }
        for path in &strays {
            fs::remove_file(path)?;
        }
        writeln!(std::io::stdout(), "wrote {} files to {}", expected.len(), flags.dir.display())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut wrong: Vec<String> = expected
        .iter()
        .filter_map(|(path, text)| match fs::read_to_string(path) {
            Ok(found) if found == *text => None,
            Ok(_) => Some(format!("{} is out of date", path.display())),
            Err(_) => Some(format!("{} is missing", path.display())),
        })
        .collect();
    wrong.extend(strays.iter().map(|path| format!("{} belongs to no tool", path.display())));
    if wrong.is_empty() {
        writeln!(std::io::stdout(), "{} files are up to date", expected.len())?;
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure(format!("{}; run `kms-mcp schemas`", wrong.join(", "))))
}

fn existing(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(found)
}
