//! MCP: what stands between the client and the tools. The only place that names rmcp.

mod elicitation;
mod line;
mod message;
mod server;
mod session;
mod stdio;
mod tools;

pub(crate) use server::serve;
pub(crate) use tools::tools;
