//! The error table of KMS (facts/kms.md §1, §6.2): every published (action, status, code) is reached
//! through the real server, or refused before KMS is asked. What the run saw is `COVERAGE.md`.
//!
//! `KMS_MCP_WRITE_COVERAGE=1 cargo test --test it errors` writes it anew.

mod coverage;
mod format;
mod play;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use format::{Case, File, Table, folder, read};
use play::Seen;

/// Plays every file, on two threads.
fn play_all(table: &Table) -> (Vec<Seen>, Vec<String>) {
    let files: Vec<&String> = table.actions.keys().collect();
    let next = AtomicUsize::new(0);
    let all = Mutex::new((Vec::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let cases = read::<File>(&folder().join(format!("{file}.json"))).cases;
                    let (seen, wrong) = play::play(file, &cases, table);
                    let mut all = all.lock().unwrap();
                    all.0.extend(seen);
                    all.1.extend(wrong);
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    let order = |seen: &Seen| (seen.action.clone(), seen.code.clone(), seen.by, seen.about.clone());
    all.0.sort_by_key(order);
    all
}

#[test]
fn every_published_error_is_reached_or_refused_before() {
    let table: Table = read(&folder().join("table.json"));
    let (seen, mut wrong) = play_all(&table);
    for (action, rows) in &table.actions {
        for row in rows {
            let shows = |seen: &&Seen| {
                (&seen.action, seen.status, &seen.code) == (action, row.status, &row.code)
            };
            if !seen.iter().any(|seen| shows(&seen)) {
                wrong.push(format!("{action} {} {}: no case shows it", row.status, row.code));
            }
        }
    }
    let wrote = coverage::check(&table, &seen);
    wrong.extend(wrote.err());
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_case_belongs_to_a_row() {
    let table: Table = read(&folder().join("table.json"));
    for (action, rows) in &table.actions {
        let rows: BTreeSet<_> = rows.iter().map(|row| (row.status, row.code.as_str())).collect();
        let file: File = read(&folder().join(format!("{action}.json")));
        for Case { status, code, about, .. } in &file.cases {
            assert!(rows.contains(&(*status, code.as_str())), "{action} {status} {code}: {about}");
        }
    }
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name());
    let others = ["table.json", "before.json", "COVERAGE.md"];
    for file in files.map(|name| name.into_string().unwrap()) {
        let action = file.strip_suffix(".json").unwrap_or_default();
        let known = table.actions.contains_key(action) || others.contains(&file.as_str());
        assert!(known, "{file} belongs to nothing");
    }
}
