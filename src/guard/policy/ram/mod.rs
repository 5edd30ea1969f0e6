//! RAM policies: the cloud's own guard, set to no more than ours can ever let through.

mod scope;
mod skill;

use serde_json::{Value, json};

use super::action::{self, ACTIONS, Action, Right};
use super::engine::Policy;
pub(crate) use scope::Scope;
pub(crate) use skill::skill_policies;

/// What STS takes of a session policy, in characters.
pub(crate) const SESSION_MAX: usize = 2048;

/// The RAM policy with which every call that the guard policy could allow can be made, and its
/// steps, and little more: denies of some secrets, and whatever is neither action nor name, are
/// left to the guard.
pub(crate) fn least_privilege(policy: &Policy, scope: &Scope) -> Value {
    let mut wanted = Wanted::default();
    for action in &ACTIONS {
        let Some(names) = granted(policy, action) else { continue };
        let describes = action.right == Right::Secret
            && action.calls().any(|facts| policy.needs_description(&facts));
        let steps = action.steps.iter().copied();
        for step in steps.chain(describes.then_some("DescribeSecret")).filter_map(action::named) {
            wanted.add(step, &names);
        }
        wanted.add(action, &names);
    }
    wanted.document(scope)
}

/// The names of secrets for which some rule allows the action; `None` if it is always denied.
fn granted(policy: &Policy, action: &Action) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for facts in action.calls().filter(|facts| policy.could_allow(facts)) {
        for rule in policy.granting(&facts) {
            match &rule.when.secret {
                Some(globs) => names.extend(globs.iter().map(|glob| scope::widened(glob.text()))),
                None => names.push("*".to_owned()),
            }
        }
    }
    (!names.is_empty()).then_some(names)
}

/// Actions, and the names of the secrets that each is wanted for.
#[derive(Debug, Default)]
struct Wanted(Vec<(&'static Action, Vec<String>)>);

impl Wanted {
    fn add(&mut self, action: &'static Action, names: &[String]) {
        match self.0.iter_mut().find(|(known, _)| known.name == action.name) {
            Some((_, known)) => known.extend_from_slice(names),
            None => self.0.push((action, names.to_vec())),
        }
    }

    /// One statement for each set of resources; the same for the same wishes, whatever their order.
    fn document(&self, scope: &Scope) -> Value {
        let mut statements: Vec<(Vec<String>, Vec<String>)> = Vec::new();
        let mut add = |resources: Vec<String>, action: &str| {
            let action = format!("kms:{action}");
            match statements.iter_mut().find(|(known, _)| *known == resources) {
                Some((_, actions)) if actions.contains(&action) => {}
                Some((_, actions)) => actions.push(action),
                None => statements.push((resources, vec![action])),
            }
        };
        for (action, names) in &self.0 {
            let resources = match action.right {
                Right::Secret => scope.secrets(names),
                Right::Secrets => vec![scope.all_secrets()],
                Right::Keys => vec![scope.all_keys()],
                Right::Everything => vec!["*".to_owned()],
            };
            if resources.is_empty() {
                continue;
            }
            add(resources, action.name);
            if let Some(right) = action.key_right {
                add(vec![scope.key()], right);
            }
        }
        for (_, actions) in &mut statements {
            actions.sort_unstable();
        }
        statements.sort_unstable();
        let statements: Vec<Value> = statements
            .into_iter()
            .rev()
            .map(|(mut resources, actions)| {
                let resource = match (resources.pop(), resources.is_empty()) {
                    (Some(only), true) => json!(only),
                    (last, _) => json!(resources.into_iter().chain(last).collect::<Vec<_>>()),
                };
                json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
            })
            .collect();
        json!({ "Version": "1", "Statement": statements })
    }
}
