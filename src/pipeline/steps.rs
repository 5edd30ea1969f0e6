//! Steps: calls that a call makes on its way, each with its own permit, verdict and audit row.

use serde_json::{Value, json};

use super::ending::CANCELLED;
use super::{Caller, Known, Pipeline, arguments, place};
use crate::audit::{Event, Upstream};
use crate::client::ClientError;
use crate::guard::policy::Level;
use crate::guard::{Refusal, Request, Witnessed};
use crate::operation::{Invalid, Operation, Risk, Witness, schema};
use crate::operations::DescribeSecret;
use crate::reply::Changed;

/// Why a call ends before its own permit.
#[derive(Debug)]
pub(super) enum Stop {
    /// The guard refused it, or wants a confirmation.
    Refused(Refusal),
    /// The end of a step could not be recorded.
    Unrecorded {
        /// Whether the step changed something.
        changed: Changed,
    },
    /// A step failed at KMS.
    Failed {
        /// Its action.
        step: &'static str,
        failure: ClientError,
        /// Whether it may have changed something.
        changed: Changed,
    },
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
        caller: &Caller,
    ) -> Result<Value, Stop> {
        self.taken::<O>(parent, arguments, false, caller).await
    }

    /// The same; a reading that is for the guard alone is judged as such.
    async fn taken<O: Operation>(
        &self,
        parent: &Request,
        arguments: Value,
        for_the_guard: bool,
        caller: &Caller,
    ) -> Result<Value, Stop> {
        let Value::Object(arguments) = arguments else { return Ok(Value::Null) };
        let schema = schema::input_schema::<O::Input>();
        let (input, _) = arguments::parse::<O>(&schema, arguments).map_err(Refusal::Invalid)?;
        let resource = O::resource(&input);
        let same = resource == parent.resource;
        let request = Request {
            call: format!("{}.{}", parent.call, O::SPEC.action),
            parent: Some(parent.call.clone()),
            risk: O::risk(&input),
            resource,
            destination: None,
            file_name: None,
            source: None,
            secret_type: parent.secret_type.clone().filter(|_| same),
            tags: parent.tags.clone().filter(|_| same),
            for_the_guard,
            source_name: None,
            target: parent.target.clone(),
            witnessed: None,
            pins: Vec::new(),
            auto_key: None,
            token: None,
            reason: None,
            client: parent.client.clone(),
            deadline: parent.deadline,
            params: O::params(input),
        };
        let sent = self.sent(&request);
        let (verdict, level) = self.guard.judge(&request, O::SPEC.action).await?;
        let needs_its_own = Refusal::Denied {
            rule: verdict.rule,
            reason: format!(
                "{} is a step of this call and would need a confirmation of its own",
                O::SPEC.action
            ),
            instead: None,
        };
        if level != Level::None {
            return Err(Stop::Refused(needs_its_own));
        }
        let (permit, counted) = match self.guard.admit::<O>(request).await {
            Ok(admitted) => admitted,
            // A limit was reached in between: nobody could answer the question of a step.
            Err(Refusal::Confirm(_)) => return Err(Stop::Refused(needs_its_own)),
            Err(refusal) => return Err(refusal.into()),
        };
        let (result, trail) = self.client.send(permit, (caller.cancelled)()).await;
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
                outcome: Some(if failure.is_given_up() { CANCELLED } else { "failed" }.into()),
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
        if result.as_ref().is_err_and(|failure| !failure.was_sent) {
            self.guard.give_back(counted).await;
        }
        let changed = match &result {
            _ if O::SPEC.risk < Risk::Write => Changed::No,
            Ok(_) => Changed::Yes,
            Err(failure) if failure.ambiguous => Changed::Unknown,
            Err(_) => Changed::No,
        };
        if !trail.close(self.clean(event)).await.is_recorded() {
            return Err(Stop::Unrecorded { changed });
        }
        let answer = result.map_err(|failure| {
            if failure.is_given_up() {
                return Stop::Refused(Refusal::Cancelled);
            }
            Stop::Failed { step: O::SPEC.action, failure, changed }
        })?;
        let view = O::view(answer.output, &sent);
        self.versions.note(&sent.name, O::listed_versions(&view));
        Ok(serde_json::to_value(view).unwrap_or_default())
    }

    /// Reads type and tags where the verdict hangs on them. What cannot be read stays unread: then
    /// the rules that look at it deny and confirm, and allow nothing. That there is no such secret is
    /// not told before the verdict either.
    pub(super) async fn describe<O: Operation>(
        &self,
        request: &mut Request,
        caller: &Caller,
    ) -> Result<(), Stop> {
        let known = request.secret_type.is_some() && request.tags.is_some();
        if known || !self.guard.policy().needs_description(&request.facts(O::SPEC.action)) {
            return Ok(());
        }
        let arguments = json!({ "SecretName": request.resource.name, "FetchTags": true });
        let seen = match self.taken::<DescribeSecret>(request, arguments, true, caller).await {
            Ok(seen) => seen,
            Err(
                Stop::Failed { .. } | Stop::Refused(Refusal::Denied { .. } | Refusal::Invalid(_)),
            ) => return Ok(()),
            Err(other) => return Err(other),
        };
        request.secret_type = request.secret_type.take().or_else(|| text(&seen, "SecretType"));
        request.tags = request.tags.take().or_else(|| Some(tags(&seen).collect()));
        self.learn(request, text(&seen, "Arn").as_deref())?;
        Ok(())
    }

    /// Reads what must not change between a person's yes and the call, and pins the version.
    pub(super) async fn witness(
        &self,
        request: &mut Request,
        witness: Witness,
        known: &mut Known,
        caller: &Caller,
    ) -> Result<(), Stop> {
        match &witness {
            Witness::None => return Ok(()),
            Witness::NewVersion(new) => {
                return self.may_make_version(request, new, known, caller).await;
            }
            Witness::Secret
            | Witness::SecretOfInstance
            | Witness::SecretWithVersions
            | Witness::Version { .. } => {}
        }
        let name = request.resource.name.clone();
        let tags = witness == Witness::SecretWithVersions;
        let arguments = json!({ "SecretName": name, "FetchTags": tags });
        let seen = self.step::<DescribeSecret>(request, arguments, caller).await?;
        if witness == Witness::SecretOfInstance && text(&seen, "DKMSInstanceId").is_none() {
            return Err(Refusal::OutsideInstance.into());
        }
        let mut witnessed = described(&seen);
        self.learn(request, witnessed.arn.as_deref())?;
        match witness {
            Witness::None
            | Witness::NewVersion(_)
            | Witness::Secret
            | Witness::SecretOfInstance => {}
            Witness::SecretWithVersions => {
                witnessed.versions = self.versions(request, caller).await?.lines();
            }
            Witness::Version { version_id: Some(version), .. } => {
                witnessed.version_id = Some(version);
            }
            Witness::Version { version_id: None, stage } => {
                // Without a version there is nothing to approve, and whatever came would be taken.
                let versions = self.versions(request, caller).await?;
                let held = versions.at(&stage).map(str::to_owned);
                witnessed.version_id = Some(held.ok_or_else(|| Refusal::Invalid(no_version()))?);
            }
        }
        let generic = witnessed.secret_type.as_deref() == Some("Generic");
        let version = witnessed.version_id.clone().filter(|_| generic);
        request.pins.extend(version.map(|version| ("VersionId", version)));
        request.secret_type = request.secret_type.take().or_else(|| witnessed.secret_type.clone());
        request.witnessed = Some(witnessed);
        Ok(())
    }

    /// Notes the account that a description names; another one than is known ends the call.
    fn learn(&self, request: &mut Request, arn: Option<&str>) -> Result<(), Refusal> {
        let Some(arn) = arn else { return Ok(()) };
        if !request.resource.name.starts_with("acs:") {
            self.place.learn_arn(&request.target.credential, arn)?;
        }
        match (&request.target.account, place::account(arn)) {
            (None, seen) => request.target.account = seen.map(str::to_owned),
            (Some(known), Some(seen)) if known != seen => return Err(Refusal::OtherAccount),
            (Some(_), _) => {}
        }
        Ok(())
    }
}

/// Of a stage that is at no version.
fn no_version() -> Invalid {
    Invalid::new("VersionStage", "one that a version has; ListSecretVersionIds lists them")
}

fn described(seen: &Value) -> Witnessed {
    Witnessed {
        arn: text(seen, "Arn"),
        secret_type: text(seen, "SecretType"),
        create_time: text(seen, "CreateTime"),
        update_time: text(seen, "UpdateTime"),
        planned_delete_time: text(seen, "PlannedDeleteTime"),
        version_id: None,
        dropped_version: None,
        versions: Vec::new(),
        tags: tags(seen).map(|(key, value)| format!("{key}={value}")).collect(),
    }
}

fn tags(seen: &Value) -> impl Iterator<Item = (String, String)> {
    let tags = seen.pointer("/Tags/Tag").and_then(Value::as_array);
    tags.into_iter().flatten().map(|tag| {
        let part = |name| text(tag, name).unwrap_or_default();
        (part("TagKey"), part("TagValue"))
    })
}

pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}
