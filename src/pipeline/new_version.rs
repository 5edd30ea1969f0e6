//! What is looked at before a call that makes a version of a secret.

use serde_json::json;

use super::steps::Stop;
use super::version_list::VersionList;
use super::{Caller, Known, Pipeline};
use crate::guard::{Refusal, Request, Witnessed};
use crate::operation::{NewVersion, Risk, Untrusted};
use crate::operations::ListSecretVersionIds;

/// The version that goes, where the listing does not tell.
const NOT_KNOWN: &str = "one that KMS chooses: at present each version has a stage";

impl Pipeline {
    /// Refuses an id that is taken, whatever its value: KMS compares the values and answers whether
    /// they are equal. On a secret that is full the call is one that destroys, and the version that
    /// goes for it is witnessed.
    pub(super) async fn may_make_version(
        &self,
        request: &mut Request,
        new: &NewVersion,
        known: &mut Known,
        caller: &Caller,
    ) -> Result<(), Stop> {
        self.guard.may_collide(request).await?;
        let versions = self.versions(request, caller).await?;
        if new.id.as_deref().is_some_and(|id| versions.holds(id)) {
            return Err(Refusal::VersionExists.into());
        }
        if !versions.is_full() {
            return Ok(());
        }
        let dropped = versions.dropped(&new.stages);
        let named = dropped.and_then(Untrusted::word);
        known.notes.push(match named {
            Some(id) => format!("The secret holds ten versions: KMS drops version {id} for good."),
            None => {
                "The secret holds ten versions: KMS drops the oldest one without a stage for good."
                    .into()
            }
        });
        request.risk = Risk::Destroy;
        request.witnessed = Some(Witnessed {
            dropped_version: Some(dropped.unwrap_or(NOT_KNOWN).to_owned()),
            versions: versions.lines(),
            ..Witnessed::default()
        });
        Ok(())
    }

    /// Every version of the secret that `request` is about.
    pub(super) async fn versions(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<VersionList, Stop> {
        let name = &request.resource.name;
        let arguments = json!({ "SecretName": name, "IncludeDeprecated": true, "PageSize": 100 });
        let listing = self.step::<ListSecretVersionIds>(request, arguments, caller).await?;
        Ok(VersionList::of(&listing)?)
    }
}
