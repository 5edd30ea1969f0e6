//! [`Generated`]: files that this program writes and that are checked in.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::super::Failure;

/// A folder of them.
#[derive(Debug)]
pub(super) struct Generated<'a> {
    /// What writes them.
    pub(super) command: &'static str,
    /// The folder.
    pub(super) dir: &'a Path,
    /// The ending of files that may only be there if they are generated.
    pub(super) others: Option<&'static str>,
}

impl Generated<'_> {
    /// Writes them, or fails if one is missing, differs or is too many.
    pub(super) fn run(&self, files: &[(String, String)], check: bool) -> Result<ExitCode, Failure> {
        let wanted: Vec<(PathBuf, &str)> =
            files.iter().map(|(name, text)| (self.dir.join(name), text.as_str())).collect();
        let strays: Vec<PathBuf> =
            self.present()?.into_iter().filter(|p| !wanted.iter().any(|(w, _)| w == p)).collect();
        if check {
            return self.check(&wanted, &strays);
        }
        fs::create_dir_all(self.dir)?;
        for (path, text) in &wanted {
            fs::write(path, text)?;
        }
        for path in &strays {
            fs::remove_file(path)?;
        }
        writeln!(std::io::stdout(), "wrote {} to {}", count(wanted.len()), self.dir.display())?;
        Ok(ExitCode::SUCCESS)
    }

    fn check(&self, wanted: &[(PathBuf, &str)], strays: &[PathBuf]) -> Result<ExitCode, Failure> {
        let mut wrong: Vec<String> = wanted
            .iter()
            .filter_map(|(path, text)| match fs::read_to_string(path) {
                Ok(found) if found == *text => None,
                Ok(_) => Some(format!("{} is out of date", path.display())),
                Err(_) => Some(format!("{} is missing", path.display())),
            })
            .collect();
        wrong.extend(strays.iter().map(|path| format!("{} is not generated", path.display())));
        if !wrong.is_empty() {
            return Err(Failure(format!("{}; run `{}`", wrong.join(", "), self.command)));
        }
        writeln!(std::io::stdout(), "{}: up to date", count(wanted.len()))?;
        Ok(ExitCode::SUCCESS)
    }

    fn present(&self) -> Result<Vec<PathBuf>, Failure> {
        let (Some(ending), true) = (self.others, self.dir.is_dir()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in fs::read_dir(self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}
