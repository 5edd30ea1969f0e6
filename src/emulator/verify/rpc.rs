//! The RPC signature, version 1.0: HMAC-SHA1 over all parameters of query and form.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use super::{Signed, canonical, encode, incomplete};
use crate::emulator::error::KmsError;
use crate::emulator::request::{Parsed, Received};

pub(super) fn check(
    received: &Received,
    parsed: &Parsed,
    secret: &str,
) -> Result<Signed, KmsError> {
    let access_key_id =
        parsed.find("AccessKeyId").ok_or_else(|| KmsError::missing("AccessKeyId"))?;
    if parsed.find("SignatureMethod") != Some("HMAC-SHA1")
        || parsed.find("SignatureVersion") != Some("1.0")
    {
        return Err(incomplete());
    }
    let to_sign = string_to_sign(&received.method, parsed);
    Ok(Signed {
        access_key_id: access_key_id.to_owned(),
        signature: parsed.find("Signature").unwrap_or_default().to_owned(),
        expected: sign(secret, &to_sign),
        // The core SDK splits this at the first colon, and fails if there is none.
        mismatch: format!(
            "Specified signature is not matched with our calculation. server string to sign is:\
             {to_sign}"
        ),
    })
}

/// A parameter that is in query and form counts once, with the form's value.
fn string_to_sign(method: &str, parsed: &Parsed) -> String {
    let parameters: BTreeMap<&str, &str> = parsed
        .query
        .iter()
        .chain(&parsed.form)
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| *name != "Signature")
        .collect();
    format!("{method}&%2F&{}", encode(&canonical(parameters)))
}

fn sign(secret: &str, to_sign: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, format!("{secret}&").as_bytes());
    STANDARD.encode(hmac::sign(&key, to_sign.as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::super::vectors::{all, text};
    use super::*;

    #[test]
    fn every_rpc_vector_verifies() {
        for vector in all("v1-") {
            let line = text(&vector, "request_line");
            let query = line.split_once("/?").unwrap().1.split_once(' ').unwrap().0;
            let form = "application/x-www-form-urlencoded";
            let received = Received {
                method: text(&vector, "method"),
                path: "/".into(),
                query: query.into(),
                headers: vec![("content-type".into(), form.into())],
                body: Bytes::from(text(&vector, "body")),
            };
            let parsed = Parsed::of(&received, true).unwrap();
            let to_sign = string_to_sign(&received.method, &parsed);
            assert_eq!(to_sign, text(&vector, "string_to_sign"), "{}", vector["name"]);
            let signed = check(&received, &parsed, &text(&vector, "access_key_secret")).unwrap();
            assert_eq!(signed.signature, text(&vector, "signature"), "{}", vector["name"]);
            assert_eq!(signed.expected, signed.signature, "{}", vector["name"]);
            assert_eq!(signed.access_key_id, text(&vector, "access_key_id"));
            assert_eq!(signed.mismatch.split(':').nth(1), Some(to_sign.as_str()));
        }
    }
}
