//! What goes into a secret: its kind and its size.

use super::choices::choices;
use crate::operation::Invalid;
use crate::sensitive::Sensitive;

/// The largest value, in bytes (facts/kms.md §1.1).
const BYTES_MAX: usize = 30_720;

choices! {
    enum SecretDataType {
        Text = "text",
        Binary = "binary",
    }
}

/// A value, once it is there, is 1 to 30,720 bytes long; the schema can only count characters.
pub(crate) fn check_size(data: Option<&Sensitive>) -> Result<(), Invalid> {
    #[expect(clippy::disallowed_methods, reason = "only its length is looked at")]
    match data.map(|value| value.expose().len()) {
        None | Some(1..=BYTES_MAX) => Ok(()),
        Some(_) => Err(Invalid::new("SecretData", "1 to 30,720 bytes long")),
    }
}
