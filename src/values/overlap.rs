//! Whether a value that was written to a file, or a key of this program, could be taken from there
//! as the value of another secret: then what a person approved for one secret would leave under the
//! name of the other.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::files::{HeldFolder, Id};

/// Folders that must lie apart, and do not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the folder of sources `{}` and {what} `{}` overlap; {harm}. Give `sources.files` and `destinations.folder` in config.toml folders that do not contain each other, the state folder or `~/.aliyun`", source_folder.display(), other.display()
)]
pub(crate) struct Overlap {
    source_folder: PathBuf,
    what: &'static str,
    other: PathBuf,
    harm: &'static str,
}

/// What no value may be read from.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    /// The folder of the destination `file`.
    pub(crate) destination: PathBuf,
    /// The state folder, where keys are kept. Folders in it may be sources.
    pub(crate) state: PathBuf,
    /// The file of profiles, which may be a link.
    pub(crate) profiles: Option<PathBuf>,
}

impl Closed {
    /// Refuses a folder of sources from which what is closed could be read. `held`: the folder, if
    /// it is there; wherever it lies by now.
    ///
    /// # Errors
    /// Names the first that overlaps.
    pub(super) fn check(&self, named: &Path, held: Option<&HeldFolder>) -> Result<(), Overlap> {
        const VALUES: &str =
            "a value that is written to the one could be taken from the other under another name";
        const KEYS: &str = "keys that are kept there could be taken as values";
        let source = held.map_or_else(|| Spot::of_path(named), Spot::of_folder);
        let file = self.profiles.as_deref();
        let folder = file.and_then(Path::parent);
        let closed = [
            ("the folder of the destination `file`", Some(&*self.destination), true, VALUES),
            ("the state folder", Some(&*self.state), false, KEYS),
            ("the folder of the AccessKey", folder, true, KEYS),
            // In its place may be a link to a file elsewhere.
            ("the file of the AccessKey", file, false, KEYS),
        ];
        for (what, other, both_ways, harm) in closed {
            let Some(other) = other else { continue };
            let spot = Spot::of_path(other);
            if source.contains(&spot) || (both_ways && spot.contains(&source)) {
                let (source_folder, other) = (named.to_owned(), other.to_owned());
                return Err(Overlap { source_folder, what, other, harm });
            }
        }
        Ok(())
    }

    /// Whether it is the file of profiles under another name.
    pub(super) fn is_profiles(&self, file: &File) -> bool {
        let profiles = self.profiles.as_deref().and_then(Id::of_path);
        profiles.is_some() && profiles == Id::of_file(file)
    }
}

/// Where a file or folder is, by whatever link or mount it is reached.
struct Spot {
    /// The path without links, as far as it exists; not of a folder that may have been moved.
    real: Option<PathBuf>,
    own: Option<Id>,
    /// What contains it, itself too.
    upwards: Vec<Id>,
}

impl Spot {
    fn of_path(path: &Path) -> Self {
        let real = real(path);
        let upwards = real.ancestors().filter_map(Id::of_path).collect();
        Self { own: Id::of_path(&real), upwards, real: Some(real) }
    }

    fn of_folder(held: &HeldFolder) -> Self {
        match held.upwards() {
            Ok(upwards) => Self { real: None, own: upwards.first().copied(), upwards },
            // It was taken away: it holds nothing, but what is at its path may.
            Err(_) => Self::of_path(held.real()),
        }
    }

    fn contains(&self, inner: &Self) -> bool {
        let by_path = match (&self.real, &inner.real) {
            (Some(outer), Some(inner)) => inner.starts_with(outer),
            _ => false,
        };
        by_path || self.own.is_some_and(|own| inner.upwards.contains(&own))
    }
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
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_that_reach_each_other_are_refused_and_neighbours_are_not() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["state/values", "state/disclosed", "srv/in", "srv/out", "h/.aliyun/x", "dots"]
        {
            fs::create_dir_all(at(name)).unwrap();
        }
        symlink(at("srv"), at("link")).unwrap();
        symlink(at("srv/in"), at("srv/out/back")).unwrap();
        symlink(at("h/.aliyun"), at("srv/keys")).unwrap();
        fs::write(at("dots/config.json"), "{}").unwrap();
        symlink(at("dots/config.json"), at("h/.aliyun/config.json")).unwrap();
        // Whether the folder is only named or open, the answer is the same.
        let check = |source: &str, destination: &str| {
            let closed = Closed {
                destination: at(destination),
                state: at("state"),
                profiles: Some(at("h/.aliyun/config.json")),
            };
            let named = closed.check(&at(source), None);
            if let Some(held) = HeldFolder::open(&at(source)).unwrap() {
                assert_eq!(closed.check(&at(source), Some(&held)), named, "{source}, open");
            }
            named
        };
        for (source, destination) in [
            ("state/values", "state/disclosed"),
            ("srv/in", "srv/out"),
            ("srv/in", "srv/in2"),
            ("srv/new", "srv/new2/deeper"),
            ("link/in", "link/out"),
            ("h/values", "srv/out"),
            ("h/.aliyun2", "srv/out"),
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
            ("h", "srv/out"),
            ("h/.aliyun", "srv/out"),
            ("h/.aliyun/x", "srv/out"),
            ("h/.aliyun/new", "srv/out"),
            ("srv/keys", "srv/out"),
            ("dots", "srv/out"),
        ] {
            assert!(check(source, destination).is_err(), "{source} {destination}");
        }
    }
}
