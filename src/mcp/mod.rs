//! MCP: what stands between the client and the tools. The only place that names rmcp.

mod line;
mod message;
mod session;
mod stdio;
