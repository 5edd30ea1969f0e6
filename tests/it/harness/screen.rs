//! The approval screen as a person reads it.

/// The rows of a screen, names and values, with lines that go on joined to those before.
pub(crate) fn rows_of(screen: &str) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for line in screen.lines().map(|line| line.trim_end_matches('\r')) {
        let (start, value) =
            line.char_indices().nth(19).map_or((line, ""), |(at, _)| line.split_at(at));
        match start.as_bytes() {
            [b'>' | b'|', ..] => {
                let Some((_, before)) = rows.last_mut() else { continue };
                before.push_str(value);
            }
            [b' ', b' ', first, ..] if *first != b' ' => {
                let name = if start.ends_with(' ') { start } else { line };
                let value = if start.ends_with(' ') { value } else { "" };
                rows.push((name.trim().to_owned(), value.to_owned()));
            }
            _ => {}
        }
    }
    rows
}
