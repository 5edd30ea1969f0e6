//! The one accessor is the crate's own; no trait leads around it.

use kms_mcp::proofs::Sensitive;

fn main() {
    let value = Sensitive::new("hunter2-hunter2".to_owned());
    let _ = value.expose();
    let _ = value.0;
    let _: &str = value.as_ref();
    let _: &str = &*value;
}
