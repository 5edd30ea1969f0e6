//! `kms-mcp policy`, through the real binary; the cases are files in `tests/cases/policy`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{BINARY, Run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/cases/policy").join(kind);
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// A home of its own, in which nobody else can write, with copies of the good policies.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(TempDir::new().unwrap());
        for path in cases("good") {
            home.copy(&path);
        }
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn copy(&self, path: &Path) -> PathBuf {
        let copy = self.path().join(path.file_name().unwrap());
        fs::write(&copy, fs::read(path).unwrap()).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
        copy
    }

    fn policy(&self, arguments: &[&str]) -> Output {
        self.command(arguments).run()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("policy").args(arguments).env_clear().env("HOME", self.path());
        command.current_dir(self.path());
        command
    }

    /// Runs a subcommand with the arguments of a case.
    fn run(&self, subcommand: &str, case: &Value) -> Output {
        let arguments = case["Arguments"].as_array().unwrap().iter();
        let arguments: Vec<String> = arguments
            .map(|text| text.as_str().unwrap().replace("{good}", self.path().to_str().unwrap()))
            .collect();
        let all: Vec<&str> =
            std::iter::once(subcommand).chain(arguments.iter().map(String::as_str)).collect();
        self.policy(&all)
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The answer, or a check of the complaint where the case wants one.
fn answer(case: &Value, output: &Output, path: &Path) -> Option<String> {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if let Some(fails) = case["Fails"].as_str() {
        assert_eq!(output.status.code(), Some(1), "{}: {out}", path.display());
        assert!(err.contains(fails), "{}: {err}", path.display());
        assert!(out.is_empty(), "{}: {out}", path.display());
        return None;
    }
    assert!(output.status.success(), "{}: {err}", path.display());
    Some(out.to_owned())
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn check_says_what_is_in_a_file_or_what_is_wrong_with_it() {
    let home = Home::new();
    for (kind, code) in [("good", 0), ("bad", 1)] {
        for path in cases(kind) {
            let copy = home.copy(&path);
            let output = home.policy(&["check", copy.to_str().unwrap()]);
            let said = text(if code == 0 { &output.stdout } else { &output.stderr });
            assert_eq!(output.status.code(), Some(code), "{}: {said}", path.display());
            let file = fs::read_to_string(&path).unwrap();
            let wanted = file.lines().filter_map(|line| line.strip_prefix("# says: "));
            for wanted in wanted {
                assert!(said.contains(wanted), "{}: `{wanted}` in {said}", path.display());
            }
            assert!(file.contains("# says: "), "{}", path.display());
        }
    }
}

#[test]
fn check_refuses_what_somebody_else_could_change() {
    let home = Home::new();
    let file = home.path().join("own.toml");
    let fails = |path: &Path, wanted: &str| {
        let output = home.policy(&["check", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(wanted), "{said}");
    };
    let link = home.path().join("link.toml");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    fails(&link, "is a symbolic link");
    fails(&home.path().join("nowhere.toml"), "is not there");
    fs::set_permissions(&file, Permissions::from_mode(0o620)).unwrap();
    fails(&file, "can be written by others");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    fails(&file, &format!("`{}` can be written by others", home.path().display()));
}

#[test]
fn explain_says_which_rules_matched_and_which_won() {
    let home = Home::new();
    for path in cases("explain") {
        let case = read(&path);
        let mut case_json = case.clone();
        case_json["Arguments"].as_array_mut().unwrap().push("--json".into());
        let Some(out) = answer(&case, &home.run("explain", &case_json), &path) else { continue };
        let says: Value = serde_json::from_str(&out).unwrap();
        let home_path = home.path().to_str().unwrap();
        for (name, wanted) in case.as_object().unwrap().iter().filter(|(n, _)| *n != "Arguments") {
            let wanted: Value =
                serde_json::from_str(&wanted.to_string().replace("{good}", home_path)).unwrap();
            assert_eq!(says[name], wanted, "{}: {name} in {out}", path.display());
        }
        // The text says the same.
        let plain = home.run("explain", &case);
        let plain = answer(&case, &plain, &path).unwrap();
        let verdict = format!(
            "verdict   {} by the rule `{}`",
            says["Verdict"].as_str().unwrap(),
            says["Rule"].as_str().unwrap()
        );
        assert!(plain.contains(&verdict), "{}: {plain}", path.display());
    }
}

#[test]
fn explain_asks_the_policy_of_the_configuration_and_the_environment_tightens() {
    let home = Home::new();
    let folder = home.path().join(".config/kms-mcp");
    fs::create_dir_all(&folder).unwrap();
    let own = home.path().join("own.toml");
    fs::write(folder.join("config.toml"), format!("policy = {:?}\n", own.to_str().unwrap()))
        .unwrap();
    let arguments =
        ["explain", "--action", "GetSecretValue", "--secret", "ci/db", "--destination", "file"];
    let output = home.policy(&arguments);
    assert!(text(&output.stdout).contains("verdict   token by the rule `deploy`"), "{output:?}");
    let output = home.command(&arguments).env("KMS_MCP_POLICY", "metadata-only").run();
    assert!(text(&output.stdout).contains("verdict   deny by the rule `nothing-else`"));
}

#[test]
fn ram_prints_no_more_than_the_guard_lets_through() {
    let home = Home::new();
    for path in cases("ram") {
        let case = read(&path);
        let Some(out) = answer(&case, &home.run("ram", &case), &path) else { continue };
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document, case["Document"], "{}: {out}", path.display());
    }
}

#[test]
fn every_shipped_policy_fits_a_session() {
    let home = Home::new();
    for name in ["default", "metadata-only", "read-only", "hardened", "ci"] {
        let scope = ["--account", "1234567890123456", "--region", "cn-shenzhen-finance-1"];
        let output = home.policy(&[&["ram", name, "--session"], &scope[..]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(said.trim_end().chars().count() <= 2048, "{name}: {}", said.len());
        assert_eq!(said.lines().count(), 1);
        let loose = home.policy(&[&["ram", name], &scope[..]].concat());
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(said), value(text(&loose.stdout)), "{name}");
    }
}

#[test]
fn a_session_policy_that_is_too_long_is_refused() {
    let home = Home::new();
    let names: Vec<String> = (0..99).map(|at| format!("\"team-{at}/database/*\"")).collect();
    let policy = format!(
        "version = 1\n[[rule]]\nid = \"a\"\nsecret = [{}]\nallow = true\nreason = \"r\"\n",
        names.join(", ")
    );
    let path = home.path().join("long.toml");
    fs::write(&path, policy).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let output = home.policy(&["ram", "./long.toml", "--session"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("AssumeRole takes 2048"), "{output:?}");
    assert!(
        home.policy(&["ram", "./long.toml", "--session", "--prefix", "team-7/"]).status.success()
    );
}

#[test]
fn the_generated_files_are_up_to_date_and_the_checks_notice() {
    let home = Home::new();
    let shipped = root().join("policies");
    let ram = shipped.join("ram");
    for (write, check, folder, file) in [
        (&["matrix"][..], &["matrix", "--check"][..], &shipped, "MATRIX.md"),
        (&["ram", "--write"], &["ram", "--check"], &ram, "by-prefix.json"),
    ] {
        let checked =
            |folder: &Path| home.policy(&[check, &["--dir", folder.to_str().unwrap()]].concat());
        let output = checked(folder);
        assert!(output.status.success(), "{}", text(&output.stderr));

        let own = home.path().join("generated").join(file);
        let own = own.parent().unwrap();
        let complains = |wanted: &str| {
            let output = checked(own);
            assert_eq!(output.status.code(), Some(1));
            assert!(text(&output.stderr).contains(wanted), "{}", text(&output.stderr));
        };
        complains(&format!("{file} is missing"));
        let written = home.policy(&[write, &["--dir", own.to_str().unwrap()]].concat());
        assert!(written.status.success(), "{}", text(&written.stderr));
        assert!(checked(own).status.success());
        assert_eq!(fs::read(own.join(file)).unwrap(), fs::read(folder.join(file)).unwrap());
        let changed = format!("{}\n", fs::read_to_string(own.join(file)).unwrap());
        fs::write(own.join(file), changed).unwrap();
        complains(&format!("{file} is out of date"));
        fs::remove_file(own.join(file)).unwrap();
        complains(&format!("{file} is missing"));
    }
    let stray = home.path().join("generated/other.json");
    fs::write(&stray, "{}").unwrap();
    let folder = home.path().join("generated");
    let output = home.policy(&["ram", "--check", "--dir", folder.to_str().unwrap()]);
    assert!(text(&output.stderr).contains("other.json is not generated"), "{output:?}");
    let output = home.policy(&["ram", "--write", "--dir", folder.to_str().unwrap()]);
    assert!(output.status.success() && stray.exists(), "{output:?}");
    // No RAM policy says who wrote it, so one that was changed by a byte may be a person's own.
    let changed = folder.join("full.json");
    let own = format!("{} ", fs::read_to_string(&changed).unwrap());
    fs::write(&changed, &own).unwrap();
    let output = home.policy(&["ram", "--write", "--dir", folder.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("full.json is there"), "{said}");
    assert!(said.contains("nothing was changed") && said.contains("--dir"), "{said}");
    assert_eq!(fs::read_to_string(&changed).unwrap(), own);
    let output = home.policy(&["ram", "--check", "--dir", folder.to_str().unwrap()]);
    assert!(text(&output.stderr).contains("remove what is out of date and run"), "{output:?}");
}

#[test]
fn the_matrix_of_an_own_policy_is_printed() {
    let home = Home::new();
    let output = home.policy(&["matrix", "--policy", "./own.toml"]);
    let said = text(&output.stdout);
    let row = "| GetSecretValue to file | deny | `default-deny` | token (`deploy`) if the secret is `ci/*` or `deploy/?/db` |";
    assert!(said.contains(row), "{said}");
}

#[test]
fn the_text_of_a_policy_file_commands_no_terminal() {
    let home = Home::new();
    let write = |name: &str, more: &str| {
        let file = home.path().join(name);
        let rule = "version = 1\n[[rule]]\nid = \"loud\"\naction = [\"ListSecrets\"]\ndeny = true\n\
            reason = \"no\u{202e}\u{2800}\"\ninstead = \"ask\u{200b}\"\n";
        fs::write(&file, format!("{rule}{more}")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (good, bad) = (write("good.toml", ""), write("bad.toml", "\"x\u{202e}\\u001b[8m\" = 1\n"));
    let explain = ["explain", "--action", "ListSecrets", "--policy", &good];
    let json = [&explain[..], &["--json"]].concat();
    let runs: [(&[&str], &str); 5] = [
        (&["check", &good], "loud"),
        (&["check", &bad], "line"),
        (&explain, r"no\u{202e}"),
        (&json, r"no\u202e"),
        (&["matrix", "--policy", &good], "ListSecrets"),
    ];
    for (arguments, says) in runs {
        let output = home.policy(arguments);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(said.contains(says), "{arguments:?}: {said}");
        let hidden = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2800}')
        };
        assert!(!said.contains(hidden), "{arguments:?}: {said:?}");
    }
}
