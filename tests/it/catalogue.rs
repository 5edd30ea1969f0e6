//! The catalogue as clients see it: `tools/list`, the files in `tool-schemas/`, and what their
//! schemas promise.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{BINARY, Emulator, Era, Run, Server, ServerOptions};

/// Tool, readOnly, destructive, idempotent. Said here a second time, by hand.
const HINTS: [(&str, bool, bool, bool); 17] = [
    ("CreateSecret", false, true, false),
    ("DescribeSecret", true, false, true),
    ("ListSecrets", true, false, true),
    ("GetSecretValue", false, true, true),
    ("PutSecretValue", false, true, false),
    ("DeleteSecret", false, true, true),
    ("RestoreSecret", false, false, true),
    ("UpdateSecret", false, false, true),
    ("ListSecretVersionIds", true, false, true),
    ("UpdateSecretVersionStage", false, false, false),
    ("UpdateSecretRotationPolicy", false, true, true),
    ("RotateSecret", false, true, true),
    ("GetSecretPolicy", true, false, true),
    ("SetSecretPolicy", false, true, true),
    ("ListKmsInstances", true, false, true),
    ("ListKeys", true, false, true),
    ("CreateKey", false, true, false),
];

fn tools(era: Era) -> Vec<Value> {
    let mut server = Server::start(ServerOptions::embedded().era(era));
    let answer = server.request("tools/list", json!({}));
    answer["result"]["tools"].as_array().unwrap().clone()
}

fn schemas(arguments: &[&str], folder: &Path) -> Output {
    Command::new(BINARY).arg("schemas").args(arguments).arg("--dir").arg(folder).env_clear().run()
}

fn checked_in() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tool-schemas"))
}

#[test]
fn the_files_say_what_tools_list_says() {
    for era in Era::ALL {
        let listed = tools(era);
        for tool in &listed {
            let name = tool["name"].as_str().unwrap();
            let file = fs::read(checked_in().join(format!("{name}.json"))).unwrap();
            let file: Value = serde_json::from_slice(&file).unwrap();
            assert_eq!(&file, tool, "{era:?} {name}");
        }
        assert_eq!(fs::read_dir(checked_in()).unwrap().count(), listed.len());
    }
    assert!(schemas(&["--check"], checked_in()).status.success());
}

#[test]
fn a_missing_changed_or_stray_file_fails_the_check() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("schemas");
    assert!(schemas(&[], &folder).status.success());
    assert!(schemas(&["--check"], &folder).status.success());
    let describe = folder.join("DescribeSecret.json");
    let content = fs::read(&describe).unwrap();
    let refused = |says: &str| {
        let output = schemas(&["--check"], &folder);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(says), "{stderr}");
    };
    fs::remove_file(&describe).unwrap();
    refused("DescribeSecret.json is missing");
    fs::write(&describe, [content.as_slice(), b"\n"].concat()).unwrap();
    refused("DescribeSecret.json is out of date");
    fs::write(&describe, &content).unwrap();
    fs::write(folder.join("DescribeKey.json"), "{}").unwrap();
    refused("DescribeKey.json is not generated");
    fs::write(&describe, [content.as_slice(), b"\n"].concat()).unwrap();
    let written = schemas(&[], &folder);
    assert!(written.status.success());
    assert!(String::from_utf8(written.stdout).unwrap().contains("DescribeKey.json is not gen"));
    assert_eq!(fs::read(&describe).unwrap(), content, "what an earlier run wrote is brought up");
    assert_eq!(fs::read(folder.join("DescribeKey.json")).unwrap(), b"{}", "nothing is deleted");
    fs::remove_dir_all(&folder).unwrap();
    refused("is missing");
    assert!(!folder.exists(), "a check writes nothing");
}

#[test]
fn a_file_that_is_not_generated_is_neither_overwritten_nor_deleted() {
    type Place = fn(&Path, &Path);
    let home = tempfile::tempdir().unwrap();
    let other = home.path().join("other.json");
    let places: [Place; 7] = [
        |file, _| fs::write(file, "{\"name\": \"my notes\"}").unwrap(),
        // A person's own, which only looks like ours.
        |file, _| {
            fs::write(file, "{\"Version\": \"1\", \"Statement\": [], \"Note\": \"mine\"}").unwrap();
        },
        |file, _| {
            let own = json!({ "name": "UpdateSecret", "inputSchema": {}, "outputSchema":
                { "properties": { "Status": {}, "Mine": {} } } });
            fs::write(file, own.to_string()).unwrap();
        },
        |file, _| {
            let text =
                "# Keys of config.toml\n\nMine.\n\nWritten by `kms-mcp policy matrix` once.\n";
            fs::write(file, text).unwrap();
        },
        |file, _| fs::write(file, "no JSON").unwrap(),
        |file, other| std::os::unix::fs::symlink(other, file).unwrap(),
        |file, _| fs::create_dir(file).unwrap(),
    ];
    let commands: [(&[&str], &str); 4] = [
        (&["schemas"], "UpdateSecret.json"),
        (&["policy", "ram", "--write"], "read-only.json"),
        (&["policy", "matrix"], "MATRIX.md"),
        (&["config", "reference"], "config.md"),
    ];
    for (number, (command, name)) in commands.into_iter().enumerate() {
        for (way, place) in places.iter().enumerate() {
            let folder = home.path().join(format!("{number}-{way}"));
            fs::create_dir(&folder).unwrap();
            fs::write(&other, "{}").unwrap();
            fs::write(folder.join("package.json"), "{\"private\": true}").unwrap();
            place(&folder.join(name), &other);
            let output = Command::new(BINARY).args(command).arg("--dir").arg(&folder).run();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && stderr.contains("nothing was changed"), "{stderr}");
            let left = fs::read_dir(&folder).unwrap().count();
            assert_eq!(left, 2, "{command:?}: nothing else was written");
            assert_eq!(fs::read(&other).unwrap(), b"{}", "{command:?}: a link is not followed");
        }
    }
}

#[test]
fn every_hint_is_said_and_right() {
    let listed = tools(Era::V2025_11_25);
    assert_eq!(listed.len(), HINTS.len());
    for (tool, read_only, destructive, idempotent) in HINTS {
        let found = listed.iter().find(|found| found["name"] == tool).unwrap();
        let hints = json!({ "readOnlyHint": read_only, "destructiveHint": destructive,
            "idempotentHint": idempotent, "openWorldHint": true });
        assert_eq!(found["annotations"], hints, "{tool}");
        for text in ["title", "description"] {
            assert!(!found[text].as_str().unwrap_or_default().is_empty(), "{tool} has no {text}");
        }
    }
}

/// Everything in a schema that some client is known to refuse, and strings without a limit.
fn objections(schema: &Value, input: bool, at: &str, found: &mut Vec<String>) {
    const KNOWN: &[&str] = &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "description",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "maxProperties",
        "default",
        "examples",
    ];
    let Some(keywords) = schema.as_object() else {
        found.push(format!("{at}: {schema}"));
        return;
    };
    for keyword in keywords.keys().filter(|keyword| !KNOWN.contains(&keyword.as_str())) {
        found.push(format!("{at}: {keyword}"));
    }
    let limited = |keyword: &str| keywords.contains_key(keyword);
    let kind = schema["type"].as_str().unwrap_or_default();
    if !["object", "array", "string", "integer", "boolean"].contains(&kind) {
        found.push(format!("{at}: type is {}", schema["type"]));
    }
    if kind == "object" && !["properties", "additionalProperties"].iter().any(|it| limited(it)) {
        found.push(format!("{at}: an object without members"));
    }
    // What a policy may hold is checked by a schema that is not listed: it would cost too much.
    let input = input && !at.contains("/Policy/");
    if input && kind == "string" && !limited("maxLength") && !limited("enum") {
        found.push(format!("{at}: a string without maxLength or enum"));
    }
    if input && kind == "array" && !limited("maxItems") {
        found.push(format!("{at}: an array without maxItems"));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        objections(inner, input, &format!("{at}/{name}"), found);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = keywords.get(inner).filter(|inner| !inner.is_boolean()) {
            objections(inner, input, &format!("{at}/{inner}"), found);
        }
    }
}

#[test]
fn schemas_are_plain_and_strings_have_limits() {
    let mut found = Vec::new();
    for tool in tools(Era::V2025_11_25) {
        let name = tool["name"].as_str().unwrap();
        for (schema, input) in [("inputSchema", true), ("outputSchema", false)] {
            let schema = &tool[schema];
            assert_eq!(schema["type"], "object", "{name}");
            objections(schema, input, name, &mut found);
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        let inspect = tool["annotations"]["readOnlyHint"] == true;
        for common in ["ConfirmationToken", "Reason"] {
            let offered = tool["inputSchema"]["properties"].get(common).is_some();
            assert_eq!(offered, !inspect, "{name} {common}");
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// What `tools/list` costs in every conversation: `cargo test --test it bytes -- --show-output`.
#[test]
fn what_every_conversation_pays_for_has_a_limit_in_bytes() {
    const MOST_IN: usize = 16_000;
    const MOST_OUT: usize = 16_000;
    let (mut all_in, mut all_out) = (0, 0);
    let mut table = String::new();
    for tool in tools(Era::V2025_11_25) {
        // Compact JSON, with the common arguments and the whole envelope.
        let length = |member: &str| {
            let value = &tool[member];
            value.as_str().map_or_else(|| value.to_string().len(), str::len)
        };
        let input = length("name") + length("description") + length("inputSchema");
        let output = length("outputSchema");
        table.push_str(&format!("{:<28}{input:>7}{output:>7}\n", tool["name"].as_str().unwrap()));
        all_in += input;
        all_out += output;
    }
    table.push_str(&format!("{:<28}{all_in:>7}{all_out:>7}\n", "all"));
    #[expect(clippy::print_stdout, reason = "shown with --show-output")]
    {
        println!("{:<28}{:>7}{:>7}\n{table}", "bytes", "in", "out");
    }
    assert!(all_in <= MOST_IN && all_out <= MOST_OUT, "{table}");
}

/// The replies of the wire cases are all checked in `wire/rules.rs`; here the schema's edges.
#[test]
fn a_refusal_fits_the_output_schema_too() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let answer = server.request("tools/list", json!({}));
    for tool in answer["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let envelope = server.call(name, json!({ "NoSuchArgument": true }));
        assert_eq!(envelope["Error"]["Code"], "InvalidArgument", "{name}");
        let wrong = crate::schema::differences(&tool["outputSchema"], &envelope);
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
    assert!(emulator.requests().is_empty());
}
