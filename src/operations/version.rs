//! [`VersionId`], [`VersionStage`] and the [`Stages`] that KMS answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{answer, confined};
use crate::operation::{Confined, Echo, Invalid, Known, Sent, Untrusted};
use crate::text::is_hidden;

/// The stage of the version that is read when none is named.
pub(crate) const CURRENT: &str = "ACSCurrent";

/// The stage that `ACSCurrent` leaves behind.
pub(crate) const PREVIOUS: &str = "ACSPrevious";

/// Version id, e.g. v2
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct VersionId(#[schemars(length(min = 1, max = 64))] String);

/// Stage label
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct VersionStage(#[schemars(length(min = 1, max = 128))] String);

impl VersionId {
    /// Up to 64 characters (facts/kms.md §1.1).
    pub(crate) fn check(&self, field: &str) -> Result<(), Invalid> {
        check_label(&self.0, 64, field)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl VersionStage {
    /// Up to 128 characters: ours, KMS publishes no limit.
    pub(crate) fn check(&self, field: &str) -> Result<(), Invalid> {
        check_label(&self.0, 128, field)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<VersionId> for String {
    fn from(version: VersionId) -> Self {
        version.0
    }
}

impl From<VersionStage> for String {
    fn from(stage: VersionStage) -> Self {
        stage.0
    }
}

/// KMS names no alphabet; a label that renders as another could deceive an approver.
fn check_label(text: &str, most: usize, field: &str) -> Result<(), Invalid> {
    let count = text.chars().count();
    if (1..=most).contains(&count) && !text.chars().any(is_hidden) {
        return Ok(());
    }
    Err(Invalid::new(field, format!("1 to {most} visible characters")))
}

answer! {
    struct Stages {
        version_stage: Vec<Untrusted>,
    }
}

/// The stages in an answer that carries a value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StageEchoes {
    version_stage: Option<Vec<Echo>>,
}

impl StageEchoes {
    /// Those that the call knows.
    pub(crate) fn known(&self, sent: &Sent) -> KnownStages {
        let version_stage = self.version_stage.as_deref().map(|echoes| sent.stages(echoes));
        KnownStages { version_stage }
    }
}

confined! {
    struct KnownStages {
        version_stage: Vec<Known>,
    }
}

impl Confined for KnownStages {}
