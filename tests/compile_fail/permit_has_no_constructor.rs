//! Neither by default, nor from anything.

use kms_mcp::proofs::{Operation, Permit};

fn by_default<O: Operation>() -> Permit<O> {
    Default::default()
}

fn by_name<O: Operation>() -> Permit<O> {
    Permit::new()
}

fn main() {}
