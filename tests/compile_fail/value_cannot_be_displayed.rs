use kms_mcp::proofs::Sensitive;

fn main() {
    let value = Sensitive::new("hunter2-hunter2".to_owned());
    println!("{value}");
    let _ = value.to_string();
}
