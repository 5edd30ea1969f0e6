//! The approval screens of records: a line of stdin is `{"columns": …, "record": {…}}`, a line of
//! stdout the screen as a JSON string, made by the very function that `kms-mcp approve` shows it with.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test program, which fails by stopping"
)]

use std::io::{BufRead as _, BufWriter, Write as _, stdin, stdout};

use serde_json::Value;

fn main() {
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let columns = usize::try_from(asked["columns"].as_u64().unwrap()).unwrap();
        let record = serde_json::to_vec(&asked["record"]).unwrap();
        let screen = kms_mcp::proofs::screen_of(&record, columns).unwrap();
        writeln!(out, "{}", Value::from(screen)).unwrap();
    }
}
