//! [`Generated`]: files that this program writes and that are checked in.
//!
//! Nothing is deleted, and nothing is overwritten but what an earlier run wrote.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Failure;

/// A folder of them.
#[derive(Debug)]
pub(super) struct Generated<'a> {
    /// What writes them.
    pub(super) command: &'static str,
    /// The folder.
    pub(super) dir: &'a Path,
    /// The ending of files that may only be there if they are generated.
    pub(super) others: Option<&'static str>,
    /// Whether a file of that name and content bears the mark of this command, and so may be
    /// replaced. `None`: nothing in these files says who wrote them, so none is replaced unless it
    /// is the same already; whoever wants them anew removes the old ones.
    pub(super) is_ours: Option<fn(&str, &str) -> bool>,
}

impl Generated<'_> {
    /// Writes them, or fails if one is missing, differs or is too many.
    ///
    /// # Errors
    /// Also if something else has the name of one of them; then none is written.
    pub(super) fn run(&self, files: &[(String, String)], check: bool) -> Result<ExitCode, Failure> {
        let strays = self.strays(files)?;
        if check {
            return self.check(files, &strays);
        }
        for (name, text) in files {
            self.refuse_what_is_not_ours(name, text)?;
        }
        fs::create_dir_all(self.dir)?;
        for (name, text) in files {
            fs::write(self.dir.join(name), text)?;
        }
        let mut out = io::stdout();
        writeln!(out, "wrote {} to {}", count(files.len()), self.dir.display())?;
        for stray in strays {
            writeln!(out, "{} is not generated; it was left alone", stray.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn check(&self, files: &[(String, String)], strays: &[PathBuf]) -> Result<ExitCode, Failure> {
        let mut wrong: Vec<String> = files
            .iter()
            .map(|(name, text)| (self.dir.join(name), text))
            .filter_map(|(path, text)| match fs::read_to_string(&path) {
                Ok(found) if found == *text => None,
                Ok(_) => Some(format!("{} is out of date", path.display())),
                Err(_) => Some(format!("{} is missing", path.display())),
            })
            .collect();
        if !wrong.is_empty() {
            let first = if self.is_ours.is_none() { "remove what is out of date and " } else { "" };
            wrong.push(format!("{first}run `{}`", self.command));
        }
        wrong.extend(strays.iter().map(|path| {
            format!("{} is not generated: remove it if nobody needs it", path.display())
        }));
        if !wrong.is_empty() {
            return Err(Failure(wrong.join("; ")));
        }
        writeln!(io::stdout(), "{}: up to date", count(files.len()))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Files of that ending that are not among `files`.
    fn strays(&self, files: &[(String, String)]) -> Result<Vec<PathBuf>, Failure> {
        let (Some(ending), true) = (self.others, self.dir.is_dir()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in fs::read_dir(self.dir)? {
            let path = entry?.path();
            let wanted = files.iter().any(|(name, _)| self.dir.join(name) == path);
            if !wanted && path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn refuse_what_is_not_ours(&self, name: &str, wanted: &str) -> Result<(), Failure> {
        let path = self.dir.join(name);
        let ours = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(error.into()),
            // A link is not followed: whatever it leads to was not written here.
            Ok(found) if !found.is_file() => false,
            Ok(_) => fs::read_to_string(&path).is_ok_and(|text| {
                text == wanted || self.is_ours.is_some_and(|is_ours| is_ours(name, &text))
            }),
        };
        if ours {
            return Ok(());
        }
        Err(Failure(format!(
            "{} is there, and it is not what `{}` writes; nothing was changed: name another folder with --dir, or remove the file",
            path.display(),
            self.command
        )))
    }
}

fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}
