//! What an auditor reads: `audit show`, `export`, `report` and `reconcile`, over logs that real
//! servers wrote and over files that an attacker could have written.

mod cases;
mod session;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{BINARY, Run};

/// What a reader answered.
struct Read {
    code: i32,
    out: String,
    err: String,
}

/// Runs `kms-mcp audit ARGUMENTS`.
fn audit(arguments: &[&str]) -> Read {
    let output = Command::new(BINARY)
        .arg("audit")
        .args(arguments)
        .env_clear()
        .env("HOME", "/nowhere")
        .stdin(Stdio::null())
        .run();
    Read {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Read {
    /// One JSON object a line.
    fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rows of a table: lines that begin with a time, each with what goes on below it.
    fn rows(&self) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for line in self.out.lines().skip(1) {
            match rows.last_mut() {
                Some(row) if line.starts_with(' ') => {
                    row.push(' ');
                    row.push_str(line.trim_start());
                }
                _ => rows.push(line.into()),
            }
        }
        rows
    }
}

/// Printable ASCII and line ends: nothing else may reach a terminal.
fn assert_harmless(text: &str) {
    let harmful = text.chars().find(|c| !matches!(c, ' '..='~' | '\n'));
    assert!(harmful.is_none(), "{harmful:?} in {text}");
}

fn cases(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/audit").join(folder)
}

/// The records of a CSV file (RFC 4180), the names of the columns first.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {
                assert_eq!(rest.next(), Some('\n'), "a line ends in CR LF");
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && field.is_empty(), "whole");
    rows
}

/// The names of all elements of a page, and all attributes that its elements have.
fn elements(page: &str) -> (Vec<String>, String) {
    let (mut names, mut attributes) = (Vec::new(), String::new());
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("`<` stands in tags only");
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        names.push(name.trim_start_matches('/').to_lowercase());
        attributes.push_str(rest);
        attributes.push('\n');
    }
    names.sort_unstable();
    names.dedup();
    (names, attributes)
}

/// Nothing in the page runs, and nothing comes from elsewhere, whatever the log holds.
fn assert_inert(page: &str) {
    let known = [
        "!doctype", "body", "caption", "circle", "code", "dd", "desc", "div", "dl", "dt", "figure",
        "g", "h1", "h2", "h3", "head", "html", "li", "line", "main", "meta", "p", "rect",
        "section", "span", "strong", "style", "svg", "table", "tbody", "td", "text", "th", "thead",
        "title", "tr", "ul",
    ];
    let (names, attributes) = elements(page);
    let strange: Vec<&String> =
        names.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
    for harmful in ["onload", "onerror", "href", "src=", "url(", "style="] {
        assert!(!attributes.contains(harmful), "{harmful}");
    }
    assert!(attributes.contains("default-src 'none'"));
    assert!(!page.contains("http://") && !page.contains("@import") && !page.contains("url("));
    let hidden = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!page.contains(hidden));
}
