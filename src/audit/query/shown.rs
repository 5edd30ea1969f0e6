//! Text of the log made safe to show. Who wrote it is not known, so it may be an attacker's.

/// The text with everything that hides, reorders or commands a terminal escaped.
pub(crate) fn seen(text: &str) -> String {
    crate::text::escaped(text)
}

/// The text in printable ASCII, at most `cap` characters of it: one column each on any terminal.
pub(crate) fn plain(text: &str, cap: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    if let Some((end, _)) = out.char_indices().nth(cap) {
        out.truncate(end);
        out.push_str("...");
    }
    out
}

/// A span of time in the unit that suits it.
pub(crate) fn took(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..7_200_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}
