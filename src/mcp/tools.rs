//! [`Tool`]: a catalogue entry as MCP lists it, and the way into the pipeline.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool as Listed, ToolAnnotations};
use serde_json::{Map, Value};

use crate::operation::{Operation, Retry, Risk, schema};
use crate::operations::{Visit, catalogue};
use crate::pipeline::{Caller, Pipeline, Waiting, input_schema};
use crate::reply::{self, Reply};

type Run =
    for<'a> fn(&'a Pipeline, &'a Value, Map<String, Value>, &'a Caller) -> Waiting<'a, Reply>;

/// One tool.
pub(crate) struct Tool {
    /// As `tools/list` says it.
    pub(crate) listed: Listed,
    /// What arguments are checked against: the same schema that is listed.
    schema: Value,
    /// The highest risk a call of it can have.
    pub(super) risk: Risk,
    run: Run,
}

impl Tool {
    /// Calls it.
    pub(super) fn run<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        arguments: Map<String, Value>,
        caller: &'a Caller,
    ) -> Waiting<'a, Reply> {
        (self.run)(pipeline, &self.schema, arguments, caller)
    }
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tool {}", self.listed.name)
    }
}

/// Every tool, in the order of the catalogue.
pub(crate) fn tools() -> Vec<Tool> {
    catalogue(&mut Tools)
}

struct Tools;

impl Visit for Tools {
    type Entry = Tool;

    fn visit<O: Operation>(&mut self) -> Tool {
        let schema = input_schema::<O>();
        let output = reply::schema(&schema::output_schema::<O::View>());
        let listed = Listed::new(O::SPEC.action, O::SPEC.summary, object(schema.clone()))
            .with_title(O::SPEC.title)
            .with_raw_output_schema(object(output))
            .with_annotations(annotations::<O>());
        let run: Run = |pipeline, schema, arguments, caller| {
            Box::pin(pipeline.run::<O>(schema, arguments, caller))
        };
        Tool { listed, schema, risk: O::SPEC.risk, run }
    }
}

/// Hints, all said explicitly. Only reading metadata is `readOnly`: some clients skip their own
/// confirmation for read-only tools.
fn annotations<O: Operation>() -> ToolAnnotations {
    let inspect = O::SPEC.risk == Risk::Inspect;
    ToolAnnotations::from_raw(
        None,
        Some(inspect),
        Some(matches!(O::SPEC.risk, Risk::Reveal | Risk::Destroy)),
        Some(O::SPEC.retry == Retry::Idempotent),
        Some(true),
    )
}

fn object(schema: Value) -> Arc<JsonObject> {
    let Value::Object(object) = schema else { return Arc::default() };
    Arc::new(object)
}
