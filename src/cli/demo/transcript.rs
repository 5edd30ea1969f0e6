//! What the demo shows: who says what, in colour on a terminal.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::env::{Env, NO_COLOR};

/// The longest text of one member, in characters; the rest is cut.
const CAP: usize = 160;

/// Writes to stdout.
pub(super) struct Transcript {
    out: io::Stdout,
    colour: bool,
    steps: u32,
}

impl Transcript {
    pub(super) fn new(env: &Env) -> Self {
        let out = io::stdout();
        let colour = out.is_terminal() && env.get(NO_COLOR).is_none();
        Self { out, colour, steps: 0 }
    }

    /// What comes next.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.steps += 1;
        let line = self.painted("1", &format!("{:>2}. {text}", self.steps));
        writeln!(self.out, "\n{line}")
    }

    /// The agent calls a tool.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> io::Result<()> {
        self.text("agent", &format!("{tool} {}", shortened(arguments)))
    }

    /// The server answers.
    pub(super) fn envelope(&mut self, envelope: &Value) -> io::Result<()> {
        let status = envelope.get("Status").and_then(Value::as_str).unwrap_or_default();
        let colour = match status {
            "ok" => "32",
            "confirmation_required" => "33",
            _ => "31",
        };
        let mut lines = vec![self.painted(colour, status)];
        for name in ["Outcome", "Result", "Confirmation", "Error"] {
            if let Some(member) = envelope.get(name) {
                lines.push(format!("{name}: {}", shortened(member)));
            }
        }
        self.text("kms-mcp", &lines.join("\n"))
    }

    /// Anybody says anything.
    pub(super) fn text(&mut self, who: &str, text: &str) -> io::Result<()> {
        for (index, line) in text.lines().enumerate() {
            let who = if index == 0 { format!("{who:>11}") } else { " ".repeat(11) };
            let who = self.painted("36", &who);
            writeln!(self.out, "{who}  {line}")?;
        }
        Ok(())
    }

    /// All went well.
    pub(super) fn ending(&mut self) -> io::Result<()> {
        let line = self.painted("32", &format!("All {} steps did what they say.", self.steps));
        writeln!(self.out, "\n{line}")
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The value with long texts cut.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > CAP => {
            let mut cut: String = text.chars().take(CAP).collect();
            cut.push('…');
            Value::String(cut)
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, member)| (name.clone(), shortened(member))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
