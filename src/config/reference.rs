//! `references/config.md`, written from the table of keys.

use std::fmt::Write;

use super::table::KEYS;

/// The first line of the document, by which it is known.
pub(crate) const TITLE: &str = "# Keys of config.toml\n";

const HEAD: &str = "
Written by `kms-mcp config reference` from the table that the program reads by; `kms-mcp config reference --check`
says whether it is up to date.

Two files may set a key: the user's `~/.config/kms-mcp/config.toml` (`$XDG_CONFIG_HOME/kms-mcp/`), and root's
`/etc/kms-mcp/config.toml`, which is an upper bound: no flag, variable or folder moves it. A key that one file sets has
that value. The last column says what counts where both files set it.

No server starts if a file that is there cannot be trusted or read: an unknown key, a wrong type, a number out of its
range, a file or folder that others can write. `/etc/kms-mcp`, its file and every folder above must belong to root, be
writable by nobody else, and be no links.

| Key | Value | If not set | Meaning | If both files set it |
|---|---|---|---|---|
";

/// The whole document.
pub(crate) fn reference() -> String {
    let mut text = TITLE.to_owned() + HEAD;
    for key in KEYS {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            key.name,
            (key.takes)(),
            key.unset,
            key.about,
            key.both
        );
    }
    text
}
