//! Homes and state folders as people have them: behind links, written with `~`, or not set at all.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::harness::{BINARY, Pty, Run};

/// Runs `kms-mcp` with these words and variables only, in `folder`. Its stdin is empty.
fn run(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(BINARY)
        .args(words)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .run()
}

fn serve(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let words = [&["serve", "--backend", "embedded"], words].concat();
    let output = run(folder, &words, environment);
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(()) } else { Err(said) }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_home_or_state_folder_behind_a_link_works() {
    let root = TempDir::new().unwrap();
    let at = |name: &str| root.path().join(name).display().to_string();
    let folder = |name: &str| {
        fs::create_dir_all(at(name)).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o700)).unwrap();
    };
    for name in ["homes/alice", "bob/.local/state", "xdg", "state", "kept", "work"] {
        folder(name);
    }
    for (target, link) in [
        ("homes/alice", "alice"),
        ("homes", "people"),
        ("xdg", "xdg-link"),
        ("state", "state-link"),
        ("kept", "bob/.local/state/kms-mcp"),
    ] {
        symlink(at(target), at(link)).unwrap();
    }
    let work = root.path().join("work");
    for (home, words, xdg) in [
        ("alice", vec![], None),
        ("people/alice", vec![], None),
        ("homes/alice", vec![], Some(at("xdg-link"))),
        ("homes/alice", vec!["--state-dir".to_owned(), at("state-link")], None),
        ("bob", vec![], None),
    ] {
        let home = at(home);
        let mut environment = vec![("HOME", home.as_str())];
        environment.extend(xdg.as_deref().map(|xdg| ("XDG_STATE_HOME", xdg)));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        serve(&work, &words, &environment).unwrap();
        let verified = run(&work, &[&["audit", "verify"], &*words].concat(), &environment);
        assert!(verified.status.success(), "{home} {words:?}: {verified:?}");
    }
    assert_eq!(fs::read_dir(work).unwrap().count(), 0);
}

#[test]
fn the_mode_of_a_folder_behind_a_link_is_not_changed() {
    let root = TempDir::new().unwrap();
    let (state, target) = (root.path().join("state"), root.path().join("target"));
    for folder in [&state, &target] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let home = root.path().display().to_string();
    let named = |folder: &Path| {
        serve(root.path(), &["--state-dir", folder.to_str().unwrap()], &[("HOME", &home)])
    };
    std::fs::write(state.join("store.sqlite"), "").unwrap();
    // The link stands in for a folder of ours.
    symlink(&target, state.join("values")).unwrap();
    let refused = named(&state).unwrap_err();
    assert!(refused.contains("values` is a symbolic link"), "{refused}");
    assert_eq!((mode(&target), mode(&state)), (0o755, 0o700));
    // The link is the person's, but what it leads to is open to others.
    let link = root.path().join("link");
    symlink(&target, &link).unwrap();
    let refused = named(&link).unwrap_err();
    assert!(refused.contains("target` is open to others (mode 0755)"), "{refused}");
    assert_eq!(mode(&target), 0o755);
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).unwrap();
    named(&link).unwrap();
}

#[test]
fn a_folder_of_something_else_is_left_as_it_is() {
    let root = TempDir::new().unwrap();
    let (home, project) = (root.path().display().to_string(), root.path().join("project"));
    fs::create_dir(&project).unwrap();
    fs::set_permissions(&project, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(project.join("main.rs"), "").unwrap();
    let named = ["--state-dir", project.to_str().unwrap()];
    let by_server = serve(root.path(), &named, &[("HOME", &home)]).unwrap_err();
    let approve = [&["approve"], &named[..]].concat();
    let by_approver = Pty::converse(root.path(), &approve, &[]);
    assert!(!by_approver.status.success());
    for said in [by_server, by_approver.text] {
        assert!(said.contains("chmod 700"), "{said}");
        assert_eq!(mode(&project), 0o755);
        assert_eq!(fs::read_dir(&project).unwrap().count(), 1);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says that it was skipped")]
fn a_state_folder_of_somebody_else_is_refused() {
    let root = TempDir::new().unwrap();
    let state = root.path().join("state");
    fs::create_dir(&state).unwrap();
    if std::os::unix::fs::chown(&state, Some(65_534), None).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    let home = root.path().display().to_string();
    let words = ["--state-dir", state.to_str().unwrap()];
    let refused = serve(root.path(), &words, &[("HOME", &home)]).unwrap_err();
    assert!(refused.contains("belongs to user 65534"), "{refused}");
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
}

#[test]
fn a_path_that_no_shell_expanded_makes_nothing_in_the_working_folder() {
    let root = TempDir::new().unwrap();
    let (home, work) = (root.path().join("home"), root.path().join("work"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&work).unwrap();
    let home_text = home.display().to_string();
    let by_flag = |text: &str| serve(&work, &["--state-dir", text], &[("HOME", &home_text)]);
    let by_variable =
        |text: &str| serve(&work, &[], &[("HOME", &home_text), ("KMS_MCP_STATE_DIR", text)]);
    by_flag("~/.one").unwrap();
    by_variable("~/.two").unwrap();
    for folder in [".one", ".two"] {
        assert!(home.join(folder).join("store.sqlite").is_file());
    }
    for (text, says) in [
        ("${HOME}/.kms", "placeholder"),
        ("$HOME/.kms", "placeholder"),
        ("%APPDATA%/kms", "placeholder"),
        ("~root/.kms", "another user"),
        ("state", "not an absolute path"),
        ("./state", "not an absolute path"),
    ] {
        for (refused, name) in
            [(by_flag(text), "--state-dir"), (by_variable(text), "KMS_MCP_STATE_DIR")]
        {
            let refused = refused.unwrap_err();
            assert!(refused.contains(says) && refused.contains(name), "{text}: {refused}");
        }
    }
    let config = home.join(".config/kms-mcp");
    fs::create_dir_all(&config).unwrap();
    for (key, line) in [
        ("sources.files", "sources.files = ['${HOME}/new']"),
        ("destinations.folder", "destinations.folder = 'out'"),
        ("audit.checkpoints.file", "audit.checkpoints.file = '$HOME/x'"),
        ("audit.checkpoints.journald", "audit.checkpoints.journald = 'x'"),
        ("policy", "policy = '~nobody/policy.toml'"),
    ] {
        fs::write(config.join("config.toml"), format!("{line}\n")).unwrap();
        let refused = by_flag("~/.one").unwrap_err();
        assert!(refused.contains(key), "{line}: {refused}");
    }
    fs::write(config.join("config.toml"), "\u{feff}sources.files = ['~/new']\n").unwrap();
    by_flag("~/.one").unwrap();
    let policy = run(&work, &["serve", "--policy", "~/none.toml"], &[("HOME", &home_text)]);
    let said = String::from_utf8(policy.stderr).unwrap();
    assert!(said.contains(&format!("{home_text}/none.toml` is not there")), "{said}");
    assert_eq!(fs::read_dir(work).unwrap().count(), 0);
}

/// Otherwise the settings that such a variable leads to are passed over without a word.
#[test]
fn a_variable_that_cannot_mean_what_it_says_stops_the_server() {
    let root = TempDir::new().unwrap();
    let (home, state) = (root.path().join("home"), root.path().join("state"));
    fs::create_dir(&home).unwrap();
    let (home, state) = (home.display().to_string(), state.display().to_string());
    let start = |name: &str, value: &str| {
        let mut environment = vec![("HOME", home.as_str()), ("KMS_MCP_STATE_DIR", &state)];
        environment.retain(|(other, _)| *other != name);
        environment.push((name, value));
        serve(root.path(), &[], &environment)
    };
    let literal = format!("{home}/${{USER}}/.config");
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
        for (value, says) in [
            ("${HOME}", "placeholder"),
            ("$HOME/x", "placeholder"),
            (literal.as_str(), "placeholder"),
            ("~somebody/x", "another user"),
            ("relative", "not an absolute path"),
        ] {
            let refused = start(name, value).unwrap_err();
            let says = refused.contains(&format!("`{name}`: `{value}`")) && refused.contains(says);
            assert!(says, "{refused}");
        }
    }
    assert!(start("HOME", "~").unwrap_err().contains("`HOME`: `~`"));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing was made");
    let config = Path::new(&home).join("mine/kms-mcp");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), "nonsense").unwrap();
    assert!(start("XDG_CONFIG_HOME", "~/mine").unwrap_err().contains("mine/kms-mcp/config.toml"));
    for name in ["KMS_MCP_POLICY", "KMS_MCP_STATE_DIR", "XDG_CONFIG_HOME", "ALICLOUD_SECRET_KEY"] {
        use std::os::unix::ffi::OsStrExt as _;
        let output = Command::new(BINARY)
            .args(["serve", "--backend", "embedded", "--state-dir", &state])
            .env_clear()
            .env("HOME", &home)
            .env(name, std::ffi::OsStr::from_bytes(b"hardened\xff"))
            .stdin(Stdio::null())
            .run();
        let said = String::from_utf8(output.stderr).unwrap();
        // Variables of others are none of our business.
        assert_eq!(output.status.success(), name == "ALICLOUD_SECRET_KEY", "{said}");
        assert_eq!(said.contains(&format!("`{name}` is not UTF-8")), !output.status.success());
        assert!(!said.contains("hardened"), "{said}");
    }
}

#[test]
fn a_path_that_is_really_called_so_is_used() {
    let root = TempDir::new().unwrap();
    let home = root.path().display().to_string();
    let at = |name: &str| root.path().join(name).display().to_string();
    let start = |folder: &str| serve(root.path(), &["--state-dir", folder], &[("HOME", &home)]);
    for name in ["a $HOME b", "100%20x%y", "feature%2Ffoo%2Fbar", "it's $(touch x) `y`"] {
        start(&at(name)).unwrap();
    }
    let refused = start(&at("${env:X}")).unwrap_err();
    assert!(refused.contains("placeholder") && refused.contains("make it first"), "{refused}");
    fs::create_dir(at("${env:X}")).unwrap();
    start(&at("${env:X}")).unwrap();
    start(&at("${env:X}/below")).unwrap();
}

#[test]
fn a_typed_path_is_expanded_or_refused() {
    let root = TempDir::new().unwrap();
    let (home, work) = (root.path().join("home"), root.path().join("work"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&work).unwrap();
    let home_text = home.display().to_string();
    let say = |words: &[&str]| {
        let output = run(&work, words, &[("HOME", &home_text)]);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    // The file of faults is read once the data are there.
    let said =
        say(&["emulator", "--listen", "127.0.0.1:0", "--data", "~/emu", "--behaviour", "~/b"]);
    assert!(said.contains(&format!("{home_text}/b")), "{said}");
    let explain = ["policy", "explain", "--action", "ListSecrets", "--policy"];
    let said = say(&[&explain[..], &["~/x.toml"]].concat());
    assert!(said.contains(&format!("`{home_text}/x.toml` is not there")), "{said}");
    for words in [
        &["emulator", "--listen", "127.0.0.1:0", "--data", "${HOME}/emu2"][..],
        &["emulator", "--listen", "127.0.0.1:0", "--data", "emu", "--requests", "$HOME/r"],
        &[&explain[..], &["${HOME}/x.toml"]].concat(),
        &["policy", "check", "$HOME/x.toml"],
        &["audit", "show", "%HOME%/audit"],
        &["audit", "export", "--output", "${HOME}/out.csv", "x"],
        &["audit", "report", "--html", "${HOME}/out.html", "x"],
    ] {
        let said = say(words);
        assert!(said.contains("holds a placeholder"), "{words:?}: {said}");
    }
    assert_eq!(fs::read_dir(work).unwrap().count(), 0);
}

#[test]
#[expect(clippy::print_stderr, reason = "says that it was skipped")]
fn without_home_the_user_database_is_asked() {
    let root = TempDir::new().unwrap();
    let (home, passwd) = (root.path().join("home"), root.path().join("passwd"));
    fs::create_dir(&home).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    fs::write(&passwd, format!("me:x:{uid}:{uid}::{}:/bin/sh\n", home.display())).unwrap();
    let script = format!(
        "mount --bind {} /etc/passwd && exec {BINARY} serve --backend embedded </dev/null",
        passwd.display()
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .run();
    let said = String::from_utf8(output.stderr).unwrap();
    if !said.contains("serving MCP") && (said.contains("unshare:") || said.contains("mount:")) {
        eprintln!("skipped: a file system of its own needs root: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    assert!(home.join(".local/state/kms-mcp/store.sqlite").is_file());
}
