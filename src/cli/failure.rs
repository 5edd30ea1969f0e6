//! [`with_causes`]: an error with what caused it, for stderr.

use std::error::Error;

/// The error, then each cause that it does not name itself: `… : … : …`. Of libraries whose text may
/// quote what they read, no more than the place or the code is said.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = if let Some(json) = cause.downcast_ref::<serde_json::Error>() {
            format!("line {}, column {}", json.line(), json.column())
        } else if let Some(sql) = cause.downcast_ref::<rusqlite::Error>() {
            sql.sqlite_error_code().map_or("no code".into(), |code| format!("{code:?}"))
        } else {
            cause.to_string()
        };
        if !text.contains(&said) {
            text.push_str(&format!(": {said}"));
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("the log cannot be opened")]
        Io(#[source] io::Error),
        #[error("the file is damaged")]
        Json(#[source] serde_json::Error),
        #[error("the folder: {0}")]
        Named(#[source] io::Error),
    }

    #[test]
    fn causes_are_named_once_and_quote_nothing() {
        let denied = || io::Error::new(io::ErrorKind::PermissionDenied, "no leave");
        let text = with_causes(&Outer::Io(denied()));
        assert_eq!(text, "the log cannot be opened: no leave");
        assert_eq!(with_causes(&Outer::Named(denied())), "the folder: no leave");
        let json = serde_json::from_str::<u8>("\"canary\"").unwrap_err();
        let text = with_causes(&Outer::Json(json));
        assert_eq!(text, "the file is damaged: line 1, column 8");
    }
}
