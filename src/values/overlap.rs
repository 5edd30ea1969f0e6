//! Whether a value that was written to a file could be taken from there as the value of another
//! secret: then what a person approved for one secret would leave under the name of the other.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Folders that must lie apart, and do not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the folder of sources `{}` and {what} `{}` overlap; a value that is written to the one could be taken from the other under another name. Give `sources.files` and `destinations.folder` in config.toml folders that do not contain each other", source_folder.display(), other.display()
)]
pub(crate) struct Overlap {
    source_folder: PathBuf,
    what: &'static str,
    other: PathBuf,
}

/// Refuses folders of sources that overlap with the folder of the destination `file`, or that
/// contain the state folder, where keys are kept.
///
/// # Errors
/// Names the first two that overlap.
pub(crate) fn apart(sources: &[PathBuf], destination: &Path, state: &Path) -> Result<(), Overlap> {
    for source in sources {
        let overlap = |what, other: &Path| {
            Err(Overlap { source_folder: source.clone(), what, other: other.to_owned() })
        };
        if contains(source, destination) || contains(destination, source) {
            return overlap("the folder of the destination `file`", destination);
        }
        if contains(source, state) {
            return overlap("the state folder", state);
        }
    }
    Ok(())
}

/// Whether `inner` is `outer` or lies below it, by whatever link or mount either is reached.
fn contains(outer: &Path, inner: &Path) -> bool {
    let (outer, inner) = (real(outer), real(inner));
    let id = |path: &Path| fs::metadata(path).ok().map(|seen| (seen.dev(), seen.ino()));
    let outer_id = id(&outer);
    inner.starts_with(&outer)
        || inner.ancestors().any(|above| outer_id.is_some() && id(above) == outer_id)
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let mut missing: Vec<&OsStr> = Vec::new();
    for above in path.ancestors() {
        if let Ok(found) = above.canonicalize() {
            return missing.iter().rev().fold(found, |path, part| path.join(part));
        }
        missing.extend(above.file_name());
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_that_reach_each_other_are_refused_and_neighbours_are_not() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["state/values", "state/disclosed", "srv/in", "srv/out"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        symlink(at("srv"), at("link")).unwrap();
        symlink(at("srv/in"), at("srv/out/back")).unwrap();
        let check = |source: &str, destination: &str| {
            apart(&[at("srv/in"), at(source)], &at(destination), &at("state"))
        };
        for (source, destination) in [
            ("state/values", "state/disclosed"),
            ("srv/in", "srv/out"),
            ("srv/in", "srv/in2"),
            ("srv/new", "srv/new2/deeper"),
            ("link/in", "link/out"),
        ] {
            assert_eq!(check(source, destination), Ok(()), "{source} {destination}");
        }
        for (source, destination) in [
            ("srv", "srv/out"),
            ("srv/out", "srv/out"),
            ("srv/out/deeper", "srv/out"),
            ("link", "srv/out"),
            ("srv", "link/new/deeper"),
            ("link/new", "srv/new"),
            ("srv/out/back", "srv/in/x"),
            ("state", "srv/out"),
            ("", "elsewhere"),
        ] {
            assert!(check(source, destination).is_err(), "{source} {destination}");
        }
    }
}
