//! What an RPC signature covers is all that counts, and it counts once.

use super::*;

fn code(answer: &str) -> String {
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    body["Code"].as_str().unwrap_or("ok").to_owned()
}

#[tokio::test]
async fn a_json_body_beside_an_rpc_signature_says_nothing() {
    let house = House::start().await;
    for name in ["a", "b"] {
        let put = [("SecretName", name), ("VersionId", "v1"), ("SecretData", "value")];
        house.good("CreateSecret", &put).await;
    }
    for body in [
        json!({ "Action": "GetSecretValue", "SecretName": "b" }),
        json!({ "Action": "DeleteSecret", "ForceDeleteWithoutRecovery": "true" }),
        json!({ "SecretName": "b" }),
    ] {
        let target = house.signed("DescribeSecret", &[("SecretName", "a")]);
        let answer = house.post(&target, "application/json", &body.to_string()).await.unwrap();
        assert!(answer.contains("\"SecretName\":\"a\""), "{answer}");
        assert!(!answer.contains("SecretData"), "{answer}");
    }
    house.good("DescribeSecret", &[("SecretName", "a")]).await;
    // A form is covered: what it adds breaks the signature.
    let target = house.signed("DescribeSecret", &[("SecretName", "a")]);
    let form = "application/x-www-form-urlencoded";
    let answer = house.post(&target, form, "SecretName=b").await.unwrap();
    assert_eq!(code(&answer), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_request_is_good_once_and_not_again_after_a_restart() {
    let house = House::start().await;
    let create = [("SecretName", "a"), ("VersionId", "v1"), ("SecretData", "value")];
    house.good("CreateSecret", &create).await;
    let target = house.signed("DescribeSecret", &[("SecretName", "a")]);
    let play = async |house: &House| code(&house.post(&target, "text/plain", "").await.unwrap());
    assert_eq!(play(&house).await, "ok");
    assert_eq!(play(&house).await, "SignatureNonceUsed");
    let House { folder, stop, .. } = house;
    let _ = stop.send(());
    let house = House::start_in(folder).await;
    assert_eq!(play(&house).await, "SignatureNonceUsed");
}
