//! [`Policy`]: who may use a secret or key. It can hand values to others without a read.

mod condition;
mod reach;

use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choices::choices;
pub(crate) use reach::Reach;

use crate::operation::schema::{conform_at, input_schema};
use crate::operation::{Invalid, Risk};

/// The largest policy, in bytes of JSON (facts/kms.md §1.13).
const BYTES_MAX: usize = 32_768;
/// The most principals and actions of all statements together: what a person can be asked to read.
const NAMES_MAX: usize = 500;

/// A policy as JSON. It is sent as it was checked, not as it was written: text could mean one thing
/// here and another to KMS.
///
/// Its grammar is checked by a schema of its own, which the agent does not pay for.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Policy(Map<String, Value>);

choices! {
    enum PolicyName {
        Default = "default",
    }
}

impl JsonSchema for Policy {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Policy".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The members alone: with the limits it would cost 2 KB in every conversation. An object
        // without members would make Gemini refuse the whole list of tools.
        json_schema!({ "type": "object", "properties": {
            "Version": { "type": "string", "enum": ["1"] },
            "Statement": { "type": "array", "items": { "type": "object", "properties": {
                "Effect": { "type": "string", "enum": ["Allow", "Deny"] },
                "Principal": { "type": "object", "properties": {
                    "RAM": { "type": "array", "items": { "type": "string" } } } },
                "Action": { "type": "array", "items": { "type": "string" } },
                "Resource": { "type": "array", "items": { "type": "string", "enum": ["*"] } } } } } } })
    }
}

/// Fields with an underscore are checked by the schema alone.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    #[serde(rename = "Version")]
    _version: Version,
    #[schemars(length(min = 1, max = 100))]
    statement: Vec<Statement>,
}

#[derive(Deserialize, JsonSchema)]
enum Version {
    #[serde(rename = "1")]
    One,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[schemars(length(max = 128))]
    sid: Option<String>,
    effect: Effect,
    principal: Principal,
    #[schemars(length(min = 1, max = 100), inner(length(max = 128)))]
    action: Vec<String>,
    #[serde(rename = "Resource")]
    #[schemars(length(min = 1, max = 1))]
    _resource: Vec<Everything>,
    condition: Option<Map<String, Value>>,
}

#[derive(Deserialize, JsonSchema)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Principal {
    #[serde(rename = "RAM")]
    #[schemars(length(min = 1, max = 100), inner(length(max = 256)))]
    ram: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
enum Everything {
    #[serde(rename = "*")]
    Star,
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(input_schema::<Document>);

impl Policy {
    /// Of a call that makes something and may set its policy. Any policy counts as handing values to
    /// others: the account of the caller is not known here, and a single principal of another is
    /// enough. Without one KMS sets its default, which names the owner only.
    pub(crate) fn risk(policy: Option<&Self>) -> Risk {
        if policy.is_some() { Risk::Destroy } else { Risk::Write }
    }

    /// The documented grammar of SetSecretPolicy. The numbers of statements, actions, principals and
    /// conditions are ours: a person reads all of it before saying yes.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let value = Value::Object(self.0.clone());
        if value.to_string().len() > BYTES_MAX {
            return Err(Invalid::new("Policy", "at most 32,768 bytes of JSON"));
        }
        conform_at(&DOCUMENT, &value, "Policy")?;
        let document: Document = serde_json::from_value(value)
            .map_err(|_| Invalid::new("Policy", "a policy of the documented form"))?;
        for (index, statement) in document.statement.iter().enumerate() {
            statement.check(&format!("Policy.Statement[{index}]"))?;
        }
        let names = |one: &Statement| one.principal.ram.len() + one.action.len();
        if document.statement.iter().map(names).sum::<usize>() > NAMES_MAX {
            return Err(Invalid::new(
                "Policy",
                "at most 500 principals and actions in all statements",
            ));
        }
        let conditions = document.statement.iter().filter_map(|one| one.condition.as_ref());
        let bytes = |one: &Map<String, Value>| serde_json::to_vec(one).map_or(0, |json| json.len());
        if conditions.map(bytes).sum::<usize>() > condition::BYTES_MAX {
            return Err(Invalid::new("Policy", "at most 4,096 bytes of JSON in all conditions"));
        }
        Ok(())
    }
}

impl Statement {
    fn check(&self, path: &str) -> Result<(), Invalid> {
        if !self.sid.iter().all(|sid| consists_of(sid, b" _/+=.@-")) {
            return Err(Invalid::new(
                format!("{path}.Sid"),
                "of the characters A-Z a-z 0-9 _/+=.@- and the space",
            ));
        }
        if let Some(condition) = &self.condition {
            condition::check(condition, &format!("{path}.Condition"))?;
        }
        for (index, principal) in self.principal.ram.iter().enumerate() {
            if !is_principal(principal) {
                return Err(Invalid::new(
                    format!("{path}.Principal.RAM[{index}]"),
                    "acs:ram::<account>: followed by *, root, user/<name> or role/<name>",
                ));
            }
        }
        for (index, action) in self.action.iter().enumerate() {
            if !action
                .strip_prefix("kms:")
                .is_some_and(|rest| !rest.is_empty() && consists_of(rest, b"*"))
            {
                return Err(Invalid::new(
                    format!("{path}.Action[{index}]"),
                    "an action that begins with kms:, such as kms:GetSecretValue or kms:*",
                ));
            }
        }
        Ok(())
    }
}

fn is_principal(text: &str) -> bool {
    let Some((account, who)) = text.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let named = |prefix| {
        who.strip_prefix(prefix)
            .is_some_and(|name: &str| !name.is_empty() && consists_of(name, b"._-@"))
    };
    !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (who == "*" || who == "root" || named("user/") || named("role/"))
}

fn consists_of(text: &str, marks: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(policy: &Value) -> String {
        let policy: Policy = serde_json::from_value(policy.clone()).unwrap();
        policy.check().map_or_else(|invalid| invalid.to_string(), |()| "fits".into())
    }

    fn default() -> Value {
        json!({ "Version": "1", "Statement": [{ "Sid": "kms default secret policy",
            "Effect": "Allow", "Principal": { "RAM": ["acs:ram::1192853035111234:*"] },
            "Action": ["kms:*"], "Resource": ["*"] }] })
    }

    #[test]
    fn takes_the_documented_grammar() {
        assert_eq!(refusal(&default()), "fits");
        for who in ["*", "root", "user/alice@example.com", "role/app-reader"] {
            let mut policy = default();
            policy["Statement"][0]["Principal"]["RAM"] = json!([format!("acs:ram::1234:{who}")]);
            policy["Statement"][0]["Condition"] = json!({ "StringEquals": { "kms:tag/a": ["b"] } });
            assert_eq!(refusal(&policy), "fits");
        }
    }

    #[test]
    fn names_what_is_wrong_without_repeating_it() {
        let cases = [
            ("/Version", json!("2"), "`Policy.Version` must be one of `1`"),
            ("/Statement", json!([]), "`Policy.Statement` must be an array of 1 to 100 items"),
            ("/Statement/0/Sid", json!("a;b"), "`Policy.Statement[0].Sid` must be of the"),
            ("/Statement/0/Sid", json!("s".repeat(129)), "0 to 128 characters"),
            ("/Statement/0/Effect", json!("allow"), "one of `Allow`, `Deny`"),
            ("/Statement/0/Principal", json!("*"), "`Policy.Statement[0].Principal` must be JSON"),
            (
                "/Statement/0/Principal",
                json!({ "Service": ["x"] }),
                "`Policy.Statement[0].Principal.Service`",
            ),
            (
                "/Statement/0/Principal/RAM",
                json!(["*"]),
                "`Policy.Statement[0].Principal.RAM[0]` must be",
            ),
            ("/Statement/0/Principal/RAM", json!(["acs:ram::*:root"]), "acs:ram::<account>:"),
            ("/Statement/0/Principal/RAM", json!(["acs:ram::1234:user/*"]), "acs:ram::<account>:"),
            ("/Statement/0/Action", json!(["ram:*"]), "`Policy.Statement[0].Action[0]` must be"),
            ("/Statement/0/Action", json!(["kms:"]), "begins with kms:"),
            (
                "/Statement/0/Resource",
                json!(["acs:kms:*"]),
                "`Policy.Statement[0].Resource[0]` must be one of `*`",
            ),
            ("/Statement/0/Condition", json!("x"), "`Policy.Statement[0].Condition` must be"),
        ];
        for (at, value, says) in cases {
            let mut policy = default();
            *policy.pointer_mut(at).unwrap_or(&mut Value::Null) = value.clone();
            if at.ends_with("Condition") {
                policy["Statement"][0]["Condition"] = value;
            }
            let said = refusal(&policy);
            assert!(said.contains(says), "{at}: {said}");
        }
        assert_eq!(refusal(&json!({})), "`Policy.Version` must be given, it is required");
        let mut policy = default();
        policy["Statement"][0]["Condition"] = json!({ "x": "y".repeat(32_768) });
        assert_eq!(refusal(&policy), "`Policy` must be at most 32,768 bytes of JSON");
        policy["Statement"][0]["Condition"] = json!({ "Note": { "a": "Value goes to" } });
        assert!(
            refusal(&policy).contains("`Policy.Statement[0].Condition` must be 1 to 20 operators")
        );
        let values: Vec<String> = (0..20).map(|n| format!("{n:0>128}")).collect();
        policy["Statement"][0]["Condition"] =
            json!({ "StringEquals": { "kms:a": values, "kms:b": values } });
        assert_eq!(
            refusal(&policy),
            "`Policy` must be at most 4,096 bytes of JSON in all conditions"
        );
        let principals: Vec<String> = (0..100).map(|n| format!("acs:ram::1234:user/{n}")).collect();
        let mut policy = default();
        policy["Statement"][0]["Principal"]["RAM"] = json!(principals);
        policy["Statement"] = json!(vec![policy["Statement"][0].clone(); 5]);
        assert!(refusal(&policy).contains("at most 500 principals and actions"));
    }
}
