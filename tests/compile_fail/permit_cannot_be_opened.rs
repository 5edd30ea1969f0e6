//! What was approved is the client's to send and nobody else's to take.

use kms_mcp::proofs::{Operation, Permit};

fn open<O: Operation>(permit: Permit<O>) {
    let _ = permit.spend();
}

fn change<O: Operation>(permit: &mut Permit<O>) {
    let _ = &mut permit.params;
}

fn main() {}
