//! The versions of a secret, and which of them KMS drops for a new one.

use serde_json::Value;

use super::steps::text;
use crate::guard::Refusal;
use crate::operation::Untrusted;

/// KMS keeps as many versions of a secret. A further one takes the place of the oldest that has no
/// stage (quotas of the KMS documentation).
const MAX_VERSIONS: usize = 10;
const CURRENT: &str = "ACSCurrent";
const PREVIOUS: &str = "ACSPrevious";

/// All versions of a secret, in the order in which KMS lists them.
#[derive(Debug)]
pub(super) struct VersionList(Vec<Version>);

#[derive(Debug)]
struct Version {
    id: String,
    created: String,
    stages: Vec<String>,
}

impl VersionList {
    /// The versions in the view of ListSecretVersionIds.
    ///
    /// # Errors
    /// Not all of them are listed, or none: each secret has one.
    pub(super) fn of(listing: &Value) -> Result<Self, Refusal> {
        let listed = listing.pointer("/VersionIds/VersionId").and_then(Value::as_array);
        let listed = listed.ok_or(Refusal::NoListing)?;
        let total = listing.get("TotalCount").and_then(Value::as_u64);
        if total.is_some_and(|total| u64::try_from(listed.len()).is_ok_and(|here| here < total)) {
            return Err(Refusal::VersionsUnread);
        }
        let version = |version: &Value| {
            let stages = version.pointer("/VersionStages/VersionStage").and_then(Value::as_array);
            let stages = stages.into_iter().flatten().filter_map(Value::as_str);
            Version {
                id: text(version, "VersionId").unwrap_or_default(),
                created: text(version, "CreateTime").unwrap_or_default(),
                stages: stages.map(str::to_owned).collect(),
            }
        };
        Ok(Self(listed.iter().map(version).collect()))
    }

    /// Whether KMS could take `id` for one of them. Its documentation does not say how it compares
    /// ids, so neither case nor spaces make a difference.
    pub(super) fn holds(&self, id: &str) -> bool {
        let wanted = folded(id);
        self.0.iter().any(|version| folded(&version.id) == wanted)
    }

    /// The version that holds `stage`.
    pub(super) fn at(&self, stage: &str) -> Option<&str> {
        let holds = |version: &&Version| version.stages.iter().any(|held| held == stage);
        self.0.iter().find(holds).map(|version| version.id.as_str())
    }

    /// Whether a further version takes the place of one of them.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_VERSIONS
    }

    /// The version that KMS drops for a new one to which `moved` move: the oldest that has no stage
    /// then. `None` if each of them keeps one.
    pub(super) fn dropped(&self, moved: &[String]) -> Option<&str> {
        let promotes = moved.iter().any(|stage| stage == CURRENT);
        let keeps_one = |version: &Version| {
            version.stages.iter().any(|stage| match stage.as_str() {
                // The current version becomes the previous one.
                CURRENT => true,
                PREVIOUS if promotes => false,
                _ => !moved.contains(stage),
            })
        };
        let mut free: Vec<&Version> = self.0.iter().filter(|version| !keeps_one(version)).collect();
        // Times are in seconds: of equal ones the order of the list decides, whichever it is.
        if let (Some(first), Some(last)) = (self.0.first(), self.0.last())
            && first.created > last.created
        {
            free.reverse();
        }
        free.into_iter().min_by_key(|version| &version.created).map(|version| version.id.as_str())
    }

    /// Each with its stages, for the approver.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |version: &Version| {
            if version.stages.is_empty() {
                version.id.clone()
            } else {
                format!("{} ({})", version.id, version.stages.join(", "))
            }
        };
        self.0.iter().map(line).collect()
    }
}

/// What is compared of an id. What others wrote was cleaned when it was read, so both are.
fn folded(id: &str) -> String {
    Untrusted::new(id).as_str().split_whitespace().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// VersionList by id, time and stages.
    fn versions(all: &[(&str, &str, &[&str])]) -> VersionList {
        let listed: Vec<Value> = all
            .iter()
            .map(|(id, created, stages)| {
                json!({ "VersionId": id, "CreateTime": created, "VersionStages": { "VersionStage": stages } })
            })
            .collect();
        let listing = json!({ "TotalCount": all.len(), "VersionIds": { "VersionId": listed } });
        VersionList::of(&listing).unwrap()
    }

    #[test]
    fn a_version_line_names_its_stages() {
        let versions = versions(&[("v2", "1", &["ACSCurrent", "blue"]), ("v1", "1", &[])]);
        assert_eq!(versions.lines(), ["v2 (ACSCurrent, blue)", "v1"]);
        assert_eq!(versions.at("blue"), Some("v2"));
        assert_eq!(versions.at("green"), None);
    }

    #[test]
    fn a_listing_that_is_not_whole_is_none() {
        for none in [json!({}), json!({ "TotalCount": 1 })] {
            assert!(matches!(VersionList::of(&none), Err(Refusal::NoListing)), "{none}");
        }
        let two =
            json!({ "TotalCount": 2, "VersionIds": { "VersionId": [{ "VersionId": "v1" }] } });
        assert!(matches!(VersionList::of(&two), Err(Refusal::VersionsUnread)));
    }

    #[test]
    fn what_could_be_the_same_id_is() {
        let versions = versions(&[("Blue one", "1", &[])]);
        for id in ["Blue one", "blue ONE", "Blue one ", "Blueone"] {
            assert!(versions.holds(id), "{id}");
        }
        assert!(!versions.holds("Blue two"));
    }

    #[test]
    fn the_oldest_without_a_stage_is_dropped() {
        let current = [CURRENT.to_owned()];
        let listed: &[(&str, &str, &[&str])] = &[
            ("v1", "1", &["kept"]),
            ("v2", "2", &[PREVIOUS]),
            ("v3", "2", &[]),
            ("v4", "3", &[CURRENT]),
        ];
        // The former previous version loses its stage to the current one.
        assert_eq!(versions(listed).dropped(&current), Some("v2"));
        assert_eq!(versions(listed).dropped(&["blue".into()]), Some("v3"));
        assert_eq!(versions(listed).dropped(&["kept".into()]), Some("v1"));
        let mut newest_first = listed.to_vec();
        newest_first.reverse();
        assert_eq!(versions(&newest_first).dropped(&current), Some("v2"));
        assert_eq!(versions(&[("v1", "1", &["a"])]).dropped(&current), None);
    }
}
