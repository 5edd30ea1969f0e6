//! Secret policies: kept and checked for their grammar; the one caller here is the account itself,
//! so they deny nothing.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::identity::Identity;

const LONGEST: usize = 32_768;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Policy {
    version: String,
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    sid: Option<String>,
    effect: Effect,
    principal: Principal,
    action: Vec<String>,
    resource: Vec<String>,
    #[expect(dead_code, reason = "may be there; conditions are not evaluated")]
    condition: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Principal {
    #[serde(rename = "RAM")]
    ram: Vec<String>,
}

/// Refuses what is not a secret policy.
pub(crate) fn check(text: &str) -> Result<(), Refusal> {
    let policy: Policy = (text.len() <= LONGEST)
        .then(|| serde_json::from_str(text).ok())
        .flatten()
        .ok_or(Refusal::InvalidParameter)?;
    let valid = policy.version == "1"
        && !policy.statement.is_empty()
        && policy.statement.iter().all(Statement::valid);
    if valid { Ok(()) } else { Err(Refusal::InvalidParameter) }
}

impl Statement {
    fn valid(&self) -> bool {
        let named = |sid: &String| {
            // The published default has spaces in it, against the published grammar.
            sid.len() <= 128
                && sid.chars().all(|c| c.is_ascii_alphanumeric() || "_/+=.@- ".contains(c))
        };
        matches!(self.effect, Effect::Allow | Effect::Deny)
            && self.sid.iter().all(named)
            && !self.principal.ram.is_empty()
            && self.principal.ram.iter().all(|principal| principal.starts_with("acs:ram::"))
            && !self.action.is_empty()
            && self.action.iter().all(|action| action.starts_with("kms:"))
            && !self.resource.is_empty()
    }
}

/// The policy of a secret that was given none.
pub(crate) fn default(identity: &Identity) -> String {
    json!({
        "Version": "1",
        "Statement": [{
            "Sid": "kms default secret policy",
            "Effect": "Allow",
            "Principal": {"RAM": [format!("acs:ram::{}:*", identity.account_id)]},
            "Action": ["kms:*"],
            "Resource": ["*"],
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_held() {
        let policy = |effect: &str, action: &str| {
            json!({"Version": "1", "Statement": [{"Effect": effect, "Action": [action],
                "Principal": {"RAM": ["acs:ram::1:user/x"]}, "Resource": ["*"]}]})
            .to_string()
        };
        assert_eq!(check(&policy("Allow", "kms:*")), Ok(()));
        assert_eq!(check(&policy("Deny", "kms:GetSecretValue")), Ok(()));
        assert_eq!(check(&policy("Maybe", "kms:*")), Err(Refusal::InvalidParameter));
        assert_eq!(check(&policy("Allow", "ecs:*")), Err(Refusal::InvalidParameter));
        assert_eq!(check("{}"), Err(Refusal::InvalidParameter));
    }
}
