//! [`Pattern`]: a glob over a name.

use globset::{GlobBuilder, GlobMatcher};

/// Whether something holds. Ordered, so that `min` is *and*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// It does not.
    No,
    /// It cannot be told.
    Unknown,
    /// It does.
    Yes,
}

impl Sure {
    /// Known either way.
    pub(super) const fn of(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }

    /// The opposite.
    pub(super) const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// A glob over a name: case counts, and `*` also matches `/`.
#[derive(Debug, Clone)]
pub(super) struct Pattern(GlobMatcher);

/// A pattern is matched on every call.
const MAX_LENGTH: usize = 256;

impl Pattern {
    /// The pattern written so, or what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > MAX_LENGTH || text.chars().any(char::is_control) {
            return Err(format!(
                "a pattern must have 1 to {MAX_LENGTH} bytes and no control characters"
            ));
        }
        GlobBuilder::new(text)
            .literal_separator(false)
            .case_insensitive(false)
            .backslash_escape(true)
            .build()
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| format!("not a valid glob: {}", error.kind()))
    }

    /// Whether the name matches. Of a name that ends in `*` only the start is known.
    pub(super) fn test(&self, name: &str) -> Sure {
        let Some(start) = name.strip_suffix('*') else {
            return Sure::of(self.0.is_match(name));
        };
        let text = self.0.glob().glob();
        let literal = text.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
        if literal == text {
            return if literal.starts_with(start) { Sure::Unknown } else { Sure::No };
        }
        if text.strip_suffix('*') == Some(literal) && start.starts_with(literal) {
            Sure::Yes
        } else if literal.starts_with(start) || start.starts_with(literal) {
            Sure::Unknown
        } else {
            Sure::No
        }
    }

    /// Whether this very text matches, whatever it ends in.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As written.
    pub(super) fn text(&self) -> &str {
        self.0.glob().glob()
    }

    /// Whether every name matches.
    pub(super) fn is_everything(&self) -> bool {
        self.0.glob().glob() == "*"
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Sure};

    #[test]
    fn a_star_matches_slashes_and_case_counts() {
        let pattern = Pattern::new("prod/*").unwrap();
        assert_eq!(pattern.test("prod/a/b"), Sure::Yes);
        assert_eq!(pattern.test("prod/"), Sure::Yes);
        for other in ["prod", "Prod/a", "x/prod/a", ""] {
            assert_eq!(pattern.test(other), Sure::No, "{other}");
        }
    }

    #[test]
    fn of_a_name_that_ends_in_a_star_only_the_start_is_known() {
        let told = |pattern: &str| Pattern::new(pattern).unwrap().test("acs/ram/user/*");
        assert_eq!(told("acs/ram/*"), Sure::Yes);
        assert_eq!(told("*"), Sure::Yes);
        assert_eq!(told("acs/ram/user/*"), Sure::Yes);
        assert_eq!(told("acs/ram/user/alice"), Sure::Unknown);
        assert_eq!(told("acs/ram/user/a*"), Sure::Unknown);
        assert_eq!(told("acs/ram/user/?"), Sure::Unknown);
        assert_eq!(told("*/alice"), Sure::Unknown);
        assert_eq!(told("prod/*"), Sure::No);
        assert_eq!(told("acs/ecs/*"), Sure::No);
        assert_eq!(told("acs/ram/group"), Sure::No);
    }

    #[test]
    fn what_is_no_glob_is_refused() {
        for bad in ["", "a[", "{a", "a\nb", "[z-a]", "a\\"] {
            assert!(Pattern::new(bad).is_err(), "{bad:?}");
        }
        assert!(Pattern::new(&"a".repeat(257)).is_err());
    }
}
