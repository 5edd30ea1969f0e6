//! `ListKmsInstances`.

use serde_json::Value;

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::paging::Page;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 20)?;
    let total: i64 = call.tx.query_row("SELECT count(*) FROM instance", [], |row| row.get(0))?;
    let mut select = call.tx.prepare("SELECT id FROM instance ORDER BY id LIMIT ? OFFSET ?")?;
    let instances = select
        .query_map([i64::from(page.size), page.offset()], |row| {
            let id: String = row.get(0)?;
            let arn = call.identity.arn(&format!("keystore/{id}"));
            Ok(Answer::new().with("KmsInstanceId", id).with("KmsInstanceArn", arn).into())
        })?
        .collect::<Result<Vec<Value>, _>>()?;
    Ok(Answer::new()
        .with("PageNumber", page.number)
        .with("PageSize", page.size)
        .with("TotalCount", total)
        .list("KmsInstances", "KmsInstance", instances))
}
