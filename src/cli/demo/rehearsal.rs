//! The person, played: sees the record the server made and says yes.

use crate::approval::{Answer, Channel, NewPin, Signing};
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Method;

/// Approves what it is shown. Only the demo makes one, for its own throw-away store.
pub(super) struct Rehearsal {
    /// What the person was shown, in short.
    pub(super) saw: String,
    /// A PIN of its own, which protects nothing but the throw-away store.
    pub(super) pin: String,
}

impl Channel for Rehearsal {
    fn method(&self) -> Method {
        Method::Demo
    }

    fn who(&self) -> String {
        "the demo, playing the person".into()
    }

    fn ask(&mut self, records: &[Record], _: &Signing) -> std::io::Result<Answer> {
        self.saw = records.iter().map(seen).collect::<Vec<_>>().join("\n");
        Ok(Answer::Approve)
    }

    fn pin(&mut self) -> std::io::Result<Option<Sensitive>> {
        Ok(Some(Sensitive::new(self.pin.clone())))
    }

    fn new_pin(&mut self) -> std::io::Result<NewPin> {
        self.saw.push_str("\na PIN is set first, typed twice");
        Ok(NewPin::Chosen(Sensitive::new(self.pin.clone())))
    }
}

fn seen(record: &Record) -> String {
    let destination =
        record.destination.as_deref().map_or_else(String::new, |to| format!(" → {to}"));
    let mut saw = format!(
        "{}  {} of {}{destination} (risk: {}, rule: {})\napproved",
        record.match_code, record.tool, record.resource, record.risk, record.rule
    );
    if record.type_the_name {
        saw.push_str(&format!(", after typing `{}`", record.resource));
    }
    saw
}
