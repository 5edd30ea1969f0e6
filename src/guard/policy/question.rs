//! [`Question`]: a call as someone who asks `policy explain` describes it.

use super::action::{self, ACTIONS, Action, DESTINATIONS, RISKS, SOURCES, TYPES};
use super::facts::Facts;
use super::parse::one_of;
use crate::guard::secret_name;
use crate::operation::{Destination, Risk};

/// What was said of the call.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) action: String,
    pub(crate) risk: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) destination: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) secret_type: Option<String>,
    /// `key=value` each.
    pub(crate) tags: Vec<String>,
    /// It is known to have no tags.
    pub(crate) untagged: bool,
    pub(crate) client: Option<String>,
}

/// The call, as far as it is known.
#[derive(Debug)]
pub(crate) struct Question {
    action: &'static Action,
    risk: Risk,
    secret: String,
    region: String,
    account: Option<String>,
    destination: Option<Destination>,
    source: Option<&'static str>,
    secret_type: Option<&'static str>,
    tags: Option<Vec<(String, String)>>,
    client: String,
    assumed: Vec<String>,
}

/// A name of which nothing is known.
const UNKNOWN: &str = "*";

impl Question {
    /// Reads it, or says what is wrong and what there is.
    pub(crate) fn read(words: Words) -> Result<Self, String> {
        let action = action::named(&words.action).ok_or_else(|| {
            let known: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
            format!(
                "`{}` is no KMS action known here; those are {}",
                words.action,
                known.join(", ")
            )
        })?;
        let mut assumed = Vec::new();
        let risk = match &words.risk {
            Some(name) => one_of("risk of this action", name, action.risks, Risk::name)
                .map_err(|what| among(what, name, &RISKS, Risk::name))?,
            None => usual(action.risks, "risk", Risk::name, &mut assumed)?,
        };
        let destination = part(
            action,
            "destination",
            words.destination.as_deref(),
            &(DESTINATIONS, Destination::name),
            action.destinations,
            &mut assumed,
        )?;
        let source = part(
            action,
            "source",
            words.source.as_deref(),
            &(SOURCES, |name| name),
            // Without a source the value stands in the call.
            if words.source.is_none() && action.sources.contains(&Some("inline")) {
                &[Some("inline"), None]
            } else {
                action.sources
            },
            &mut assumed,
        )?;
        let secret_type = words
            .secret_type
            .map(|name| one_of("secret type", &name, &TYPES, |name| name))
            .transpose()?;
        let tags = words
            .tags
            .iter()
            .map(|tag| match tag.split_once('=') {
                Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
                None => Err(format!("--tag must be key=value, not `{tag}`")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !action.about_secret && words.secret.is_some() {
            return Err(format!("{} is about no one secret; leave --secret out", action.name));
        }
        let (arn_region, arn_account) = words.secret.as_deref().and_then(arn).unzip();
        let known = |said: Option<String>, arn: Option<&str>| said.or(arn.map(str::to_owned));
        Ok(Self {
            action,
            risk,
            region: known(words.region, arn_region).unwrap_or_else(|| UNKNOWN.into()),
            account: known(words.account, arn_account),
            secret: match &words.secret {
                Some(secret) => secret_name(secret).to_owned(),
                None if action.about_secret => UNKNOWN.into(),
                None => String::new(),
            },
            destination,
            source,
            secret_type,
            tags: (words.untagged || !tags.is_empty()).then_some(tags),
            client: words.client.unwrap_or_else(|| UNKNOWN.into()),
            assumed,
        })
    }

    /// What a policy may know of it.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            action: self.action.name,
            risk: self.risk,
            secret: &self.secret,
            region: &self.region,
            account: self.account.as_deref(),
            destination: self.destination,
            source: self.source,
            secret_type: self.secret_type,
            tags: self.tags.as_deref(),
            client: &self.client,
        }
    }

    /// What was taken as usual, in words.
    pub(crate) fn assumed(&self) -> &[String] {
        &self.assumed
    }
}

/// The first of several, and a note that it was taken.
fn usual<T: Copy>(
    all: &[T],
    what: &str,
    name: impl Fn(T) -> &'static str,
    assumed: &mut Vec<String>,
) -> Result<T, String> {
    let first = *all.first().ok_or_else(|| format!("the action has no {what}"))?;
    if all.len() > 1 {
        assumed.push(format!("{what} {}", name(first)));
    }
    Ok(first)
}

/// A destination or source: one that was named, or the usual one of the action.
fn part<T: Copy + PartialEq, const N: usize>(
    action: &Action,
    what: &str,
    said: Option<&str>,
    (all, name): &([T; N], fn(T) -> &'static str),
    possible: &[Option<T>],
    assumed: &mut Vec<String>,
) -> Result<Option<T>, String> {
    let Some(said) = said else {
        return usual(possible, what, |one| one.map_or("none", name), assumed);
    };
    let one = one_of(what, said, all, name)?;
    if possible.contains(&Some(one)) {
        Ok(Some(one))
    } else {
        Err(format!("{} has no {what}; leave --{what} out", action.name))
    }
}

/// A risk that there is, but not here, is told apart from one that there is not.
fn among(what: String, name: &str, all: &[Risk], named: impl Fn(Risk) -> &'static str) -> String {
    match one_of("risk", name, all, named) {
        Ok(_) => what,
        Err(unknown) => unknown,
    }
}

fn arn(secret: &str) -> Option<(&str, &str)> {
    let mut parts = secret.strip_prefix("acs:kms:")?.splitn(3, ':');
    Some((parts.next()?, parts.next()?))
}
