//! What the agent sees is serialized, and a value cannot be.

use kms_mcp::proofs::Sensitive;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    secret_data: Sensitive,
}

fn main() {}
