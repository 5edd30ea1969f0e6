//! Every rule for a line, as a table: the line, and the code and id it is answered with.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What became of a line.
#[derive(Debug, PartialEq)]
enum Fate {
    Passed,
    Ignored,
    Answered(i64, Value),
}

fn fate(line: &[u8]) -> Fate {
    match judge(line) {
        Judged::Message(..) => Fate::Passed,
        Judged::Nothing => Fate::Ignored,
        Judged::Refused(refusal) => {
            let response = refusal.response();
            assert_eq!(response["jsonrpc"], "2.0");
            assert!(response["error"]["message"].as_str().unwrap().len() < 140);
            Fate::Answered(response["error"]["code"].as_i64().unwrap(), response["id"].clone())
        }
    }
}

#[test]
fn good_lines_pass() {
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r",
        r#"  {"id":"a","method":"tools/list","jsonrpc":"2.0","params":null} "#,
        r#"{"jsonrpc":"2.0","id":-9223372036854775808,"method":"tools/list","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":9223372036854775807,"method":"no/such","params":{"a":[1]}}"#,
        r#"{"jsonrpc":"2.0","id":"","method":"tools/call","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"\ud83d\ude00\u0000"}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"1","result":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#,
        // The same key in different objects, and equal values.
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":{"a":1},"b":{"a":1}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","extra":true}"#,
    ] {
        assert_eq!(fate(line.as_bytes()), Fate::Passed, "{line}");
    }
}

/// A request of as many JSON values.
fn of_values(values: usize) -> String {
    let items = vec!["[]"; values - 6].join(",");
    format!(r#"{{"jsonrpc":"2.0","id":5,"method":"x","params":{{"a":[{items}]}}}}"#)
}

#[test]
fn a_line_weighs_what_it_takes_in_memory() {
    for values in [7, 1_000, 20_000] {
        let line = of_values(values);
        let Judged::Message(_, weight) = judge(line.as_bytes()) else { panic!("{values}") };
        assert_eq!(weight, line.len() + values * VALUE_BYTES);
    }
}

#[test]
fn bad_lines_are_answered() {
    let many = of_values(20_001);
    let long_name = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "é".repeat(257));
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":5,"method":"x","params":{{"a":{}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000),
    );
    let open = "[".repeat(100_000);
    let long_id = format!(r#"{{"jsonrpc":"2.0","id":"{}"}}"#, "é".repeat(257));
    let limit_id = "é".repeat(256);
    let limit = format!(r#"{{"jsonrpc":"2.0","id":"{limit_id}"}}"#);
    for (line, code, id) in [
        // Not JSON.
        ("x", -32700, json!(null)),
        ("{", -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping""#, -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#, -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping",}"#, -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"#, -32700, json!(null)),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\u{1}ng\"}", -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"x":NaN}"#, -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"x":01}"#, -32700, json!(null)),
        ("\0", -32700, json!(null)),
        (&open, -32700, json!(null)),
        // JSON that cannot be taken as it is.
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","method":"x","params":{"a":1,"a":1},"id":"q"}"#, -32600, json!("q")),
        (r#"{"jsonrpc":"2.0","id":1,"params":{"b":[{"a":1,"\u0061":2}]}}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#, -32600, json!(null)),
        (r#"{"id":{"a":1,"a":2},"jsonrpc":"2.0"}"#, -32600, json!(null)),
        (r#"[{"a":1,"a":2}]"#, -32600, json!(null)),
        (&deep, -32600, json!(5)),
        (&many, -32600, json!(5)),
        (r#"{"jsonrpc":"2.0","id":3,"method":"x","params":{"a":1e999}}"#, -32600, json!(3)),
        (r#"{"jsonrpc":"2.0","id":3,"method":"x","params":{"a":"\ud800"}}"#, -32600, json!(3)),
        // No object.
        ("[]", -32600, json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, json!(null)),
        ("1", -32600, json!(null)),
        ("null", -32600, json!(null)),
        (r#""ping""#, -32600, json!(null)),
        // No message.
        ("{}", -32600, json!(null)),
        (r#"{"id":1,"method":"ping"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":1}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","method":null}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","result":{}}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"error":{"code":"no"}}"#, -32600, json!(1)),
        // The id.
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, -32600, json!(null)),
        (
            r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"ping"}"#,
            -32600,
            json!(18_446_744_073_709_551_615_u64),
        ),
        (r#"{"jsonrpc":"2.0","id":98446744073709551615,"method":"ping"}"#, -32600, json!(null)),
        (&long_id, -32600, json!(null)),
        (&long_name, -32600, json!(null)),
        (&limit, -32600, json!(limit_id)),
        // The parameters.
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":"a"}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}"#, -32602, json!(1)),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}"#,
            -32602,
            json!(1),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":1}}"#,
            -32602,
            json!(1),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":1}}"#,
            -32602,
            json!(1),
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, -32602, json!(1)),
    ] {
        assert_eq!(fate(line.as_bytes()), Fate::Answered(code, id), "{line:.200}");
    }
    let not_utf8 = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}";
    assert_eq!(fate(not_utf8), Fate::Answered(-32700, json!(null)));
}

#[test]
fn nothing_happens_where_nobody_can_be_told() {
    for line in [
        "",
        " \t\r",
        // Notifications are not answered.
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":{"_meta":1}}"#,
        // To answer an error about an unreadable line would begin a loop.
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#,
    ] {
        assert_eq!(fate(line.as_bytes()), Fate::Ignored, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_line_panics(line in any::<Vec<u8>>(), text in "[\\[\\]{}\":,a1\\\\ud8n]{0,60}") {
        for line in [line.as_slice(), text.as_bytes()] {
            fate(line);
        }
    }
}
