//! [`Place`]: which KMS, from argument, flag, environment and profile.

use super::accounts::{Accounts, Disagrees};
use super::endpoint::Endpoint;
use crate::credentials::{Credential, Credentials, Defect, Region, Resolved, defect_of_name};
use crate::guard::{Refusal, Target};
use crate::operation::Invalid;

/// The regions of KMS (facts/kms.md §3, metadata of December 2025).
const REGIONS: &[&str] = &[
    "cn-qingdao",
    "cn-beijing",
    "cn-zhangjiakou",
    "cn-zhengzhou-jva",
    "cn-huhehaote",
    "cn-wulanchabu",
    "cn-hangzhou",
    "cn-shanghai",
    "cn-fuzhou",
    "cn-shenzhen",
    "cn-heyuan",
    "cn-guangzhou",
    "cn-chengdu",
    "cn-wuhan-lr",
    "cn-hongkong",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-south-1",
    "us-east-1",
    "us-west-1",
    "na-south-1",
    "eu-west-1",
    "eu-central-1",
    "me-east-1",
    "me-central-1",
    "cn-hangzhou-finance",
    "cn-shanghai-finance-1",
    "cn-shenzhen-finance-1",
    "cn-beijing-finance-1",
    "cn-heyuan-acdr-1",
];

/// A configured region is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoRegion {
    /// It cannot be meant as it stands.
    #[error("{0} {1}")]
    Defect(String, Defect),
    /// It looks like something else.
    #[error("{0} must be a region such as `cn-hangzhou`")]
    Shape(String),
}

impl NoRegion {
    fn check(region: &Region) -> Result<(), Self> {
        if looks_like_region(&region.id) {
            return Ok(());
        }
        let place = region.place.clone();
        Err(match defect_of_name(&region.id) {
            Some(defect) => Self::Defect(place, defect),
            None => Self::Shape(place),
        })
    }
}

/// Where calls go.
#[derive(Debug)]
pub(crate) struct Place {
    credentials: Credentials,
    /// When one endpoint serves every call.
    endpoint: Option<Endpoint>,
    /// From flag, environment or config.toml.
    region: Option<Region>,
    accounts: Accounts,
}

impl Place {
    /// The regional endpoints, or `endpoint`.
    pub(crate) fn new(
        credentials: Credentials,
        endpoint: Option<Endpoint>,
        region: Option<Region>,
    ) -> Result<Self, NoRegion> {
        region.as_ref().map_or(Ok(()), NoRegion::check)?;
        Ok(Self { credentials, endpoint, region, accounts: Accounts::default() })
    }

    /// The account of the embedded KMS, which knows it of itself.
    pub(crate) fn with_account(self, account: &str) -> Self {
        if let Credentials::Fixed(credential) = &self.credentials {
            // A new memory holds nothing that could disagree.
            let _ = self.accounts.learn(credential, account);
        }
        self
    }

    /// The account of an ARN `acs:kms:<region>:<account>:…` in an answer, noted as that of
    /// `credential`.
    ///
    /// # Errors
    /// [`Refusal::OtherAccount`] if an earlier answer named another one.
    pub(super) fn learn_arn(&self, credential: &Credential, arn: &str) -> Result<(), Refusal> {
        let Some(account) = account(arn) else { return Ok(()) };
        self.accounts.learn(credential, account).map_err(|Disagrees| Refusal::OtherAccount)
    }

    /// Resolves a call.
    pub(crate) async fn target(
        &self,
        argument: Option<&str>,
        resource: &str,
    ) -> Result<Target, Refusal> {
        if let Some(region) = argument
            && !looks_like_region(region)
        {
            return Err(refuse("RegionId", "a region such as `cn-hangzhou`"));
        }
        let Resolved { credential, region } = self
            .credentials
            .resolve(self.region.is_none())
            .await
            .map_err(|error| Refusal::NoCredentials(error.to_string()))?;
        let configured = self.region.clone().or(region);
        let region = match (argument, configured) {
            (Some(argument), Some(configured))
                if self.endpoint.is_some() && argument != configured.id =>
            {
                NoRegion::check(&configured).map_err(no_region)?;
                return Err(refuse(
                    "RegionId",
                    format!("left out or `{}`: one endpoint is configured", configured.id),
                ));
            }
            (Some(argument), _) => argument.to_owned(),
            (None, Some(configured)) => {
                NoRegion::check(&configured).map_err(no_region)?;
                configured.id
            }
            (None, None) => return Err(Refusal::NoRegion(None)),
        };
        let (url, host) = match &self.endpoint {
            Some(endpoint) => (endpoint.url.clone(), endpoint.host.clone()),
            None if REGIONS.contains(&region.as_str()) => {
                let host = format!("kms.{region}.aliyuncs.com");
                (format!("https://{host}/"), host)
            }
            None => {
                return Err(refuse(
                    "RegionId",
                    "a region that has KMS, such as `cn-hangzhou`; for a newer one the person starts kms-mcp with --endpoint",
                ));
            }
        };
        let account = self.accounts.of(&credential);
        if let Some((arn_region, arn_account)) = arn_parts(resource) {
            if arn_region != region {
                return Err(refuse(
                    "SecretName",
                    format!("an ARN of region `{region}`, or RegionId that of the ARN"),
                ));
            }
            if account.as_deref() != Some(arn_account) {
                return Err(refuse(
                    "SecretName",
                    "a plain name: ARNs are accepted for the own account only, once a secret of it was described by name",
                ));
            }
        }
        Ok(Target { region, url, host, credential, account })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn no_region(error: NoRegion) -> Refusal {
    Refusal::NoRegion(Some(error.to_string()))
}

fn refuse(field: &str, allowed: impl Into<String>) -> Refusal {
    Refusal::Invalid(Invalid::new(field, allowed))
}

fn arn_parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.strip_prefix("acs:kms:")?.splitn(3, ':');
    Some((parts.next()?, parts.next()?))
}

/// The account in an ARN that KMS answered: a number, or it is shown to nobody as an account.
pub(super) fn account(arn: &str) -> Option<&str> {
    let (_, account) = arn_parts(arn)?;
    (!account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// Lower-case words joined by hyphens: no dot, slash or colon that would make it a host.
pub(super) fn looks_like_region(region: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    region.len() <= 32 && region.contains('-') && region.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_not_hosts() {
        assert!(REGIONS.iter().all(|region| looks_like_region(region)));
        for bad in
            ["cn-hangzhou.evil.test", "mars", "", "cn-", "-cn", "CN-HANGZHOU", "a/b-c", "cn-x:80"]
        {
            assert!(!looks_like_region(bad), "{bad}");
        }
    }
}
