//! `ListSecretVersionIds`, oldest first.

use rusqlite::params;
use serde_json::Value;

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::dates;
use crate::emulator::error::Refusal;
use crate::emulator::paging::Page;
use crate::emulator::stages::Stages;

const MATCHING: &str = "FROM version WHERE secret = ?1
    AND (?2 OR id IN (SELECT version FROM stage WHERE secret = ?1))";

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 20)?;
    let deprecated = call.params.flag("IncludeDeprecated")?.unwrap_or(false);
    let secret = call.secret()?;
    let stages = Stages::load(call.tx, secret.id)?;
    let total: i64 = call.tx.query_row(
        &format!("SELECT count(*) {MATCHING}"),
        params![secret.id, deprecated],
        |row| row.get(0),
    )?;
    let select = format!("SELECT id, created {MATCHING} ORDER BY seq LIMIT ?3 OFFSET ?4");
    let mut select = call.tx.prepare(&select)?;
    let versions = select
        .query_map(params![secret.id, deprecated, page.size, page.offset()], |row| {
            let id: String = row.get(0)?;
            Ok(Answer::new()
                .with("VersionStages", stages.of(&id))
                .with("VersionId", id)
                .with("CreateTime", dates::seconds(row.get(1)?))
                .into())
        })?
        .collect::<Result<Vec<Value>, _>>()?;
    Ok(Answer::new()
        .with("SecretName", secret.name)
        .with("PageNumber", page.number)
        .with("PageSize", page.size)
        .with("TotalCount", total)
        .list("VersionIds", "VersionId", versions))
}
