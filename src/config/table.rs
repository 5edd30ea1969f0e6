//! The table of all keys of `config.toml`. The types that are read, how root's file and the user's
//! file combine, and `references/config.md` come from it.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files::{PathError, absolute};

use super::rule::{BOTH, EITHER, JUDGED, LARGER, Policies, Rule, SMALLER, roots};

/// A key as the reference names it.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) takes: fn() -> String,
    /// What holds where no file sets it.
    pub(super) unset: &'static str,
    pub(super) about: &'static str,
    /// What counts where both files set it.
    pub(super) both: &'static str,
}

/// A path that a file should not hold, and why.
type BadPath = (String, PathError);

/// A type of value.
trait Takes {
    /// What the reference calls it.
    const TAKES: &str;

    /// Makes each path in it an absolute one.
    fn write_out(&mut self, _home: Option<&Path>) -> Result<(), BadPath> {
        Ok(())
    }
}

impl Takes for bool {
    const TAKES: &str = "`true` or `false`";
}

impl Takes for u64 {
    const TAKES: &str = "number";
}

impl Takes for String {
    const TAKES: &str = "text";
}

impl Takes for Vec<String> {
    const TAKES: &str = "list of texts";
}

impl Takes for PathBuf {
    const TAKES: &str = "absolute path";

    fn write_out(&mut self, home: Option<&Path>) -> Result<(), BadPath> {
        *self = absolute(self, home).map_err(|error| (self.display().to_string(), error))?;
        Ok(())
    }
}

impl Takes for Vec<PathBuf> {
    const TAKES: &str = "list of absolute paths";

    fn write_out(&mut self, home: Option<&Path>) -> Result<(), BadPath> {
        self.iter_mut().try_for_each(|path| path.write_out(home))
    }
}

impl Takes for Policies {
    const TAKES: &str = "name of a shipped policy, or absolute path";

    fn write_out(&mut self, home: Option<&Path>) -> Result<(), BadPath> {
        for name in self.names_mut().iter_mut().filter(|name| name.starts_with('~')) {
            let mut path = PathBuf::from(&*name);
            path.write_out(home)?;
            *name = path.display().to_string();
        }
        Ok(())
    }
}

/// What the reference says of a key of this type, within this range.
fn takes<T: Takes>(range: Option<RangeInclusive<u64>>) -> String {
    match range {
        None => T::TAKES.into(),
        Some(range) => format!("{}, {} to {}", T::TAKES, range.start(), range.end()),
    }
}

/// Declares each table of `config.toml` as a type: key, type (a number with its range), rule where
/// both files set it, default, meaning; then the tables below it.
macro_rules! tables {
    ($(
        $(#[$doc:meta])+
        $table:literal $name:ident {
            $($key:ident: $type:ty $(, $range:expr)? => $rule:expr, $unset:literal, $about:literal;)*
            $([$inner:ident]: $inner_type:ident;)*
        }
    )+) => {
        $(
            $(#[$doc])+
            #[derive(Debug, Default, Deserialize)]
            #[serde(deny_unknown_fields, default)]
            pub(crate) struct $name {
                $(#[doc = $about] pub(crate) $key: Option<$type>,)*
                $(pub(crate) $inner: $inner_type,)*
            }

            impl $name {
                /// What counts where root's file says this and the user's file says `user`.
                pub(super) fn bounding(self, user: Self) -> Self {
                    Self {
                        $($key: $rule.join(self.$key, user.$key),)*
                        $($inner: self.$inner.bounding(user.$inner),)*
                    }
                }

                /// Makes each path an absolute one; `~/` stands for `home`.
                pub(super) fn write_out_paths(
                    &mut self,
                    home: Option<&Path>,
                ) -> Result<(), (&'static str, BadPath)> {
                    $(if let Some(value) = &mut self.$key {
                        let name = concat!($table, stringify!($key));
                        value.write_out(home).map_err(|bad| (name, bad))?;
                    })*
                    $(self.$inner.write_out_paths(home)?;)*
                    Ok(())
                }

                /// The first number that is out of its range: its key and the range.
                pub(super) fn out_of_range(&self) -> Option<(&'static str, RangeInclusive<u64>)> {
                    None
                        $($(.or_else(|| {
                            let range: RangeInclusive<u64> = $range;
                            let out = self.$key.is_some_and(|given| !range.contains(&given));
                            out.then_some((concat!($table, stringify!($key)), range))
                        }))?)*
                        $(.or_else(|| self.$inner.out_of_range()))*
                }
            }
        )+

        /// All keys, in the order of the table.
        pub(super) const KEYS: &[Key] = &[$($(Key {
            name: concat!($table, stringify!($key)),
            takes: || {
                let range: Option<RangeInclusive<u64>> = None $(.or(Some($range)))?;
                takes::<$type>(range)
            },
            unset: $unset,
            about: $about,
            both: {
                let rule: Rule<$type> = $rule;
                rule.says
            },
        },)*)+];
    };
}

tables! {
    /// Everything that a file may say; unknown keys are refused.
    "" Settings {
        policy: Policies => JUDGED, "`default`", "The policy that judges calls.";
        region: String => roots(), "that of the profile",
            "Region of calls when neither argument, flag nor environment names one.";
        wait_seconds: u64, 0..=300 => SMALLER, "45",
            "How long a repeated call waits for a decision, in seconds.";
        ask_seconds: u64, 1..=300 => SMALLER, "120",
            "How long a dialog of the client may stay open, in seconds.";
        progress_seconds: u64, 1..=60 => SMALLER, "5",
            "How often a client that wants to know hears that its call waits, in seconds.";
        open_browser: bool => BOTH, "`false`", "Open each approval request in the browser.";
        [sources]: Sources;
        [destinations]: Destinations;
        [limits]: AskLimits;
        [approval]: ApprovalSettings;
        [network]: NetworkSettings;
        [audit]: AuditSettings;
    }
    /// Where values may come from.
    "sources." Sources {
        env: Vec<String> => roots(), "none",
            "Globs over names of environment variables that a value may come from.";
        files: Vec<PathBuf> => roots(), "`values` in the state folder",
            "Folders with files that a value may come from.";
    }
    /// Where values may go.
    "destinations." Destinations {
        folder: PathBuf => roots(), "`disclosed` in the state folder",
            "Folder of mode 0700 for values of the destination `file`; made if it is missing.";
    }
    /// How often a person is asked.
    "limits." AskLimits {
        pending: u64, 1..=20 => SMALLER, "3", "Approval requests of one server that may wait.";
        questions: u64, 1..=100 => SMALLER, "10",
            "Approval requests of all servers within ten minutes.";
        cool_off_seconds: u64, 0..=3600 => LARGER, "300",
            "How long a declined request cannot be repeated, in seconds.";
    }
    /// What a person's approval takes.
    "approval." ApprovalSettings {
        require_factor: bool => EITHER, "`true`",
            "Only a decision that is signed with a PIN counts; `false` lets an unsigned one count where no PIN is set.";
    }
    /// Where calls may go.
    "network." NetworkSettings {
        endpoints: Vec<String> => roots(), "none",
            "Hosts that are no KMS and that `--endpoint` or its variable may name; `*` for the port is for tests.";
    }
    /// How the audit log is kept.
    "audit." AuditSettings {
        rotate_bytes: u64, 4096..=1_099_511_627_776 => SMALLER, "67108864",
            "Size in bytes at which a file is closed and the chain goes on in a new one.";
        [checkpoints]: Checkpoints;
    }
    /// The second place of each checkpoint: where the agent cannot take it back.
    "audit.checkpoints." Checkpoints {
        file: PathBuf => roots(), "none", "File or pipe that each checkpoint is appended to.";
        journald: PathBuf => roots(), "none", "Socket of journald that each checkpoint is sent to.";
    }
}
