//! ACS3-HMAC-SHA256, the official SDKs' default signature (facts/kms.md §2.2).
//!
//! The default here because the body enters only as a hash: an error that echoes what was signed
//! cannot hold the secret value.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::percent;
use crate::hex;

/// The name of the algorithm.
const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What is signed.
#[derive(Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// Names and values, not encoded.
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// Lower-case names and values; all of them are signed.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Lower-case hex of the body's SHA-256.
    pub(crate) body_sha256: &'a str,
}

/// The signature, with the steps that led to it.
#[derive(Debug)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the steps are what the vectors are compared with")
)]
pub(crate) struct Signed {
    pub(crate) canonical_request: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
    /// The value of the `Authorization` header.
    pub(crate) authorization: String,
}

/// Signs `request` with the AccessKey `id` and its `secret`.
pub(crate) fn sign(request: &Unsigned<'_>, id: &str, secret: &str) -> Signed {
    let mut headers = request.headers.to_vec();
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String =
        headers.iter().flat_map(|(name, value)| [name, ":", value.trim(), "\n"]).collect();
    let canonical_request = format!(
        "{}\n/\n{}\n{lines}\n{names}\n{}",
        request.method,
        percent::pairs(request.query.iter().copied()),
        request.body_sha256
    );
    let string_to_sign = format!("{ALGORITHM}\n{}", sha256_hex(canonical_request.as_bytes()));
    let signature = hmac_hex(secret.as_bytes(), string_to_sign.as_bytes());
    let authorization =
        format!("{ALGORITHM} Credential={id},SignedHeaders={names},Signature={signature}");
    Signed { canonical_request, string_to_sign, signature, authorization }
}

/// SHA-256 in lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes))
}

fn hmac_hex(key: &[u8], message: &[u8]) -> String {
    // HMAC takes keys of any length (RFC 2104 §2), so this never fails.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(message);
            hex::encode(&mac.finalize().into_bytes())
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn pairs(object: &Value) -> Vec<(&str, &str)> {
        let object = object.as_object().unwrap();
        object.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
    }

    /// Every V3 vector, recorded from the official SDKs: a new case is a new file.
    #[test]
    fn signs_as_the_official_sdks_do() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/signing");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let case: Value =
                serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            let name = case["name"].as_str().unwrap();
            if !name.starts_with("v3-") || case.get("signed_headers").is_none() {
                continue;
            }
            let signed = sign(
                &Unsigned {
                    method: case["method"].as_str().unwrap(),
                    query: &pairs(&case["query"]),
                    headers: &pairs(&case["signed_headers"]),
                    body_sha256: &sha256_hex(case["body"].as_str().unwrap_or_default().as_bytes()),
                },
                case["access_key_id"].as_str().unwrap(),
                case["access_key_secret"].as_str().unwrap(),
            );
            assert_eq!(
                signed.canonical_request,
                case["canonical_request"].as_str().unwrap(),
                "{name}"
            );
            assert_eq!(signed.string_to_sign, case["string_to_sign"].as_str().unwrap(), "{name}");
            assert_eq!(signed.signature, case["signature"].as_str().unwrap(), "{name}");
            assert_eq!(signed.authorization, case["authorization"].as_str().unwrap(), "{name}");
            seen += 1;
        }
        assert!(seen >= 5, "only {seen} V3 vectors were found");
    }

    proptest::proptest! {
        /// The order in which parameters and headers are given does not matter.
        #[test]
        fn order_does_not_matter(a in ".{0,20}", b in ".{0,20}") {
            let one = sign(&Unsigned { method: "POST", query: &[("A", &a), ("b", &b)],
                headers: &[("host", "h"), ("x-acs-action", "X")], body_sha256: "" }, "id", "key");
            let two = sign(&Unsigned { method: "POST", query: &[("b", &b), ("A", &a)],
                headers: &[("x-acs-action", "X"), ("host", "h")], body_sha256: "" }, "id", "key");
            proptest::prop_assert_eq!(one.authorization, two.authorization);
        }
    }
}
