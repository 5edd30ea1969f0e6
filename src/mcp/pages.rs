//! [`Pages`]: the pages that the client was asked to open and that nobody has decided on yet.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::hex;

/// So many are remembered; of older ones the client is not told that they are over.
const REMEMBERED: usize = 64;

/// The names of open dialogs, each made of the token of its question, which it does not tell.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<VecDeque<String>>);

impl Pages {
    /// Remembers that a page is shown; its name.
    pub(super) fn open(&self, token: &str) -> String {
        let name = name(token);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.push_back(name.clone());
        if open.len() > REMEMBERED {
            open.pop_front();
        }
        name
    }

    /// Whether the page of that question is shown.
    pub(super) fn shows(&self, token: &str) -> bool {
        let name = name(token);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&name)
    }

    /// Forgets it; its name, for the one who comes first.
    pub(super) fn close(&self, token: &str) -> Option<String> {
        let name = name(token);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|other| *other == name)?;
        open.remove(at)
    }
}

fn name(token: &str) -> String {
    let hash = Sha256::new().chain_update(b"kms-mcp/elicitation/v1\0").chain_update(token);
    hex::encode(hash.finalize().get(..16).unwrap_or_default())
}
