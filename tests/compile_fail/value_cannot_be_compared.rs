//! Comparing would answer guesses.

use kms_mcp::proofs::Sensitive;

fn main() {
    let [one, other] = ["a", "b"].map(|text| Sensitive::new(text.to_owned()));
    let _ = one == other;
    let _ = std::collections::HashSet::from([one]);
}
