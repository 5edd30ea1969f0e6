//! Folders that somebody else, or another secret, could put something into.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{Server, ServerOptions};

/// What a server that does not start says.
fn refused(home: &Path, options: ServerOptions) -> String {
    let (status, stderr) = Server::spawn_in(home, options).finish();
    assert!(!status.success(), "it started: {stderr}");
    stderr
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Otherwise another user takes `config.toml` away, and the next server starts without a policy.
#[test]
fn a_folder_of_settings_that_others_can_write_stops_the_server() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join(".config/kms-mcp");
    let start = || ServerOptions { config: None, unsigned: false, ..ServerOptions::embedded() };
    fs::create_dir_all(&folder).unwrap();
    for file in [true, false] {
        if file {
            fs::write(folder.join("config.toml"), "").unwrap();
        } else {
            fs::remove_file(folder.join("config.toml")).unwrap();
        }
        for mode in [0o777, 0o775, 0o1777] {
            set_mode(&folder, mode);
            let stderr = refused(home.path(), start());
            assert!(stderr.contains("kms-mcp") && stderr.contains("chmod go-w"), "{stderr}");
        }
        set_mode(&folder, 0o755);
        drop(Server::start_in(home.path(), start()));
    }
    fs::remove_dir(&folder).unwrap();
    drop(Server::start_in(home.path(), start()));
}

/// A home, and how a server starts in it.
type Start<'a> = &'a dyn Fn() -> (PathBuf, ServerOptions);

/// Otherwise another user moves the folder of `config.toml`, of a policy or of all that is kept out
/// of the way, and the next server starts without it.
#[test]
fn a_folder_above_that_others_can_write_stops_the_server() {
    let home = TempDir::new().unwrap();
    let open = home.path().join("open");
    let at = |name: &str| open.join(name).display().to_string();
    for folder in ["xdg/kms-mcp", "policies"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    fs::write(at("xdg/kms-mcp/config.toml"), "policy = 'hardened'\n").unwrap();
    fs::write(at("policies/own.toml"), "version = 1\nextends = \"default\"\n").unwrap();
    fs::create_dir(home.path().join("elsewhere")).unwrap();
    set_mode(&home.path().join("elsewhere"), 0o700);
    std::os::unix::fs::symlink("../elsewhere", at("link")).unwrap();
    let safe = home.path().join("elsewhere").display().to_string();
    let bare = || ServerOptions { config: None, unsigned: false, ..ServerOptions::embedded() };
    // The harness keeps all in `state` of the home.
    let settings =
        |folder: &str| (home.path().to_owned(), bare().env("XDG_CONFIG_HOME", &at(folder)));
    let state = |make: &dyn Fn(&Path) -> std::io::Result<()>| {
        let state = open.join("state");
        let _ = fs::remove_file(&state).or_else(|_| fs::remove_dir_all(&state));
        make(&state).unwrap();
        (open.clone(), bare().env("XDG_CONFIG_HOME", &safe))
    };
    let starts: [(&str, Start<'_>); 7] = [
        ("the settings", &|| settings("xdg")),
        ("settings that are gone", &|| settings("gone")),
        ("settings behind a link", &|| settings("link")),
        ("a policy", &|| {
            (home.path().to_owned(), bare().arg("--policy").arg(&at("policies/own.toml")))
        }),
        ("the state folder", &|| state(&|state| fs::create_dir(state))),
        ("a state folder that is not made yet", &|| state(&|_| Ok(()))),
        ("a link to the state folder", &|| {
            state(&|state| std::os::unix::fs::symlink("../elsewhere", state))
        }),
    ];
    for (about, options) in starts {
        for mode in [0o777, 0o775] {
            set_mode(&open, mode);
            let (home, options) = options();
            let stderr = refused(&home, options);
            let says = format!("lies below `{}`, which can be written by others", open.display());
            assert!(stderr.contains(&says), "{about}: {stderr}");
        }
        // Nobody can take away what is somebody else's out of a sticky folder.
        for mode in [0o1777, 0o755] {
            set_mode(&open, mode);
            let (home, options) = options();
            drop(Server::start_in(&home, options));
        }
    }
}

/// Otherwise a value that was approved for one secret leaves under the name of another.
#[test]
fn folders_of_sources_and_destinations_that_overlap_stop_the_server() {
    let home = TempDir::new().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    for name in ["srv/in", "srv/out", "state"] {
        fs::create_dir_all(at(name)).unwrap();
        set_mode(&home.path().join(name), 0o700);
    }
    std::os::unix::fs::symlink(at("srv"), at("link")).unwrap();
    let options = |sources: Option<&str>, destination: Option<&str>| {
        let mut text = String::new();
        if let Some(source) = sources {
            text += &format!("[sources]\nfiles = ['{}', '{}']\n", at("srv/in"), at(source));
        }
        if let Some(destination) = destination {
            text += &format!("[destinations]\nfolder = '{}'\n", at(destination));
        }
        ServerOptions::embedded().config(&text)
    };
    for (sources, destination) in [
        (Some("srv"), Some("srv/out")),
        (Some("srv/out"), Some("srv/out")),
        (Some("srv/out/deeper"), Some("srv/out")),
        (Some("link"), Some("srv/out")),
        (Some("link/out"), Some("srv/out/not/yet")),
        (Some("state"), None),
        (Some(""), None),
        (Some("state/disclosed"), None),
        (Some("state"), Some("srv/out")),
        (None, Some("state/values")),
        (None, Some("state")),
    ] {
        let stderr = refused(home.path(), options(sources, destination));
        assert!(stderr.contains("overlap"), "{sources:?} {destination:?}: {stderr}");
    }
    for (sources, destination) in [(Some("srv/in"), Some("srv/out")), (None, None)] {
        drop(Server::start_in(home.path(), options(sources, destination)));
    }
}
