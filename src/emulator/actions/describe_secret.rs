//! `DescribeSecret`: everything but the value, also of a secret that waits for its deletion.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::dates;
use crate::emulator::error::Refusal;
use crate::emulator::tags;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let fetch_tags = call.params.flag("FetchTags")?.unwrap_or(false);
    let secret = call.secret()?;
    let answer = Answer::new()
        .with("Arn", call.identity.arn(&format!("secret/{}", secret.name)))
        .with("SecretName", secret.name.as_str())
        .with("SecretType", secret.kind.name())
        .with("Description", secret.description.as_str())
        .maybe("EncryptionKeyId", secret.key.as_deref())
        .with("CreateTime", dates::seconds(secret.created))
        .with("UpdateTime", dates::seconds(secret.updated))
        .maybe("DKMSInstanceId", secret.instance.as_deref())
        .maybe("PlannedDeleteTime", secret.planned_delete.map(dates::seconds))
        .maybe("ExtendedConfig", secret.extended.as_deref());
    let tags = fetch_tags.then(|| tags::of(call.tx, secret.id)).transpose()?;
    Ok(secret.with_rotation(answer).maybe("Tags", tags))
}
