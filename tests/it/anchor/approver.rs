//! The key in `/etc/kms-mcp/approvers` counts, and `pin.json` counts for nothing beside it.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use super::{USER, give, refused, run, said, set_mode, start_record};
use crate::harness::{Emulator, Namespace, PROGRAM, Pty, Question, Server, ServerOptions, rows_of};

const VALUE: &str = "Tr0ub4dor&3-correct-horse";
const PIN: &str = "four horses";
const OTHER: &str = "five donkeys";

/// As root, `kms-mcp pin enroll` for the user.
fn enroll(namespace: &Namespace, pin: &str) {
    let line = format!("exec kms-mcp pin enroll --uid {USER} --pin-stdin");
    let output = namespace.shell(0, Path::new("/root"), &line, &format!("{pin}\n"));
    assert!(output.status.success(), "{}", said(&output));
}

/// The user's own PIN, set in the home of a server.
fn set_own(namespace: &Namespace, home: &Path, pin: &str) -> Pty {
    let mut words = namespace.as_user(USER);
    words.push(PROGRAM.into());
    let state = home.join("state");
    let arguments = ["pin", "set", "--state-dir", state.to_str().unwrap()];
    Pty::converse_through(&words, home, &arguments, &[("New PIN", pin), ("again: ", pin)])
}

fn approve(namespace: &Namespace, home: &Path, token: &str, pin: &str) -> String {
    let words = format!("approve --pin-stdin --state-dir {} {token}", home.join("state").display());
    said(&run(namespace, home, &words, &format!("{pin}\n")))
}

fn options(namespace: &Namespace, emulator: &Emulator) -> ServerOptions {
    namespace.options(USER, ServerOptions::with_emulator(emulator))
}

fn read(server: &mut Server, question: Option<&Question>) -> Value {
    let mut arguments = json!({ "SecretName": "prod/db", "Destination": "agent" });
    if let Some(question) = question {
        arguments["ConfirmationToken"] = question.token.clone().into();
    }
    server.call("GetSecretValue", arguments)
}

fn ask(server: &mut Server) -> Question {
    Question::ask(
        server,
        "GetSecretValue",
        json!({ "SecretName": "prod/db", "Destination": "agent" }),
    )
}

/// It plays the person, whose PIN it cannot know here.
#[test]
fn the_demo_says_at_once_that_it_cannot_play_here() {
    let Some(namespace) = Namespace::new() else { return };
    let home = namespace.home(USER);
    enroll(&namespace, PIN);
    let output = run(&namespace, home.path(), "demo", "");
    assert!(!output.status.success());
    let said = said(&output);
    assert!(said.contains("nothing was started") && !said.contains("CreateSecret"), "{said}");
}

#[test]
fn only_the_enrolled_pin_signs_in_whatever_folder() {
    let Some(namespace) = Namespace::new() else { return };
    let emulator = Emulator::start();
    Server::start(ServerOptions::with_emulator(&emulator)).create("prod/db", VALUE);
    let first = namespace.home(USER);
    let own = set_own(&namespace, first.path(), OTHER);
    assert!(own.status.success(), "{}", own.text);
    enroll(&namespace, PIN);
    // Another home and state folder know the same key.
    let second = namespace.home(USER);
    for home in [&first, &second] {
        let home = home.path();
        let mut server = Server::start_in(home, options(&namespace, &emulator));
        let start = start_record(&server);
        assert_eq!(start["anchored"], "approver", "{start}");
        assert_eq!(start["program"], "root", "{start}");
        let question = ask(&mut server);
        let wrong = approve(&namespace, home, &question.token, OTHER);
        assert!(wrong.contains("wrong PIN"), "{wrong}");
        let screen = approve(&namespace, home, &question.token, PIN);
        assert!(screen.contains("the approver is root's"), "{screen}");
        assert!(screen.contains("Approved."), "{screen}");
        let answer = read(&mut server, Some(&question));
        assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    }
    // Nor does the user set one that would not count.
    for command in ["set", "change", "remove"] {
        let mut words = namespace.as_user(USER);
        words.push(PROGRAM.into());
        let state = first.path().join("state");
        let arguments = ["pin", command, "--state-dir", state.to_str().unwrap()];
        let screen = Pty::converse_through(&words, first.path(), &arguments, &[]);
        assert!(!screen.status.success(), "{}", screen.text);
        assert!(screen.text.contains("/etc/kms-mcp/approvers/65534.json"), "{}", screen.text);
    }
}

/// A server that runs takes up the key that root enrolls, and no other after it.
#[test]
fn a_server_that_runs_sees_what_root_does() {
    let Some(namespace) = Namespace::new() else { return };
    let emulator = Emulator::start();
    Server::start(ServerOptions::with_emulator(&emulator)).create("prod/db", VALUE);
    let home = namespace.home(USER);
    let mut server = Server::start_in(home.path(), options(&namespace, &emulator));
    enroll(&namespace, PIN);
    let question = ask(&mut server);
    approve(&namespace, home.path(), &question.token, PIN);
    let answer = read(&mut server, Some(&question));
    assert_eq!(answer["Result"]["SecretData"], VALUE, "{answer}");
    // Without root's key the user's own would count: only a restart leads there.
    fs::remove_file(namespace.anchors().join("approvers/65534.json")).unwrap();
    let set = set_own(&namespace, home.path(), OTHER);
    assert!(set.status.success(), "{}", set.text);
    let answer = read(&mut server, None);
    assert_eq!(answer["Error"]["Code"], "PinChanged", "{answer}");
}

#[test]
fn an_approver_that_cannot_be_trusted_stops_the_server() {
    let Some(namespace) = Namespace::new() else { return };
    let emulator = Emulator::start();
    let folder = namespace.anchors().join("approvers");
    let file = folder.join("65534.json");
    let home = namespace.home(USER);
    let spoil: [(&str, &dyn Fn()); 10] = [
        ("the user owns it", &|| give(&file, USER)),
        ("the group can write it", &|| set_mode(&file, 0o660)),
        ("everybody can read it", &|| set_mode(&file, 0o644)),
        ("the user cannot read it", &|| set_mode(&file, 0o600)),
        ("the user owns the folder", &|| give(&folder, USER)),
        ("the user owns the empty folder", &|| {
            fs::remove_file(&file).unwrap();
            give(&folder, USER);
        }),
        ("everybody can write the folder", &|| set_mode(&folder, 0o777)),
        ("the folder cannot be entered", &|| set_mode(&folder, 0o700)),
        ("it is a link", &|| {
            fs::rename(&file, folder.join("real.json")).unwrap();
            symlink("real.json", &file).unwrap();
        }),
        ("it is no key", &|| fs::write(&file, "{}").unwrap()),
    ];
    for (about, spoil) in spoil {
        let _ = fs::remove_dir_all(&folder);
        enroll(&namespace, PIN);
        spoil();
        let stderr = refused(home.path(), options(&namespace, &emulator));
        assert!(stderr.contains("/etc/kms-mcp/approvers"), "{about}: {stderr}");
    }
}

#[test]
fn enrolling_takes_root_and_a_program_that_only_root_can_replace() {
    let Some(namespace) = Namespace::new() else { return };
    let home = namespace.home(USER);
    let path = namespace.anchors().join("approvers/65534.json");
    let enroll = |words: &str, uid: u32| {
        let line = format!("exec {words} --pin-stdin");
        let output = namespace.shell(uid, home.path(), &line, &format!("{PIN}\n"));
        (output.status.success(), said(&output))
    };
    let (enrolled, text) = enroll("kms-mcp pin enroll --uid 65534", USER);
    assert!(!enrolled && text.contains("sudo kms-mcp pin enroll"), "{text}");
    // The user's own program, and one of root's in a folder of the user's.
    for (owner, mode) in [(USER, 0o755), (0, 0o777), (0, 0o755)] {
        let copy = home.path().join("kms-mcp");
        fs::copy(crate::harness::BINARY, &copy).unwrap();
        give(&copy, owner);
        set_mode(&copy, mode);
        let (enrolled, text) = enroll(&format!("{} pin enroll --uid 65534", copy.display()), 0);
        assert!(!enrolled && text.contains("could be replaced"), "{text}");
    }
    let (enrolled, text) = enroll("kms-mcp pin enroll", 0);
    assert!(!enrolled && text.contains("--uid"), "{text}");
    let (enrolled, text) = enroll("kms-mcp pin enroll --uid 4000000", 0);
    assert!(!enrolled && text.contains("no user"), "{text}");
    assert!(!namespace.anchors().exists(), "nothing was made");

    // Typed twice, and for the one who called sudo.
    let converse = |turns: &[(&str, &str)]| {
        let mut words = namespace.as_user(0);
        words.extend(["/usr/bin/env", "SUDO_UID=65534", PROGRAM].map(str::to_owned));
        Pty::converse_through(&words, home.path(), &["pin", "enroll"], turns)
    };
    let screen = converse(&[("New PIN", PIN), ("again: ", OTHER)]);
    assert!(!screen.status.success() && screen.text.contains("two different"), "{}", screen.text);
    assert!(!path.exists());
    let screen = converse(&[("New PIN", PIN), ("again: ", PIN)]);
    assert!(screen.status.success(), "{}", screen.text);
    assert!(!screen.text.contains(PIN), "{}", screen.text);
    let made = fs::metadata(&path).unwrap();
    assert_eq!((made.uid(), made.gid(), made.mode() & 0o7777), (0, 65534, 0o640));
    let content = fs::read(&path).unwrap();
    let (enrolled, text) = enroll("kms-mcp pin enroll --uid 65534", 0);
    assert!(!enrolled && text.contains("already"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), content);
    let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "nothing is left beside it");
}

/// The approval screen, `policy explain` and the `start` record say what is anchored.
#[test]
fn it_is_said_whether_a_server_is_anchored_and_whose_its_program_is() {
    let Some(namespace) = Namespace::new() else { return };
    let emulator = Emulator::start();
    Server::start(ServerOptions::with_emulator(&emulator)).create("prod/db", VALUE);
    let home = namespace.home(USER);
    let explain = |form: &str| {
        let words = format!("policy explain --action ListSecrets {form}");
        said(&run(&namespace, home.path(), &words, ""))
    };
    assert!(explain("").contains("anchored  no;"), "{}", explain(""));
    namespace.write_settings("[approval]\nrequire_factor = true\n");
    enroll(&namespace, PIN);
    let text = explain("");
    assert!(
        text.contains("anchored  settings and approver are root's; the program file is root's"),
        "{text}"
    );
    let explained: Value = serde_json::from_str(&explain("--json")).unwrap();
    assert_eq!(
        explained["Anchored"],
        json!({ "Settings": true, "Approver": true, "ProgramOf": "root" })
    );
    // The same server from a file that the user could replace.
    let copy = home.path().join("kms-mcp");
    fs::copy(crate::harness::BINARY, &copy).unwrap();
    set_mode(&copy, 0o755);
    let mut words = namespace.as_user(USER);
    let line = format!("shift; exec {} \"$@\"", copy.display());
    words.extend(["/bin/sh", "-c", &line, "sh"].map(str::to_owned));
    let options = ServerOptions { through: words, ..ServerOptions::with_emulator(&emulator) };
    let mut server = Server::start_in(home.path(), options);
    let start = start_record(&server);
    assert_eq!(start["anchored"], "settings, approver", "{start}");
    assert_eq!(start["program"], "user", "{start}");
    let question = ask(&mut server);
    let screen = approve(&namespace, home.path(), &question.token, "not the PIN");
    let says = |(name, value): &(String, String)| {
        name == "Anchored" && value.contains("the program file is the user's")
    };
    assert!(rows_of(&screen).iter().any(says), "{screen}");
}
