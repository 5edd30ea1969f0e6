//! Version stages: each marks one version; a version may have none, one or several.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use serde_json::Value;

use super::answer::Answer;
use super::error::Refusal;

pub(crate) const CURRENT: &str = "ACSCurrent";
pub(crate) const PREVIOUS: &str = "ACSPrevious";
const MOST: usize = 8;

/// Stage → version, of one secret.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stages(BTreeMap<String, String>);

impl Stages {
    pub(crate) fn load(tx: &Transaction<'_>, secret: i64) -> Result<Self, Refusal> {
        let mut select = tx.prepare("SELECT name, version FROM stage WHERE secret = ?")?;
        let stages = select.query_map([secret], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(stages.collect::<Result<_, _>>()?))
    }

    pub(crate) fn save(&self, tx: &Transaction<'_>, secret: i64) -> Result<(), Refusal> {
        tx.execute("DELETE FROM stage WHERE secret = ?", [secret])?;
        let mut insert =
            tx.prepare("INSERT INTO stage (secret, name, version) VALUES (?, ?, ?)")?;
        for (stage, version) in &self.0 {
            insert.execute(params![secret, stage, version])?;
        }
        Ok(())
    }

    /// The version a stage marks.
    pub(crate) fn holder(&self, stage: &str) -> Option<&str> {
        self.0.get(stage).map(String::as_str)
    }

    /// `{"VersionStage": [..]}` of a version.
    pub(crate) fn of(&self, version: &str) -> Answer {
        let stages: Vec<Value> = self
            .0
            .iter()
            .filter(|(_, holder)| *holder == version)
            .map(|(stage, _)| Value::from(stage.as_str()))
            .collect();
        Answer::new().with("VersionStage", stages)
    }

    /// Marks a new version; without `ACSCurrent` among them, current and previous stay.
    pub(crate) fn put(&mut self, version: &str, stages: &[String]) -> Result<(), Refusal> {
        if stages.iter().any(|stage| stage == CURRENT) {
            self.make_current(version, true);
        }
        for stage in stages.iter().filter(|stage| *stage != CURRENT) {
            self.0.insert(stage.clone(), version.to_owned());
        }
        self.within_limit()
    }

    /// Moves a stage, or takes it from a version; the versions are known to exist.
    pub(crate) fn update(
        &mut self,
        stage: &str,
        move_to: Option<&str>,
        remove_from: Option<&str>,
        previous_follows: bool,
    ) -> Result<(), Refusal> {
        let built_in = matches!(stage, CURRENT | PREVIOUS);
        if move_to.is_none() && (remove_from.is_none() || built_in) {
            return Err(Refusal::InvalidParameter);
        }
        if remove_from.is_some() && (remove_from != self.holder(stage) || remove_from == move_to) {
            return Err(Refusal::ParamMismatch);
        }
        match move_to {
            None => {
                self.0.remove(stage);
            }
            Some(version) if stage == CURRENT => self.make_current(version, previous_follows),
            Some(version) => {
                self.0.insert(stage.to_owned(), version.to_owned());
            }
        }
        self.within_limit()
    }

    fn make_current(&mut self, version: &str, previous_follows: bool) {
        let former = self.0.insert(CURRENT.to_owned(), version.to_owned());
        if let Some(former) = former.filter(|former| previous_follows && former != version) {
            self.0.insert(PREVIOUS.to_owned(), former);
        }
    }

    fn within_limit(&self) -> Result<(), Refusal> {
        if self.0.len() <= MOST { Ok(()) } else { Err(Refusal::LimitExceeded) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(pairs: &[(&str, &str)]) -> Stages {
        Stages(pairs.iter().map(|(stage, version)| ((*stage).into(), (*version).into())).collect())
    }

    #[test]
    fn a_new_version_pushes_current_to_previous() {
        let mut now = stages(&[(CURRENT, "v2"), (PREVIOUS, "v1")]);
        now.put("v3", &[CURRENT.into()]).unwrap();
        assert_eq!(now, stages(&[(CURRENT, "v3"), (PREVIOUS, "v2")]));
        now.put("v4", &["Mine".into()]).unwrap();
        assert_eq!(now, stages(&[(CURRENT, "v3"), (PREVIOUS, "v2"), ("Mine", "v4")]));
    }

    #[test]
    fn moving_current_takes_previous_along() {
        let mut now = stages(&[(CURRENT, "v2"), (PREVIOUS, "v1")]);
        now.update(CURRENT, Some("v1"), Some("v2"), true).unwrap();
        assert_eq!(now, stages(&[(CURRENT, "v1"), (PREVIOUS, "v2")]));
        now.update(CURRENT, Some("v1"), None, true).unwrap();
        assert_eq!(now, stages(&[(CURRENT, "v1"), (PREVIOUS, "v2")]));
        now.update(CURRENT, Some("v3"), None, false).unwrap();
        assert_eq!(now, stages(&[(CURRENT, "v3"), (PREVIOUS, "v2")]));
    }

    #[test]
    fn wrong_moves_are_refused() {
        let now = || stages(&[(CURRENT, "v2"), (PREVIOUS, "v1"), ("Mine", "v1")]);
        let update = |stage: &str, to, from| now().update(stage, to, from, true);
        assert_eq!(update(CURRENT, None, Some("v2")), Err(Refusal::InvalidParameter));
        assert_eq!(update(PREVIOUS, None, Some("v1")), Err(Refusal::InvalidParameter));
        assert_eq!(update("Mine", None, None), Err(Refusal::InvalidParameter));
        assert_eq!(update("Mine", Some("v2"), Some("v2")), Err(Refusal::ParamMismatch));
        assert_eq!(update("None", None, Some("v2")), Err(Refusal::ParamMismatch));
        assert_eq!(update("Mine", None, Some("v1")), Ok(()));
        let six: Vec<String> = (0..6).map(|at| format!("s{at}")).collect();
        assert_eq!(now().put("v3", &six), Err(Refusal::LimitExceeded));
        assert_eq!(now().put("v3", six.get(..5).unwrap()), Ok(()));
    }
}
