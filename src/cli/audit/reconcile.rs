//! `kms-mcp audit reconcile --actiontrail FILE [DIR]`: what the cloud saw and our log did not.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::{Failure, State, typed};
use super::reading::{UNREADABLE, Walked, walk};
use super::table::{Table, columns};
use super::{folder, show};
use crate::audit::actiontrail::{self, CloudEvent};
use crate::audit::proven::Proven;
use crate::audit::query::{Filter, When, ascii, plain};
use crate::audit::reconcile::{Ledger, Ours, Reconciled, Stray};
use crate::audit::{Expected, PublicKey, verify};
use crate::clock::Clock;
use crate::env::Env;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder with the log [default: `audit` in the state folder]
    #[arg(value_name = "DIR", value_parser = typed::path())]
    folder: Option<PathBuf>,
    /// Events of ActionTrail: a JSON array, one event a line, or an answer of LookupEvents
    #[arg(long, value_name = "FILE", value_parser = typed::path())]
    actiontrail: PathBuf,
    /// Not before: RFC 3339, a day in UTC, or an age such as 7d [default: all that the file has]
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Before; a day counts to its end [default: all that the file has]
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// Public key that must have signed, as `audit key` prints it; may be named again for another
    #[arg(long = "key", value_name = "FILE|BASE64URL", allow_hyphen_values = true)]
    keys: Vec<String>,
    /// table for people; json: one object a line, the counts last
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    state: State,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(super) fn run(flags: Flags, env: &Env, clock: &Clock) -> Result<ExitCode, Failure> {
    let keys = flags.keys.iter().map(|key| PublicKey::given(key)).collect::<Result<_, _>>()?;
    let folder = folder(flags.folder, flags.state, env)?;
    let now = clock.now();
    let filter = Filter {
        since: flags.since.map(|when| when.since(now)),
        until: flags.until.map(|when| when.until(now)),
        ..Filter::default()
    };
    let trail = match actiontrail::read(&flags.actiontrail) {
        Ok(trail) => trail,
        Err(error) => {
            writeln!(io::stderr(), "UNREADABLE: {}: {error}", flags.actiontrail.display())?;
            return Ok(ExitCode::from(UNREADABLE));
        }
    };
    // What is not proven must not pass for a record of a call.
    let expected = Expected { keys, copy: None };
    let proven = Proven::by(&verify(&folder, &expected, &mut super::verify::progress()));
    let mut ledger = Ledger::default();
    let walked = walk(&folder, |row| {
        ledger.add(&row, &filter, &proven);
        Ok(())
    })?;
    let found = ledger.against(trail.events, &filter);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match flags.format {
        Format::Table => table(&mut out, &found, &proven),
        Format::Json => lines(&mut out, &found, &proven),
    };
    show::quietly(written.and_then(|()| out.flush()))?;
    notes(&found, trail.broken, trail.others)?;
    walked.tell()?;
    Ok(ExitCode::from(exit_code(&walked, &found, trail.broken)))
}

/// What was not read could be what is missing, on either side.
fn exit_code(walked: &Walked, found: &Reconciled, broken: u64) -> u8 {
    if !walked.trouble.unreadable.is_empty() {
        UNREADABLE
    } else if !found.theirs.is_empty() {
        1
    } else if broken > 0 {
        UNREADABLE
    } else {
        0
    }
}

fn notes(found: &Reconciled, broken: u64, others: u64) -> io::Result<()> {
    let mut err = io::stderr().lock();
    if broken > 0 {
        writeln!(err, "UNREADABLE: {broken} parts of the ActionTrail file are no events")?;
    }
    if others > 0 {
        writeln!(err, "{others} events of other services than KMS are left out")?;
    }
    if found.earlier_tries > 0 && !found.theirs.is_empty() {
        writeln!(
            err,
            "{} requests were sent again; the log names the RequestId of the last try only, so as many of theirs may be earlier tries",
            found.earlier_tries
        )?;
    }
    if !found.ours.is_empty() {
        writeln!(
            err,
            "ActionTrail delivers some minutes late and does not keep every read: ours without theirs may only be that"
        )?;
    }
    Ok(())
}

fn table(out: &mut impl Write, found: &Reconciled, proven: &Proven) -> io::Result<()> {
    let table = Table::new([19, 14, 16, 0], columns());
    if !proven.all() {
        writeln!(out, "THE LOG IS NOT VERIFIED: `kms-mcp audit verify` says why\n")?;
    }
    writeln!(out, "THEIRS WITHOUT OURS: {}", found.theirs.len())?;
    if !found.theirs.is_empty() {
        table.row(out, ["TIME (UTC)", "ACTION", "SECRET", "WHO, AND WHY IT IS STRANGE"])?;
    }
    for (stray, event, perhaps) in &found.theirs {
        let time = event.time.map_or("-".to_owned(), |time| short(&time));
        let secret = plain(event.resource.as_deref().unwrap_or("-"), 300);
        let why = plain(&why(*stray, event, perhaps.as_ref()), 1000);
        table.row(out, [&time, &plain(&event.action, 100), &secret, &why])?;
    }
    writeln!(out, "\nOURS WITHOUT THEIRS: {}", found.ours.len())?;
    if !found.ours.is_empty() {
        table.row(out, ["TIME (UTC)", "ACTION", "SECRET", "CALL"])?;
    }
    for own in &found.ours {
        let secret = plain(own.secret.as_deref().unwrap_or("-"), 300);
        let id = own.request_id.as_deref();
        let id = id.map_or("no answer came".to_owned(), |id| format!("RequestId {id}"));
        let call = plain(&format!("{}; {id}", own.call), 300);
        table.row(out, [&short(&own.time), &plain(&own.action, 100), &secret, &call])?;
    }
    writeln!(out, "\nMATCHED BY AN UNPROVEN RECORD: {}", found.unproven.len())?;
    if !found.unproven.is_empty() {
        table.row(
            out,
            ["TIME (UTC)", "ACTION", "SECRET", "WHO, AND WHICH FILE SAYS THAT WE DID IT"],
        )?;
    }
    for (event, own) in &found.unproven {
        let time = event.time.map_or("-".to_owned(), |time| short(&time));
        let secret = plain(event.resource.as_deref().unwrap_or("-"), 300);
        let parts = [named(event), vec![format!("by {} of {}", own.call, own.file)]].concat();
        let whose = plain(&parts.join("; "), 1000);
        table.row(out, [&time, &plain(&event.action, 100), &secret, &whose])?;
    }
    writeln!(out, "\nMATCHED: {}", found.matched)?;
    writeln!(out, "OUTSIDE THE WINDOW: {}", found.outside)
}

fn short(time: &jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn why(stray: Stray, event: &CloudEvent, perhaps: Option<&Ours>) -> String {
    let mut parts = vec![match (stray, perhaps) {
        (Stray::Differs, Some(own)) => {
            let secret = own.secret.as_deref().map(|name| format!(" of {name}"));
            format!("OUR LOG SAYS {}{} ({})", own.action, secret.unwrap_or_default(), own.call)
        }
        (Stray::Differs, None) => "OUR LOG SAYS ANOTHER CALL".to_owned(),
        (Stray::Marked, Some(own)) => {
            format!("our User-Agent; may be {}, whose answer never came", own.call)
        }
        (Stray::Marked, None) => "OUR USER-AGENT, NOT IN OUR LOG".to_owned(),
        (Stray::Other, _) => "not by kms-mcp".to_owned(),
    }];
    parts.extend(named(event));
    parts.join("; ")
}

/// What the cloud says of who called.
fn named(event: &CloudEvent) -> Vec<String> {
    let named = [
        ("", &event.who),
        ("key ", &event.caller_key),
        ("from ", &event.source_ip),
        ("answered ", &event.error_code),
        ("RequestId ", &event.request_id),
    ];
    let known = |(name, text): (_, &Option<String>)| Some(format!("{name}{}", text.as_ref()?));
    named.into_iter().filter_map(known).collect()
}

fn lines(out: &mut impl Write, found: &Reconciled, proven: &Proven) -> io::Result<()> {
    for (stray, event, perhaps) in &found.theirs {
        let why = match stray {
            Stray::Marked => "our_user_agent",
            Stray::Differs if perhaps.as_ref().is_some_and(|own| own.is_action_of(event)) => {
                "other_secret"
            }
            Stray::Differs => "other_action",
            Stray::Other => "other",
        };
        let line = json!({
            "kind": "theirs_without_ours", "why": why, "requestId": event.request_id,
            "time": event.time.map(|time| time.to_string()), "action": event.action,
            "resource": event.resource, "who": event.who, "caller_key": event.caller_key,
            "sourceIp": event.source_ip, "userAgent": event.user_agent,
            "errorCode": event.error_code, "call": perhaps.as_ref().map(|own| &own.call),
        });
        object(out, &line)?;
    }
    for own in &found.ours {
        let line = json!({
            "kind": "ours_without_theirs", "requestId": own.request_id,
            "time": own.time.to_string(), "action": own.action, "resource": own.secret,
            "call": own.call,
        });
        object(out, &line)?;
    }
    for (event, own) in &found.unproven {
        let line = json!({
            "kind": "matched_by_unproven", "requestId": event.request_id,
            "time": event.time.map(|time| time.to_string()), "action": event.action,
            "resource": event.resource, "who": event.who, "caller_key": event.caller_key,
            "sourceIp": event.source_ip, "userAgent": event.user_agent,
            "call": own.call, "file": own.file,
        });
        object(out, &line)?;
    }
    let counts = json!({
        "kind": "counts", "theirs_without_ours": found.theirs.len(),
        "ours_without_theirs": found.ours.len(), "matched": found.matched,
        "outside_the_window": found.outside,
        "matched_by_unproven": found.unproven.len(), "verified": proven.all(),
    });
    object(out, &counts)
}

fn object(out: &mut impl Write, line: &Value) -> io::Result<()> {
    writeln!(out, "{}", ascii(&line.to_string()))
}
