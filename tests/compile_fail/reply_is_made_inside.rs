//! Even with a proof nobody outside makes an answer.

use kms_mcp::proofs::{Closed, Reply};

fn anything<T>() -> T {
    loop {}
}

fn with_a_proof(closed: &Closed) -> Reply {
    Reply::new(closed, anything(), Default::default(), None)
}

fn main() {}
