//! `ListSecrets`, in the order of names.

use rusqlite::params_from_iter;
use serde_json::Value;

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::paging::Page;
use crate::emulator::streams::Streams;
use crate::emulator::{dates, tags};

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 10)?;
    let fetch_tags = call.params.flag("FetchTags")?.unwrap_or(false);
    let filters = call.params.get("Filters");
    let streams = Streams::of(filters, call.identity, call.behaviour)?;
    let total = streams.count(call.tx)?;
    // The inner query skips in indices alone; rows are read for this page only.
    let (names, values) = streams.page(total, page.offset(), page.size.into());
    let select = format!(
        "SELECT id, name, type, created, updated, planned_delete FROM secret
         WHERE name IN (SELECT name FROM ({names})) ORDER BY name"
    );
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
