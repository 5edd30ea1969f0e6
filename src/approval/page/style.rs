//! The style sheet, and its hash: the page's policy allows this one and nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Light and dark, from 360 pixels on, without a font, image or script.
pub(super) const SHEET: &str = include_str!("page.css");

/// The policy of every answer.
pub(super) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(SHEET.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}
