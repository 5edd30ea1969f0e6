//! What a policy of the call would do, in rows: whom it lets in from another account, and whether
//! it leaves nobody who could change it back.

use super::rows::{Author, Rows};
use crate::guard::approval::Record;
use crate::operations::{Policy, Reach};
use crate::text::quoted;

/// How many principals of another account have rows of their own; all stand in the policy below.
const MAX_ROWS: usize = 20;
/// The note on a principal of another account.
const STRANGER: &str = "ANOTHER ACCOUNT";

/// A policy that the call would set.
pub(super) struct Outlook {
    reach: Reach,
    /// The account of the secret is known.
    account_known: bool,
}

impl Outlook {
    /// Of the policy among the arguments, if there is one.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let (_, policy) = record.arguments.iter().find(|(name, _)| name == "Policy")?;
        let change = if record.tool == "CreateKey" { "SetKeyPolicy" } else { "SetSecretPolicy" };
        let account = account(record);
        let reach = Policy::reach(policy, account, change)?;
        Some(Self { reach, account_known: account.is_some() })
    }

    /// What it does, with every principal.
    pub(super) fn whole(&self) -> String {
        let named = self.reach.principals.iter().map(|one| {
            let note = if one.stranger { format!(" ({STRANGER})") } else { String::new() };
            quoted(&one.name) + &note
        });
        let named: Vec<String> = named.collect();
        let whom = if named.is_empty() { "nobody".into() } else { named.join(", ") };
        format!("{}allows {whom}", self.lock())
    }

    /// What it does, with principals counted.
    pub(super) fn counted(&self) -> String {
        let all = self.reach.principals.len();
        let strangers = self.reach.principals.iter().filter(|one| one.stranger).count();
        let of_them = match strangers {
            0 => String::new(),
            some => format!(", {some} of {STRANGER}"),
        };
        format!("{}allows {all}{of_them}", self.lock())
    }

    fn lock(&self) -> &'static str {
        if self.reach.locks_out { "LOCKS YOU OUT; " } else { "" }
    }
}

/// Adds what is to be known of a policy before it is read.
pub(super) fn add(rows: &mut Rows, record: &Record) {
    let Some(outlook) = Outlook::of(record) else { return };
    if outlook.reach.locks_out {
        rows.ours(
            "WARNING",
            "locks the account out: no principal of this account could change the policy again",
        );
    }
    if !outlook.account_known {
        rows.ours("WARNING", "the account is not known, so principals of others are not marked");
    }
    let strangers = || outlook.reach.principals.iter().filter(|one| one.stranger);
    for one in strangers().take(MAX_ROWS) {
        rows.push(STRANGER, format!("{} is allowed", quoted(&one.name)), Author::Others);
    }
    let more = strangers().count().saturating_sub(MAX_ROWS);
    if more > 0 {
        rows.ours(STRANGER, &format!("{more} more principals, in the policy below"));
    }
}

/// The account that the secret belongs to.
fn account(record: &Record) -> Option<&str> {
    let of_arn = || record.witness.as_ref()?.arn.as_deref()?.split(':').nth(3);
    let account = record.account.as_deref().or_else(of_arn)?;
    account.bytes().all(|byte| byte.is_ascii_digit()).then_some(account)
}
