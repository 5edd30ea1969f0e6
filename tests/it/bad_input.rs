//! Bad input gets a clear error and changes nothing: nothing is sent, and the server lives on.

use serde_json::{Value, json};

use crate::harness::{Emulator, Era, Server, ServerOptions};

fn text(character: &str, times: usize) -> Value {
    character.repeat(times).into()
}

fn tags(count: usize) -> Value {
    (0..count).map(|at| json!({ "TagKey": format!("k{at}"), "TagValue": "v" })).collect()
}

fn filters(items: usize, values: usize) -> Value {
    let values: Vec<String> = (0..values).map(|at| at.to_string()).collect();
    (0..items).map(|_| json!({ "Key": "SecretName", "Values": values })).collect()
}

/// `{"SecretName": "app/db", …}` with `field` set to `value`.
fn with(base: &Value, field: &str, value: Value) -> Value {
    let mut arguments = base.clone();
    arguments[field] = value;
    arguments
}

/// Tool, arguments, the field that is named, and a part of what is said to be allowed.
#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let name = json!({ "SecretName": "app/db" });
    let create =
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "hunter2-hunter2" });
    let put = create.clone();
    let mut cases = vec![
        // Missing, unknown, empty
        ("CreateSecret", json!({}), "SecretName", "required"),
        (
            "CreateSecret",
            json!({ "SecretName": "app/db", "VersionId": "v1" }),
            "SecretData",
            "SecretDataSource",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "app/db", "SecretData": "x" }),
            "VersionId",
            "required",
        ),
        (
            "PutSecretValue",
            json!({ "SecretName": "app/db", "SecretData": "x" }),
            "VersionId",
            "required",
        ),
        ("DescribeSecret", json!({}), "SecretName", "required"),
        ("DeleteSecret", json!({}), "SecretName", "required"),
        ("RestoreSecret", json!({}), "SecretName", "required"),
        ("GetSecretValue", json!({}), "SecretName", "required"),
        ("DescribeSecret", json!({ "secretName": "app/db" }), "secretName", "known are SecretName"),
        ("DescribeSecret", with(&name, "Extra", json!(1)), "Extra", "known are"),
        (
            "DescribeSecret",
            with(&name, "ConfirmationToken", json!("x")),
            "ConfirmationToken",
            "known are",
        ),
        (
            "ListSecrets",
            json!({ "Filters": [{ "Key": "SecretName", "Values": ["x"], "Op": 1 }] }),
            "Filters[0].Op",
            "known are",
        ),
        (
            "ListSecrets",
            json!({ "Filters": [{ "Key": "SecretName" }] }),
            "Filters[0].Values",
            "required",
        ),
        ("CreateSecret", with(&create, "Recipient", json!("x")), "Recipient", "known are"),
        (
            "CreateSecret",
            with(&create, "SecretDataSource", json!({ "Env": "X" })),
            "SecretDataSource",
            "left out",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": {} }),
            "SecretDataSource",
            "exactly one",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": { "Env": "X", "File": "y" } }),
            "SecretDataSource",
            "exactly one",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": { "Env": "HOME" } }),
            "SecretDataSource.Env",
            "config.toml",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": { "Env": "ALIBABA_CLOUD_ACCESS_KEY_SECRET" } }),
            "SecretDataSource.Env",
            "config.toml",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": { "File": "/etc/passwd" } }),
            "SecretDataSource.File",
            "allowed folders",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": { "File": "../approvals.db" } }),
            "SecretDataSource.File",
            "allowed folders",
        ),
        // JSON where a string was expected, and the other way round: the right JSON is shown
        (
            "CreateSecret",
            with(&create, "Tags", json!(r#"[{"TagKey":"k","TagValue":"v"}]"#)),
            "Tags",
            r#"[{"TagKey":"…","TagValue":"…"}]"#,
        ),
        (
            "ListSecrets",
            json!({ "Filters": r#"[{"Key":"SecretName","Values":["a"]}]"# }),
            "Filters",
            r#"[{"Key":"SecretName","Values":["…"]}]"#,
        ),
        (
            "PutSecretValue",
            with(&put, "VersionStages", json!(r#"["ACSCurrent"]"#)),
            "VersionStages",
            r#"["ACSCurrent"]"#,
        ),
        (
            "PutSecretValue",
            with(&put, "VersionStages", json!("ACSCurrent")),
            "VersionStages",
            r#"not a string that holds JSON: for example ["ACSCurrent"]"#,
        ),
        (
            "UpdateSecretRotationPolicy",
            json!({ "SecretName": "app/db", "EnableAutomaticRotation": true, "RotationInterval": "7" }),
            "RotationInterval",
            "with a unit d, h, m or s",
        ),
        (
            "CreateSecret",
            with(
                &create,
                "Tags",
                json!([{ "TagKey": "k", "TagValue": "a" }, { "TagKey": "k", "TagValue": "b" }]),
            ),
            "Tags[1].TagKey",
            "a key has one value",
        ),
        (
            "CreateSecret",
            with(
                &create,
                "Policy",
                json!({ "Version": "1", "Statement": [{ "Effect": "Allow",
                    "Principal": { "RAM": ["acs:ram::1234567890123456:root"] },
                    "Action": ["kms:*"], "Resource": ["*"] }] }),
            ),
            "DKMSInstanceId",
            "only secrets of a KMS instance have policies",
        ),
        (
            "CreateSecret",
            json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": r#"{"File":"x"}"# }),
            "SecretDataSource",
            r#"{"File":"db-password"}"#,
        ),
        (
            "CreateSecret",
            with(&create, "Tags", json!({ "k": "v" })),
            "Tags",
            r#"[{"TagKey":"…","TagValue":"…"}]"#,
        ),
        (
            "CreateSecret",
            with(&create, "SecretData", json!({ "user": "x" })),
            "SecretData",
            "a string",
        ),
        // Limits, one beyond
        ("CreateSecret", with(&create, "SecretName", text("n", 193)), "SecretName", "192"),
        ("CreateSecret", with(&create, "SecretName", json!("")), "SecretName", "1 to 192"),
        ("CreateSecret", with(&create, "VersionId", text("v", 65)), "VersionId", "64"),
        ("CreateSecret", with(&create, "VersionId", json!("")), "VersionId", "1 to 64"),
        ("CreateSecret", with(&create, "SecretData", text("x", 30_721)), "SecretData", "30720"),
        (
            "CreateSecret",
            with(&create, "SecretData", text("中", 10_241)),
            "SecretData",
            "30,720 bytes",
        ),
        ("CreateSecret", with(&create, "SecretData", json!("")), "SecretData", "1 to 30720"),
        ("CreateSecret", with(&create, "Description", text("d", 8193)), "Description", "8192"),
        (
            "CreateSecret",
            with(&create, "SecretDataType", json!("Text")),
            "SecretDataType",
            "`text`, `binary`",
        ),
        ("CreateSecret", with(&create, "SecretType", json!("generic")), "SecretType", "`Generic`"),
        ("CreateSecret", with(&create, "Tags", tags(21)), "Tags", "0 to 20"),
        (
            "CreateSecret",
            with(&create, "Tags", json!([{ "TagKey": text("k", 129), "TagValue": "v" }])),
            "Tags[0].TagKey",
            "128",
        ),
        (
            "CreateSecret",
            with(&create, "Tags", json!([{ "TagKey": "k", "TagValue": text("v", 129) }])),
            "Tags[0].TagValue",
            "128",
        ),
        (
            "CreateSecret",
            with(&create, "Tags", json!([{ "TagKey": "k" }])),
            "Tags[0].TagValue",
            "required",
        ),
        ("PutSecretValue", with(&put, "VersionId", text("v", 65)), "VersionId", "64"),
        (
            "PutSecretValue",
            with(&put, "SecretData", text("é", 15_361)),
            "SecretData",
            "30,720 bytes",
        ),
        (
            "PutSecretValue",
            with(&put, "VersionStages", (0..9).map(|at| at.to_string()).collect()),
            "VersionStages",
            "1 to 8",
        ),
        (
            "PutSecretValue",
            with(&put, "VersionStages", json!([text("s", 129)])),
            "VersionStages[0]",
            "128",
        ),
        (
            "DeleteSecret",
            with(&name, "RecoveryWindowInDays", json!(6)),
            "RecoveryWindowInDays",
            "7 to 30",
        ),
        (
            "DeleteSecret",
            with(&name, "RecoveryWindowInDays", json!(31)),
            "RecoveryWindowInDays",
            "7 to 30",
        ),
        (
            "DeleteSecret",
            with(&name, "RecoveryWindowInDays", json!("7")),
            "RecoveryWindowInDays",
            "without quotes",
        ),
        ("ListSecrets", json!({ "PageSize": 0 }), "PageSize", "1 to 100"),
        ("ListSecrets", json!({ "PageSize": 101 }), "PageSize", "1 to 100"),
        ("ListSecrets", json!({ "PageNumber": 0 }), "PageNumber", "1 to 2147483647"),
        (
            "ListSecrets",
            json!({ "PageNumber": 2_147_483_648_u64 }),
            "PageNumber",
            "1 to 2147483647",
        ),
        ("ListSecrets", json!({ "PageNumber": u64::MAX }), "PageNumber", "1 to 2147483647"),
        ("ListSecrets", json!({ "PageNumber": -1 }), "PageNumber", "1 to 2147483647"),
        ("ListSecrets", json!({ "Filters": filters(11, 1) }), "Filters", "0 to 10"),
        ("ListSecrets", json!({ "Filters": filters(1, 11) }), "Filters[0].Values", "1 to 10"),
        ("ListSecrets", json!({ "Filters": filters(1, 0) }), "Filters[0].Values", "1 to 10"),
        (
            "ListSecrets",
            json!({ "Filters": [{ "Key": "Name", "Values": ["x"] }] }),
            "Filters[0].Key",
            "`SecretName`",
        ),
        (
            "ListSecrets",
            json!({ "Filters": [{ "Key": "SecretName", "Values": [text("x", 257)] }] }),
            "Filters[0].Values[0]",
            "256",
        ),
        ("GetSecretValue", with(&name, "VersionStage", text("s", 129)), "VersionStage", "128"),
        ("GetSecretValue", with(&name, "VersionId", json!("v\u{202e}1")), "VersionId", "visible"),
        ("GetSecretValue", with(&name, "Destination", json!("stdout")), "Destination", "`mask`"),
        ("GetSecretValue", with(&name, "Reason", text("r", 201)), "Reason", "200"),
        (
            "GetSecretValue",
            with(&name, "ConfirmationToken", text("t", 65)),
            "ConfirmationToken",
            "64",
        ),
        (
            "CreateSecret",
            with(&create, "EncryptionKeyId", text("k", 257)),
            "EncryptionKeyId",
            "256",
        ),
        (
            "CreateSecret",
            with(&create, "EncryptionKeyId", json!("key id")),
            "EncryptionKeyId",
            "key id",
        ),
        ("CreateSecret", with(&create, "DKMSInstanceId", text("k", 65)), "DKMSInstanceId", "64"),
        (
            "CreateSecret",
            with(&create, "DKMSInstanceId", json!("instance-1")),
            "DKMSInstanceId",
            "kst-",
        ),
    ];
    // Alphabets, and names that look like something else
    for bad in [
        "a b",
        "naïve",
        "a\nb",
        "$Auto",
        "acs/ecs/x",
        "http://169.254.169.254/latest",
        "host:80",
        "a?b=c",
        "a%2fb",
        "a#b",
        "a\\b",
        "acs:kms:cn-hangzhou:1234567890123456:secret/x",
    ] {
        cases.push((
            "CreateSecret",
            with(&create, "SecretName", bad.into()),
            "SecretName",
            "A-Z a-z 0-9",
        ));
    }
    for bad in [
        "a b",
        "http://kms.evil.test/",
        "acs:kms:evil.test/:1:secret/x",
        "acs:kms:cn-hangzhou:1:key/x",
    ] {
        for tool in ["DescribeSecret", "GetSecretValue", "DeleteSecret", "RestoreSecret"] {
            cases.push((
                tool,
                with(&name, "SecretName", bad.into()),
                "SecretName",
                "acs:kms:<region>:<account>",
            ));
        }
    }
    for arn in [
        "acs:kms:cn-beijing:1234567890123456:secret/x",
        "acs:kms:cn-hangzhou:1234567890123456:secret/x",
    ] {
        cases.push(("DescribeSecret", with(&name, "SecretName", arn.into()), "SecretName", ""));
    }
    for bad in [
        "cn-hangzhou.evil.test",
        "http://evil.test",
        "127.0.0.1",
        "evil.test/",
        "cn-hangzhou:80",
        "CN-HANGZHOU",
        "cn-hangzhou@evil.test",
        "..",
        "mars",
        "cn-beijing",
    ] {
        cases.push((
            "DescribeSecret",
            with(&name, "RegionId", bad.into()),
            "RegionId",
            "cn-hangzhou",
        ));
        cases.push((
            "CreateSecret",
            with(&create, "RegionId", bad.into()),
            "RegionId",
            "cn-hangzhou",
        ));
    }
    cases.push(("DescribeSecret", with(&name, "RegionId", text("a-", 17)), "RegionId", "32"));
    for bad in ["aliyunx", "acs:x", "a b", "ü", "", "a,b"] {
        let tag = json!([{ "TagKey": "ok", "TagValue": "v" }, { "TagKey": bad, "TagValue": "v" }]);
        cases.push(("CreateSecret", with(&create, "Tags", tag), "Tags[1].TagKey", ""));
    }
    cases.push((
        "CreateSecret",
        with(&create, "Tags", json!([{ "TagKey": "k", "TagValue": "a b" }])),
        "Tags[0].TagValue",
        "A-Z a-z 0-9",
    ));
    // Booleans are booleans, strings are strings
    for (tool, field) in [
        ("DescribeSecret", "FetchTags"),
        ("ListSecrets", "FetchTags"),
        ("GetSecretValue", "FetchExtendedConfig"),
        ("GetSecretValue", "DryRun"),
        ("DeleteSecret", "ForceDeleteWithoutRecovery"),
    ] {
        let base = if tool == "ListSecrets" { json!({}) } else { name.clone() };
        for bad in [
            json!("true"),
            json!("True"),
            json!("false"),
            json!(1),
            json!(0),
            json!([true]),
            json!({}),
        ] {
            cases.push((tool, with(&base, field, bad), field, "a boolean"));
        }
    }
    for bad in [json!(null), json!(5), json!(true), json!(["app/db"]), json!({})] {
        for tool in ["DescribeSecret", "GetSecretValue", "DeleteSecret", "RestoreSecret"] {
            cases.push((tool, json!({ "SecretName": bad }), "SecretName", "a string"));
        }
    }
    cases
}

#[test]
fn every_bad_argument_is_named_and_nothing_is_sent() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let mut wrong = Vec::new();
    let cases = cases();
    for (tool, arguments, field, allowed) in &cases {
        let answer = server.call_whole(tool, arguments.clone());
        let envelope = &answer["result"]["structuredContent"];
        let message = envelope["Error"]["Message"].as_str().unwrap_or_default();
        let good = answer["result"]["isError"] == true
            && envelope["Status"] == "error"
            && envelope["Error"]["Code"] == "InvalidArgument"
            && envelope["Error"]["Changed"] == "no"
            && envelope["Error"]["Next"].is_string()
            && message.starts_with(&format!("`{field}` must be "))
            && message.contains(allowed)
            && !answer.to_string().contains("hunter2-hunter2");
        if !good {
            let arguments: String = arguments.to_string().chars().take(200).collect();
            wrong.push(format!("{tool} {arguments}: {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(emulator.requests(), Vec::<Value>::new());
    let listed = server.call("ListSecrets", json!({}));
    assert_eq!(listed["Result"]["TotalCount"], 0);
}

/// What every bad value of the wrong kind has in common: it is not repeated.
#[test]
fn an_error_does_not_repeat_what_was_sent() {
    let mut server = Server::start(ServerOptions::embedded());
    for arguments in [
        json!({ "SecretName": "canary canary-value" }),
        json!({ "SecretName": ["canary-value"] }),
        json!({ "SecretName": "x", "canary-value ": 1 }),
        json!({ "SecretName": "x", "RegionId": "canary-value.evil.test" }),
    ] {
        let answer = server.call_whole("DescribeSecret", arguments);
        assert_eq!(answer["result"]["isError"], true);
        assert!(!answer.to_string().contains("canary-value"), "{answer}");
    }
}

/// Values at their limits are in `tests/cases/wire/CreateSecret/largest.json`; here multibyte ones.
#[test]
fn sizes_are_counted_in_bytes() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    for (name, value) in [("three", "中".repeat(10_240)), ("two", "é".repeat(15_360))] {
        assert_eq!(value.len(), 30_720);
        let created = server.call(
            "CreateSecret",
            json!({ "SecretName": name, "VersionId": "v1", "SecretData": value }),
        );
        assert_eq!(created["Status"], "ok", "{created}");
    }
    for days in [7, 30] {
        let name = if days == 7 { "three" } else { "two" };
        let deleted = server
            .call("DeleteSecret", json!({ "SecretName": name, "RecoveryWindowInDays": days }));
        assert_eq!(deleted["Outcome"], "scheduled", "{deleted}");
    }
    for size in [1, 100] {
        let listed = server.call("ListSecrets", json!({ "PageSize": size }));
        assert_eq!(listed["Result"]["PageSize"], size);
    }
}

#[test]
fn an_unknown_tool_is_a_protocol_error_that_names_the_known_ones() {
    for era in Era::ALL {
        let emulator = Emulator::start();
        let mut server = Server::start(ServerOptions::with_emulator(&emulator).era(era));
        for tool in ["DeleteEverything", "describesecret", "", "DescribeKey"] {
            let answer = server.call_whole(tool, json!({ "SecretName": "app/db" }));
            assert_eq!(answer["error"]["code"], -32602, "{era:?} {tool}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains("DescribeSecret"), "{message}");
        }
        assert_eq!(server.call("ListSecrets", json!({}))["Status"], "ok");
        assert_eq!(emulator.requests().len(), 1);
    }
}

/// A raw line, and the id and code of its answer, if it gets one.
type Line = (Vec<u8>, Option<(Value, i64)>);

fn lines() -> Vec<Line> {
    let call = |id: &str, rest: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"DeleteSecret","arguments":{{"SecretName":"app/db"{rest}}}}}}}"#
        )
    };
    let null = Value::Null;
    let mut invalid_utf8 = call("901", "").into_bytes();
    let at = invalid_utf8.windows(6).position(|part| part == b"app/db").unwrap();
    invalid_utf8[at] = 0xff;
    let long = call("902", &format!(r#","Reason":"{}""#, "x".repeat(1_100_000)));
    let deep = format!(r#","Reason":{}{}"#, "[".repeat(200), "]".repeat(200));
    vec![
        (b"{".to_vec(), Some((null.clone(), -32700))),
        (b"DeleteSecret app/db".to_vec(), Some((null.clone(), -32700))),
        (call("903", "").replace('}', "").into_bytes(), Some((null.clone(), -32700))),
        (format!("{} {}", call("904", ""), call("905", "")).into_bytes(), Some((null.clone(), -32700))),
        (invalid_utf8, Some((null.clone(), -32700))),
        (long.into_bytes(), Some((null.clone(), -32600))),
        (call("906", r#","SecretName":"app/db""#).into_bytes(), Some((json!(906), -32600))),
        (call("907", r#","Secret\u004eame":"app/db""#).into_bytes(), Some((json!(907), -32600))),
        (call("908", &deep).into_bytes(), Some((json!(908), -32600))),
        (format!("[{}]", call("909", "")).into_bytes(), Some((null.clone(), -32600))),
        (b"[]".to_vec(), Some((null.clone(), -32600))),
        (b"7".to_vec(), Some((null.clone(), -32600))),
        (call("null", "").into_bytes(), Some((null.clone(), -32600))),
        (call("1.5", "").into_bytes(), Some((null.clone(), -32600))),
        (call("{}", "").into_bytes(), Some((null.clone(), -32600))),
        (call("99999999999999999999", "").into_bytes(), Some((null.clone(), -32600))),
        (call("910", "").replace("2.0", "1.0").into_bytes(), Some((json!(910), -32600))),
        (call("911", "").replace(r#""method":"tools/call""#, r#""method":5"#).into_bytes(), Some((json!(911), -32600))),
        (br#"{"jsonrpc":"2.0","id":912,"method":"tools/call","params":["DeleteSecret"]}"#.to_vec(), Some((json!(912), -32602))),
        (br#"{"jsonrpc":"2.0","id":913,"method":"tools/call"}"#.to_vec(), Some((json!(913), -32602))),
        (br#"{"jsonrpc":"2.0","id":914,"method":"tools/call","params":{"name":"DeleteSecret","arguments":"{}"}}"#.to_vec(), Some((json!(914), -32602))),
        (br#"{"jsonrpc":"2.0","id":915,"method":"tools/call","params":{"name":5}}"#.to_vec(), Some((json!(915), -32602))),
        (br#"{"jsonrpc":"2.0","id":916,"method":"secrets/delete"}"#.to_vec(), Some((json!(916), -32601))),
        (br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"DeleteSecret","arguments":{"SecretName":"app/db"}}}"#.to_vec(), None),
        (b"   ".to_vec(), None),
        (b"".to_vec(), None),
    ]
}

#[test]
fn a_line_that_is_no_message_is_answered_and_changes_nothing() {
    for era in Era::ALL {
        let emulator = Emulator::start();
        let mut server = Server::start(ServerOptions::with_emulator(&emulator).era(era));
        for (line, expected) in lines() {
            let shown = String::from_utf8_lossy(&line).chars().take(160).collect::<String>();
            server.send_raw(&line);
            server.send_raw(b"\n");
            if let Some((id, code)) = expected {
                let answer = server.receive();
                // The newest protocol wants its `_meta` on every request and says so first.
                let code = if era == Era::V2026_07_28 && code == -32601 { -32602 } else { code };
                assert_eq!(answer["id"], id, "{era:?} {shown}: {answer}");
                assert_eq!(answer["error"]["code"], code, "{era:?} {shown}: {answer}");
                assert!(!answer.to_string().contains("app/db"), "{answer}");
            }
            // The next answer is the one to this.
            let id = server.send("tools/list", json!({}));
            let answer = server.receive();
            assert_eq!(answer["id"], id, "{era:?} after {shown}: {answer}");
            assert!(answer["result"]["tools"].is_array(), "{era:?} after {shown}");
        }
        assert_eq!(emulator.requests(), Vec::<Value>::new(), "{era:?}");
        let (status, _) = server.finish();
        assert!(status.success());
    }
}

#[test]
fn a_long_id_is_refused_and_not_repeated() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    let long = "i".repeat(10_000);
    let line = |id: &str, method: &str| {
        format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [] }))
    };
    server.send_raw(line(&long, "tools/call").as_bytes());
    let answer = server.receive();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)));
    server.send_raw(line("short", "tools/call").as_bytes());
    assert_eq!(server.receive()["id"], "short");
    assert_eq!(emulator.requests(), Vec::<Value>::new());
}
