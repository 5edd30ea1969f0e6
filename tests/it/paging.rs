//! A listing that is not whole says so.

use serde_json::{Value, json};

use crate::harness::{Server, ServerOptions};

fn notes(envelope: &Value) -> String {
    assert_eq!(envelope["Status"], "ok", "{envelope}");
    envelope["Notes"].to_string()
}

#[test]
fn every_listing_says_where_the_rest_is() {
    let mut server = Server::start(ServerOptions::embedded());
    for number in 0..3 {
        let create = json!({ "SecretName": format!("app/{number}"), "VersionId": "v1",
            "SecretData": "correct-horse" });
        assert_eq!(server.call("CreateSecret", create)["Status"], "ok");
        let key = server.call("CreateKey", json!({}));
        assert_eq!(key["Status"], "ok", "{key}");
    }
    let put = json!({ "SecretName": "app/0", "VersionId": "v2", "SecretData": "battery-staple" });
    assert_eq!(server.call("PutSecretValue", put)["Status"], "ok");
    for (tool, base, things) in [
        ("ListSecrets", json!({}), "3 secrets"),
        ("ListKeys", json!({}), " keys"),
        ("ListSecretVersionIds", json!({ "SecretName": "app/0" }), "2 versions"),
    ] {
        let page = |number: u32, size: u32| {
            let mut arguments = base.clone();
            arguments["PageNumber"] = number.into();
            arguments["PageSize"] = size.into();
            arguments
        };
        let first = notes(&server.call(tool, page(1, 1)));
        assert!(first.contains(things) && first.contains("PageNumber 2"), "{tool}: {first}");
        let behind = notes(&server.call(tool, page(99, 1)));
        assert!(behind.contains("nothing on page 99"), "{tool}: {behind}");
        let whole = notes(&server.call(tool, page(1, 100)));
        assert!(!whole.contains("PageNumber"), "{tool}: {whole}");
    }
    // The embedded KMS has one instance.
    let behind = notes(&server.call("ListKmsInstances", json!({ "PageNumber": 2 })));
    assert!(behind.contains("1 instances end on page 1"), "{behind}");
}
