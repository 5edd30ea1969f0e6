//! What takes a permit takes it away.

use kms_mcp::proofs::{Operation, Permit};

fn send<O: Operation>(_permit: Permit<O>) {}

fn twice<O: Operation>(permit: Permit<O>) {
    send(permit);
    send(permit);
}

fn main() {}
