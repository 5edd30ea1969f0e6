//! Leave to describe is no leave to read.

use kms_mcp::proofs::{Operation, Permit};

fn other<Describe: Operation, Read: Operation>(permit: Permit<Describe>) -> Permit<Read> {
    permit
}

fn main() {}
