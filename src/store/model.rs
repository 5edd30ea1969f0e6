//! What the store keeps of an approval, apart from how SQLite holds it.

/// Hash of a token or digest of a record: SHA-256.
pub(crate) type Hash = [u8; 32];

/// How a decision was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the server itself, for level `token` alone.
    Server,
    /// By the user of the MCP client, as the client says.
    Client,
    /// `kms-mcp approve` on a terminal.
    Terminal,
    /// The approval page.
    Page,
    /// `kms-mcp approve --pin-stdin`.
    PipedPin,
    /// `kms-mcp demo`, which plays the person in a state folder of its own.
    Demo,
}

impl Method {
    const ALL: [Self; 6] =
        [Self::Server, Self::Client, Self::Terminal, Self::Page, Self::PipedPin, Self::Demo];

    /// The word for it in the store, in signed statements and in the audit log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "token",
            Self::Client => "client",
            Self::Terminal => "terminal",
            Self::Page => "page",
            Self::PipedPin => "pin-stdin",
            Self::Demo => "demo",
        }
    }

    /// The method behind a word. `None`: this version of kms-mcp has no such method.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether a person made the decision, in a place that the agent cannot reach.
    pub(crate) fn is_persons(self) -> bool {
        match self {
            Self::Server | Self::Client => false,
            Self::Terminal | Self::Page | Self::PipedPin | Self::Demo => true,
        }
    }
}

/// A request that waits for a person.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) token_hash: Hash,
    pub(crate) digest: Hash,
    /// Exactly what the approver is shown.
    pub(crate) record: Vec<u8>,
    /// Of what is not asked about again for a while after a no.
    pub(crate) about: Hash,
    pub(crate) match_code: String,
    pub(crate) level: String,
    pub(crate) instance: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
}

/// What the row of a question must say, as the server that asked it remembers.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) token_hash: Hash,
    pub(crate) digest: Hash,
    pub(crate) match_code: String,
    pub(crate) level: &'static str,
    pub(crate) instance: String,
}

/// What a person decided, and how.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) approve: bool,
    pub(crate) method: Method,
    pub(crate) who: String,
    pub(crate) at_ms: i64,
    /// Until when a yes may be used.
    pub(crate) usable_until_ms: i64,
    /// Over all of the above, where a PIN is set.
    pub(crate) signature: Option<Vec<u8>>,
}

/// How many questions there is room for.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// That wait, of one process.
    pub(crate) pending: u32,
    /// Of all processes, asked after `since_ms`.
    pub(crate) questions: u32,
    pub(crate) since_ms: i64,
}

/// What became of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// It waits.
    Asked,
    /// Too many of this process wait.
    TooManyPending,
    /// Too many were asked lately.
    TooManyLately,
    /// Another question waits under the match code.
    CodeTaken,
}

/// A no.
#[derive(Debug, Clone)]
pub(crate) struct Denied {
    pub(crate) token_hash: Hash,
    pub(crate) decided: Decided,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Never asked.
    Unknown,
    /// Waits for a person.
    Pending,
    /// A person said yes; usable still.
    Approved,
    /// A person said no.
    Denied,
    /// Used.
    Spent,
    /// Too late, for the decision or for its use.
    Expired,
    /// Approved, but its row is not that of the question that was asked.
    Altered,
}

/// A decision as the store has it. Any program of the user can have written it.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) approve: bool,
    /// Of the record that was decided on.
    pub(crate) digest: Hash,
    /// `None`: the word in the store names no method, and so the decision proves nothing.
    pub(crate) method: Option<Method>,
    pub(crate) who: String,
    pub(crate) at_ms: i64,
    pub(crate) signature: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_has_one_word_and_other_words_have_no_method() {
        for method in Method::ALL {
            assert_eq!(Method::named(method.name()), Some(method));
        }
        for unknown in ["", "Terminal", "terminal ", "browser", "pin"] {
            assert_eq!(Method::named(unknown), None, "{unknown}");
        }
    }
}
