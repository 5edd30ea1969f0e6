//! `ListKeys`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Count, answer};
use super::filters::Filters;
use super::paging::Page;
use crate::operation::{Identifier, Invalid, Operation, Params, Resource, Retry, Risk, Sent, Spec};

pub(crate) struct ListKeys;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Input {
    #[schemars(range(min = 1, max = 2_147_483_647))]
    page_number: Option<u32>,
    /// Default 10
    #[schemars(range(min = 1, max = 100))]
    page_size: Option<u32>,
    filters: Option<Filters<By>>,
}

/// Spelled as KMS spells them (facts/kms.md §1.16).
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(inline, description = "")]
enum By {
    KeyState,
    KeySpec,
    KeyUsage,
    ProtectionLevel,
    CreatorType,
    #[serde(rename = "DKMSInstanceId")]
    DkmsInstanceId,
    #[serde(rename = "keyId")]
    KeyId,
    AliasName,
    Creator,
    TagKey,
    TagValue,
}

answer! {
    struct Listing {
        page_number: Count,
        page_size: Count,
        total_count: Count,
        keys: Keys,
    }

    struct Keys {
        key: Vec<Listed>,
    }

    struct Listed {
        key_id: Identifier,
        key_arn: Identifier,
    }
}

impl Operation for ListKeys {
    const SPEC: Spec = Spec {
        action: "ListKeys",
        title: "List keys",
        summary: "List the keys of the region.",
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
            .query_json("Filters", input.filters.as_ref())
    }

    fn view(output: Listing, _sent: &Sent) -> Listing {
        output
    }

    fn notes(view: &Listing) -> Vec<String> {
        let listed = view.keys.as_ref().and_then(|list| list.key.as_ref());
        let page = Page {
            number: view.page_number,
            size: view.page_size,
            total: view.total_count,
            shown: listed.map_or(0, Vec::len),
        };
        page.note("keys").into_iter().collect()
    }
}
