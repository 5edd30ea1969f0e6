//! One test a kind of client: what the agent sees, what the audit log says, and that no client can
//! stand in for a person.

use serde_json::{Value, json};

use super::client::{Does, call, types};
use super::{put, read, server, server_with};
use crate::harness::{Era, Pty, ServerOptions};

/// A kind of client, and what is expected of us.
struct Kind {
    /// What it says that it can do.
    elicitation: Value,
    does: Does,
    /// At level `client`: what it is asked with, and the outcome on record; `consent` means that
    /// the call is made.
    form: Option<&'static str>,
    /// The same at level `person`, from 2025-11-25 on.
    url: Option<&'static str>,
    /// Words of the note for the agent.
    note: &'static str,
}

/// Goes through both levels in every era.
#[track_caller]
fn meets(kind: &Kind) {
    for era in Era::ALL {
        let silent = matches!(kind.does, Does::Nothing);
        let ask = if silent { 1 } else { 300 };
        let config = format!("wait_seconds = 0\nask_seconds = {ask}\n");
        let options = ServerOptions::embedded().era(era);
        let mut server = server_with(options, &kind.elicitation, &config);
        let url = kind.url.filter(|_| era != Era::V2025_06_18);
        for (tool, arguments, mode, expected) in
            [("PutSecretValue", put(), "form", kind.form), ("GetSecretValue", read(), "url", url)]
        {
            let about = format!("{era:?} {tool}");
            let went = call(&mut server, era, tool, &arguments, kind.does);
            let asked = went.asked.as_ref().map(|asked| asked["mode"].as_str().unwrap_or("form"));
            assert_eq!(asked, expected.map(|_| mode), "{about}");
            let outcomes: Vec<Value> = server
                .audit()
                .into_iter()
                .filter(|row| row["event"] == "client_declined" && row["tool"] == tool)
                .map(|row| row["outcome"].clone())
                .collect();
            let approved =
                server.audit().iter().any(|row| row["event"] == "approved" && row["tool"] == tool);
            if expected == Some("consent") {
                assert_eq!(went.envelope["Outcome"], "created", "{about}: {}", went.envelope);
                assert!(approved && outcomes.is_empty(), "{about}: {outcomes:?}");
                continue;
            }
            assert!(!approved, "{about}");
            let recorded = expected.filter(|outcome| *outcome != "opened");
            // A newer client that never comes back leaves nothing to record and nobody to tell.
            if silent && era == Era::V2026_07_28 && asked.is_some() {
                assert!(outcomes.is_empty() && went.envelope.is_null(), "{about}");
                continue;
            }
            let recorded: Vec<Value> = recorded.into_iter().map(Value::from).collect();
            assert_eq!(outcomes, recorded, "{about}");
            assert_eq!(went.envelope["Status"], "confirmation_required", "{about}");
            let notes = went.envelope["Notes"].to_string();
            assert_eq!(notes.contains(kind.note), expected.is_some(), "{about}: {notes}");
            // Nothing was read or written, and the other channels are open.
            assert!(
                !server.audit().iter().any(|row| row["event"] == "intent" && row["tool"] == tool),
                "{about}"
            );
            let code = went.envelope["Confirmation"]["MatchCode"].as_str().unwrap();
            let screen = Pty::approve(server.home(), &[code], &["y"]);
            assert!(screen.text.contains("Approved."), "{about}: {}", screen.text);
            let mut again = arguments.clone();
            again["ConfirmationToken"] = went.envelope["Confirmation"]["Token"].clone();
            let done = server.call(tool, again);
            assert_eq!(done["Status"], "ok", "{about}: {done}");
        }
    }
}

/// Says that it can do all there is.
fn both() -> Value {
    json!({ "form": {}, "url": {} })
}

#[test]
fn without_elicitation() {
    let does = Does::Nothing;
    meets(&Kind { elicitation: Value::Null, does, form: None, url: None, note: "consent" });
}

#[test]
fn forms_only() {
    for elicitation in [json!({}), json!({ "form": {} })] {
        let does = Does::Answers(types);
        meets(&Kind { elicitation, does, form: Some("consent"), url: None, note: "consent" });
    }
}

#[test]
fn pages_only() {
    let does = Does::Answers(|_| json!({ "action": "accept" }));
    let elicitation = json!({ "url": {} });
    meets(&Kind {
        elicitation,
        does,
        form: None,
        url: Some("opened"),
        note: "nothing was decided",
    });
}

#[test]
fn accepting_by_itself() {
    let does = Does::Answers(|_| json!({ "action": "accept", "content": {} }));
    let (form, url) = (Some("untyped"), None);
    meets(&Kind { elicitation: json!({}), does, form, url, note: "no consent" });
}

#[test]
fn accepting_pages_by_itself() {
    for content in [
        |_: &Value| json!({ "action": "accept", "content": {} }),
        // The code that the message shows, where no form asks for it.
        |asked: &Value| {
            let code = asked["message"].as_str().unwrap().rsplit(' ').next().unwrap();
            let code = code.trim_end_matches('.');
            json!({ "action": "accept", "content": { "confirm": code } })
        },
    ] {
        let (form, url) = (None, Some("opened"));
        let does = Does::Answers(content);
        meets(&Kind {
            elicitation: json!({ "url": {} }),
            does,
            form,
            url,
            note: "nothing was decided",
        });
    }
}

#[test]
fn accepting_with_defaults() {
    for content in [
        |_: &Value| json!({ "action": "accept", "content": { "confirm": "" } }),
        |_: &Value| json!({ "action": "accept", "content": { "confirm": true } }),
        |_: &Value| json!({ "action": "accept", "content": { "confirm": "Match code" } }),
    ] {
        let (form, url) = (Some("untyped"), None);
        let does = Does::Answers(content);
        meets(&Kind { elicitation: json!({ "form": {} }), does, form, url, note: "no consent" });
    }
}

#[test]
fn declining_by_itself() {
    let does = Does::Answers(|_| json!({ "action": "decline" }));
    let (form, url) = (Some("declined"), Some("declined"));
    meets(&Kind { elicitation: both(), does, form, url, note: "declined: there is no consent" });
}

#[test]
fn closing_the_dialog() {
    let does = Does::Answers(|_| json!({ "action": "cancel", "content": { "confirm": "x" } }));
    let (form, url) = (Some("dismissed"), Some("dismissed"));
    meets(&Kind { elicitation: both(), does, form, url, note: "closed without a choice" });
}

#[test]
fn answering_an_error() {
    let (form, url) = (Some("unavailable"), Some("unavailable"));
    meets(&Kind { elicitation: both(), does: Does::Fails, form, url, note: "could not ask" });
}

#[test]
fn answering_nothing() {
    let (form, url) = (Some("timed_out"), Some("timed_out"));
    let note = "not answered in time";
    meets(&Kind { elicitation: both(), does: Does::Nothing, form, url, note });
}

/// Even an answer that would be a consent elsewhere.
#[test]
fn a_form_is_never_shown_where_a_person_is_wanted() {
    for era in Era::ALL {
        let mut server = server(era, &json!({ "form": {} }));
        let asked = server.call("GetSecretValue", read());
        assert_eq!(asked["Status"], "confirmation_required", "{era:?} {asked}");
        let mut again = read();
        again["ConfirmationToken"] = asked["Confirmation"]["Token"].clone();
        assert_eq!(server.call("GetSecretValue", again)["Status"], "confirmation_required");
    }
}
