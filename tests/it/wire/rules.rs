//! What holds for every answer and every request, whatever the case is about.

use serde_json::Value;

use crate::schema;

/// Words of KMS: none of its texts is passed on (facts/kms.md §1, §6.2).
const UPSTREAM: &[&str] = &[
    "Resource not found",
    "The resource is not found",
    "The resource already exists",
    "planned to be deleted",
    "delete peroid",
    "becasue",
    "restore normal secret",
    "exceed secret limits",
    "user create resource limit",
    "The specified ",
    "Specified ",
    "some of the specified parameters",
    "is needed but not provided",
    "forbidden by permission system",
    "not authorized to perform",
    "This action is not supported",
    "QPS Limit Exceeded",
    "string to sign",
    "StringToSign",
    "CanonicalRequest",
    "Request validation has been passed",
    "Internal Failure",
    "Internal  Failure",
    "is mandatory for",
    "HostId",
];

/// What is wrong with a whole answer, as one line on stdout.
pub(super) fn of_answer(line: &str, answer: &Value, output_schema: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let result = &answer["result"];
    let envelope = &result["structuredContent"];
    wrong.extend(schema::differences(output_schema, envelope));
    wrong.extend(of_error(envelope));
    let refused = matches!(envelope["Status"].as_str(), Some("denied" | "error"));
    if result["isError"] != refused {
        wrong.push(format!("isError is {}", result["isError"]));
    }
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    let mut masked = envelope.clone();
    if let Some(value) = masked.pointer_mut("/Result/SecretData") {
        *value = "***".into();
    }
    if serde_json::from_str::<Value>(text).ok().as_ref() != Some(&masked) {
        wrong.push(format!("the text is not the same JSON, masked: {text}"));
    }
    if result["content"].as_array().map(Vec::len) != Some(1) {
        wrong.push("there is more than one content block".into());
    }
    for words in UPSTREAM.iter().filter(|words| line.contains(**words)) {
        wrong.push(format!("KMS's own text `{words}` was passed on"));
    }
    wrong
}

fn of_error(envelope: &Value) -> Vec<String> {
    let Some(error) = envelope.get("Error") else { return Vec::new() };
    let mut wrong = Vec::new();
    for name in ["Code", "Message", "Next"] {
        if error[name].as_str().is_none_or(str::is_empty) {
            wrong.push(format!("/Error/{name} says nothing"));
        }
    }
    if !matches!(error["Changed"].as_str(), Some("no" | "yes" | "unknown")) {
        wrong.push(format!("/Error/Changed is {}", error["Changed"]));
    }
    if error.as_object().map(serde_json::Map::len) != Some(4) {
        wrong.push(format!("/Error has other members: {error}"));
    }
    wrong
}

/// What is wrong with a request that reached the emulator.
pub(super) fn of_request(request: &Value, signature: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !request["user_agent"].as_str().unwrap_or_default().contains("AlibabaCloud-Agent-Skills") {
        wrong.push(format!("the User-Agent is {}", request["user_agent"]));
    }
    for (name, wanted) in [("method", "POST"), ("path", "/"), ("signature", signature)] {
        if request[name] != wanted {
            wrong.push(format!("{name} is {}", request[name]));
        }
    }
    wrong
}

/// How often `secret` occurs, plain, JSON-escaped, percent-encoded once or twice, in Base64 or hex.
pub(super) fn occurrences(line: &str, secret: &str) -> usize {
    use base64::Engine as _;
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let escaped = serde_json::to_string(secret).unwrap();
    let once = encode(secret);
    let mut forms = vec![
        secret.to_owned(),
        escaped.trim_matches('"').to_owned(),
        encode(&once),
        once,
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret),
        hex(secret),
    ];
    forms.sort();
    forms.dedup();
    forms.iter().map(|form| line.matches(form.as_str()).count()).sum()
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        hex.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
        hex
    })
}
