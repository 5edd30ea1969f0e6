//! [`Shown`]: a record as its rows; every way to a person shows these and no others.

use super::essentials::{Essential, essentials};
use super::policy_rows;
use super::signing::Signing;
use crate::guard::approval::Record;
use crate::json::indented;
use crate::text::{escaped, quoted};

/// Whose words the value of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// This program's.
    Us,
    /// Somebody else's: the agent's, the client's, the cloud's, or a policy file's.
    Others,
}

/// A row: a name and a value. Only JSON of others has line breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) author: Author,
}

/// Rows in the order in which they are shown.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    /// Words of ours.
    pub(super) fn ours(&mut self, name: &str, value: &str) {
        self.push(name, escaped(value), Author::Us);
    }

    /// A text that others wrote, in quotes.
    pub(super) fn others(&mut self, name: &str, text: &str) {
        self.push(name, quoted(text), Author::Others);
    }

    /// What is escaped already.
    pub(super) fn push(&mut self, name: &str, value: String, author: Author) {
        self.0.push(Row { name: escaped(name), value, author });
    }
}

/// What the approver sees of a record: all of it. What others wrote comes last, quoted, with
/// everything hidden escaped.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) match_code: String,
    /// What this is about, in a few words.
    pub(super) headline: &'static str,
    pub(super) rows: Vec<Row>,
    /// What stands right before the decision, once more.
    pub(super) essentials: Vec<Essential>,
}

impl Shown {
    /// The rows of `record`, and one of what signs the decision.
    pub(super) fn of(record: &Record, signing: Option<&Signing>) -> Self {
        Self {
            match_code: escaped(&record.match_code),
            headline: headline(record),
            rows: rows(record, signing).0,
            essentials: essentials(record),
        }
    }
}

fn rows(record: &Record, signing: Option<&Signing>) -> Rows {
    let mut rows = Rows::default();
    rows.ours(
        "Action",
        &format!("{} (risk: {}, level: {})", record.tool, record.risk, record.level),
    );
    match record.resource.as_str() {
        "" => rows.ours("About", "the account"),
        name => rows.others("Secret", name),
    }
    rows.ours("Region, host", &format!("{}, {}", record.region, record.host));
    rows.ours("Account", record.account.as_deref().unwrap_or("not known before the call"));
    rows.ours("AccessKey", &format!("fingerprint {}", record.caller_key));
    if let Some(destination) = &record.destination {
        rows.ours("Value goes to", place(destination));
    }
    if let Some(name) = &record.file_name {
        rows.others("File", name);
    }
    if let Some(source) = &record.source {
        rows.others("Value from", source);
    }
    policy_rows::add(&mut rows, record);
    witnessed(&mut rows, record);
    for (name, value) in &record.arguments {
        let value = indented(value).unwrap_or_else(|| quoted(value));
        rows.push(&quoted(name), value, Author::Others);
    }
    let rule = format!("{}: {}", quoted(&record.rule), quoted(&record.rule_reason));
    rows.push("Rule", rule, Author::Others);
    rows.ours("Rules digest", &record.policy_digest);
    rows.ours("Anchored", &record.anchored);
    rows.ours("Server, nonce", &format!("{}, {}", record.instance, record.nonce));
    if let Some(signing) = signing {
        rows.ours("Signed with", &signing.row());
    }
    rows.ours("Asked, until", &format!("{}, {}", record.asked_at, record.expires_at));
    rows.others("Client claims", &record.client);
    for tag in record.witness.iter().flat_map(|seen| &seen.tags) {
        rows.others("Tag says", tag);
    }
    match &record.agent_says {
        Some(reason) => rows.others("The agent says", reason),
        None => rows.ours("The agent says", "nothing"),
    }
    rows
}

/// What was read of the secret before asking.
fn witnessed(rows: &mut Rows, record: &Record) {
    let Some(seen) = &record.witness else { return };
    let facts = [
        ("ARN", &seen.arn),
        ("Type", &seen.secret_type),
        ("Created", &seen.create_time),
        ("Last change", &seen.update_time),
        ("Deletion planned", &seen.planned_delete_time),
        ("Version", &seen.version_id),
        ("Lost for good", &seen.dropped_version),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            rows.others(name, fact);
        }
    }
    for version in &seen.versions {
        rows.others("Holds version", version);
    }
    if record.type_the_name {
        rows.ours("Last use", "KMS publishes none; check ActionTrail before you say yes");
    }
}

fn headline(record: &Record) -> &'static str {
    match record.risk.as_str() {
        _ if record.type_the_name => "CANNOT BE UNDONE",
        _ if record.witness.as_ref().is_some_and(|seen| seen.dropped_version.is_some()) => {
            "A VERSION OF THE SECRET IS LOST FOR GOOD"
        }
        "destroy" => "HANDS SECRETS TO WHOM THE POLICY NAMES",
        "reveal" => "A VALUE LEAVES KMS",
        _ => "A change",
    }
}

fn place(destination: &str) -> &'static str {
    match destination {
        "agent" => "the agent's conversation: the model, its provider and the transcript see it",
        "mask" => "nowhere, it is masked",
        "file" => "a file of mode 0600 in the configured folder",
        _ => "you, on the approval page",
    }
}

/// The record as lines, for a form of the MCP client: everything but what only a machine compares.
/// A line of JSON of others begins with `> `, so that it is none of ours.
pub(crate) fn as_lines(record: &Record) -> String {
    let shown = Shown::of(record, None);
    let rows =
        shown.rows.iter().filter(|row| row.name != "Rules digest" && row.name != "Server, nonce");
    rows.fold(String::new(), |text, row| {
        text + &row.name + ": " + &row.value.replace('\n', "\n> ") + "\n"
    })
}
