//! One record, one answer.

use kms_mcp::proofs::Closed;

fn twice(closed: &Closed) -> Closed {
    closed.clone()
}

fn main() {}
