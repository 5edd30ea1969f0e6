//! `AutoKey` of CreateSecret: the KMS instance and its key, chosen by the program and not by a
//! prompt. Each look and the creation are steps, with permit and audit row of their own.

use serde_json::{Value, json};

use super::steps::{Stop, text};
use super::{Caller, Known, Pipeline};
use crate::guard::policy::{Level, Verdict};
use crate::guard::{Refusal, Request};
use crate::operation::{Content, Invalid, Operation, Param, Untrusted};
use crate::operations::{CreateKey, DescribeSecret, ListKeys, ListKmsInstances};

/// The kind of key that encrypts secrets (facts/kms.md §8).
const KEY_SPEC: &str = "Aliyun_AES_256";
/// `AutoKey` as the approver sees it, where there is a key; which one stands beside it.
pub(super) const CHOSEN_KEY: &str = "true";
/// The same where there is none.
const NEW_KEY: &str = "true; a new key will be created in this KMS instance";

impl Pipeline {
    /// Sets instance and key in `request`; the notes of `known` say what was chosen. Where there is
    /// no key, one is created: not before whoever must agree has agreed to that.
    pub(super) async fn choose_key<O: Operation>(
        &self,
        request: &mut Request,
        (verdict, level): (&Verdict, Level),
        known: &mut Known,
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
        request.params.set("DKMSInstanceId", instance.clone());
        if let Some(key) = listed.pointer("/Keys/Key/0").and_then(|key| id(key, "KeyId")) {
            known.notes.push(format!("AutoKey chose key {key} of KMS instance {instance}."));
            request.params.set("EncryptionKeyId", key);
            return Ok(());
        }
        request.auto_key = Some(NEW_KEY);
        self.name_is_free(request, caller).await?;
        // A token of another question, or one that nobody approved, is no leave: it is refused or
        // asked anew only later.
        if level != Level::None && !self.guard.is_agreed::<O>(request, verdict, level).await? {
            known.notes.push(format!(
                "KMS instance {instance} has no enabled key of {KEY_SPEC}: one will be created, so Equivalent does not name it."
            ));
            return Ok(());
        }
        let key = self.created_key(request, &instance, known, caller).await?;
        known.notes.push(format!(
            "AutoKey created key {key} in KMS instance {instance}, which had none of {KEY_SPEC}."
        ));
        // What was approved is a new key: its id was not known then.
        request.pins.push(("EncryptionKeyId", key));
        Ok(())
    }

    /// A key costs and stays: none is created for a name that is taken. What cannot be read is left
    /// to KMS.
    async fn name_is_free(&self, request: &Request, caller: &Caller) -> Result<(), Stop> {
        let name = &request.resource.name;
        // KMS makes the name up itself.
        if name.ends_with('*') {
            return Ok(());
        }
        let arguments = json!({ "SecretName": name });
        match self.step::<DescribeSecret>(request, arguments, caller).await {
            Ok(seen) => {
                let deleting = text(&seen, "PlannedDeleteTime").is_some();
                Err(Refusal::NameTaken { deleting }.into())
            }
            Err(Stop::Failed { .. } | Stop::Refused(Refusal::Denied { .. })) => Ok(()),
            Err(other) => Err(other),
        }
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
        known: &mut Known,
        caller: &Caller,
    ) -> Result<String, Stop> {
        let arguments = json!({
            "DKMSInstanceId": instance,
            "KeySpec": KEY_SPEC,
            "KeyUsage": "ENCRYPT/DECRYPT",
            "Description": "Created by kms-mcp for secrets",
        });
        let created = self.step::<CreateKey>(request, arguments, caller).await?;
        known.made_key = true;
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
