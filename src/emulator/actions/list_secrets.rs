//! `ListSecrets`, in the order of names.

use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::paging::Page;
use crate::emulator::{dates, filters, tags};

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 10)?;
    let fetch_tags = call.params.flag("FetchTags")?.unwrap_or(false);
    let condition = filters::secrets(call.params.get("Filters"), call.identity, call.behaviour)?;
    let limit = if condition.on_tags { call.behaviour.tag_filter_limit } else { i64::MAX };
    let matching = condition.sql();
    let count: i64 = call.tx.query_row(
        &format!("SELECT count(*) FROM secret{matching}"),
        params_from_iter(&condition.values),
        |row| row.get(0),
    )?;
    let total = count.min(limit);
    let size = i64::from(page.size).min((total - page.offset()).max(0));
    // A page in the second half is nearer to the end: it is found from there.
    let (order, skipped) = if page.offset() > count / 2 {
        ("DESC", (count - page.offset() - size).max(0))
    } else {
        ("ASC", page.offset())
    };
    // The inner query skips in the index alone; rows are read for this page only.
    let select = format!(
        "SELECT id, name, type, created, updated, planned_delete FROM secret
         WHERE id IN (SELECT id FROM secret{matching} ORDER BY name {order} LIMIT ? OFFSET ?)
         ORDER BY name"
    );
    let mut values = condition.values;
    values.extend([Sql::Integer(size), Sql::Integer(skipped)]);
    let mut select = call.tx.prepare(&select)?;
    let found = select.query_map(params_from_iter(values), |row| {
        let (id, name, kind): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let planned: Option<i64> = row.get(5)?;
        let secret = Answer::new()
            .with("SecretName", name)
            .with("SecretType", kind)
            .with("CreateTime", dates::seconds(row.get(3)?))
            .with("UpdateTime", dates::seconds(row.get(4)?))
            .maybe("PlannedDeleteTime", planned.map(dates::seconds));
        Ok((id, secret))
    })?;
    let mut secrets: Vec<Value> = Vec::new();
    for secret in found {
        let (id, secret) = secret?;
        let tags = fetch_tags.then(|| tags::of(call.tx, id)).transpose()?;
        secrets.push(secret.maybe("Tags", tags).into());
    }
    Ok(Answer::new()
        .with("PageNumber", page.number)
        .with("PageSize", page.size)
        .with("TotalCount", total)
        .list("SecretList", "Secret", secrets))
}
