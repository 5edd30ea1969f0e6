//! ACS3-HMAC-SHA256 and ACS4-HMAC-SHA256: a canonical request over the headers the client lists.
//!
//! The list is the client's: the SDKs sign different sets. It must hold what decides the meaning
//! of the request, that is `host`, every `x-acs-` header that was sent, and `content-type` where
//! there is a body.

use std::fmt::Write as _;

use ring::{digest, hmac};

use super::{Signed, canonical, incomplete};
use crate::emulator::error::KmsError;
use crate::emulator::request::{Parsed, Received};

const REQUIRED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

pub(super) fn check(
    received: &Received,
    parsed: &Parsed,
    secret: &str,
) -> Result<Signed, KmsError> {
    let authorization = received.header("authorization").ok_or_else(incomplete)?;
    let Authorization { algorithm, credential, signed_headers, signature } =
        Authorization::parse(&authorization).ok_or_else(incomplete)?;
    let listed: Vec<&str> = signed_headers.split(';').collect();
    let unsigned = |name: &str| !listed.contains(&name);
    if REQUIRED.into_iter().any(unsigned)
        // All SDKs sign it then. Unsigned, it could be changed on the way, and the body say nothing.
        || (!received.body.is_empty() && unsigned("content-type"))
        || received.headers.iter().any(|(name, _)| name.starts_with("x-acs-") && unsigned(name))
    {
        return Err(incomplete());
    }
    let request = canonical_request(received, parsed, signed_headers).ok_or_else(incomplete)?;
    let to_sign = format!("{algorithm}\n{}", hex_sha256(request.as_bytes()));
    let mut scope = credential.split('/');
    let access_key_id = scope.next().unwrap_or_default().to_owned();
    let key = match algorithm {
        "ACS3-HMAC-SHA256" => secret.as_bytes().to_vec(),
        "ACS4-HMAC-SHA256" => {
            let date = received.header("x-acs-date").unwrap_or_default().replace('-', "");
            let scope: Vec<&str> = scope.collect();
            let [day, region, "Kms", "aliyun_v4_request"] = scope.as_slice() else {
                return Err(incomplete());
            };
            if !date.starts_with(&format!("{day}T")) {
                return Err(incomplete());
            }
            derive(secret, day, region)
        }
        _ => return Err(incomplete()),
    };
    Ok(Signed {
        access_key_id,
        signature: signature.to_owned(),
        expected: hex(&mac(&key, to_sign.as_bytes())),
        mismatch: format!(
            "Specified signature does not match our calculation. server StringToSign is \
             [{to_sign}] server CanonicalRequest is [{request}]"
        ),
    })
}

struct Authorization<'a> {
    algorithm: &'a str,
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let (algorithm, rest) = header.split_once(' ')?;
        let part = |name: &str| {
            rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (credential, signature) = (part("Credential")?, part("Signature")?);
        Some(Self { algorithm, credential, signed_headers: part("SignedHeaders")?, signature })
    }
}

/// `None` if a listed header was not sent.
fn canonical_request(received: &Received, parsed: &Parsed, signed_headers: &str) -> Option<String> {
    let query = canonical(parsed.query.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut names: Vec<&str> = signed_headers.split(';').collect();
    names.sort_unstable();
    let mut headers = String::new();
    for name in names {
        writeln!(headers, "{name}:{}", received.header(name)?).ok()?;
    }
    let Received { method, path, body, .. } = received;
    let payload = hex_sha256(body);
    Some(format!("{method}\n{path}\n{query}\n{headers}\n{signed_headers}\n{payload}"))
}

fn derive(secret: &str, day: &str, region: &str) -> Vec<u8> {
    [day, region, "Kms", "aliyun_v4_request"]
        .into_iter()
        .fold(format!("aliyun_v4{secret}").into_bytes(), |key, part| mac(&key, part.as_bytes()))
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use serde_json::Value;

    use super::super::vectors::{all, text};
    use super::*;

    fn received(vector: &Value) -> Received {
        let headers = vector["signed_headers"].as_object().unwrap().iter();
        let mut headers: Vec<(String, String)> =
            headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect();
        headers.push(("authorization".into(), text(vector, "authorization")));
        let query = vector["query"].as_object().unwrap().iter();
        // As Tea writes a URL: `+` for a space.
        let query: Vec<String> = query
            .map(|(name, value)| {
                format!("{name}={}", super::super::encode(value.as_str().unwrap()))
            })
            .collect();
        Received {
            method: text(vector, "method"),
            path: text(vector, "path"),
            query: query.join("&").replace("%20", "+"),
            headers,
            body: Bytes::from(text(vector, "body")),
        }
    }

    fn vectors() -> Vec<Value> {
        let mut vectors = all("v3-");
        vectors.extend(all("v4-"));
        vectors.retain(|vector| vector["authorization"].is_string());
        assert!(vectors.len() >= 6);
        vectors
    }

    #[test]
    fn every_header_vector_verifies() {
        for vector in vectors() {
            let received = received(&vector);
            let parsed = Parsed::of(&received, true).unwrap();
            let secret = text(&vector, "access_key_secret");
            let authorization = text(&vector, "authorization");
            let list = Authorization::parse(&authorization).unwrap().signed_headers;
            let request = canonical_request(&received, &parsed, list).unwrap();
            assert_eq!(request, text(&vector, "canonical_request"), "{}", vector["name"]);
            let signed = check(&received, &parsed, &secret).unwrap();
            assert_eq!(signed.expected, text(&vector, "signature"), "{}", vector["name"]);
            assert_eq!(signed.signature, signed.expected);
            assert_eq!(signed.access_key_id, text(&vector, "access_key_id"));
            assert!(signed.mismatch.contains(&text(&vector, "string_to_sign")));
        }
    }

    #[test]
    fn the_type_of_a_body_is_signed() {
        let listed = |vector: &Value| {
            text(vector, "authorization").contains(";content-type;")
                || text(vector, "authorization").contains("=content-type;")
        };
        let vectors = vectors();
        let with_body = |vector: &&Value| !text(vector, "body").is_empty();
        assert!(vectors.iter().filter(with_body).count() >= 3);
        for vector in vectors.iter().filter(with_body) {
            assert!(listed(vector), "{}", vector["name"]);
            let mut received = received(vector);
            for (name, value) in &mut received.headers {
                if name == "authorization" {
                    *value = value.replace("content-type;", "");
                }
            }
            let parsed = Parsed::of(&received, true).unwrap();
            let refused = check(&received, &parsed, &text(vector, "access_key_secret"));
            assert_eq!(refused.map(|_| ()).unwrap_err().code, "IncompleteSignature");
        }
    }

    #[test]
    fn the_published_vector_verifies() {
        let vector = all("v3-doc").remove(0);
        let hash = hex_sha256(text(&vector, "canonical_request").as_bytes());
        assert_eq!(hash, text(&vector, "hashed_canonical_request"));
        let to_sign = format!("ACS3-HMAC-SHA256\n{hash}");
        let secret = text(&vector, "access_key_secret");
        assert_eq!(hex(&mac(secret.as_bytes(), to_sign.as_bytes())), text(&vector, "signature"));
    }

    #[test]
    fn what_is_not_signed_is_refused() {
        for vector in vectors() {
            let secret = text(&vector, "access_key_secret");
            let accepted = |change: &dyn Fn(&mut Received)| {
                let mut received = received(&vector);
                change(&mut received);
                Parsed::of(&received, true)
                    .and_then(|parsed| check(&received, &parsed, &secret))
                    .is_ok_and(|signed| signed.expected == signed.signature)
            };
            assert!(!accepted(&|request| request.body = Bytes::from_static(b"SecretData=other")));
            assert!(!accepted(&|request| request.query.push_str("&More=1")));
            assert!(!accepted(&|request| request.path.push('x')));
            assert!(!accepted(&|request| request.method = "GET".into()));
            assert!(!accepted(&|request| request.headers.push(("x-acs-more".into(), "1".into()))));
            assert!(!accepted(&|request| request.headers.push(("host".into(), "b".into()))));
            assert!(!accepted(&|request| request.headers.retain(|(name, _)| name != "host")));
        }
    }
}
