//! `ListKeys`, in the order of their creation.

use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::filters;
use crate::emulator::paging::Page;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 10)?;
    let condition = filters::keys(call.params.get("Filters"), call.identity)?;
    let matching = condition.sql();
    let total: i64 = call.tx.query_row(
        &format!("SELECT count(*) FROM key{matching}"),
        params_from_iter(&condition.values),
        |row| row.get(0),
    )?;
    let mut values = condition.values;
    values.extend([Sql::Integer(page.size.into()), Sql::Integer(page.offset())]);
    let select = format!("SELECT id FROM key{matching} ORDER BY created, id LIMIT ? OFFSET ?");
    let mut select = call.tx.prepare(&select)?;
    let keys = select
        .query_map(params_from_iter(values), |row| {
            let id: String = row.get(0)?;
            let arn = call.identity.arn(&format!("key/{id}"));
            Ok(Answer::new().with("KeyId", id).with("KeyArn", arn).into())
        })?
        .collect::<Result<Vec<Value>, _>>()?;
    Ok(Answer::new()
        .with("PageNumber", page.number)
        .with("PageSize", page.size)
        .with("TotalCount", total)
        .list("Keys", "Key", keys))
}
