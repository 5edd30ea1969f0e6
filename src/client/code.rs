//! [`Code`]: the error codes of KMS and its gateway, a closed set.
//!
//! A code stands in replies and in the audit log. Whoever answers chooses it, so the text itself is
//! never passed on: it is looked up, and what is not known is [`UNKNOWN`].

use super::explain;

/// The code of an answer whose own code is not published.
const UNKNOWN: &str = "UnknownCode";

/// Published codes that are explained with their family.
const OF_A_FAMILY: &[&str] = &[
    "InvalidSecurityToken.Expired",
    "InvalidSecurityToken.Malformed",
    "InvalidSecurityToken.MismatchWithAccessKey",
    "InvalidTimeStamp.Expired",
    "InvalidTimeStamp.Format",
    "MissingEnableAutomaticRotation",
    "MissingPolicy",
    "MissingSecretData",
    "MissingSecretName",
    "MissingVersionId",
    "MissingVersionStage",
    "SerivceUnavailableTemporary",
    "SerivceUnvailableTemporary",
    "ServiceUnavailableTemporary",
    "Throttling.Api",
    "Throttling.User",
];

/// Other codes that begin like this are one of these.
const FAMILIES: &[(&str, &str)] = &[
    ("InvalidSecurityToken.", "InvalidSecurityToken"),
    ("InvalidTimeStamp.", "InvalidTimeStamp"),
    ("Missing", "MissingParameter"),
    ("ServiceUnavailable", "ServiceUnavailable"),
    ("Throttling.", "Throttling"),
];

/// An error code of KMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(&'static str);

impl Code {
    /// Looks `text` up.
    pub(super) fn of(text: &str) -> Self {
        let known = || explain::codes().chain(OF_A_FAMILY.iter().copied());
        let family = || {
            let of = FAMILIES.iter().find(|(prefix, _)| text.starts_with(prefix));
            of.map(|(_, name)| *name)
        };
        Self(known().find(|known| *known == text).or_else(family).unwrap_or(UNKNOWN))
    }

    /// Its name, or a fixed word.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    /// Whether it is a published one.
    pub(super) fn is_known(self) -> bool {
        self.0 != UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_error_table_is_known_by_its_own_name() {
        let table = include_str!("../../tests/cases/errors/table.json");
        let table: serde_json::Value = serde_json::from_str(table).unwrap();
        let mut rows = vec![&table];
        let mut codes = 0;
        while let Some(row) = rows.pop() {
            rows.extend(row.as_object().into_iter().flat_map(serde_json::Map::values));
            rows.extend(row.as_array().into_iter().flatten());
            if let Some(code) = row.get("code").and_then(serde_json::Value::as_str) {
                assert_eq!(Code::of(code).name(), code);
                codes += 1;
            }
        }
        assert!(codes > 100);
    }

    #[test]
    fn what_is_not_published_is_a_fixed_word() {
        for (text, name) in [
            ("Zk7-quiet-lantern-41", UNKNOWN),
            ("", UNKNOWN),
            ("rejected.throttling", UNKNOWN),
            ("Rejected.Throttling ", UNKNOWN),
            ("Throttling.Zk7-quiet-lantern-41", "Throttling"),
            ("InvalidTimeStamp.x", "InvalidTimeStamp"),
            ("MissingZk7", "MissingParameter"),
        ] {
            assert_eq!(Code::of(text).name(), name, "{text}");
        }
    }
}
