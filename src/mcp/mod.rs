//! MCP: what stands between the client and the tools. The only place that names rmcp.

mod calls;
mod elicitation;
mod ending;
mod line;
mod message;
mod pages;
mod progress;
mod server;
mod session;
mod stdio;
mod tools;
mod unanswered;
mod versions;

pub(crate) use server::{Patience, serve};
pub(crate) use tools::tools;
