//! The actions as data: what they refuse, what they send, what they show.

mod answers;
mod limits;
mod managed;
mod schemas;
mod wire;

use serde_json::Value;

use super::{Visit, catalogue};
use crate::operation::schema::{conform, input_schema};
use crate::operation::{
    Content, Destination, Invalid, Operation, Outcome, Place, Resource, Retry, Risk, Sent, Witness,
};

/// One action, driven by JSON as the pipeline drives it.
struct Probe {
    action: &'static str,
    retry: Retry,
    risks: Risk,
    /// Parses and checks.
    check: fn(&Value) -> Result<(), Invalid>,
    /// Everything that follows from valid arguments.
    says: fn(&Value) -> Says,
    /// The view of an answer, and the value taken out of it before.
    view: fn(Value, &Sent) -> (Value, Option<String>),
    settles: fn(&str) -> Option<Outcome>,
}

struct Says {
    /// `Q Name=content` or `B Name=content`.
    wire: Vec<String>,
    risk: Risk,
    resource: Resource,
    witness: Witness,
    destination: Option<Destination>,
    secret_type: Option<String>,
    outcome: Option<Outcome>,
}

struct Probes;

impl Visit for Probes {
    type Entry = Probe;
    fn visit<O: Operation>(&mut self) -> Probe {
        Probe {
            action: O::SPEC.action,
            retry: O::SPEC.retry,
            risks: O::SPEC.risk,
            check: |arguments| parse::<O>(arguments).map(drop),
            says: says::<O>,
            view: |answer, sent| {
                let mut output: O::Output = serde_json::from_value(answer).unwrap();
                let value = O::take_value(&mut output);
                #[expect(clippy::disallowed_methods, reason = "compared by a test")]
                let value = value.map(|value| value.expose().to_owned());
                (serde_json::to_value(O::view(output, sent)).unwrap(), value)
            },
            settles: O::settles,
        }
    }
}

fn probe(action: &str) -> Probe {
    catalogue(&mut Probes).into_iter().find(|probe| probe.action == action).unwrap()
}

/// `fits`, or what the agent reads.
fn verdict(action: &str, arguments: &Value) -> String {
    (probe(action).check)(arguments).map_or_else(|invalid| invalid.to_string(), |()| "fits".into())
}

/// Each case is an action, its arguments, and a part of what it says.
fn holds(cases: impl IntoIterator<Item = (&'static str, Value, &'static str)>) {
    for (action, arguments, part) in cases {
        let says = verdict(action, &arguments);
        assert!(says.contains(part), "{action} {arguments}\nsays {says}\nnot  {part}");
    }
}

fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut arguments = base.clone();
    arguments.as_object_mut().unwrap().insert(name.into(), value);
    arguments
}

fn parse<O: Operation>(arguments: &Value) -> Result<O::Input, Invalid> {
    conform(&input_schema::<O::Input>(), arguments)?;
    let input = serde_json::from_value(arguments.clone()).unwrap();
    O::check(&input)?;
    Ok(input)
}

fn says<O: Operation>(arguments: &Value) -> Says {
    let input = parse::<O>(arguments).unwrap_or_else(|invalid| panic!("{arguments}: {invalid}"));
    let risk = O::risk(&input);
    Says {
        risk,
        resource: O::resource(&input),
        witness: O::witness(&input),
        destination: O::destination(&input),
        secret_type: O::secret_type(&input).map(ToOwned::to_owned),
        outcome: O::outcome(risk),
        wire: O::params(input)
            .iter()
            .map(|param| {
                let place = match param.place {
                    Place::Query => "Q",
                    Place::Body => "B",
                };
                let content = match &param.content {
                    Content::Plain(text) => text,
                    #[expect(clippy::disallowed_methods, reason = "compared by a test")]
                    Content::Secret(value) => value.expose(),
                };
                format!("{place} {}={content}", param.name)
            })
            .collect(),
    }
}
