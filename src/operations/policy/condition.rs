//! The grammar of `Condition`: operators of RAM, keys and values. A person reads it before saying
//! yes, so it is short, and holds nothing that is not seen.

use serde_json::{Map, Value};

use crate::operation::Invalid;
use crate::text::has_ink;

/// The most bytes that all conditions of a policy may take as JSON; ours.
pub(super) const BYTES_MAX: usize = 4_096;
/// The most operators in a condition, keys in an operator, and values of a key; ours.
const MEMBERS_MAX: usize = 20;
/// The longest key or value, in characters: that of a tag is 128 (KMS, `Tags`).
const TEXT_MAX: usize = 128;

/// The operators of a RAM policy (Alibaba Cloud, "Policy structure and syntax").
const OPERATORS: [&str; 21] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "IpAddress",
    "NotIpAddress",
];

/// Checks the condition at `path`.
pub(super) fn check(condition: &Map<String, Value>, path: &str) -> Result<(), Invalid> {
    let refused = |expected: &str| Err(Invalid::new(path, expected));
    if !(1..=MEMBERS_MAX).contains(&condition.len())
        || !condition.keys().all(|key| is_operator(key))
    {
        return refused("1 to 20 operators of RAM, such as StringEquals, IpAddress or Bool");
    }
    for keys in condition.values() {
        let Value::Object(keys) = keys else {
            return refused("operators that hold an object of keys and values");
        };
        if !(1..=MEMBERS_MAX).contains(&keys.len()) || !keys.keys().all(|key| is_key(key)) {
            return refused(
                "operators with 1 to 20 keys of up to 128 of the characters A-Z a-z 0-9 :/_+=.@-, such as acs:SourceIp",
            );
        }
        if !keys.values().all(is_value) {
            return refused(
                "keys with a text, number or boolean, or 1 to 20 of them; a text has up to 128 visible characters and single spaces",
            );
        }
    }
    Ok(())
}

fn is_operator(text: &str) -> bool {
    let text = ["ForAllValues:", "ForAnyValue:"]
        .iter()
        .find_map(|set| text.strip_prefix(set))
        .unwrap_or(text);
    OPERATORS.contains(&text.strip_suffix("IfExists").unwrap_or(text))
}

fn is_key(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/_+=.@-".contains(&byte);
    (1..=TEXT_MAX).contains(&text.len()) && text.bytes().all(plain)
}

fn is_value(value: &Value) -> bool {
    let Value::Array(values) = value else { return is_single(value) };
    (1..=MEMBERS_MAX).contains(&values.len()) && values.iter().all(is_single)
}

fn is_single(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            (1..=TEXT_MAX).contains(&text.chars().count())
                && text.split(' ').all(|word| !word.is_empty() && word.chars().all(has_ink))
        }
        Value::Bool(_) | Value::Number(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fits(condition: &Value) -> bool {
        check(condition.as_object().unwrap(), "Condition").is_ok()
    }

    #[test]
    fn takes_the_conditions_of_ram() {
        for condition in [
            json!({ "IpAddress": { "acs:SourceIp": ["10.0.0.0/8", "192.0.2.1"] } }),
            json!({ "StringEquals": { "kms:tag/team": "payments" }, "Bool": { "acs:SecureTransport": true } }),
            json!({ "ForAnyValue:StringLikeIfExists": { "kms:tag/队": ["支付 团队"] } }),
            json!({ "DateLessThan": { "acs:CurrentTime": "2027-01-01T00:00:00+08:00" } }),
        ] {
            let known = !condition.to_string().contains('队');
            assert_eq!(fits(&condition), known, "{condition}");
        }
    }

    #[test]
    fn refuses_what_could_hide_or_fill_the_screen() {
        let long = "x".repeat(129);
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        for condition in [
            json!({}),
            json!({ "Note": { "acs:SourceIp": "x" } }),
            json!({ "StringEquals": "x" }),
            json!({ "StringEquals": {} }),
            json!({ "StringEquals": { "Value goes to": "x" } }),
            json!({ "StringEquals": { "a\u{2800}": "x" } }),
            json!({ "StringEquals": { "kms:a": "x\u{2800}y" } }),
            json!({ "StringEquals": { "kms:a": "two  spaces" } }),
            json!({ "StringEquals": { "kms:a": " x" } }),
            json!({ "StringEquals": { "kms:a": "a\nb" } }),
            json!({ "StringEquals": { "kms:a": "" } }),
            json!({ "StringEquals": { "kms:a": [] } }),
            json!({ "StringEquals": { "kms:a": null } }),
            json!({ "StringEquals": { "kms:a": { "b": "c" } } }),
            json!({ "StringEquals": { "kms:a": [["b"]] } }),
            json!({ "StringEquals": { "kms:a": long } }),
            json!({ "StringEquals": { "kms:a": many } }),
        ] {
            assert!(!fits(&condition), "{condition}");
        }
    }
}
