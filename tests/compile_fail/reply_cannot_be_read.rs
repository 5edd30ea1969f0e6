//! A reply leaves through the scrubber, and no other way.

use kms_mcp::proofs::Reply;

fn around(reply: Reply) -> String {
    let _ = reply.envelope;
    serde_json::to_string(&reply).unwrap()
}

fn main() {}
