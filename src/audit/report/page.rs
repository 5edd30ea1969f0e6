//! The page: one file that holds everything it needs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::figures::{Figures, PLACES};
use super::sections;
use crate::audit::query::{Trouble, seen};

/// Light and dark, from 360 pixels on, without a font, image or script.
const SHEET: &str = include_str!("report.css");

/// What the page is about, besides the figures.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) folder: &'a str,
    /// When the page is made.
    pub(crate) made: Timestamp,
    pub(crate) records: u64,
    pub(crate) trouble: &'a Trouble,
    /// Name of the policy whose rules are looked for.
    pub(crate) policy: &'a str,
    pub(crate) policy_digest: &'a str,
    pub(crate) rules: &'a [String],
}

/// The whole page.
pub(crate) fn page(figures: &Figures, about: &About<'_>) -> String {
    let hash = STANDARD.encode(Sha256::digest(SHEET.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'none'; base-uri 'none'"
    );
    let content = html! {
        h1 { "What agents did with secrets" }
        p { "Made by " code { "kms-mcp audit report" } " from the audit log. It shows what the log says and proves nothing: "
            code { "kms-mcp audit verify" } " proves that the log is whole, "
            code { "kms-mcp audit reconcile" } " shows what went past it." }
        (troubles(about.trouble))
        dl {
            div { dt { "Log" } dd { (seen(about.folder)) } }
            div { dt { "Period" } dd { (period(figures)) } }
            div { dt { "Records" } dd { (about.records) } }
            div { dt { "Policy" } dd { (seen(about.policy)) ", digest " code { (about.policy_digest.get(..12).unwrap_or_default()) } } }
            div { dt { "Made" } dd { (minute(about.made)) " UTC" } }
        }
        (tiles(figures))
        (sections::disclosures(figures))
        (sections::deciders(figures))
        (sections::denials(figures))
        (sections::rules(figures, about))
        (sections::actions(figures))
        (sections::unknown(figures))
        (sections::others(figures))
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Audit report · kms-mcp" }
                style { (PreEscaped(SHEET)) }
            }
            body { main { (content) } }
        }
    };
    page.into_string()
}

fn troubles(trouble: &Trouble) -> Markup {
    html! {
        @if !trouble.unreadable.is_empty() || trouble.broken > 0 {
            div.alert role="alert" {
                strong { "This page is not complete." }
                @for (name, error) in &trouble.unreadable { p { (seen(name)) ": " (error) } }
                @if trouble.broken > 0 { p { (trouble.broken) " lines are no records and are left out." } }
            }
        }
    }
}

fn period(figures: &Figures) -> String {
    match (figures.from, figures.to) {
        (Some(from), Some(to)) => format!("{} to {} UTC", minute(from), minute(to)),
        _ => "no records".to_owned(),
    }
}

/// What one wants to know at a glance.
fn tiles(figures: &Figures) -> Markup {
    let handed: u64 = figures.disclosed.values().flatten().sum();
    let to_agents: u64 = figures.disclosed.values().filter_map(|counts| counts.first()).sum();
    let hasty: u64 = figures.deciders.iter().map(|(_, decider)| decider.hasty).sum();
    let refused: u64 = figures.refusals.iter().map(|(_, count)| count).sum();
    let tiles = [
        (handed, "values handed out", false),
        (to_agents, "of them to an agent", false),
        (figures.asked, "questions asked", false),
        (refused, "calls denied", false),
        (hasty, "approved within 3\u{a0}s", hasty > 0),
        (figures.unknown, "unknown outcomes", figures.unknown > 0),
    ];
    html! {
        ul.tiles {
            @for (count, name, bad) in tiles { li.bad[bad] { strong { (count) } (name) } }
        }
    }
}

pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// What a place is called, with the class of its colour.
pub(super) const NAMED_PLACES: [(&str, &str); PLACES.len()] =
    [("one", "to the agent"), ("two", "to a file"), ("three", "to the person")];
