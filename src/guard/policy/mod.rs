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
mod facts;
mod file;
mod in_force;
mod matcher;
mod parse;
mod pattern;
#[cfg(test)]
mod proofs;
mod rule;
mod shipped;
mod verdict;

pub(crate) use engine::Policy;
pub(crate) use facts::Facts;
pub(crate) use in_force::InForce;
pub(crate) use shipped::NAMES as SHIPPED;
pub(crate) use verdict::{Effect, Level, Verdict};
