//! The filters of `ListSecrets` as streams of names that an index gives in order, so that a page of
//! 100,000 secrets is found by merging a few streams rather than by sorting what was found.
//!
//! Names match whole, as no document promises prefixes or wildcards (`Behaviour` can change it).

use rusqlite::types::Value as Sql;
use rusqlite::{Transaction, params_from_iter};

use super::behaviour::Behaviour;
use super::error::Refusal;
use super::filters::Filters;
use super::identity::Identity;
use super::managed::SecretType;

/// More streams than this are one, which is then sorted.
const MOST: usize = 60;

/// Names of secrets, from one or more streams.
#[derive(Debug, PartialEq)]
pub(crate) struct Streams {
    /// The table that they are in.
    table: &'static str,
    /// Conditions that every stream has, and what is bound in them.
    common: (String, Vec<String>),
    /// What tells the streams apart: columns and values.
    apart: Vec<Vec<(&'static str, String)>>,
    /// Whether a name can come from two.
    overlap: bool,
    /// How many names there are at most.
    limit: Option<i64>,
}

impl Streams {
    /// Reads the filters of `ListSecrets`.
    pub(crate) fn of(
        text: Option<&str>,
        identity: &Identity,
        behaviour: &Behaviour,
    ) -> Result<Self, Refusal> {
        let mut filters = Filters::parse(text)?;
        let mut common = (String::from("1"), Vec::new());
        let names = filters.take("SecretName");
        let few = names.is_some() && !behaviour.names_match_by_prefix;
        if let Some(names) = names {
            if behaviour.names_match_by_prefix {
                let begins = vec!["instr(name, ?) = 1"; names.len()].join(" OR ");
                common.0.push_str(&format!(" AND ({begins})"));
                common.1.extend(names);
            } else {
                one_of(&mut common, "name", names);
            }
        }
        if filters.take("Creator").is_some_and(|values| !values.contains(&identity.account_id)) {
            common.0.push_str(" AND 0");
        }
        let mut columns = Vec::new();
        if let Some(values) = filters.take("SecretType") {
            let kinds = values.iter().filter_map(|value| SecretType::named_like(value));
            let mut kinds: Vec<String> = kinds.map(|kind| kind.name().to_owned()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            columns.push(("type", kinds));
        }
        for (key, column) in [("Description", "description"), ("DKMSInstanceId", "instance")] {
            columns.extend(filters.take(key).map(|values| (column, values)));
        }
        let tags: Vec<_> = [("TagKey", "key"), ("TagValue", "value")]
            .into_iter()
            .filter_map(|(filter, column)| Some((column, filters.take(filter)?)))
            .collect();
        filters.finish()?;
        let on_tags = !tags.is_empty();
        // One tag must meet both, if both are asked for; a secret can have several that do.
        let (mut columns, tested) = if on_tags { (tags, columns) } else { (columns, Vec::new()) };
        for (column, values) in tested {
            // The `+` keeps the index on tags, which has this column too.
            one_of(&mut common, &format!("+{column}"), values);
        }
        let count: usize = columns.iter().map(|(_, values)| values.len()).product();
        if few || count > MOST {
            for (column, values) in columns.drain(..) {
                one_of(&mut common, column, values);
            }
        }
        Ok(Self {
            table: if on_tags { "tag" } else { "secret" },
            common,
            apart: combined(&columns),
            overlap: on_tags,
            limit: on_tags.then_some(behaviour.tag_filter_limit),
        })
    }

    /// How many names there are.
    pub(crate) fn count(&self, tx: &Transaction<'_>) -> Result<i64, Refusal> {
        let (sql, values) = if let Some(limit) = self.limit {
            let (sql, mut values) = self.union(" UNION ", "DISTINCT name");
            values.push(Sql::Integer(limit));
            (format!("SELECT count(*) FROM ({sql} ORDER BY name LIMIT ?)"), values)
        } else {
            let (sql, values) = self.union(" UNION ALL ", "count(*) AS count");
            (format!("SELECT sum(count) FROM ({sql})"), values)
        };
        let count = |row: &rusqlite::Row<'_>| row.get::<_, Option<i64>>(0);
        Ok(tx.query_row(&sql, params_from_iter(values), count)?.unwrap_or(0))
    }

    /// The names of `size` secrets after the first `offset`, as a query and what is bound in it;
    /// `count` is how many there are.
    pub(crate) fn page(&self, count: i64, offset: i64, size: i64) -> (String, Vec<Sql>) {
        let size = size.min((count - offset).max(0));
        // A page in the second half is nearer to the end, if the end is not a limit.
        let (order, skipped) = if self.limit.is_none() && offset > count / 2 {
            ("DESC", (count - offset - size).max(0))
        } else {
            ("ASC", offset)
        };
        let (union, column) =
            if self.overlap { (" UNION ", "DISTINCT name") } else { (" UNION ALL ", "name") };
        let (sql, mut values) = self.union(union, column);
        values.extend([Sql::Integer(size), Sql::Integer(skipped)]);
        (format!("{sql} ORDER BY name {order} LIMIT ? OFFSET ?"), values)
    }

    fn union(&self, union: &str, what: &str) -> (String, Vec<Sql>) {
        let (common, bound) = &self.common;
        let mut values = Vec::new();
        let streams = self.apart.iter().map(|columns| {
            let mut sql = format!("SELECT {what} FROM {} WHERE {common}", self.table);
            values.extend(bound.iter().cloned().map(Sql::Text));
            for (column, value) in columns {
                sql.push_str(&format!(" AND {column} = ?"));
                values.push(Sql::Text(value.clone()));
            }
            sql
        });
        let mut streams: Vec<String> = streams.collect();
        if streams.is_empty() {
            streams.push(format!("SELECT {what} FROM {} WHERE 0", self.table));
        }
        (streams.join(union), values)
    }
}

fn one_of(condition: &mut (String, Vec<String>), column: &str, values: Vec<String>) {
    let marks = vec!["?"; values.len()].join(", ");
    condition.0.push_str(&format!(" AND {column} IN ({marks})"));
    condition.1.extend(values);
}

/// Every choice of one value a column; of no columns there is one.
fn combined(columns: &[(&'static str, Vec<String>)]) -> Vec<Vec<(&'static str, String)>> {
    columns.iter().fold(vec![Vec::new()], |chosen, (column, values)| {
        chosen
            .iter()
            .flat_map(|before| {
                values.iter().map(move |value| {
                    let mut next = before.clone();
                    next.push((*column, value.clone()));
                    next
                })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::Sensitive;

    fn parse(text: &str) -> Result<Streams, Refusal> {
        let identity = Identity {
            account_id: "12".into(),
            access_key_id: String::new(),
            access_key_secret: Sensitive::new(String::new()),
            region_id: String::new(),
        };
        Streams::of(Some(text), &identity, &Behaviour::default())
    }

    fn sql(text: &str) -> String {
        parse(text).unwrap().page(100, 0, 10).0.replace(" ORDER BY name ASC LIMIT ? OFFSET ?", "")
    }

    #[test]
    fn keys_must_all_hold_and_values_are_alternatives() {
        assert_eq!(sql("[]"), "SELECT name FROM secret WHERE 1");
        assert_eq!(
            sql(r#"[{"Key":"SecretName","Values":["b","a"]},{"Key":"SecretType","Values":["rds"]},
                {"Key":"SecretName","Values":["c"]}]"#),
            "SELECT name FROM secret WHERE 1 AND name IN (?, ?, ?) AND type IN (?)"
        );
        assert_eq!(
            sql(
                r#"[{"Key":"SecretType","Values":["rds","generic"]},{"Key":"Description","Values":["d"]}]"#
            ),
            "SELECT name FROM secret WHERE 1 AND type = ? AND description = ? UNION ALL \
             SELECT name FROM secret WHERE 1 AND type = ? AND description = ?"
        );
        assert_eq!(
            sql(r#"[{"Key":"TagKey","Values":["k","l"]},{"Key":"SecretType","Values":["rds"]}]"#),
            "SELECT DISTINCT name FROM tag WHERE 1 AND +type IN (?) AND key = ? UNION \
             SELECT DISTINCT name FROM tag WHERE 1 AND +type IN (?) AND key = ?"
        );
        assert!(sql(r#"[{"Key":"Creator","Values":["13"]}]"#).ends_with(" AND 0"));
        assert!(sql(r#"[{"Key":"SecretType","Values":["none"]}]"#).ends_with("WHERE 0"));
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
