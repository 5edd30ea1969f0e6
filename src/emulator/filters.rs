//! `Filters`: `[{"Key": "SecretName", "Values": ["a", "b"]}]`, as a condition in SQL.
//!
//! Values of a key are alternatives, keys must all hold, and a repeated key adds alternatives.
//! Values match whole, as no document promises prefixes or wildcards (`Behaviour` can change it).

use rusqlite::types::Value as Sql;
use serde::Deserialize;

use super::behaviour::Behaviour;
use super::error::Refusal;
use super::identity::Identity;
use super::managed::SecretType;

const MOST: usize = 10;

/// A condition and the values bound in it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Condition {
    parts: Vec<String>,
    pub(crate) values: Vec<Sql>,
    /// Whether it looks at tags: the results are then limited.
    pub(crate) on_tags: bool,
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

    fn one_prefix(&mut self, column: &str, values: Vec<String>) {
        let begins = format!("instr({column}, ?) = 1");
        self.parts.push(format!("({})", vec![begins.as_str(); values.len()].join(" OR ")));
        self.values.extend(values.into_iter().map(Sql::Text));
    }

    fn only_if(&mut self, holds: bool) {
        if !holds {
            self.parts.push("0".to_owned());
        }
    }

    /// One tag must meet both, if both are asked for.
    fn tagged(&mut self, keys: Option<Vec<String>>, values: Option<Vec<String>>) {
        let mut tag = Self::default();
        if let Some(keys) = keys {
            tag.one_of("key", keys);
        }
        if let Some(values) = values {
            tag.one_of("value", values);
        }
        if !tag.parts.is_empty() {
            self.parts.push(format!("id IN (SELECT secret FROM tag{})", tag.sql()));
            self.values.append(&mut tag.values);
            self.on_tags = true;
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
struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
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

    fn take(&mut self, key: &str) -> Option<Vec<String>> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.swap_remove(at).1)
    }

    /// What nobody took is a key that does not exist.
    fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::InvalidParameter) }
    }
}

/// The filters of `ListSecrets`.
pub(crate) fn secrets(
    text: Option<&str>,
    identity: &Identity,
    behaviour: &Behaviour,
) -> Result<Condition, Refusal> {
    let mut filters = Filters::parse(text)?;
    let mut condition = Condition::default();
    if let Some(values) = filters.take("SecretName") {
        if behaviour.names_match_by_prefix {
            condition.one_prefix("name", values);
        } else {
            condition.one_of("name", values);
        }
    }
    for (key, column) in [("Description", "description"), ("DKMSInstanceId", "instance")] {
        if let Some(values) = filters.take(key) {
            condition.one_of(column, values);
        }
    }
    if let Some(values) = filters.take("SecretType") {
        let kinds = values.iter().filter_map(|value| SecretType::named_like(value));
        condition.one_of("type", kinds.map(|kind| kind.name().to_owned()).collect());
    }
    if let Some(values) = filters.take("Creator") {
        condition.only_if(values.contains(&identity.account_id));
    }
    condition.tagged(filters.take("TagKey"), filters.take("TagValue"));
    filters.finish()?;
    Ok(condition)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::Sensitive;

    fn parse(text: &str) -> Result<Condition, Refusal> {
        let identity = Identity {
            account_id: "12".into(),
            access_key_id: String::new(),
            access_key_secret: Sensitive::new(String::new()),
            region_id: String::new(),
        };
        secrets(Some(text), &identity, &Behaviour::default())
    }

    #[test]
    fn keys_must_all_hold_and_values_are_alternatives() {
        let condition = parse(
            r#"[{"Key":"SecretName","Values":["a","b"]},{"Key":"SecretType","Values":["rds"]},
                {"Key":"SecretName","Values":["c"]},{"Key":"TagKey","Values":["t"]}]"#,
        )
        .unwrap();
        assert_eq!(
            condition.sql(),
            " WHERE name IN (?, ?, ?) AND type IN (?) AND id IN (SELECT secret FROM tag WHERE key IN (?))"
        );
        let bound = ["a", "b", "c", "Rds", "t"].map(|text| Sql::Text(text.into()));
        assert_eq!(condition.values, bound);
        assert_eq!(parse("[]").unwrap().sql(), "");
        assert_eq!(parse(r#"[{"Key":"Creator","Values":["13"]}]"#).unwrap().sql(), " WHERE 0");
    }

    #[test]
    fn wrong_filters_are_refused() {
        let eleven = format!(r#"[{{"Key":"SecretName","Values":{:?}}}]"#, vec!["x"; 11]);
        for wrong in [
            "{}",
            "x",
            r#"[{"Key":"Name","Values":["a"]}]"#,
            r#"[{"Key":"TagKey","Values":[]}]"#,
            &eleven,
        ] {
            assert_eq!(parse(wrong), Err(Refusal::InvalidParameter), "{wrong}");
        }
    }
}
