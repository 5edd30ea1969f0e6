//! [`absolute`]: a path as a person wrote it where no shell expands it.

use std::path::{Path, PathBuf};

/// Why a written path is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    /// `$HOME`, `${HOME}`, `%APPDATA%`.
    #[error("holds a placeholder that no program has expanded; write the path out")]
    Placeholder,
    /// `~somebody/…`.
    #[error("names the home folder of another user; write the path out")]
    OtherHome,
    /// `~/…`, but there is no home folder.
    #[error("begins with `~/`, but no home folder is known; write the path out")]
    NoHome,
    /// Anything else that depends on the working folder.
    #[error("is not an absolute path; write the path out, or begin it with `~/`")]
    Relative,
}

/// The absolute path that `written` stands for: `~/` is expanded, nothing else is. A relative path
/// would lie in the working folder, which for an MCP server is the agent's project.
pub(crate) fn absolute(written: &Path, home: Option<&Path>) -> Result<PathBuf, PathError> {
    let text = written.to_string_lossy();
    if has_placeholder(&text) {
        return Err(PathError::Placeholder);
    }
    if let Ok(rest) = written.strip_prefix("~") {
        return home.map(|home| home.join(rest)).ok_or(PathError::NoHome);
    }
    if text.starts_with('~') {
        return Err(PathError::OtherHome);
    }
    if written.is_absolute() { Ok(written.to_owned()) } else { Err(PathError::Relative) }
}

/// `$NAME`, `${…}`, `$(…)`, `%NAME%`.
fn has_placeholder(text: &str) -> bool {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let dollar = text.split('$').skip(1).any(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '('))
    });
    let parts: Vec<&str> = text.split('%').collect();
    let between = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    dollar || between.iter().any(|name| !name.is_empty() && name.chars().all(of_a_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_home_is_expanded() {
        let home = Path::new("/home/me");
        let read = |text: &str| absolute(Path::new(text), Some(home));
        for (written, path) in [
            ("/srv/kms", "/srv/kms"),
            ("~/.kms", "/home/me/.kms"),
            ("~", "/home/me"),
            ("/srv/100%/a$", "/srv/100%/a$"),
            ("/srv/~/x", "/srv/~/x"),
        ] {
            assert_eq!(read(written).unwrap(), Path::new(path), "{written}");
        }
        for (written, error) in [
            ("${HOME}/.kms", PathError::Placeholder),
            ("$HOME/.kms", PathError::Placeholder),
            ("/srv/$(id)/x", PathError::Placeholder),
            ("%APPDATA%/kms", PathError::Placeholder),
            ("/srv/${env:X}", PathError::Placeholder),
            ("~root/.kms", PathError::OtherHome),
            ("state", PathError::Relative),
            ("./state", PathError::Relative),
            ("", PathError::Relative),
        ] {
            assert_eq!(read(written), Err(error), "{written}");
        }
        assert_eq!(absolute(Path::new("~/x"), None), Err(PathError::NoHome));
    }
}
