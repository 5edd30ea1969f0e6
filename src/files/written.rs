//! [`absolute`] and [`expanded`]: a path as a person wrote it where no shell expands it.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Why a written path is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    /// `$HOME`, `${HOME}`, `%APPDATA%`.
    #[error(
        "holds a placeholder that no program has expanded; write the path out, or if a folder is really called so, make it first"
    )]
    Placeholder,
    /// `~somebody/…`.
    #[error("names the home folder of another user; write the path out")]
    OtherHome,
    /// `~/…`, but there is no home folder.
    #[error("begins with `~/`, but no home folder is known; write the path out")]
    NoHome,
    /// `~/…` in a file of root's.
    #[error(
        "begins with `~/`, which root's file cannot use, because the user says what the home folder is; write the path out"
    )]
    RootsHome,
    /// Anything else that depends on the working folder.
    #[error("is not an absolute path; write the path out, or begin it with `~/`")]
    Relative,
}

/// The absolute path that `written` stands for: `~/` is expanded, nothing else is. A relative path
/// would lie in the working folder, which for an MCP server is the agent's project.
pub(crate) fn absolute(written: &Path, home: Option<&Path>) -> Result<PathBuf, PathError> {
    let path = without_tilde(written, home)?;
    if path.is_absolute() {
        return if has_placeholder(&path) { Err(PathError::Placeholder) } else { Ok(path) };
    }
    // Even where the working folder has such a name in it.
    let is_placeholder = path.components().any(|part| is_placeholder(&text(part)));
    Err(if is_placeholder { PathError::Placeholder } else { PathError::Relative })
}

/// The same for what a person types in a terminal, where a relative path is one too.
pub(crate) fn expanded(written: &Path, home: Option<&Path>) -> Result<PathBuf, PathError> {
    let path = without_tilde(written, home)?;
    if has_placeholder(&path) { Err(PathError::Placeholder) } else { Ok(path) }
}

fn without_tilde(written: &Path, home: Option<&Path>) -> Result<PathBuf, PathError> {
    if let Ok(rest) = written.strip_prefix("~") {
        return home.map(|home| home.join(rest)).ok_or(PathError::NoHome);
    }
    if written.to_string_lossy().starts_with('~') {
        return Err(PathError::OtherHome);
    }
    Ok(written.to_owned())
}

/// Whether a name in the path looks like a placeholder and is not the name of anything. It may be
/// the name of something to be made if it has a blank that belongs to no placeholder, as in
/// `costs in $US`.
fn has_placeholder(path: &Path) -> bool {
    let mut at = PathBuf::new();
    path.components().any(|part| {
        let name = text(part);
        let above = at.clone();
        at.push(part);
        is_placeholder(&name)
            && fs::symlink_metadata(&at).is_err()
            && !(has_blank_of_its_own(&name) && above.is_dir())
    })
}

fn text(part: Component<'_>) -> String {
    part.as_os_str().to_string_lossy().into_owned()
}

fn of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `$NAME`, `${…}`, `$(…)`, `%NAME%`.
fn is_placeholder(name: &str) -> bool {
    let starts_name = |c: char| c.is_ascii_alphabetic() || c == '_';
    let dollar = name
        .split('$')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| starts_name(c) || matches!(c, '{' | '(')));
    let parts: Vec<&str> = name.split('%').collect();
    let after = parts.get(1..).unwrap_or_default();
    let between = after.split_last().map(|(_, between)| between).unwrap_or_default();
    // As Jenkins names its folders: `feature%2Flogin%2Ffix`.
    let is_escape = |part: &&str| part.chars().take_while(char::is_ascii_hexdigit).count() >= 2;
    let percent = !after.iter().all(is_escape)
        && between.iter().any(|name| name.starts_with(starts_name) && name.chars().all(of_a_name));
    dollar || percent
}

/// Whether there is a blank in what is left without `$NAME`, `${…}` and `$(…)`.
fn has_blank_of_its_own(name: &str) -> bool {
    let mut parts = name.split('$');
    let first = parts.next().unwrap_or_default();
    let after =
        |closing: char, part: &str| part.split_once(closing).map(|(_, rest)| rest.to_owned());
    let rests = parts.map(|part| match part.chars().next() {
        Some('{') => after('}', part).unwrap_or_default(),
        Some('(') => after(')', part).unwrap_or_default(),
        _ => part.trim_start_matches(of_a_name).to_owned(),
    });
    std::iter::once(first.to_owned()).chain(rests).any(|rest| rest.contains(char::is_whitespace))
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
            ("/srv/feature%2Ffoo%2Fbar", "/srv/feature%2Ffoo%2Fbar"),
            ("/srv/%E4%B8%AD/x", "/srv/%E4%B8%AD/x"),
            ("/srv/100%20x%y", "/srv/100%20x%y"),
        ] {
            assert_eq!(read(written).unwrap(), Path::new(path), "{written}");
        }
        for (written, error) in [
            ("${HOME}/.kms", PathError::Placeholder),
            ("$HOME/.kms", PathError::Placeholder),
            ("/srv/$(id)/x", PathError::Placeholder),
            ("%APPDATA%/kms", PathError::Placeholder),
            ("/srv/%CACHE%/x", PathError::Placeholder),
            ("/srv/%USER%20", PathError::Placeholder),
            ("/srv/${env:X}", PathError::Placeholder),
            ("~root/.kms", PathError::OtherHome),
            ("state", PathError::Relative),
            ("./state", PathError::Relative),
            ("", PathError::Relative),
        ] {
            assert_eq!(read(written), Err(error), "{written}");
        }
        assert_eq!(absolute(Path::new("~/x"), None), Err(PathError::NoHome));
        let typed = |text: &str| expanded(Path::new(text), Some(home));
        for (written, path) in [("a/b", "a/b"), ("~/x", "/home/me/x"), ("a%20b%20c", "a%20b%20c")] {
            assert_eq!(typed(written).unwrap(), Path::new(path), "{written}");
        }
        for (written, error) in [
            ("${HOME}/x", PathError::Placeholder),
            ("a/$(id -un)", PathError::Placeholder),
            ("~root/x", PathError::OtherHome),
        ] {
            assert_eq!(typed(written), Err(error), "{written}");
        }
    }

    #[test]
    fn what_is_really_called_so_is_no_placeholder() {
        let root = tempfile::tempdir().unwrap();
        let names = ["$HOME", "a $HOME b", "${X}", "%APPDATA%", "$(id)", "it's $(touch x) `y`"];
        for name in names {
            let path = root.path().join(name);
            // A blank that is none of the placeholder's: no client writes such a one.
            let taken = name.contains("a $") || name.contains("it's");
            assert_eq!(absolute(&path, None).is_ok(), taken, "{name}");
            assert_eq!(absolute(&path.join("below"), None).is_ok(), taken, "{name}");
            fs::create_dir(&path).unwrap();
            assert_eq!(absolute(&path, None).as_ref(), Ok(&path), "{name}");
            absolute(&path.join("below/it"), None).unwrap();
            let below = path.join("${USER}");
            assert_eq!(absolute(&below, None), Err(PathError::Placeholder), "{name}");
        }
        for name in ["$(id -un)", "${X Y}", "$(a b"] {
            let path = root.path().join(name);
            assert_eq!(absolute(&path, None), Err(PathError::Placeholder), "{name}");
        }
    }
}
