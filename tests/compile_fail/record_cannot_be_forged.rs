//! Only the audit log says that something is recorded.

use kms_mcp::proofs::Closed;

fn forged() -> Closed {
    Closed { recorded: true }
}

fn main() {}
