//! The sections of the page: a sentence, a chart, a table.

use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};

use super::chart::{self, Bar, Column, Range, Title};
use super::figures::{Figures, HASTY_MS, PLACES};
use super::page::{About, NAMED_PLACES, minute};
use crate::audit::query::{seen, took};

/// Rows of a table; an export has all of them.
const ROWS: usize = 100;
/// Columns that a telephone has room for.
const COLUMNS: i64 = 64;

pub(super) fn disclosures(figures: &Figures) -> Markup {
    let (step, columns) = over_time(figures);
    let sum =
        |place: usize| figures.disclosed.values().filter_map(|counts| counts.get(place)).sum();
    let legend: Vec<(&str, &str, u64)> = NAMED_PLACES
        .iter()
        .enumerate()
        .map(|(at, (class, name))| (*class, *name, sum(at)))
        .collect();
    let each = if step == 1 { "one day".to_owned() } else { format!("{step} days") };
    let total: u64 = legend.iter().map(|(_, _, sum)| sum).sum();
    let desc = format!("Values handed out, a column for {each}: {total} in all.");
    let title = Title { id: "disclosures", name: "Values handed out over time", desc: &desc };
    let rows = columns.iter().filter(|column| column.parts.iter().any(|(_, count)| *count > 0));
    let rows = rows.map(|column| {
        let counts = column.parts.iter().map(|(_, count)| count.to_string());
        std::iter::once(column.label.clone()).chain(counts).collect()
    });
    let secrets = figures.secrets.ranked(|counts| counts.iter().sum());
    let by_secret = secrets.into_iter().map(|(name, counts)| {
        std::iter::once(seen(name)).chain(counts.iter().map(u64::to_string)).collect()
    });
    let heads = |first| [first, "agent", "file", "person"];
    html! {
        section {
            h2 { "Values handed out over time" }
            @if total == 0 {
                p { "No value left KMS. A masked read hands out nothing and is not counted here." }
            } @else {
                p { "A value counts when KMS answered and it reached its place; a masked read hands out nothing. A column is " (each) "." }
                (chart::legend(&legend))
                figure { (chart::columns(title, &columns)) }
                (table("Values handed out, by time", &heads("From"), rows))
                h3 { "Whose value" }
                (table("Values handed out, by secret", &heads("Secret"), by_secret))
            }
        }
    }
}

/// The days of a column, and the columns from the first day of the log to the last.
fn over_time(figures: &Figures) -> (i64, Vec<Column>) {
    let (Some((first, _)), Some((last, _))) =
        (figures.disclosed.first_key_value(), figures.disclosed.last_key_value())
    else {
        return (1, Vec::new());
    };
    let days = i64::from((*last - *first).get_days()) + 1;
    let step = [1, 7, 28, 91, 364].into_iter().find(|step| days / step < COLUMNS);
    let step = step.unwrap_or(days / COLUMNS + 1);
    let mut columns: Vec<(Date, [u64; PLACES.len()])> = Vec::new();
    let mut day = *first;
    while day <= *last {
        let Ok(next) = day.checked_add(step.days()) else { break };
        let mut counts = [0; PLACES.len()];
        for found in figures.disclosed.range(day..next).map(|(_, found)| found) {
            counts.iter_mut().zip(found).for_each(|(sum, count)| *sum += count);
        }
        columns.push((day, counts));
        day = next;
    }
    let columns = columns.into_iter().map(|(day, counts)| Column {
        label: day.to_string(),
        parts: NAMED_PLACES.iter().map(|(class, _)| *class).zip(counts).collect(),
    });
    (step, columns.collect())
}

pub(super) fn deciders(figures: &Figures) -> Markup {
    let ranked = figures.deciders.ranked(|decider| decider.yes + decider.no);
    let ranges: Vec<Range> = ranked
        .iter()
        .filter_map(|(name, decider)| {
            let spread = decider.spread()?;
            let note = format!("median {}", took(spread[1]));
            Some(Range { label: (*name).to_owned(), places: spread.map(place), note })
        })
        .collect();
    let marks = [(1_000, "1 s"), (10_000, "10 s"), (60_000, "1 min"), (600_000, "10 min")];
    let marks = marks.map(|(ms, name)| (place(ms), name));
    let title = Title {
        id: "deciders",
        name: "Who decided, and how fast",
        desc: "For each person and channel the fastest, the median and the slowest decision, on a logarithmic scale.",
    };
    let rows = ranked.iter().map(|(name, decider)| {
        let [low, middle, high] =
            decider.spread().map_or([const { String::new() }; 3], |times| times.map(took));
        let counts = [decider.yes, decider.no, decider.hasty].map(|count| count.to_string());
        [vec![seen(name)], counts.to_vec(), vec![low, middle, high]].concat()
    });
    let heads = ["Who, how", "yes", "no", "within 3 s", "fastest", "median", "slowest"];
    html! {
        section {
            h2 { "Who decided, and how fast" }
            @if ranked.is_empty() {
                p { "No person decided anything." }
            } @else {
                p { "From the question to the decision: the line is all of them, the dot the median. A yes within 3 seconds was hardly read." }
                figure { (chart::ranges(title, &ranges, &marks, (place(HASTY_MS), "hardly read"))) }
                (table("Decisions of persons", &heads, rows))
            }
            @if !figures.unrecorded.is_empty() {
                p.alert { (figures.unrecorded.len()) " calls name an approval that is on no record here: the log of the process that asked the person is missing." }
            }
        }
    }
}

/// A place on a logarithmic scale from 0.1 seconds to 10,000.
#[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
fn place(ms: i64) -> f64 {
    (((ms.max(100) as f64).log10() - 2.0) / 5.0).min(1.0)
}

pub(super) fn denials(figures: &Figures) -> Markup {
    let ranked = figures.refusals.ranked(|count| *count);
    let bars: Vec<Bar> = ranked.iter().map(|(name, count)| bar(name, "one", **count)).collect();
    let title = Title {
        id: "denials",
        name: "Denials by rule",
        desc: "Calls that were denied, by the rule of the policy or by the code.",
    };
    let rows = ranked.iter().map(|(name, count)| vec![seen(name), count.to_string()]);
    html! {
        section {
            h2 { "Denials by rule" }
            @if ranked.is_empty() {
                p { "No call was denied." }
            } @else {
                p { "A policy denies by a rule; anything else has a code, such as " code { "ConfirmationDeclined" } " where a person said no." }
                figure { (chart::bars(title, &bars)) }
                (table("Denied calls", &["Rule or code", "calls"], rows))
            }
        }
    }
}

fn bar(label: &str, class: &'static str, count: u64) -> Bar {
    Bar { label: label.to_owned(), parts: vec![(class, count)], note: count.to_string() }
}

pub(super) fn rules(figures: &Figures, about: &About<'_>) -> Markup {
    let count = |rule: &String| figures.rules.get(rule).copied();
    let dormant: Vec<&String> = about.rules.iter().filter(|rule| count(rule).is_none()).collect();
    let bars: Vec<Bar> = about
        .rules
        .iter()
        .map(|rule| match count(rule) {
            None => Bar { note: "never".into(), ..bar(rule, "none", 0) },
            Some(calls) => bar(rule, "two", calls),
        })
        .collect();
    let title = Title {
        id: "rules",
        name: "Rules of the policy and the calls they decided",
        desc: "For each rule of the policy, in its order, how many calls it decided.",
    };
    let rows = about
        .rules
        .iter()
        .map(|rule| vec![seen(rule), count(rule).unwrap_or_default().to_string()]);
    let strange =
        figures.rules.iter().filter(|(rule, _)| about.rules.iter().all(|own| own != rule));
    let strange: Vec<Vec<String>> =
        strange.map(|(rule, count)| vec![seen(rule), count.to_string()]).collect();
    html! {
        section {
            h2 { "Rules that never decided" }
            @match dormant.as_slice() {
                [] => { p { "Every rule of " (seen(about.policy)) " decided at least one call." } }
                some => { p { (some.len()) " of " (about.rules.len()) " rules of " (seen(about.policy)) " decided no call: "
                    @for (at, rule) in some.iter().enumerate() { @if at > 0 { ", " } code { (seen(rule)) } } "." } }
            }
            p.faint { "A record names the one rule that decided. A rule that only went along, such as a limit beside a wider rule, is never named." }
            figure { (chart::bars(title, &bars)) }
            (table("Rules of the policy", &["Rule", "calls"], rows))
            @if !strange.is_empty() {
                h3 { "Named in the log, but not in this policy" }
                (table("Rules of other policies", &["Rule", "calls"], strange.into_iter()))
            }
        }
    }
}

pub(super) fn actions(figures: &Figures) -> Markup {
    let ranked = figures.actions.ranked(super::figures::Calls::all);
    let bars: Vec<Bar> = ranked
        .iter()
        .map(|(name, calls)| Bar {
            label: (*name).to_owned(),
            parts: vec![
                ("two", calls.done),
                ("none", calls.refused),
                ("one", calls.failed + calls.unknown),
            ],
            note: calls.all().to_string(),
        })
        .collect();
    let sum =
        |part: fn(&super::figures::Calls) -> u64| ranked.iter().map(|(_, calls)| part(calls)).sum();
    let legend = [
        ("two", "done", sum(|calls| calls.done)),
        ("none", "denied", sum(|calls| calls.refused)),
        ("one", "failed or unknown", sum(|calls| calls.failed + calls.unknown)),
    ];
    let title = Title {
        id: "actions",
        name: "Calls by action",
        desc: "For each KMS action how many calls were done, denied, or failed.",
    };
    let rows = ranked.iter().map(|(name, calls)| {
        let counts = [calls.done, calls.refused, calls.failed, calls.unknown];
        std::iter::once(seen(name)).chain(counts.map(|count| count.to_string())).collect()
    });
    html! {
        section {
            h2 { "Calls by action" }
            @if ranked.is_empty() {
                p { "No call was made." }
            } @else {
                p { "With the calls that calls made on their way, such as the reading of a description before a question." }
                (chart::legend(&legend))
                figure { (chart::bars(title, &bars)) }
                (table("Calls", &["Action", "done", "denied", "failed", "unknown"], rows))
            }
        }
    }
}

pub(super) fn unknown(figures: &Figures) -> Markup {
    let ranked = figures.actions.ranked(|calls| calls.unknown);
    let some = ranked.iter().filter(|(_, calls)| calls.unknown > 0);
    let bars: Vec<Bar> = some.map(|(name, calls)| bar(name, "one", calls.unknown)).collect();
    let title = Title {
        id: "unknown",
        name: "Unknown outcomes by action",
        desc: "Calls that may or may not have been carried out, by action.",
    };
    let rows = figures.named.iter().map(|call| {
        let texts = [&call.call, &call.action, &call.secret, &call.code].map(|text| seen(text));
        std::iter::once(minute(call.time)).chain(texts).collect()
    });
    html! {
        section {
            h2 { "Unknown outcomes" }
            @if figures.unknown == 0 {
                p { "Every call has its result on record." }
            } @else {
                p { "The request may have left and no result is on record: the process ended, or the connection broke. ActionTrail knows what became of it." }
                figure { (chart::bars(title, &bars)) }
                (table("Calls of unknown outcome", &["Time (UTC)", "Call", "Action", "Secret", "Code"], rows))
            }
        }
    }
}

pub(super) fn others(figures: &Figures) -> Markup {
    let rows = figures.alarms.ranked(|count| *count);
    let rows: Vec<Vec<String>> =
        rows.iter().map(|(event, count)| vec![seen(event), count.to_string()]).collect();
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Other events" }
                p { "Lock-outs, changes of the PIN, forms that a client declined, values stopped on their way out." }
                (table("Other events", &["Event", "records"], rows.into_iter()))
            }
        }
    }
}

/// A table whose first column is text; a column of numbers is set to the right.
fn table(caption: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Markup {
    let mut rows = rows.peekable();
    let shown: Vec<Vec<String>> = rows.by_ref().take(ROWS).collect();
    let more = rows.peek().is_some();
    let numbers = |at: usize| {
        let is_number =
            |cell: &String| cell.bytes().all(|byte| byte.is_ascii_digit()) && !cell.is_empty();
        at > 0 && shown.iter().all(|row| row.get(at).is_some_and(is_number))
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) @if more { ", the first " (ROWS) } }
                thead { tr { @for (at, head) in heads.iter().enumerate() { th.number[numbers(at)] scope="col" { (head) } } } }
                tbody {
                    @for row in &shown {
                        tr { @for (at, cell) in row.iter().enumerate() { td.number[numbers(at)] { (cell) } } }
                    }
                }
            }
        }
    }
}
