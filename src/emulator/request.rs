//! A request as it came over the wire, and the parameters read from it.

use std::collections::BTreeMap;

use axum::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::error::{KmsError, Refusal};

/// Name and value pairs, decoded, in the order they came.
pub(crate) type Pairs = Vec<(String, String)>;

/// The raw request. Signatures are checked over this, not over what a library made of it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Received {
    /// A header's value; several of one name are joined by a comma.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(header, _)| header == name)
            .map(|(_, value)| value.trim())
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// Whether it claims a signature that covers the hash of its body, as ACS3 and ACS4 do.
    fn signs_its_body(&self) -> bool {
        let header = self.header("authorization").unwrap_or_default();
        header.starts_with("ACS3-") || header.starts_with("ACS4-")
    }
}

/// What a request asks for.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) query: Pairs,
    /// The pairs of a form body: the RPC signature covers them.
    pub(crate) form: Pairs,
    /// The members of a JSON body, of a request whose signature covers its body.
    pub(crate) json: Pairs,
}

impl Parsed {
    /// Decodes query and body. The RPC signature covers query and form and nothing else, so a JSON
    /// body beside it says nothing: it could name another action.
    pub(crate) fn of(received: &Received, json_bodies: bool) -> Result<Self, KmsError> {
        let query = pairs(&received.query)?;
        let kind = received.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let (mut form, mut json) = (Pairs::new(), Pairs::new());
        if kind.starts_with("application/x-www-form-urlencoded") {
            form = pairs(std::str::from_utf8(&received.body).map_err(|_| unreadable())?)?;
        } else if received.body.is_empty() {
            // The SDKs name a type even then.
        } else if !kind.starts_with("application/json") {
            // Read as nothing, it would leave out what the client meant.
            return Err(unreadable());
        } else if json_bodies && received.signs_its_body() {
            json = members(&received.body)?;
        }
        Ok(Self { query, form, json })
    }

    /// One parameter, wherever it was; a body wins over the query, as in the SDKs.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        [&self.json, &self.form, &self.query]
            .into_iter()
            .flat_map(|pairs| pairs.iter().rev())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All parameters, for the action.
    pub(crate) fn params(&self) -> Params {
        Params([&self.query, &self.form, &self.json].into_iter().flatten().cloned().collect())
    }
}

fn unreadable() -> KmsError {
    KmsError::new(400, "ParseRequestParameterException", "Server parse parameters exception.")
}

fn pairs(text: &str) -> Result<Pairs, KmsError> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, KmsError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| unreadable())?;
    Ok(decoded.into_owned())
}

fn members(body: &[u8]) -> Result<Pairs, KmsError> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return Err(unreadable());
    };
    let text = |value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    };
    Ok(members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
}

/// The parameters of an action.
#[derive(Debug)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// A parameter that was sent and is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter that was sent, even empty.
    pub(crate) fn sent(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter the action cannot do without.
    pub(crate) fn need(&self, name: &'static str) -> Result<&str, Refusal> {
        self.get(name).ok_or(Refusal::MissingParameter(name))
    }

    /// `true` or `false` in any case; the official SDKs send `True`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::InvalidParameter),
        }
    }

    /// The parameters whose names start with `prefix`, without it.
    pub(crate) fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.0
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

#[cfg(test)]
impl Params {
    pub(crate) fn test(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: &str, body: &'static str) -> Result<Parsed, KmsError> {
        let received = Received {
            method: "POST".into(),
            path: "/".into(),
            query: "a=%C3%BC+x&b=%2B&a=2".into(),
            headers: vec![
                ("content-type".into(), kind.into()),
                ("authorization".into(), "ACS3-HMAC-SHA256 …".into()),
            ],
            body: Bytes::from_static(body.as_bytes()),
        };
        Parsed::of(&received, true)
    }

    #[test]
    fn json_counts_only_beside_a_signature_that_covers_it() {
        for (authorization, members) in
            [("ACS3-HMAC-SHA256 …", 1), ("ACS4-HMAC-SHA256 …", 1), ("ACS", 0), ("ACS3", 0), ("", 0)]
        {
            let received = Received {
                method: "POST".into(),
                path: "/".into(),
                query: "Signature=x".into(),
                headers: vec![
                    ("content-type".into(), "application/json".into()),
                    ("authorization".into(), authorization.into()),
                ],
                body: Bytes::from_static(b"{\"Action\":\"GetSecretValue\"}"),
            };
            let parsed = Parsed::of(&received, true).unwrap();
            assert_eq!(parsed.json.len(), members, "{authorization}");
        }
    }

    #[test]
    fn a_body_wins_over_the_query() {
        let form = parsed("application/x-www-form-urlencoded", "b=x%26y").unwrap();
        assert_eq!(form.query.first().unwrap().1, "ü x");
        assert_eq!(form.find("a"), Some("2"));
        assert_eq!(form.params().get("b"), Some("x&y"));
        let json = parsed("application/json; charset=utf-8", r#"{"b":[1],"c":true,"d":null}"#);
        let json = json.unwrap().params();
        assert_eq!(
            (json.get("b"), json.flag("c"), json.get("d")),
            (Some("[1]"), Ok(Some(true)), None)
        );
        assert_eq!(parsed("application/json", "[1]").unwrap_err().status, 400);
        for kind in ["", "text/plain", "multipart/form-data; boundary=x"] {
            assert_eq!(parsed(kind, "b=x").unwrap_err().status, 400, "{kind}");
            assert_eq!(parsed(kind, "").unwrap().find("a"), Some("2"), "{kind}");
        }
    }
}
