//! `Filters`: `[{"Key": "SecretName", "Values": ["a", "b"]}]`, as a condition in SQL.
//!
//! Values of a key are alternatives, keys must all hold, and a repeated key adds alternatives.

use rusqlite::types::Value as Sql;
use serde::Deserialize;

use super::error::Refusal;
use super::identity::Identity;

const MOST: usize = 10;

/// A condition and the values bound in it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Condition {
    parts: Vec<String>,
    pub(crate) values: Vec<Sql>,
}

impl Condition {
    /// `WHERE ...`, or nothing.
    pub(crate) fn sql(&self) -> String {
        if self.parts.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.parts.join(" AND "))
        }
    }

    fn one_of(&mut self, column: &str, values: Vec<String>) {
        let marks = vec!["?"; values.len()].join(", ");
        self.parts.push(format!("{column} IN ({marks})"));
        self.values.extend(values.into_iter().map(Sql::Text));
    }

    fn only_if(&mut self, holds: bool) {
        if !holds {
            self.parts.push("0".to_owned());
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    key: String,
    values: Vec<String>,
}

/// The filters of a request, by key.
pub(crate) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let given: Vec<Filter> =
            serde_json::from_str(text.unwrap_or("[]")).map_err(|_| Refusal::InvalidParameter)?;
        let fits = |filter: &Filter| (1..=MOST).contains(&filter.values.len());
        if given.len() > MOST || !given.iter().all(fits) {
            return Err(Refusal::InvalidParameter);
        }
        let mut filters: Vec<(String, Vec<String>)> = Vec::new();
        for Filter { key, mut values } in given {
            match filters.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => known.append(&mut values),
                None => filters.push((key, values)),
            }
        }
        Ok(Self(filters))
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Vec<String>> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        let mut values = self.0.swap_remove(at).1;
        values.sort_unstable();
        values.dedup();
        Some(values)
    }

    /// What nobody took is a key that does not exist.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::InvalidParameter) }
    }
}

/// The filters of `ListKeys`.
pub(crate) fn keys(text: Option<&str>, identity: &Identity) -> Result<Condition, Refusal> {
    let mut filters = Filters::parse(text)?;
    let mut condition = Condition::default();
    for (key, column) in [
        ("KeyState", "state"),
        ("KeySpec", "spec"),
        ("KeyUsage", "usage"),
        ("ProtectionLevel", "protection"),
        ("DKMSInstanceId", "instance"),
        ("KeyId", "id"),
        ("keyId", "id"),
    ] {
        if let Some(values) = filters.take(key) {
            condition.one_of(column, values);
        }
    }
    if let Some(values) = filters.take("CreatorType") {
        let kinds = values.into_iter().map(|value| (value == "Service").to_string());
        condition.one_of("iif(service, 'true', 'false')", kinds.collect());
    }
    if let Some(values) = filters.take("Creator") {
        condition.only_if(values.contains(&identity.account_id));
    }
    if let Some(values) = filters.take("AliasName") {
        // The service key has the only alias.
        condition.only_if(values.iter().any(|alias| alias == super::keys::SERVICE_ALIAS));
        condition.parts.push("service".to_owned());
    }
    for (key, member) in [("TagKey", "TagKey"), ("TagValue", "TagValue")] {
        if let Some(values) = filters.take(key) {
            let mut tag = Condition::default();
            tag.one_of(&format!("value ->> '{member}'"), values);
            let within = format!("EXISTS (SELECT 1 FROM json_each(tags){})", tag.sql());
            condition.parts.push(within);
            condition.values.append(&mut tag.values);
        }
    }
    filters.finish()?;
    Ok(condition)
}
