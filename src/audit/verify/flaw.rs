//! [`Flaw`]: what is wrong with a line.

use crate::audit::record::MAX_LINE;

/// Why a line cannot be believed, and with it all that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// It does not parse, or holds what no record holds.
    #[error("not a JSON record in printable ASCII")]
    NotJson,
    /// What every record says is missing.
    #[error("`seq`, `instance`, `event` or `prev` is missing")]
    NotARecord,
    /// It is longer than any record.
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// It names a member twice.
    #[error("a member stands twice")]
    RepeatedMember,
    /// It does not end in its hash.
    #[error("`hash` is missing or not last")]
    HashNotLast,
    /// Its bytes do not have its hash.
    #[error("bad hash: the line was changed")]
    BadHash,
    /// A checkpoint, `rotate` or `stop` that nobody signed.
    #[error("bad signature: the line was made by somebody without the key")]
    BadSignature,
    /// It is signed, by a key that is not the expected one.
    #[error("signed with another key")]
    ForeignKey,
    /// Lines were dropped, inserted or swapped.
    #[error("`seq` is {found}, not {expected}: lines were dropped, inserted or swapped")]
    SeqGap {
        /// What should stand here.
        expected: u64,
        /// What does.
        found: u64,
    },
    /// It follows another line than the one before it.
    #[error("wrong `prev`: the line before was changed")]
    WrongPrev,
    /// The first record of a file is not `start`, or not that of this file.
    #[error("the first record is not the `start` of this file: it was renamed, or its begin cut")]
    NoStart,
    /// It belongs to another chain.
    #[error("a record of another instance")]
    WrongInstance,
    /// Nothing is written after `stop`, nor into the same file after `rotate`.
    #[error("a record after `stop` or `rotate`")]
    AfterStop,
    /// A file in the middle of a chain was removed, or is there twice.
    #[error("file {expected} of this chain is missing, or one is there twice")]
    MissingFile {
        /// The one that should stand before this file.
        expected: u32,
    },
    /// The file before this one does not say that the chain goes on here.
    #[error("the file before this one does not end in `rotate`")]
    NotContinued,
    /// The copy of the checkpoints has another record in this place.
    #[error("not the record that was copied to the second place: the log was rewritten")]
    NotTheCopy,
}
