//! The policies that ship, by name.

/// Their names, in the order of documents.
pub(crate) const NAMES: [&str; 5] = ["default", "metadata-only", "read-only", "hardened", "ci"];

/// The text of one.
pub(super) fn text(name: &str) -> Option<&'static str> {
    match name {
        "default" => Some(include_str!("../../../policies/default.toml")),
        "metadata-only" => Some(include_str!("../../../policies/metadata-only.toml")),
        "read-only" => Some(include_str!("../../../policies/read-only.toml")),
        "hardened" => Some(include_str!("../../../policies/hardened.toml")),
        "ci" => Some(include_str!("../../../policies/ci.toml")),
        _ => None,
    }
}
