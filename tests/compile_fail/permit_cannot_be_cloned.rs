//! A permit is for one request.

use kms_mcp::proofs::{Operation, Permit};

fn twice<O: Operation>(permit: &Permit<O>) -> Permit<O> {
    permit.clone()
}

fn main() {}
