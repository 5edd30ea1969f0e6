//! Pages of 100,000 secrets, as `kms-mcp emulator` answers them over TCP: `cargo bench --bench pages`.
//!
//! Each line is the slowest and the median of ten; the first line is the yardstick of this machine.
//! The promise is that no page takes more than 20 ms.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench says what it found and may give up"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SECRETS: i64 = 100_000;
const TIMES: usize = 10;
const PROMISE: Duration = Duration::from_millis(20);

fn main() {
    let home = tempfile::tempdir().expect("a folder");
    // The first start makes database and identity.
    drop(Kms::start(home.path()));
    fill(&home.path().join("kms.db"));
    let mut kms = Kms::start(home.path());
    let filter = |key: &str, values: &[&str]| json!({ "Key": key, "Values": values });
    let ten: Vec<String> = (0..10).map(|n| format!("app/{:06}", n * 9_999)).collect();
    let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
    let listings = [
        ("one row", json!([filter("SecretName", &["app/000001"])])),
        ("all", json!([])),
        ("ten names", json!([filter("SecretName", &ten)])),
        ("type of 90 %", json!([filter("SecretType", &["Generic"])])),
        ("type of 10 %", json!([filter("SecretType", &["Rds"])])),
        ("both types", json!([filter("SecretType", &["Rds", "Generic"])])),
        ("description of 50 %", json!([filter("Description", &["even"])])),
        ("description of both", json!([filter("Description", &["even", "odd"])])),
        ("description of one", json!([filter("Description", &["alone"])])),
        ("creator", json!([filter("Creator", &[&kms.account])])),
        ("instance of none", json!([filter("DKMSInstanceId", &["kst-none"])])),
        ("tag key of 100 %", json!([filter("TagKey", &["env"])])),
        ("tag key of 1 %", json!([filter("TagKey", &["rare"])])),
        ("two tag keys", json!([filter("TagKey", &["env", "team"])])),
        ("tag value of 50 %", json!([filter("TagValue", &["prod"])])),
        ("tag value of 0.1 %", json!([filter("TagValue", &["team-7"])])),
        ("key and value, 50 %", json!([filter("TagKey", &["env"]), filter("TagValue", &["prod"])])),
        (
            "key and value, 0.1 %",
            json!([filter("TagKey", &["team"]), filter("TagValue", &["team-7"])]),
        ),
        (
            "key and value, none",
            json!([filter("TagKey", &["env"]), filter("TagValue", &["team-7"])]),
        ),
        (
            "type 10 % and tag key 100 %",
            json!([filter("SecretType", &["Rds"]), filter("TagKey", &["env"])]),
        ),
        (
            "type 10 % and tag value 50 %",
            json!([filter("SecretType", &["Rds"]), filter("TagValue", &["prod"])]),
        ),
        (
            "type none and tag key 100 %",
            json!([filter("SecretType", &["ECS"]), filter("TagKey", &["env"])]),
        ),
        (
            "type and description",
            json!([filter("SecretType", &["Rds"]), filter("Description", &["even"])]),
        ),
        (
            "description and tag key",
            json!([filter("Description", &["even"]), filter("TagKey", &["env"])]),
        ),
        (
            "description and tag value",
            json!([filter("Description", &["odd"]), filter("TagValue", &["prod"])]),
        ),
    ];
    println!(
        "{:<30}{:>8}{:>5}{:>12}{:>12}{:>8}",
        "listing", "page", "size", "median", "slowest", "ratio"
    );
    let mut yardstick = None;
    let mut over = 0;
    for (name, filters) in &listings {
        for size in [10, 100] {
            let total = kms.list(filters, 1, size).1;
            let last = (total + size - 1).max(1) / size.max(1);
            let mut pages = vec![1, last.max(1) / 2, last.max(1)];
            pages.retain(|page| *page > 0);
            pages.dedup();
            for page in pages {
                let mut took: Vec<Duration> =
                    (0..TIMES).map(|_| kms.list(filters, page, size).0).collect();
                took.sort();
                let (median, slowest) = (took[TIMES / 2], took[TIMES - 1]);
                let one = *yardstick.get_or_insert(median);
                let ratio = median.as_secs_f64() / one.as_secs_f64();
                let mark = if slowest > PROMISE { " over" } else { "" };
                over += usize::from(slowest > PROMISE);
                println!(
                    "{name:<30}{page:>8}{size:>5}{median:>12.2?}{slowest:>12.2?}{ratio:>8.1}{mark}"
                );
            }
        }
    }
    println!("{over} over {PROMISE:?}");
}

/// 100,000 secrets, straight into the database: through the door it would take a commit each.
fn fill(database: &Path) {
    let mut connection = rusqlite::Connection::open(database).expect("the database");
    let transaction = connection.transaction().expect("a transaction");
    for id in 0..SECRETS {
        let kind = if id % 10 == 0 { "Rds" } else { "Generic" };
        let description = match id {
            77 => "alone",
            _ if id % 2 == 0 => "even",
            _ => "odd",
        };
        let name = format!("app/{id:06}");
        let secret = "INSERT INTO secret (id, name, type, description, created, updated) VALUES (?, ?, ?, ?, 0, 0)";
        transaction.execute(secret, (id + 1, &name, kind, description)).expect("a secret");
        let mut tags = vec![("env", if id % 2 == 0 { "prod" } else { "dev" }.to_owned())];
        tags.push(("team", format!("team-{}", id % 1000)));
        if id % 100 == 0 {
            tags.push(("rare", "yes".to_owned()));
        }
        for (key, value) in tags {
            let tag = "INSERT INTO tag (secret, key, value) VALUES (?, ?, ?)";
            transaction.execute(tag, (id + 1, key, value)).expect("a tag");
        }
    }
    transaction.commit().expect("a commit");
}

/// An emulator, and one connection to it.
struct Kms {
    child: Child,
    stream: BufReader<TcpStream>,
    host: String,
    account: String,
    key: (String, String),
    nonce: u64,
}

impl Kms {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kms-mcp"))
            .args(["emulator", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let says: Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| says[name].as_str().expect("text").to_owned();
        let host = text("Url").replace("http://", "");
        let stream = TcpStream::connect(&host).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let key = (text("AccessKeyId"), text("AccessKeySecret"));
        let (account, stream) = (text("AccountId"), BufReader::new(stream));
        Self { child, stream, host, account, key, nonce: 0 }
    }

    /// How long a page takes from its first byte out to its last one in, and `TotalCount`.
    fn list(&mut self, filters: &Value, page: i64, size: i64) -> (Duration, i64) {
        let request = self.request(filters, page, size);
        let start = Instant::now();
        self.stream.get_mut().write_all(request.as_bytes()).expect("sent");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a header");
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        let took = start.elapsed();
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        let total = answer["TotalCount"].as_i64().unwrap_or_else(|| panic!("{answer}"));
        let rows = answer["SecretList"]["Secret"].as_array().map_or(0, Vec::len);
        let expected = (total - (page - 1) * size).clamp(0, size);
        assert_eq!(i64::try_from(rows).ok(), Some(expected), "a page is as long as it should be");
        (took, total)
    }

    /// A request with the signature ACS3-HMAC-SHA256.
    fn request(&mut self, filters: &Value, page: i64, size: i64) -> String {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let filters = encode(&filters.to_string()).replace("%2D", "-").replace("%5F", "_");
        let query =
            format!("Filters={}&PageNumber={page}&PageSize={size}", filters.replace("%2E", "."));
        self.nonce += 1;
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let headers = [
            ("host", self.host.clone()),
            ("x-acs-action", "ListSecrets".into()),
            ("x-acs-content-sha256", hex(&Sha256::digest(b""))),
            ("x-acs-date", time),
            ("x-acs-signature-nonce", format!("{}-{}", self.host, self.nonce)),
            ("x-acs-version", "2016-01-20".into()),
        ];
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = headers.each_ref().map(|(name, _)| *name).join(";");
        let canonical =
            format!("POST\n/\n{query}\n{lines}\n{names}\n{}", hex(&Sha256::digest(b"")));
        let to_sign = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.1.as_bytes()).expect("a key");
        mac.update(to_sign.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}",
            self.key.0
        );
        format!(
            "POST /?{query} HTTP/1.1\r\n{}authorization:{authorization}\r\ncontent-length:0\r\n\r\n",
            lines.replace('\n', "\r\n")
        )
    }
}

impl Drop for Kms {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
