//! [`Reach`]: whom a policy lets in, and whether anybody is left who can change it.

use globset::GlobBuilder;

use super::{Document, Effect, Policy, Statement};

/// What a policy allows, as one account sees it.
#[derive(Debug)]
pub(crate) struct Reach {
    /// Everybody whom an allowing statement names, each once, those of another account first.
    pub(crate) principals: Vec<Allowed>,
    /// No principal of the account could change the policy again: none is allowed to without a
    /// condition, or each that is allowed is also denied.
    pub(crate) locks_out: bool,
}

/// A principal whom a statement allows something.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// `acs:ram::<account>:…`.
    pub(crate) name: String,
    /// Of another account than the one that looks.
    pub(crate) stranger: bool,
}

impl Policy {
    /// The reach of a policy, given as JSON. `account` is the one that the secret or key belongs to;
    /// while it is not known nobody counts as a stranger. `change` is the action that changes the
    /// policy. `None`: it is no policy.
    pub(crate) fn reach(text: &str, account: Option<&str>, change: &str) -> Option<Reach> {
        let document: Document = serde_json::from_str(text).ok()?;
        let of_us = |principal: &str| account.is_none_or(|account| is_of(principal, account));
        let mut principals: Vec<Allowed> = Vec::new();
        let (mut allowed, mut denied) = (Vec::new(), Vec::new());
        for statement in &document.statement {
            let names = &statement.principal.ram;
            match statement.effect {
                Effect::Deny if statement.covers(change, true) => denied.extend(names),
                Effect::Deny => {}
                Effect::Allow => {
                    for name in names {
                        if principals.iter().all(|known| known.name != *name) {
                            let stranger = !of_us(name);
                            principals.push(Allowed { name: name.clone(), stranger });
                        }
                    }
                    if statement.condition.is_none() && statement.covers(change, false) {
                        allowed.extend(names.iter().filter(|name| of_us(name)));
                    }
                }
            }
        }
        principals.sort_by_key(|one| !one.stranger);
        let is_denied = |name: &&String| denied.iter().any(|other| includes(other, name));
        Some(Reach { principals, locks_out: allowed.iter().all(is_denied) })
    }
}

impl Statement {
    /// Whether it is about `action`. KMS may or may not mind the case of letters; `loosely` is the
    /// stricter reading of what is denied.
    fn covers(&self, action: &str, loosely: bool) -> bool {
        self.action.iter().any(|pattern| {
            let pattern = pattern.strip_prefix("kms:").unwrap_or(pattern);
            let glob = GlobBuilder::new(pattern).case_insensitive(loosely).build();
            glob.is_ok_and(|glob| glob.compile_matcher().is_match(action))
        })
    }
}

fn is_of(principal: &str, account: &str) -> bool {
    principal.split(':').nth(3) == Some(account)
}

/// Whether `principal` is `other`, or one of its account where `other` names the whole account.
fn includes(other: &str, principal: &str) -> bool {
    other == principal
        || other.strip_suffix('*').is_some_and(|account| principal.starts_with(account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn statement(effect: &str, who: &[&str], actions: &[&str]) -> Value {
        let who: Vec<String> = who.iter().map(|who| format!("acs:ram::{who}")).collect();
        json!({ "Effect": effect, "Principal": { "RAM": who }, "Action": actions, "Resource": ["*"] })
    }

    fn reach(statements: &[Value]) -> Reach {
        let policy = json!({ "Version": "1", "Statement": statements }).to_string();
        Policy::reach(&policy, Some("1234"), "SetSecretPolicy").unwrap()
    }

    #[test]
    fn a_policy_that_nobody_of_the_account_can_change_locks_it_out() {
        let usual = || statement("Allow", &["1234:*"], &["kms:*"]);
        let mut conditional = usual();
        conditional["Condition"] = json!({ "Bool": { "acs:SecureTransport": true } });
        for (statements, locks_out) in [
            (vec![usual()], false),
            (vec![statement("Allow", &["1234:role/admin"], &["kms:Set*"])], false),
            (vec![statement("Allow", &["1234:root"], &["kms:SetSecretPolicy"])], false),
            (vec![conditional.clone(), usual()], false),
            (vec![usual(), statement("Deny", &["1234:user/x"], &["kms:*"])], false),
            (vec![usual(), statement("Deny", &["1234:*"], &["kms:GetSecretValue"])], false),
            (vec![conditional], true),
            (vec![statement("Deny", &["1234:*"], &["kms:*"])], true),
            (vec![usual(), statement("Deny", &["1234:*"], &["kms:setsecretpolicy"])], true),
            (
                vec![
                    statement("Allow", &["1234:root"], &["kms:*"]),
                    statement("Deny", &["1234:*"], &["kms:Set*"]),
                ],
                true,
            ),
            (vec![statement("Allow", &["1234:*"], &["kms:GetSecretValue"])], true),
            (vec![statement("Allow", &["99:root", "12345:*"], &["kms:*"])], true),
        ] {
            assert_eq!(reach(&statements).locks_out, locks_out, "{statements:?}");
        }
    }

    #[test]
    fn strangers_come_first_and_each_once() {
        let found = reach(&[
            statement("Allow", &["1234:*", "99:root"], &["kms:*"]),
            statement("Allow", &["99:root", "12345:user/x"], &["kms:GetSecretValue"]),
            statement("Deny", &["77:root"], &["kms:*"]),
        ]);
        let seen: Vec<_> =
            found.principals.iter().map(|one| (one.name.as_str(), one.stranger)).collect();
        let expected = [
            ("acs:ram::99:root", true),
            ("acs:ram::12345:user/x", true),
            ("acs:ram::1234:*", false),
        ];
        assert_eq!(seen, expected);
    }
}
