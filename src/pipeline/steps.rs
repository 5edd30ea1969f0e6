//! Steps: calls that a call makes on its way, each with its own permit, verdict and audit row.

use serde_json::{Value, json};

use super::{Pipeline, arguments, place};
use crate::audit::{Event, Upstream};
use crate::client::ClientError;
use crate::guard::policy::Level;
use crate::guard::{Refusal, Request, Witnessed};
use crate::operation::{Operation, Risk, Witness, schema};
use crate::operations::{DescribeSecret, ListSecretVersionIds};
use crate::reply::Changed;

/// Why a call ends before its own permit.
#[derive(Debug)]
pub(super) enum Stop {
    /// The guard refused it, or wants a confirmation.
    Refused(Refusal),
    /// A step failed at KMS, and whether it may have changed something.
    Failed(ClientError, Changed),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Pipeline {
    /// Makes one step on behalf of `parent` and gives its view as JSON.
    pub(super) async fn step<O: Operation>(
        &self,
        parent: &Request,
        arguments: Value,
    ) -> Result<Value, Stop> {
        let Value::Object(arguments) = arguments else { return Ok(Value::Null) };
        let schema = schema::input_schema::<O::Input>();
        let (input, _) = arguments::parse::<O>(&schema, arguments).map_err(Refusal::Invalid)?;
        let request = Request {
            call: format!("{}.{}", parent.call, O::SPEC.action),
            parent: Some(parent.call.clone()),
            risk: O::risk(&input),
            resource: O::resource(&input),
            destination: None,
            file_name: None,
            source: None,
            source_name: None,
            secret_type: None,
            target: parent.target.clone(),
            witnessed: None,
            pins: Vec::new(),
            auto_key: false,
            token: None,
            reason: None,
            client: parent.client.clone(),
            params: O::params(input),
        };
        let (verdict, level) = self.guard.judge(&request.facts(O::SPEC.action)).await?;
        if level != Level::None {
            return Err(Stop::Refused(Refusal::Denied {
                rule: verdict.rule,
                reason: format!(
                    "{} is a step of this call and would need a confirmation of its own",
                    O::SPEC.action
                ),
                instead: None,
            }));
        }
        let permit = self.guard.admit::<O>(request).await?;
        let (result, trail) = self.client.send(permit).await;
        let event = match &result {
            Ok(answer) => Event {
                outcome: Some("ok".into()),
                upstream: Some(Upstream {
                    request_id: answer.request_id.clone(),
                    http_status: Some(answer.http_status),
                    ms: Some(answer.ms),
                    attempts: Some(answer.attempts),
                    ..Upstream::default()
                }),
                ..Event::default()
            },
            Err(failure) => Event {
                outcome: Some("failed".into()),
                code: Some(failure.code().into()),
                upstream: Some(Upstream {
                    request_id: failure.request_id.clone(),
                    http_status: failure.http_status,
                    code: failure.kms_code().map(str::to_owned),
                    ms: Some(failure.ms),
                    attempts: Some(failure.attempts),
                }),
                ..Event::default()
            },
        };
        if !trail.close(event).await.is_recorded() {
            return Err(Stop::Refused(Refusal::AuditUnavailable));
        }
        let answer = result.map_err(|failure| {
            let unsure = failure.ambiguous && O::SPEC.risk >= Risk::Write;
            Stop::Failed(failure, if unsure { Changed::Unknown } else { Changed::No })
        })?;
        Ok(serde_json::to_value(O::view(answer.output)).unwrap_or_default())
    }

    /// Reads what must not change between a person's yes and the call, and pins the version.
    pub(super) async fn witness(
        &self,
        request: &mut Request,
        witness: Witness,
    ) -> Result<(), Stop> {
        if witness == Witness::None {
            return Ok(());
        }
        let name = request.resource.name.clone();
        let tags = witness == Witness::SecretWithVersions;
        let seen = self
            .step::<DescribeSecret>(request, json!({ "SecretName": name, "FetchTags": tags }))
            .await?;
        let mut witnessed = described(&seen);
        if !name.starts_with("acs:")
            && let Some(arn) = &witnessed.arn
        {
            self.place.learn_arn(arn);
        }
        match witness {
            Witness::None | Witness::Secret => {}
            Witness::SecretWithVersions => {
                witnessed.versions =
                    self.versions(request, &name).await?.iter().map(line).collect();
            }
            Witness::Version { version_id: Some(version), .. } => {
                witnessed.version_id = Some(version);
            }
            Witness::Version { version_id: None, stage } => {
                let versions = self.versions(request, &name).await?;
                witnessed.version_id = versions
                    .iter()
                    .find(|version| stages(version).any(|held| held == stage))
                    .and_then(|version| text(version, "VersionId"));
            }
        }
        let generic = witnessed.secret_type.as_deref() == Some("Generic");
        let version = witnessed.version_id.clone().filter(|_| generic);
        request.pins.extend(version.map(|version| ("VersionId", version)));
        if request.target.account.is_none() {
            request.target.account =
                witnessed.arn.as_deref().and_then(place::account).map(str::to_owned);
        }
        request.secret_type = request.secret_type.take().or_else(|| witnessed.secret_type.clone());
        request.witnessed = Some(witnessed);
        Ok(())
    }

    /// Every version of a secret, with its stages; a secret has ten at most (facts/kms.md §6.5).
    async fn versions(&self, request: &Request, name: &str) -> Result<Vec<Value>, Stop> {
        let arguments = json!({ "SecretName": name, "IncludeDeprecated": true, "PageSize": 100 });
        let seen = self.step::<ListSecretVersionIds>(request, arguments).await?;
        Ok(seen
            .pointer("/VersionIds/VersionId")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default())
    }
}

fn described(seen: &Value) -> Witnessed {
    let tags = seen.pointer("/Tags/Tag").and_then(Value::as_array);
    Witnessed {
        arn: text(seen, "Arn"),
        secret_type: text(seen, "SecretType"),
        create_time: text(seen, "CreateTime"),
        update_time: text(seen, "UpdateTime"),
        planned_delete_time: text(seen, "PlannedDeleteTime"),
        version_id: None,
        versions: Vec::new(),
        tags: tags
            .into_iter()
            .flatten()
            .map(|tag| {
                let part = |name| text(tag, name).unwrap_or_default();
                format!("{}={}", part("TagKey"), part("TagValue"))
            })
            .collect(),
    }
}

pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn stages(version: &Value) -> impl Iterator<Item = &str> {
    let held = version.pointer("/VersionStages/VersionStage").and_then(Value::as_array);
    held.into_iter().flatten().filter_map(Value::as_str)
}

fn line(version: &Value) -> String {
    let name = text(version, "VersionId").unwrap_or_default();
    let stages: Vec<&str> = stages(version).collect();
    if stages.is_empty() { name } else { format!("{name} ({})", stages.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_line_names_its_stages() {
        let version = json!({ "VersionId": "v2", "VersionStages": { "VersionStage": ["ACSCurrent", "blue"] } });
        assert_eq!(line(&version), "v2 (ACSCurrent, blue)");
        assert_eq!(line(&json!({ "VersionId": "v1" })), "v1");
    }
}
