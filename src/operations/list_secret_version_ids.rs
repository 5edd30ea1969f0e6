//! `ListSecretVersionIds`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::{Count, answer};
use super::paging::Page;
use super::secret_name::SecretName;
use super::time::Time;
use super::version::Stages;
use crate::operation::{Invalid, Operation, Params, Resource, Retry, Risk, Sent, Spec, Untrusted};

pub(crate) struct ListSecretVersionIds;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    secret_name: SecretName,
    /// Also versions without a stage
    include_deprecated: Option<bool>,
    #[schemars(range(min = 1, max = 2_147_483_647))]
    page_number: Option<u32>,
    /// Default 20
    #[schemars(range(min = 1, max = 100))]
    page_size: Option<u32>,
}

answer! {
    struct Listing {
        secret_name: Untrusted,
        page_number: Count,
        page_size: Count,
        total_count: Count,
        version_ids: Ids,
    }

    struct Ids {
        version_id: Vec<Listed>,
    }

    struct Listed {
        version_id: Untrusted,
        create_time: Time,
        version_stages: Stages,
    }
}

impl Operation for ListSecretVersionIds {
    const SPEC: Spec = Spec {
        action: "ListSecretVersionIds",
        title: "List the versions of a secret",
        summary: "List a secret's versions and their stages.",
        risk: Risk::Inspect,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Listing;
    type View = Listing;

    fn check(input: &Input) -> Result<(), Invalid> {
        input.secret_name.check()
    }

    fn resource(input: &Input) -> Resource {
        Resource::secret(input.secret_name.as_str())
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query("SecretName", input.secret_name)
            .query_some("IncludeDeprecated", input.include_deprecated)
            .query_some("PageNumber", input.page_number)
            .query_some("PageSize", input.page_size)
    }

    fn listed_versions(view: &Listing) -> Vec<String> {
        let listed = view.version_ids.iter().flat_map(|ids| ids.version_id.iter().flatten());
        listed.filter_map(|one| Some(one.version_id.as_ref()?.as_str().to_owned())).collect()
    }

    fn view(output: Listing, _sent: &Sent) -> Listing {
        output
    }

    fn notes(view: &Listing) -> Vec<String> {
        let listed = view.version_ids.as_ref().and_then(|list| list.version_id.as_ref());
        let page = Page {
            number: view.page_number,
            size: view.page_size,
            total: view.total_count,
            shown: listed.map_or(0, Vec::len),
        };
        page.note("versions").into_iter().collect()
    }
}
