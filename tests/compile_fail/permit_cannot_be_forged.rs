//! Only the guard makes a permit: its fields are private, whatever one would put into them.

use kms_mcp::proofs::{Operation, Permit};

fn anything<T>() -> T {
    loop {}
}

fn forge<O: Operation>() -> Permit<O> {
    Permit {
        params: anything(),
        target: anything(),
        trail: anything(),
        deadline: anything(),
        unsigned: anything(),
        operation: anything(),
    }
}

fn change<O: Operation>(permit: Permit<O>) -> Permit<O> {
    Permit { params: anything(), ..permit }
}

fn main() {}
