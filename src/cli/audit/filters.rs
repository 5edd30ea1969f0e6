//! The flags by which every reader chooses.

use clap::Args;

use crate::audit::query::{Filter, Glob, When};
use crate::clock::Clock;

#[derive(Debug, Args)]
pub(in crate::cli) struct Filters {
    /// Not before: RFC 3339, a day in UTC such as 2026-11-22, or an age such as 2h or 7d
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<When>,
    /// Before; a day counts to its end
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<When>,
    /// KMS action, such as GetSecretValue
    #[arg(long)]
    action: Option<String>,
    /// Name of the secret; `*` stands for anything
    #[arg(long, value_name = "GLOB")]
    secret: Option<Glob>,
    /// What was decided: allow, ask, refuse, or approve for a person's yes
    #[arg(long, value_parser = ["allow", "allowed", "ask", "asked", "confirm", "refuse", "refused", "deny", "denied", "approve", "approved"])]
    decision: Option<String>,
    /// Where the value was to go: mask, file, person or agent
    #[arg(long)]
    destination: Option<String>,
    /// Who or what decided: a part of the name, or the channel, such as terminal
    #[arg(long)]
    approver: Option<String>,
    /// Event, such as challenge, denied or lockout
    #[arg(long)]
    event: Option<String>,
    /// One call with its steps, such as c3, or 743d/c3 where several processes have one
    #[arg(long)]
    call: Option<String>,
}

impl Filters {
    /// As they stand at this time.
    pub(super) fn at(self, clock: &Clock) -> Filter {
        let now = clock.now();
        Filter {
            since: self.since.map(|when| when.since(now)),
            until: self.until.map(|when| when.until(now)),
            action: self.action,
            secret: self.secret,
            decision: self.decision,
            destination: self.destination,
            approver: self.approver,
            event: self.event,
            call: self.call,
        }
    }
}

/// Whether rows are asked for by what steps and the ends of processes have too.
impl Filters {
    pub(super) fn names_records(&self) -> bool {
        self.action.is_some() || self.event.is_some() || self.call.is_some()
    }
}
