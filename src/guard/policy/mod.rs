//! [`Policy`]: rules that turn the [`Facts`] of a call into a [`Verdict`].
//!
//! Everything here leans to one side. The strictest matching rule wins, nothing matched is a deny,
//! and what could not be read counts against the call: it may tighten a verdict, never grant one.
//! A second policy can only tighten the first ([`InForce`]).

mod action;
mod document;
mod engine;
mod error;
mod example;
mod explain;
mod facts;
mod file;
mod in_force;
mod matcher;
mod matrix;
mod parse;
mod pattern;
#[cfg(test)]
mod proofs;
mod question;
mod ram;
mod rule;
mod shipped;
mod verdict;
mod wording;

pub(crate) use engine::Policy;
pub(crate) use explain::{Blocked, Explained, Unsure};
pub(crate) use facts::Facts;
pub(crate) use in_force::InForce;
pub(crate) use matrix::matrix;
pub(crate) use question::{Question, Words};
pub(crate) use ram::{SESSION_MAX, Scope, least_privilege, skill_policies};
pub(crate) use shipped::NAMES as SHIPPED;
pub(crate) use verdict::{Effect, Level, Limit, Matched, Per, Verdict};
