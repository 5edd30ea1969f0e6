//! `ListSecrets`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Count, answer};
use super::choices::Word;
use super::filters::Filters;
use super::paging::Page;
use super::secret_type::SecretType;
use super::tags::TagList;
use super::time::Time;
use crate::operation::{Invalid, Operation, Params, Resource, Retry, Risk, Sent, Spec, Untrusted};

pub(crate) struct ListSecrets;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    #[schemars(range(min = 1, max = 2_147_483_647))]
    page_number: Option<u32>,
    /// Default 10
    #[schemars(range(min = 1, max = 100))]
    page_size: Option<u32>,
    fetch_tags: Option<bool>,
    filters: Option<Filters<By>>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(inline)]
enum By {
    SecretName,
    Description,
    TagKey,
    TagValue,
    #[serde(rename = "DKMSInstanceId")]
    DkmsInstanceId,
    SecretType,
    Creator,
}

answer! {
    struct Listing {
        page_number: Count,
        page_size: Count,
        total_count: Count,
        secret_list: SecretList,
    }

    struct SecretList {
        secret: Vec<Listed>,
    }

    struct Listed {
        secret_name: Untrusted,
        secret_type: Word<SecretType>,
        create_time: Time,
        update_time: Time,
        planned_delete_time: Time,
        owing_service: Untrusted,
        tags: TagList,
    }
}

impl Operation for ListSecrets {
    const SPEC: Spec = Spec {
        action: "ListSecrets",
        title: "List secrets",
        summary: "List secrets, without their values.",
        risk: Risk::Inspect,
        retry: Retry::Idempotent,
    };
    type Input = Input;
    type Output = Listing;
    type View = Listing;

    fn check(_input: &Input) -> Result<(), Invalid> {
        Ok(())
    }

    fn resource(_input: &Input) -> Resource {
        Resource::account()
    }

    fn params(input: Input) -> Params {
        Params::new()
            .query_some("PageNumber", input.page_number)
            .query_some("PageSize", input.page_size)
            .query_some("FetchTags", input.fetch_tags)
            .query_json("Filters", input.filters.as_ref())
    }

    fn view(output: Listing, _sent: &Sent) -> Listing {
        output
    }

    fn notes(view: &Listing) -> Vec<String> {
        let listed = view.secret_list.as_ref().and_then(|list| list.secret.as_ref());
        let page = Page {
            number: view.page_number,
            size: view.page_size,
            total: view.total_count,
            shown: listed.map_or(0, Vec::len),
        };
        page.note("secrets").into_iter().collect()
    }
}
