//! Names that may also be given as ARNs: `acs:kms:<region>:<account>:secret/<name>`.

use super::error::Refusal;
use super::identity::Identity;

/// The name in `given`, which may be an ARN of `kind` in our own account and region.
pub(crate) fn local<'a>(
    given: &'a str,
    kind: &str,
    identity: &Identity,
) -> Result<&'a str, Refusal> {
    let Some(rest) = given.strip_prefix("acs:") else {
        return Ok(given);
    };
    let mut parts = rest.splitn(4, ':');
    let (Some("kms"), Some(region), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::InvalidParameter);
    };
    let name = resource
        .strip_prefix(kind)
        .and_then(|name| name.strip_prefix('/'))
        .ok_or(Refusal::InvalidParameter)?;
    if region != identity.region_id || account != identity.account_id {
        return Err(Refusal::NoPermission);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::Sensitive;

    #[test]
    fn only_our_own_arns_are_names() {
        let identity = Identity {
            account_id: "12".into(),
            access_key_id: String::new(),
            access_key_secret: Sensitive::new(String::new()),
            region_id: "cn-hangzhou".into(),
        };
        let local = |given| local(given, "secret", &identity);
        assert_eq!(local("a/b"), Ok("a/b"));
        assert_eq!(local("acs/ecs/x"), Ok("acs/ecs/x"));
        assert_eq!(local("acs:kms:cn-hangzhou:12:secret/a/b"), Ok("a/b"));
        assert_eq!(local("acs:kms:cn-hangzhou:13:secret/a"), Err(Refusal::NoPermission));
        assert_eq!(local("acs:kms:cn-beijing:12:secret/a"), Err(Refusal::NoPermission));
        assert_eq!(local("acs:kms:cn-hangzhou:12:key/a"), Err(Refusal::InvalidParameter));
    }
}
