//! How long `kms-mcp audit verify` takes over a million records: `cargo bench --bench audit_verify`.
//!
//! The log is made here, from the description of the format, with lines as long as real ones. The
//! promise is 4 s on two cores; nothing fails if it is missed, for no clock of a busy machine is fair.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::format_collect,
    reason = "a benchmark may panic, prints, and looks at the clock"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

const RECORDS: u64 = 1_000_000;
/// Records of one file: about 64 MiB, as much as the program puts into one.
const FILE: u64 = 125_000;
const RUNS: usize = 5;

/// A chain that is being written.
struct Chain {
    key: Ed25519KeyPair,
    seq: u64,
    prev: String,
    out: BufWriter<File>,
    bytes: usize,
}

impl Chain {
    fn put(&mut self, event: &str, rest: &str) {
        self.seq += 1;
        let signed = matches!(event, "checkpoint" | "rotate" | "stop");
        let key = URL_SAFE_NO_PAD.encode(self.key.public_key());
        let key = if signed { format!(",\"key\":\"{key}\"") } else { String::new() };
        let (seq, prev) = (self.seq, &self.prev);
        let mut line = format!(
            "{{\"seq\":{seq},\"time\":\"2026-11-22T06:34:19.763Z\",\"instance\":\"f040827de80568f2\",\"event\":\"{event}\"{rest}{key},\"prev\":\"{prev}\""
        );
        if signed {
            let signed = [b"kms-mcp/audit/signature/v1\0", line.as_bytes()].concat();
            let signature = URL_SAFE_NO_PAD.encode(self.key.sign(&signed));
            line.push_str(&format!(",\"signature\":\"{signature}\""));
        }
        let hash = Sha256::new()
            .chain_update(b"kms-mcp/audit/v1\0")
            .chain_update(&self.prev)
            .chain_update(&line)
            .finalize();
        self.prev = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        line.push_str(&format!(",\"hash\":\"{}\"}}\n", self.prev));
        self.bytes += line.len();
        self.out.write_all(line.as_bytes()).unwrap();
    }
}

const INTENT: &str = r#","call":"c1","tool":"CreateSecret","action":"CreateSecret","risk":"write","decision":"allow","rule":"write","level":"none","cloud":{"account":"5265421748488920","caller_key":"cce98faee3c8","region":"cn-hangzhou","host":"kms.cn-hangzhou.aliyuncs.com"},"resource":{"name":"app/db"},"policy_digest":"83500e84dfd062a722b93b7d2c612548131402bcb3990e494c6a4bb1e904d654","client":"it/1""#;
const RESULT: &str = r#","call":"c1","tool":"CreateSecret","action":"CreateSecret","resource":{"name":"app/db"},"upstream":{"request_id":"5C448352-AB28-4F9C-9159-A177E8A32D68","http_status":200,"ms":9,"attempts":1},"outcome":"created""#;

fn file(folder: &Path, part: u64) -> BufWriter<File> {
    let part = if part == 1 { String::new() } else { format!(".{part}") };
    let name = format!("20261122T063419Z-f040827de80568f2{part}.jsonl");
    BufWriter::new(File::create(folder.join(name)).unwrap())
}

/// Writes the log and gives its bytes.
fn generate(folder: &Path) -> usize {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let (prev, out) = ("0".repeat(64), file(folder, 1));
    let mut chain = Chain { key, seq: 0, prev, out, bytes: 0 };
    let mut part = 1;
    chain.put("start", "");
    while chain.seq < RECORDS - 1 {
        if chain.seq == part * FILE - 1 {
            chain.put("rotate", "");
            part += 1;
            chain.out = file(folder, part);
            chain.put("start", &format!(",\"part\":{part}"));
        } else if chain.seq.is_multiple_of(65) {
            chain.put("checkpoint", "");
        } else if chain.seq.is_multiple_of(2) {
            chain.put("intent", INTENT);
        } else {
            let closes = format!(",\"intent\":{}{RESULT}", chain.seq);
            chain.put("result", &closes);
        }
    }
    chain.put("stop", "");
    chain.out.flush().unwrap();
    chain.bytes
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = generate(folder.path());
    println!("{RECORDS} records, {} MiB", bytes >> 20);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let verify = Command::new(env!("CARGO_BIN_EXE_kms-mcp"))
            .args(["audit", "verify"])
            .arg(folder.path())
            .output()
            .unwrap();
        let took = begun.elapsed();
        assert_eq!(verify.status.code(), Some(0), "{}", String::from_utf8_lossy(&verify.stdout));
        println!("verified in {:.2} s", took.as_secs_f64());
    }
}
