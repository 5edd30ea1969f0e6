//! `ListKmsInstances`. `Filters` is left out: no document says what it takes (facts/kms.md §1.15).

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::{Count, answer};
use super::paging::Page;
use crate::operation::{Identifier, Invalid, Operation, Params, Resource, Retry, Risk, Sent, Spec};

pub(crate) struct ListKmsInstances;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    #[schemars(range(min = 1, max = 2_147_483_647))]
    page_number: Option<u32>,
    /// Default 20
    #[schemars(range(min = 1, max = 100))]
    page_size: Option<u32>,
}

answer! {
    struct Listing {
        page_number: Count,
        page_size: Count,
        total_count: Count,
        kms_instances: Instances,
    }

    struct Instances {
        kms_instance: Vec<Instance>,
    }

    struct Instance {
        kms_instance_id: Identifier,
        kms_instance_arn: Identifier,
    }
}

impl Operation for ListKmsInstances {
    const SPEC: Spec = Spec {
        action: "ListKmsInstances",
        title: "List KMS instances",
        summary: "List the KMS instances of the region.",
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
    }

    fn view(output: Listing, _sent: &Sent) -> Listing {
        output
    }

    fn notes(view: &Listing) -> Vec<String> {
        let listed = view.kms_instances.as_ref().and_then(|list| list.kms_instance.as_ref());
        let page = Page {
            number: view.page_number,
            size: view.page_size,
            total: view.total_count,
            shown: listed.map_or(0, Vec::len),
        };
        page.note("instances").into_iter().collect()
    }
}
