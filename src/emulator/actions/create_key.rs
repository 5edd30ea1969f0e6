//! `CreateKey`.

use super::Call;
use crate::emulator::answer::Answer;
use crate::emulator::error::Refusal;
use crate::emulator::keys::{self, Key, SYMMETRIC};
use crate::emulator::{behaviour::Behaviour, dates, policy, random, rotation, tags};

const ASYMMETRIC: [&str; 6] = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_P256", "EC_P256K", "EC_SM2"];
const LONGEST_DESCRIPTION: usize = 8192;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, Refusal> {
    let params = call.params;
    let one_of = |name: &str, default: &'static str, known: &[&str]| {
        let given = params.get(name).unwrap_or(default);
        if known.contains(&given) { Ok(given.to_owned()) } else { Err(Refusal::InvalidParameter) }
    };
    let spec = one_of("KeySpec", SYMMETRIC[0], &[SYMMETRIC.as_slice(), &ASYMMETRIC].concat())?;
    let symmetric = SYMMETRIC.contains(&spec.as_str());
    let (default, known): (_, &[&str]) = match spec.as_str() {
        _ if symmetric => ("ENCRYPT/DECRYPT", &["ENCRYPT/DECRYPT"]),
        "EC_P256" | "EC_P256K" => ("SIGN/VERIFY", &["SIGN/VERIFY"]),
        _ => ("SIGN/VERIFY", &["SIGN/VERIFY", "ENCRYPT/DECRYPT"]),
    };
    let usage = one_of("KeyUsage", default, known)?;
    let origin = one_of("Origin", "Aliyun_KMS", &["Aliyun_KMS", "EXTERNAL"])?;
    let protection = one_of("ProtectionLevel", "SOFTWARE", &["SOFTWARE", "HSM"])?;
    one_of("KeyStorageMechanism", "HsmInternal", &["HsmInternal", "HsmEncryptedDatabase"])?;
    let description = params.get("Description").unwrap_or_default().to_owned();
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Refusal::InvalidParameter);
    }
    let tags = tags::parse(params.get("Tags"))?;
    let instance = params.get("DKMSInstanceId");
    if let Some(instance) = instance {
        keys::check_instance(call.tx, instance)?;
    }
    if let Some(policy) = params.get("Policy") {
        policy::check(policy)?;
    }
    let rotates = params.flag("EnableAutomaticRotation")?.unwrap_or(false);
    let interval = if rotates { Some(interval(params.need("RotationInterval")?)?) } else { None };
    if rotates && (!symmetric || origin == "EXTERNAL") {
        return Err(Refusal::Unsupported);
    }
    // Only software keys rotate; with an instance the level is ignored.
    if rotates && protection == "HSM" && instance.is_none() {
        return Err(Refusal::InvalidParameter);
    }
    keys::check_room(call.tx, call.behaviour)?;
    let id = match instance {
        Some(_) => format!("key-hzz{}", random::lower(17)?),
        None => random::uuid()?,
    };
    let tags: serde_json::Value = tags
        .into_iter()
        .map(|tag| Answer::new().with("TagKey", tag.tag_key).with("TagValue", tag.tag_value))
        .collect();
    let key = Key {
        id,
        instance: instance.map(str::to_owned),
        spec,
        usage,
        // Key material is still to come.
        state: if origin == "EXTERNAL" { "PendingImport" } else { "Enabled" }.to_owned(),
        origin,
        protection,
        service: false,
        description,
        created: call.ms(),
        interval,
        version: random::uuid()?,
        policy: params.get("Policy").map(str::to_owned),
        tags: tags.to_string(),
    };
    key.insert(call.tx)?;
    Ok(Answer::new().with("KeyMetadata", metadata(call, &key)))
}

/// Keys rotate every 7 to 365 days, whatever secrets do.
fn interval(text: &str) -> Result<i64, Refusal> {
    let bounds = Behaviour {
        shortest_rotation_seconds: 7 * 24 * 3600,
        longest_rotation_seconds: 365 * 24 * 3600,
        ..Behaviour::default()
    };
    rotation::interval(text, &bounds)
}

fn metadata(call: &Call<'_>, key: &Key) -> Answer {
    let next = key.interval.map(|seconds| dates::seconds(key.created + seconds * 1000));
    Answer::new()
        .with("KeyId", key.id.as_str())
        .with("Arn", call.identity.arn(&format!("key/{}", key.id)))
        .with("KeySpec", key.spec.as_str())
        .with("KeyState", key.state.as_str())
        .with("KeyUsage", key.usage.as_str())
        .with("Origin", key.origin.as_str())
        .with("Creator", call.identity.account_id.as_str())
        .with("CreationDate", dates::seconds(key.created))
        .with("Description", key.description.as_str())
        .with("ProtectionLevel", key.protection.as_str())
        .with("PrimaryKeyVersion", key.version.as_str())
        .maybe("DKMSInstanceId", key.instance.as_deref())
        .with("AutomaticRotation", if next.is_some() { "Enabled" } else { "Disabled" })
        .maybe("RotationInterval", key.interval.map(|seconds| format!("{seconds}s")))
        .maybe("NextRotationDate", next)
        .with("LastRotationDate", dates::seconds(key.created))
        .with("DeleteDate", "")
        .with("MaterialExpireTime", "")
}
