//! What is seen: HTML that is escaped as it is made, without a script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::SHEET;
use crate::approval::rows::{Author, Row, Shown};
use crate::approval::signing::Signing;
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Pending;
use crate::text::{escaped, quoted};

/// A question, with the form that decides it.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) record: &'a Record,
    pub(super) signing: &'a Signing,
    /// What the person runs where no PIN is set: a page sets none.
    pub(super) command: &'a str,
    /// Where the form goes.
    pub(super) action: &'a str,
    pub(super) seal: &'a str,
    /// Why the form came back.
    pub(super) message: Option<&'a str>,
    /// Where all that wait are listed.
    pub(super) list: &'a str,
}

impl Question<'_> {
    pub(super) fn page(&self) -> Markup {
        let shown = Shown::of(self.record, Some(self.signing));
        let content = html! {
            h1 { (shown.headline) }
            @if let Some(message) = self.message {
                p.alert role="alert" tabindex="-1" autofocus { (message) }
            }
            p.code { "Match code" strong { (shown.match_code) } }
            p { "The agent shows the same code. If it does not, or if you did not expect this, deny." }
            h2 hidden { "What is asked" }
            dl {
                @for Row { name, value, author } in &shown.rows {
                    div { dt { (name) } (said(value, *author)) }
                }
            }
            h2 hidden { "Once more, before you decide" }
            dl.again {
                @for one in &shown.essentials {
                    div { dt { (one.name) } (said(one.fitting(), one.author)) }
                }
            }
            form method="post" action=(self.action) autocomplete="off" aria-label="Your decision" {
                input type="hidden" name="seal" value=(self.seal);
                @if *self.signing == Signing::NewPin {
                    p { "To approve, set a PIN first, in a terminal of yours. This page sets none. Run:" }
                    p { code { (self.command) } }
                } @else if self.record.type_the_name {
                    label for="name" { "To approve, type the name of the secret" }
                    input #name name="name" type="text" autocapitalize="none" spellcheck="false"
                        aria-describedby="for-good";
                    p.faint #for-good { "Nothing brings it back." }
                }
                @if self.signing.wants_pin() {
                    label for="pin" { "PIN, to approve or to deny" }
                    input #pin name="pin" type="password" autocomplete="one-time-code" required;
                }
                div.buttons {
                    button.deny name="answer" value="deny" { "Deny" }
                    @if *self.signing != Signing::NewPin {
                        button.approve name="answer" value="approve" { "Approve" }
                    }
                }
            }
            p { a href=(self.list) { "All that wait" } }
        };
        whole(&format!("{}: {}", shown.match_code, shown.headline), &content)
    }
}

/// The value of a row. What others wrote has a bar at the left of each line, which no text can draw.
fn said(value: &str, author: Author) -> Markup {
    match author {
        Author::Us => html! { dd { (value) } },
        Author::Others => html! { dd.others { (value) } },
    }
}

/// All that wait: each with its address.
pub(super) fn list(waiting: &[(Pending, String)]) -> Markup {
    let content = html! {
        h1 { "Questions that wait" }
        @if waiting.is_empty() { p { "Nothing waits for a decision." } }
        ul {
            @for (pending, address) in waiting {
                li {
                    @match serde_json::from_slice::<Record>(&pending.record) {
                        Ok(record) => {
                            a href=(address) { (escaped(&record.match_code)) }
                            " " (escaped(&record.risk)) " " (escaped(&record.tool)) " " (quoted(&record.resource))
                        }
                        Err(_) => { (escaped(&pending.match_code)) " unreadable" }
                    }
                }
            }
        }
    };
    whole("Questions that wait", &content)
}

/// A value was approved, or is on its way: this page asks for itself again until it is there.
pub(super) fn coming(title: &str, address: &str) -> Markup {
    let content = html! {
        div role="status" aria-live="polite" {
            h1 tabindex="-1" autofocus { (title) }
            p { "The value is shown here once the agent repeats its call, within 3 minutes. Keep this page open." }
        }
        p { a href=(address) { "Look again" } }
    };
    page(title, &content, Some(address))
}

/// The value is there. A form, so that nothing but the person uses up the one look.
pub(super) fn ready(address: &str) -> Markup {
    let content = html! {
        div role="status" aria-live="polite" {
            h1 tabindex="-1" autofocus { "The value is here" }
            p { "It is shown once. Look around you first." }
        }
        form method="post" action=(address) {
            div.buttons { button.approve { "Show the value" } }
        }
    };
    whole("The value is here", &content)
}

/// The value.
pub(super) fn value(value: &Sensitive) -> Markup {
    #[expect(clippy::disallowed_methods, reason = "to the person who approved exactly this")]
    let content = html! {
        h1 { "The value" }
        textarea readonly rows="8" spellcheck="false" autocomplete="off" aria-label="The value" {
            // A browser drops the first newline of this element.
            "\n" (value.expose())
        }
        p { "It is not shown again. Close this page when you are done with it." }
    };
    whole("The value", &content)
}

/// How it ended, or why there is nothing to see.
pub(super) fn notice(title: &str, text: &str, list: Option<&str>) -> Markup {
    let content = html! {
        div role="status" aria-live="polite" {
            h1 tabindex="-1" autofocus { (title) }
            p { (text) }
        }
        @if let Some(list) = list { p { a href=(list) { "All that wait" } } }
    };
    whole(title, &content)
}

fn whole(title: &str, content: &Markup) -> Markup {
    page(title, content, None)
}

/// With `next`, a page that goes there after two seconds.
fn page(title: &str, content: &Markup, next: Option<&str>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(next) = next { meta http-equiv="refresh" content={ "2; url=" (next) }; }
                title { (title) " · kms-mcp" }
                style { (PreEscaped(SHEET)) }
            }
            body { main { (content) } }
        }
    }
}
