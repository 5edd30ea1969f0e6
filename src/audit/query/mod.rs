//! The log as an auditor reads it: many files merged by time, records joined into calls.
//!
//! Nothing here proves anything; [`super::verify()`] does. So nothing here trusts anything either:
//! the files may be written by anybody. A line that is no record is counted and left out, unknown
//! events and members are kept, no file may take more memory than its longest line.
//!
//! `line` a record as it stands · `source` one file · [`Merge`] all of them, by time · [`Rows`] a
//! row a call · [`Filter`] which rows · [`When`] a time on the command line · [`seen()`] text made
//! safe to show

pub(crate) mod csv;
mod filter;
mod line;
mod merge;
mod rows;
mod shown;
mod source;
mod when;

pub(crate) use super::record::ascii;
pub(crate) use filter::{Filter, Glob};
pub(crate) use merge::{Merge, Trouble};
pub(crate) use rows::{Outcome, Row, Rows, Story, secret_name};
pub(crate) use shown::{plain, seen, took};
pub(crate) use when::When;
