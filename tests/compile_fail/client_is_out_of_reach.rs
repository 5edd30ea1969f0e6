//! There is no way to send from outside, with a permit or without.

use kms_mcp::client::Client;
use kms_mcp::guard::Guard;
use kms_mcp::proofs::Client as Reexported;

fn main() {}
