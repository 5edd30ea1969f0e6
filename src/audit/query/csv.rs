//! A record as one line of CSV (RFC 4180) that no spreadsheet takes for a formula, whichever
//! character it takes for the one between cells.

use serde_json::Value;

use super::line::Line;
use crate::text::is_hidden;

/// The columns: paths of members, as the log names them.
const COLUMNS: [&str; 53] = [
    "time",
    "instance",
    "seq",
    "event",
    "intent",
    "call",
    "parent",
    "tool",
    "action",
    "risk",
    "decision",
    "rule",
    "level",
    "resource.name",
    "resource.version",
    "resource.kind",
    "destination",
    "outcome",
    "code",
    "approval.who",
    "approval.method",
    "approval.latency_ms",
    "approval.token_id",
    "approval.record_digest",
    "approval.signature",
    "approval.key",
    "approval.factor",
    "approval.set_at",
    "cloud.account",
    "cloud.caller",
    "cloud.caller_key",
    "cloud.region",
    "cloud.host",
    "upstream.request_id",
    "upstream.http_status",
    "upstream.code",
    "upstream.ms",
    "upstream.attempts",
    "client",
    "request_digest",
    "policy_digest",
    "loosened",
    "anchored",
    "program",
    "places",
    "suppressed",
    "actor",
    "part",
    "key",
    "signature",
    "prev",
    "hash",
    // Members that no column is for, as a JSON object.
    OTHERS,
];
const OTHERS: &str = "others";
/// Members whose own members are columns.
const OPENED: [&str; 4] = ["resource", "approval", "cloud", "upstream"];

/// The first line: the names of the columns.
pub(crate) fn head() -> String {
    COLUMNS.join(",") + "\r\n"
}

/// The line of a record.
pub(crate) fn line(record: &Line) -> String {
    let cell = |path: &&str| match record.at(path) {
        _ if *path == OTHERS => field(&others(record)),
        Some(Value::String(text)) => field(text),
        Some(Value::Null) | None => String::new(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            field(&json(other))
        }
    };
    COLUMNS.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

/// What no column shows.
fn others(record: &Line) -> String {
    let mut left = record.members().clone();
    left.retain(|name, _| !COLUMNS.contains(&name.as_str()));
    for name in OPENED {
        if let Some(Value::Object(members)) = left.get_mut(name) {
            members.retain(|member, _| !COLUMNS.contains(&format!("{name}.{member}").as_str()));
            if members.is_empty() {
                left.remove(name);
            }
        }
    }
    if left.is_empty() { String::new() } else { json(&Value::Object(left)) }
}

/// The same JSON without a `;`, which can only stand inside a string.
fn json(value: &Value) -> String {
    value.to_string().replace(';', "\\u003b")
}

/// One field, in quotes. A `'` stops a spreadsheet from calculating what somebody else wrote (OWASP,
/// "CSV injection"; the wide forms are taken for the narrow ones in some places). It stands in front,
/// and after each character that a spreadsheet may take for the end of a cell: where `;` separates
/// cells, quotes around all of `a;=1` do not help. What is hidden is escaped, but for tabs and line
/// ends.
fn field(text: &str) -> String {
    let mut out = String::from("\"");
    let mut cell_begins = true;
    for c in text.chars() {
        let calculates = matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
        let whole_cell = out.len() == 1 && matches!(c, '\t' | '\r' | '\n');
        if (cell_begins && calculates) || whole_cell {
            out.push('\'');
        }
        let separates = matches!(c, ';' | ',' | '|' | '\t' | '\r' | '\n');
        // White space and quotes before a formula are passed over.
        let passed_over = matches!(c, '"' | '\'') || c.is_whitespace();
        cell_begins = separates || (cell_begins && passed_over);
        match c {
            '"' => out.push_str("\"\""),
            c if is_hidden(c) && !matches!(c, '\t' | '\r' | '\n') => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::line::Place;
    use super::*;

    #[test]
    fn no_field_is_a_formula_and_every_field_is_one_field() {
        let cases = [
            ("plain", "plain"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("\n=1", "'\n'=1"),
            ("＝1", "'＝1"),
            ("x/1;=1+1", "x/1;'=1+1"),
            ("a; \"=1", "a; \"\"'=1"),
            ("a|@b\t+c\n-d,＋e", "a|'@b\t'+c\n'-d,'＋e"),
            ("a;b=c", "a;b=c"),
            ("2026-01-02 a-b", "2026-01-02 a-b"),
            ("say \"hi\", twice", "say \"\"hi\"\", twice"),
            ("two\r\nlines", "two\r\nlines"),
            ("\u{1b}[2J\u{202e}x", "\\u{1b}[2J\\u{202e}x"),
        ];
        for (text, expected) in cases {
            assert_eq!(field(text), format!("\"{expected}\""));
        }
    }

    #[test]
    fn what_has_no_column_is_kept() {
        let text = br#"{"seq":1,"event":"new","later":[1],"cloud":{"region":"r","moon":"m"}}"#;
        let record = Line::parse(text, jiff::Timestamp::UNIX_EPOCH, Place::default()).unwrap();
        let line = line(&record);
        let others = r#""{""later"":[1],""cloud"":{""moon"":""m""}}""#;
        assert!(line.ends_with(&format!(",{others}\r\n")), "{line}");
        assert_eq!(json(&serde_json::json!({"a;=1": -1})), r#"{"a\u003b=1":-1}"#);
        let before = line.split(others).next().unwrap_or_default();
        assert_eq!(before.matches(',').count(), COLUMNS.len() - 1, "{line}");
    }
}
