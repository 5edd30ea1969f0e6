//! [`Echo`], [`Sent`] and [`Known`]: what may be shown of an answer that carries a value.
//!
//! Whoever answers could write the value into any member, and it would then be shown although it
//! was to stay masked. So a text in such an answer is an [`Echo`], which cannot be serialized. What
//! is shown is [`Known`]: the call's own word, where the echo is the same. Nothing in such an answer
//! is compared with the value.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Content, Params};
use crate::sensitive::Masked;

/// A text of KMS that is compared and never shown. What is no string reads as an empty one.
pub struct Echo(String);

impl Echo {
    /// For a comparison with words that are known.
    pub(crate) fn heard(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Echo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Echo")
    }
}

impl<'de> Deserialize<'de> for Echo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().unwrap_or_default().to_owned()))
    }
}

/// A word that the call said or learnt before the answer came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct Known(String);

impl Known {
    /// The word.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What may be a member of the view of an answer that carries a value: a [`Known`] word, a word of
/// a closed set, a number, a time, the mask.
pub(crate) trait Confined {}

impl Confined for Known {}
impl Confined for Masked {}
impl<T: Confined> Confined for Option<T> {}
impl<T: Confined> Confined for Vec<T> {}

/// The stages that KMS sets itself (facts/kms.md §7).
const STAGES: [&str; 3] = ["ACSCurrent", "ACSPrevious", "ACSPending"];

/// The words of a call: what it is about, what it sends, and what was listed before.
#[derive(Debug, Default)]
pub struct Sent {
    /// The plain name of the secret. It ends in `*` where KMS makes the name.
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) account: Option<String>,
    /// The versions of the secret that were named or listed.
    pub(crate) versions: Vec<String>,
    stages: Vec<String>,
    instance: Option<String>,
    /// The configuration of a managed secret. KMS names a secret after the RAM user in it.
    config: Option<Value>,
}

impl Sent {
    /// Of a call with these parameters.
    pub(crate) fn new(params: &Params) -> Self {
        let plain = |wanted: &str| {
            params.iter().find_map(|param| match &param.content {
                Content::Plain(text) if param.name == wanted => Some(text.clone()),
                Content::Plain(_) | Content::Secret(_) => None,
            })
        };
        let listed: Option<Vec<String>> =
            plain("VersionStages").and_then(|stages| serde_json::from_str(&stages).ok());
        let config: Option<Value> =
            plain("ExtendedConfig").and_then(|config| serde_json::from_str(&config).ok());
        Self {
            versions: plain("VersionId").into_iter().collect(),
            stages: plain("VersionStage").into_iter().chain(listed.into_iter().flatten()).collect(),
            instance: plain("DKMSInstanceId"),
            config,
            ..Self::default()
        }
    }

    /// The name of the secret that the call is about.
    pub(crate) fn name(&self, echo: Option<&Echo>) -> Option<Known> {
        known([self.secret()?], echo)
    }

    /// Its ARN, in the region of the call. The account has 16 digits or is the known one: another one
    /// is told, since a credential can have changed its account.
    pub(crate) fn arn(&self, echo: Option<&Echo>) -> Option<Known> {
        let account = echo?.heard().strip_prefix("acs:kms:")?.split(':').nth(1)?;
        let of_digits = account.len() == 16 && account.bytes().all(|byte| byte.is_ascii_digit());
        let fits = of_digits || self.account.as_deref() == Some(account);
        let arn = format!("acs:kms:{}:{account}:secret/{}", self.region, self.secret()?);
        fits.then(|| known([arn], echo)).flatten()
    }

    /// A version that was named or listed.
    pub(crate) fn version(&self, echo: Option<&Echo>) -> Option<Known> {
        known(&self.versions, echo)
    }

    /// The stages that KMS sets itself or the call names.
    pub(crate) fn stages(&self, echoes: &[Echo]) -> Vec<Known> {
        let words = || STAGES.into_iter().chain(self.stages.iter().map(String::as_str));
        echoes.iter().filter_map(|echo| known(words(), Some(echo))).collect()
    }

    /// The KMS instance that the call names.
    pub(crate) fn instance(&self, echo: Option<&Echo>) -> Option<Known> {
        known(&self.instance, echo)
    }

    /// The configuration that the call sends; KMS adds an empty `CustomData` (facts/kms.md §1.1).
    pub(crate) fn config(&self, echo: Option<&Echo>) -> Option<Known> {
        let heard: Value = serde_json::from_str(echo?.heard()).ok()?;
        let mut config = self.config.clone()?;
        if let Some(members) = config.as_object_mut() {
            members.entry("CustomData").or_insert_with(|| Value::Object(Map::new()));
        }
        let sent = [Some(config), self.config.clone()].into_iter().flatten();
        sent.into_iter().find(|sent| *sent == heard).map(|sent| Known(sent.to_string()))
    }

    fn secret(&self) -> Option<String> {
        let Some(start) = self.name.strip_suffix('*') else { return Some(self.name.clone()) };
        let user = self.config.as_ref()?.get("UserName")?.as_str()?;
        Some(format!("{start}{user}"))
    }
}

/// The word that `echo` repeats.
fn known<T: Into<String> + AsRef<str>>(
    words: impl IntoIterator<Item = T>,
    echo: Option<&Echo>,
) -> Option<Known> {
    let heard = echo?.heard();
    words.into_iter().find(|word| word.as_ref() == heard).map(|word| Known(word.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn echo(text: &str) -> Echo {
        serde_json::from_value(text.into()).unwrap()
    }

    fn shown(known: Option<Known>) -> Option<String> {
        known.map(|known| known.as_str().to_owned())
    }

    #[test]
    fn only_words_of_the_call_are_repeated() {
        let mut sent = Sent::new(
            &Params::new()
                .query("VersionId", "v2")
                .query("VersionStages", json!(["blue", "ACSCurrent"]).to_string())
                .query("DKMSInstanceId", "kst-1"),
        );
        sent.name = "app/db".into();
        sent.region = "cn-hangzhou".into();
        let arn = |account: &str| format!("acs:kms:cn-hangzhou:{account}:secret/app/db");
        for text in ["app/db", "v2", "blue", "ACSPrevious", "kst-1", "hunter2", ""] {
            let echo = echo(text);
            let is = |words: &[&str]| words.contains(&text).then(|| text.to_owned());
            assert_eq!(shown(sent.name(Some(&echo))), is(&["app/db"]));
            assert_eq!(shown(sent.version(Some(&echo))), is(&["v2"]));
            assert_eq!(shown(sent.instance(Some(&echo))), is(&["kst-1"]));
            assert_eq!(sent.stages(&[echo]).len(), is(&["blue", "ACSPrevious"]).iter().len());
        }
        let own = arn("1234567890123456");
        assert_eq!(shown(sent.arn(Some(&echo(&own)))), Some(own.clone()));
        for other in [
            arn("12345678"),
            arn("hunter2-hunter2-"),
            own.replace("app/db", "x"),
            own.clone() + "x",
        ] {
            assert_eq!(shown(sent.arn(Some(&echo(&other)))), None, "{other}");
        }
        sent.account = Some("12345678".into());
        assert!(sent.arn(Some(&echo(&arn("12345678")))).is_some(), "of the known account");
    }

    #[test]
    fn a_configuration_is_repeated_as_it_was_sent() {
        let config = json!({ "SecretSubType": "SingleUser", "DBInstanceId": "rm-1" });
        let sent = Sent::new(&Params::new().query("ExtendedConfig", config.to_string()));
        let mut with_data = config.clone();
        with_data["CustomData"] = json!({});
        for same in [&config, &with_data] {
            assert_eq!(shown(sent.config(Some(&echo(&same.to_string())))), Some(same.to_string()));
        }
        with_data["CustomData"] = json!({ "note": "hunter2" });
        for other in [with_data.to_string(), "hunter2".into(), "{}".into()] {
            assert_eq!(shown(sent.config(Some(&echo(&other)))), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_kms_makes_is_known_by_its_user() {
        let config = json!({ "SecretSubType": "RamUserAccessKey", "UserName": "app" }).to_string();
        let mut sent = Sent::new(&Params::new().query("ExtendedConfig", config));
        sent.name = "acs/ram/user/*".into();
        assert_eq!(
            shown(sent.name(Some(&echo("acs/ram/user/app")))).as_deref(),
            Some("acs/ram/user/app")
        );
        assert_eq!(shown(sent.name(Some(&echo("acs/ram/user/hunter2")))), None);
    }
}
