//! `tests/cases/errors/COVERAGE.md`, made from what a run saw.

use std::collections::BTreeMap;
use std::fs;

use super::format::{By, Table, folder};
use super::play::Seen;

/// Compares the file with this run, or writes it if the environment says so.
pub(super) fn check(table: &Table, seen: &[Seen]) -> Result<(), String> {
    let path = folder().join("COVERAGE.md");
    let found = page(table, seen);
    #[expect(clippy::disallowed_methods, reason = "the switch that writes the file")]
    let write = std::env::var("KMS_MCP_WRITE_COVERAGE").is_ok_and(|value| value == "1");
    if write {
        fs::write(&path, found).unwrap();
        return Ok(());
    }
    if fs::read_to_string(&path).is_ok_and(|kept| kept == found) {
        return Ok(());
    }
    Err("COVERAGE.md is missing or out of date: KMS_MCP_WRITE_COVERAGE=1 cargo test --test it errors"
        .into())
}

fn page(table: &Table, seen: &[Seen]) -> String {
    let mut page = String::from(
        "# Which errors of KMS are reached\n\n\
         Made by `KMS_MCP_WRITE_COVERAGE=1 cargo test --test it errors` from a run of the real server over stdio, and checked by the same test.\n\n\
         The cases are in `<Action>.json` beside this file; `gateway` stands for what any action can answer. **state**, **input**: the embedded KMS\n\
         refuses by itself, as its log shows. **fault**: the code depends on the cloud, and the embedded KMS was told to answer it. **refused locally**: the\n\
         program refuses such a call before KMS is asked; the code was not seen from KMS.\n\n",
    );
    let count =
        |by| rows(table, seen).filter(|(.., best)| best.is_some_and(|seen| seen.by == by)).count();
    page.push_str(&format!(
        "{} rows: {} by state, {} by input, {} by fault, {} refused locally.\n\n",
        rows(table, seen).count(),
        count(By::State),
        count(By::Input),
        count(By::Fault),
        count(By::Local),
    ));
    page.push_str(
        "| Action | HTTP | Code | Published | Reached | Case |\n|---|---|---|---|---|---|\n",
    );
    for (action, row, best) in rows(table, seen) {
        let (reached, about) =
            best.map_or(("**not**".into(), "none"), |seen| (reached(seen), seen.about.as_str()));
        page.push_str(&format!(
            "| {action} | {} | `{}` | {} | {reached} | {about} |\n",
            row.status, row.code, row.source
        ));
    }
    page.push_str(
        "\n## What the agent is told\n\n\
         Of each code, as it was answered in the first case above: message and what to do next.\n\n\
         | Code | Message | Next |\n|---|---|---|\n",
    );
    let mut told = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.told.is_object()) {
        let text = |name: &str| seen.told[name].as_str().unwrap_or_default().to_owned();
        let local = seen.by == By::Local && text("Code") == "InvalidArgument";
        if text("Changed") == "no" && !local {
            told.entry(text("Code")).or_insert((text("Message"), text("Next")));
        }
    }
    for (code, (message, next)) in told {
        page.push_str(&format!("| `{code}` | {message} | {next} |\n"));
    }
    page
}

/// The rows of the table, each with the case that comes nearest to the real KMS.
fn rows<'a>(
    table: &'a Table,
    seen: &'a [Seen],
) -> impl Iterator<Item = (&'a String, &'a super::format::Row, Option<&'a Seen>)> {
    table.actions.iter().flat_map(move |(action, rows)| {
        rows.iter().map(move |row| {
            let shows = seen.iter().filter(|seen| {
                seen.action == *action && seen.status == row.status && seen.code == row.code
            });
            (action, row, shows.min_by_key(|seen| (seen.by, &seen.about)))
        })
    })
}

fn reached(seen: &Seen) -> String {
    match (seen.by, &seen.step) {
        (By::State, Some(step)) => format!("state, in the step {step}"),
        (By::State, None) => "state".into(),
        (By::Input, _) => "input".into(),
        (By::Fault, _) => "fault".into(),
        (By::Local, _) => {
            format!("refused locally: `{}`", seen.told["Code"].as_str().unwrap_or_default())
        }
    }
}
