//! An answer is made of the proof that it was recorded, and in no other way.

use kms_mcp::proofs::Reply;

fn anything<T>() -> T {
    loop {}
}

fn without_a_proof() -> Reply {
    Reply { envelope: anything(), value: None, is_error: false, question: None }
}

fn main() {}
