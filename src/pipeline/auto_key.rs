//! `AutoKey` of CreateSecret: the KMS instance and its key, chosen by the program and not by a
//! prompt. Each look and the creation are steps, with permit and audit row of their own.

use serde_json::{Value, json};

use super::steps::{Stop, text};
use super::{Caller, Pipeline};
use crate::guard::{Refusal, Request};
use crate::operation::{Content, Invalid, Param, Untrusted};
use crate::operations::{CreateKey, ListKeys, ListKmsInstances};

/// The kind of key that encrypts secrets (facts/kms.md §8).
const KEY_SPEC: &str = "Aliyun_AES_256";

impl Pipeline {
    /// Pins instance and key to `request`; `notes` say what was chosen. A key is created only if
    /// there is none and `may_create`: not before a person who must agree has agreed.
    pub(super) async fn choose_key(
        &self,
        request: &mut Request,
        may_create: bool,
        notes: &mut Vec<String>,
        caller: &Caller,
    ) -> Result<(), Stop> {
        let instance = match given(request, "DKMSInstanceId") {
            Some(instance) => instance,
            None => self.only_instance(request, caller).await?,
        };
        let filters = json!([
            { "Key": "KeySpec", "Values": [KEY_SPEC] },
            { "Key": "KeyState", "Values": ["Enabled"] },
            { "Key": "DKMSInstanceId", "Values": [instance] },
        ]);
        let listed = self.step::<ListKeys>(request, json!({ "Filters": filters }), caller).await?;
        let key = match listed.pointer("/Keys/Key/0").and_then(|key| id(key, "KeyId")) {
            Some(key) => {
                notes.push(format!("AutoKey chose key {key} of KMS instance {instance}."));
                key
            }
            None if may_create => {
                let key = self.created_key(request, &instance, caller).await?;
                notes.push(format!("AutoKey created key {key} in KMS instance {instance}, which had none of {KEY_SPEC}."));
                key
            }
            None => {
                notes.push(format!(
                    "KMS instance {instance} has no enabled key of {KEY_SPEC}: one will be created."
                ));
                return Ok(());
            }
        };
        request.pins.extend([("DKMSInstanceId", instance), ("EncryptionKeyId", key)]);
        Ok(())
    }

    async fn only_instance(&self, request: &Request, caller: &Caller) -> Result<String, Stop> {
        let arguments = json!({ "PageSize": 100 });
        let listed = self.step::<ListKmsInstances>(request, arguments, caller).await?;
        let instances = listed.pointer("/KmsInstances/KmsInstance").and_then(Value::as_array);
        let ids: Vec<String> =
            instances.into_iter().flatten().filter_map(|one| id(one, "KmsInstanceId")).collect();
        let allowed = match ids.as_slice() {
            [only] => return Ok(only.clone()),
            [] => "available: AutoKey needs a KMS instance and there is none in this region; leave AutoKey out to use the default key".into(),
            several => format!("one of the KMS instances: {}", several.join(", ")),
        };
        Err(Stop::Refused(Refusal::Invalid(Invalid::new("DKMSInstanceId", allowed))))
    }

    async fn created_key(
        &self,
        request: &Request,
        instance: &str,
        caller: &Caller,
    ) -> Result<String, Stop> {
        let arguments = json!({
            "DKMSInstanceId": instance,
            "KeySpec": KEY_SPEC,
            "KeyUsage": "ENCRYPT/DECRYPT",
            "Description": "Created by kms-mcp for secrets",
        });
        let created = self.step::<CreateKey>(request, arguments, caller).await?;
        created.pointer("/KeyMetadata").and_then(|key| id(key, "KeyId")).ok_or_else(|| {
            let why = "KMS created a key but did not name it; ListKeys shows it";
            Stop::Refused(Refusal::StateUnavailable(why.into()))
        })
    }
}

/// An id in an answer. What is not one plain word is none: it would stand in a sentence.
fn id(object: &Value, name: &str) -> Option<String> {
    text(object, name).filter(|text| Untrusted::word(text).is_some())
}

/// A plain parameter of the call.
pub(super) fn given(request: &Request, wanted: &str) -> Option<String> {
    request.params.iter().find_map(|Param { name, content, .. }| match content {
        Content::Plain(text) if *name == wanted => Some(text.clone()),
        Content::Plain(_) | Content::Secret(_) => None,
    })
}
