//! Over files that are data in `tests/cases/audit`: written by nobody in particular.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::{Read, assert_harmless, assert_inert, audit, cases, csv};
use crate::harness::{Pty, Run};

/// Lines that would fill the memory if the call before them were waited for.
#[cfg(target_os = "linux")]
#[test]
fn a_call_that_stays_open_does_not_fill_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = BufWriter::new(File::create(folder.path().join("open.jsonl")).unwrap());
    let rest = r#""time":"2026-03-01T00:00:00Z","instance":"o""#;
    writeln!(file, "{{\"seq\":1,\"event\":\"intent\",\"call\":\"c1\",{rest}}}").unwrap();
    let many = "0,".repeat(30_000);
    for _ in 0..300 {
        writeln!(file, "{{\"event\":\"lockout\",{rest},\"x\":[{many}0]}}").unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let shown = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 400000; exec \"$0\" audit show \"$1\""])
        .args([crate::harness::BINARY, folder.path().to_str().unwrap()])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .run();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let out = String::from_utf8(shown.stdout).unwrap();
    assert!(out.contains("UNKNOWN OUTCOME"), "{out}");
    assert_eq!(out.matches("lockout").count(), 300);
}

#[test]
fn nothing_is_written_into_the_folder_that_is_read() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("log");
    fs::create_dir(&folder).unwrap();
    let log = folder.join("log.jsonl");
    fs::copy(cases("reconcile/log/log.jsonl"), &log).unwrap();
    let before = fs::read(&log).unwrap();
    std::os::unix::fs::symlink(&folder, home.path().join("link")).unwrap();
    for target in ["log/log.jsonl", "log/page.html", "link/page.html", "log/../log/x"] {
        let target = home.path().join(target);
        for reader in [["report", "--html"], ["export", "--output"]] {
            let refused = over(&folder, &[&reader[..], &[target.to_str().unwrap()]].concat());
            assert_eq!(refused.code, 1, "{}: {}", target.display(), refused.err);
            assert!(refused.err.contains("nothing was changed"), "{}", refused.err);
        }
    }
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

/// Runs `tools/read_audit.py` over a folder.
fn without_us(folder: &Path, arguments: &[&str]) -> (Option<i32>, Vec<Vec<String>>) {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/read_audit.py");
    let mut command = std::process::Command::new("python3");
    let output = command.arg("-B").arg(tool).arg(folder).args(arguments).run();
    let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(!err.contains("Traceback"), "{err}");
    let rows = String::from_utf8(out).unwrap();
    let rows = rows.lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect();
    (output.status.code(), rows)
}

#[test]
fn our_second_reader_takes_every_form_of_actiontrail() {
    for entry in fs::read_dir(cases("reconcile")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let (code, rows) =
            without_us(&cases("reconcile/log"), &["--actiontrail", path.to_str().unwrap()]);
        let ids: Vec<&str> = rows[1..].iter().map(|row| row[3].as_str()).collect();
        // That file has no name of a log and no hashes, so its match counts for nothing.
        let expected = ["DDDD-1", "AAAA-1", "AAAA-2", "BBBB-3", "CCCC-1", "EEEE-1"];
        assert_eq!((code, ids), (Some(2), expected.to_vec()), "{}", path.display());
        assert!(!format!("{rows:?}").contains("LTAI"), "{rows:?}");
    }
}

#[test]
fn our_second_reader_is_not_fooled_by_what_was_crafted() {
    let folder = cases("crafted");
    let home = tempfile::tempdir().unwrap();
    let trail = home.path().join("trail");
    // The second has no time, and is told all the same.
    let events = r#"{"eventName":"GetSecretValue","requestId":"PAST-1","eventTime":"2026-03-01T00:00:01Z"}
{"eventName":"GetSecretValue","requestId":"PAST-2"}"#;
    fs::write(&trail, events).unwrap();
    let arguments = ["--actiontrail", trail.to_str().unwrap(), "--month", "2026-03"];
    let (code, rows) = without_us(&folder, &arguments);
    let found: Vec<[&str; 2]> = rows[1..].iter().map(|row| [&*row[3], &*row[5]]).collect();
    assert_eq!((code, found), (Some(2), vec![["PAST-2", "missing"], ["PAST-1", "unproven"]]));
    let (_, rows) = without_us(&folder, &["--disclosures"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1][8..], ["ok", "-", "PAST-1", "crafted", "2", "no"]);
    let (_, rows) = without_us(&folder, &["--denials"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1][10..], ["crafted", "6", "no"]);
}

/// A folder with that one file.
fn alone(file: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
    folder
}

fn over(folder: &Path, arguments: &[&str]) -> Read {
    audit(&[arguments, &[folder.to_str().unwrap()]].concat())
}

#[test]
fn what_an_attacker_wrote_is_shown_and_does_nothing() {
    let mut seen = Vec::new();
    for entry in fs::read_dir(cases("hostile")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let folder = alone(&file);
        let broken = if name == "broken" { 8 } else { 0 };
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        for arguments in [vec!["show", "--steps"], vec!["show", "--format", "json"]] {
            let shown = over(folder.path(), &arguments);
            assert_eq!(shown.code, 0, "{name}: {}", shown.err);
            assert_harmless(&shown.out);
            assert_harmless(&shown.err);
            assert_eq!(shown.err.contains(&format!("{broken} lines are no records")), broken > 0);
            if arguments.len() == 3 {
                assert_eq!(shown.lines().len(), lines - broken, "{name}");
            } else {
                assert!(shown.out.lines().all(|line| line.len() <= 100), "{name}: {}", shown.out);
            }
        }
        let exported = csv(&over(folder.path(), &["export", "--format", "csv"]).out);
        assert_eq!(exported.len(), 1 + lines - broken, "{name}");
        for field in exported.iter().flatten() {
            assert!(
                !field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']),
                "{name}: {field}"
            );
            let hidden = |c: char| c.is_control() && !"\r\n\t".contains(c);
            assert!(!field.contains(hidden), "{name}: {field:?}");
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let page = elsewhere.path().join("page.html");
        let made = over(folder.path(), &["report", "--html", page.to_str().unwrap()]);
        assert_eq!(made.code, 0, "{name}: {}", made.err);
        let page = fs::read_to_string(page).unwrap();
        assert_inert(&page);
        assert_eq!(page.contains("This page is not complete."), broken > 0, "{name}");
        seen.push(name);
    }
    seen.sort();
    assert_eq!(seen, ["broken", "formulas", "future", "markup", "terminal"]);
}

#[test]
fn formulas_are_text_and_columns_of_later_versions_are_kept() {
    let folder = alone(&cases("hostile").join("formulas.jsonl"));
    let table = csv(&over(folder.path(), &["export", "--format", "csv"]).out);
    let cell = |row: usize, name: &str| {
        table[row][table[0].iter().position(|head| head == name).unwrap()].clone()
    };
    assert_eq!(cell(1, "resource.name"), "'=HYPERLINK(\"http://evil.test\",\"click\")");
    assert_eq!(cell(1, "action"), "'+GetSecretValue");
    assert_eq!(cell(1, "client"), "'@SUM(A1);'=1+1");
    assert_eq!(cell(2, "outcome"), "'\t'=1");
    assert_eq!(cell(3, "code"), "'\n'=1");
    let folder = alone(&cases("hostile").join("future.jsonl"));
    let table = csv(&over(folder.path(), &["export", "--format", "csv"]).out);
    assert!(table[3].last().unwrap().contains("\"weather\""), "{:?}", table[3]);
}

#[test]
fn nobody_is_said_to_have_approved_what_brought_no_consent() {
    let folder = tempfile::tempdir().unwrap();
    let rest = r#""instance":"o","approval":{"method":"client","who":"the client"}"#;
    let declined = |outcome: &str| format!(r#"{{"event":"client_declined",{outcome}{rest}}}"#);
    let lines =
        [declined(""), declined(r#""outcome":"timed_out","#), declined(r#""outcome":"declined","#)];
    fs::write(folder.path().join("20260301T000000Z-o.jsonl"), lines.join("\n") + "\n").unwrap();
    let shown = over(folder.path(), &["show"]);
    let rows = shown.rows();
    assert_eq!(rows.iter().filter(|row| row.contains("client declined")).count(), 2, "{rows:?}");
    let late = "client did not consent: timed out";
    assert_eq!(rows.iter().filter(|row| row.contains(late)).count(), 1, "{rows:?}");
    assert!(!shown.out.contains("approved"), "{}", shown.out);
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_longer_than_any_record_is_left_out_and_costs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.jsonl");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let whole = r#"{"seq":1,"time":"2026-03-01T00:00:00Z","instance":"l","event":"lockout"}"#;
    write!(file, "{whole}\n{{\"event\":\"lockout\",\"x\":\"").unwrap();
    let chunk = vec![b'x'; 64 * 1024];
    // 256 MiB in one line; the address space allowed below has no room for it.
    for _ in 0..4096 {
        file.write_all(&chunk).unwrap();
    }
    write!(file, "\"}}\n{whole}\n").unwrap();
    file.into_inner().unwrap().sync_all().unwrap();
    let shown = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 400000; exec \"$0\" audit show --format json \"$1\""])
        .args([crate::harness::BINARY, folder.path().to_str().unwrap()])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .run();
    let err = String::from_utf8(shown.stderr).unwrap();
    assert!(shown.status.success(), "{err}");
    assert!(err.contains("1 lines are no records"), "{err}");
    assert_eq!(shown.stdout, format!("{whole}\n{whole}\n").as_bytes());
}

#[test]
fn processes_are_merged_by_time_and_a_call_goes_on_after_a_rotation() {
    let folder = cases("merge");
    let shown = over(&folder, &["show", "--format", "json"]).lines();
    let order: Vec<(&str, u64)> = shown
        .iter()
        .map(|record| (&record["instance"].as_str().unwrap()[..1], record["seq"].as_u64().unwrap()))
        .collect();
    // An intent is followed by its result, and both stand where the call began.
    let expected = [
        ("a", 1),
        ("b", 1),
        ("a", 2),
        ("a", 5),
        ("b", 2),
        ("a", 3),
        ("a", 4),
        ("b", 3),
        ("b", 4),
        ("a", 6),
    ];
    assert_eq!(order, expected);
    let rows = over(&folder, &["show"]).rows();
    let row = |part: &str| rows.iter().find(|row| row.contains(part)).unwrap().clone();
    assert!(row("app/one").contains("created"), "{rows:?}");
    assert!(row("app/two").contains("UNKNOWN OUTCOME"), "{rows:?}");
    assert!(row("bbbb/c1    CreateSecret").contains("NO INTENT ON RECORD"), "another process");
    let secrets = |arguments: &[&str]| over(&folder, &[&["show"], arguments].concat()).rows().len();
    assert_eq!(secrets(&["--since", "2026-03-02"]), 1);
    assert_eq!(secrets(&["--until", "2026-03-01"]), 3, "the whole day");
    assert_eq!(secrets(&["--since", "2026-03-01T00:00:03Z", "--until", "2026-03-01T00:00:05Z"]), 1);
    assert_eq!(secrets(&["--secret", "app/*"]), 2, "an ARN is its name");
    assert_eq!(secrets(&["--event", "rotate"]), 1);
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let page = folder.path().join("page.html");
    let trail = cases("reconcile/array.json");
    let (page, trail) = (page.to_str().unwrap(), trail.to_str().unwrap());
    let readers = [
        vec!["show"],
        vec!["show", "--format", "json"],
        vec!["export", "--format", "csv"],
        vec!["export", "--format", "json"],
        vec!["report", "--html", page],
        vec!["reconcile", "--actiontrail", trail],
    ];
    for reader in readers {
        let read = over(&missing, &reader);
        assert_eq!(read.code, 3, "{reader:?}: {}", read.err);
        assert!(read.err.contains("UNREADABLE"), "{}", read.err);
    }
    // A folder in place of a file: the others are read.
    fs::copy(cases("hostile/future.jsonl"), folder.path().join("a.jsonl")).unwrap();
    fs::create_dir(folder.path().join("b.jsonl")).unwrap();
    let read = over(folder.path(), &["show"]);
    assert_eq!((read.code, read.rows().len()), (3, 2), "{}", read.err);
    for broken in ["", "hello", "{\"a\":", "[1,2]", "7"] {
        let path = folder.path().join("trail");
        fs::write(&path, broken).unwrap();
        let read =
            over(&cases("reconcile/log"), &["reconcile", "--actiontrail", path.to_str().unwrap()]);
        let expected = if broken.is_empty() { 0 } else { 3 };
        assert_eq!(read.code, expected, "{broken}: {}", read.err);
    }
}

#[test]
fn every_form_of_actiontrail_says_the_same() {
    let log = cases("reconcile/log");
    for entry in fs::read_dir(cases("reconcile")).unwrap() {
        let path = entry.unwrap().path();
        let Some("json") = path.extension().and_then(|extension| extension.to_str()) else {
            continue;
        };
        let arguments = ["reconcile", "--actiontrail", path.to_str().unwrap()];
        let table = over(&log, &arguments);
        let read = over(&log, &[&arguments[..], &["--format", "json"]].concat());
        assert_eq!((read.code, table.code), (1, 1), "{}: {}", path.display(), read.err);
        for text in [&read.out, &table.out] {
            assert_harmless(text);
            for secret in ["LTAI", "STS.", "hunter2"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
        assert!(table.out.lines().all(|line| line.len() <= 100));
        let theirs = table.out.find("THEIRS WITHOUT OURS: 5").unwrap();
        assert!(theirs < table.out.find("OURS WITHOUT THEIRS: 2").unwrap());
        assert!(table.out.contains("MATCHED: 1"));
        // Nothing in that log is signed.
        assert!(table.out.starts_with("THE LOG IS NOT VERIFIED"), "{}", table.out);
        assert!(table.out.contains("MATCHED BY AN UNPROVEN RECORD: 1"), "{}", table.out);
        let lines = read.lines();
        let of = |line: &Value| {
            [&line["kind"], &line["why"], &line["requestId"], &line["call"]].map(Value::clone)
        };
        let (ours, theirs) = (json!("ours_without_theirs"), json!("theirs_without_ours"));
        let call = |number: &str| json!(format!("{}/{number}", "c".repeat(16)));
        let expected = [
            // Perhaps the call whose answer never came.
            [theirs.clone(), json!("our_user_agent"), json!("BBBB-3"), call("c3")],
            [theirs.clone(), json!("our_user_agent"), json!("CCCC-1"), Value::Null],
            // Days after the last record: a log that was removed has no window.
            [theirs.clone(), json!("our_user_agent"), json!("EEEE-1"), Value::Null],
            [theirs.clone(), json!("other_action"), json!("AAAA-2"), call("c2")],
            [theirs, json!("other"), json!("DDDD-1"), Value::Null],
            [ours.clone(), Value::Null, Value::Null, call("c3")],
            [ours, Value::Null, json!("AAAA-4"), call("c4")],
            [json!("matched_by_unproven"), Value::Null, json!("AAAA-1"), call("c1")],
        ];
        assert_eq!(lines[..8].iter().map(of).collect::<Vec<_>>(), expected, "{}", path.display());
        assert_eq!(lines[0]["caller_key"], "44f17a8548b9");
        assert_eq!(lines[4]["caller_key"], Value::Null, "a masked id has no fingerprint");
        assert_eq!(lines[8]["outside_the_window"], 0);
        assert_eq!(lines[8]["matched_by_unproven"], 1);
        // Who asks for a window gets it.
        let less = over(&log, &[&arguments[..], &["--until", "2026-03-02"]].concat());
        assert!(less.out.contains("THEIRS WITHOUT OURS: 4"), "{}", less.out);
        assert!(less.out.contains("OUTSIDE THE WINDOW: 1"), "{}", less.out);
    }
}

#[test]
fn a_long_run_shows_its_progress_on_a_terminal_and_nowhere_else() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("log");
    fs::create_dir(&folder).unwrap();
    // Long lines of no record are quickly left out; a record stands after each.
    let line = "x".repeat(60_000) + "\n{\"event\":\"start\"}\n";
    fs::write(folder.join("long.jsonl"), line.repeat(300)).unwrap();
    let screen = Pty::run(home.path(), &["audit", "show", folder.to_str().unwrap()], &[]);
    assert!(screen.text.contains("\rreading the log:  50 %"), "{}", screen.text);
    assert!(screen.text.contains("\r\u{1b}[K"), "it is wiped");
    assert!(screen.text.contains("300 lines are no records"), "{}", screen.text);
    assert!(!over(&folder, &["show"]).err.contains("reading the log"));
    fs::write(folder.join("long.jsonl"), line.repeat(3)).unwrap();
    let screen = Pty::run(home.path(), &["audit", "show", folder.to_str().unwrap()], &[]);
    assert!(!screen.text.contains("reading the log"), "a short one has none");
}
