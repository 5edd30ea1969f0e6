use kms_mcp::proofs::Sensitive;

fn main() {
    let value = Sensitive::new("hunter2-hunter2".to_owned());
    let _: Sensitive = value.clone();
}
