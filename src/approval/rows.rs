//! [`Shown`]: a record as its rows; every way to a person shows these and no others.

use super::signing::Signing;
use crate::guard::approval::Record;
use crate::text::{escaped, quoted};

/// What the approver sees of a record: all of it. What others wrote comes last, quoted, with
/// everything hidden escaped.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) match_code: String,
    /// What this is about, in a few words.
    pub(super) headline: &'static str,
    /// Name and value.
    pub(super) rows: Vec<(String, String)>,
}

impl Shown {
    /// The rows of `record`, and one of what signs the decision.
    pub(super) fn of(record: &Record, signing: Option<&Signing>) -> Self {
        Self {
            match_code: escaped(&record.match_code),
            headline: headline(record),
            rows: rows(record, signing),
        }
    }
}

fn rows(record: &Record, signing: Option<&Signing>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: &str| rows.push((name.to_owned(), escaped(value)));
    row("Action", &format!("{} (risk: {}, level: {})", record.tool, record.risk, record.level));
    match record.resource.as_str() {
        "" => row("About", "the account"),
        name => row("Secret", &quoted(name)),
    }
    row("Region, host", &format!("{}, {}", record.region, record.host));
    row("Account", record.account.as_deref().unwrap_or("not known before the call"));
    row("AccessKey", &format!("fingerprint {}", record.caller_key));
    if let Some(destination) = &record.destination {
        row("Value goes to", place(destination));
    }
    if let Some(name) = &record.file_name {
        row("File", &quoted(name));
    }
    if let Some(source) = &record.source {
        row("Value from", &quoted(source));
    }
    if let Some(seen) = &record.witness {
        let facts = [
            ("ARN", &seen.arn),
            ("Type", &seen.secret_type),
            ("Created", &seen.create_time),
            ("Last change", &seen.update_time),
            ("Deletion planned", &seen.planned_delete_time),
            ("Version", &seen.version_id),
        ];
        for (name, fact) in facts {
            if let Some(fact) = fact {
                row(name, &quoted(fact));
            }
        }
        for version in &seen.versions {
            row("Holds version", &quoted(version));
        }
        if record.type_the_name {
            row("Last use", "KMS publishes none; check ActionTrail before you say yes");
        }
    }
    for (name, value) in &record.arguments {
        row(&quoted(name), &quoted(value));
    }
    row("Rule", &format!("{}: {}", quoted(&record.rule), quoted(&record.rule_reason)));
    row("Rules digest", &record.policy_digest);
    row("Anchored", &record.anchored);
    row("Server, nonce", &format!("{}, {}", record.instance, record.nonce));
    if let Some(signing) = signing {
        row("Signed with", &signing.row());
    }
    row("Asked, until", &format!("{}, {}", record.asked_at, record.expires_at));
    row("Client claims", &quoted(&record.client));
    for tag in record.witness.iter().flat_map(|seen| &seen.tags) {
        row("Tag says", &quoted(tag));
    }
    row("The agent says", &record.agent_says.as_deref().map_or("nothing".into(), quoted));
    rows
}

fn headline(record: &Record) -> &'static str {
    match record.risk.as_str() {
        _ if record.type_the_name => "CANNOT BE UNDONE",
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
pub(crate) fn as_lines(record: &Record) -> String {
    let shown = Shown::of(record, None);
    let rows =
        shown.rows.iter().filter(|(name, _)| name != "Rules digest" && name != "Server, nonce");
    rows.fold(String::new(), |text, (name, value)| text + name + ": " + value + "\n")
}
