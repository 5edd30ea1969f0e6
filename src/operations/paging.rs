//! Pages of a listing: an agent that takes the first for all must be told that there are more.

use super::answer::Count;

/// The position of a page, as KMS answers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) number: Option<Count>,
    pub(super) size: Option<Count>,
    pub(super) total: Option<Count>,
    /// How many things stand on it.
    pub(super) shown: usize,
}

impl Page {
    /// What to tell of the rest; `None` for a listing that is whole, or that does not say.
    pub(super) fn note(self, things: &str) -> Option<String> {
        let total = self.total?.get();
        let shown = u64::try_from(self.shown).unwrap_or(u64::MAX);
        let number = self.number.map_or(1, Count::get).max(1);
        let size = self.size.map_or(shown, Count::get).max(1);
        if shown == 0 && number > 1 {
            let last = total.div_ceil(size);
            return Some(format!(
                "There is nothing on page {number}: {total} {things} end on page {last}."
            ));
        }
        let more = number.checked_mul(size).is_some_and(|so_far| so_far < total);
        (more && shown > 0).then(|| {
            format!(
                "{shown} of {total} {things}; PageNumber {} has the next.",
                number.saturating_add(1)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(number: u64, size: u64, total: u64, shown: usize) -> Option<String> {
        let [number, size, total] = [number, size, total].map(|count| Some(Count::of(count)));
        Page { number, size, total, shown }.note("secrets")
    }

    #[test]
    fn says_where_the_rest_is() {
        assert_eq!(
            note(1, 10, 45, 10).as_deref(),
            Some("10 of 45 secrets; PageNumber 2 has the next.")
        );
        assert_eq!(
            note(9, 10, 45, 0).as_deref(),
            Some("There is nothing on page 9: 45 secrets end on page 5.")
        );
        assert_eq!(
            note(2, 10, 0, 0).as_deref(),
            Some("There is nothing on page 2: 0 secrets end on page 0.")
        );
        for whole in [(1, 10, 10, 10), (5, 10, 45, 5), (1, 10, 0, 0), (1, 100, 7, 7)] {
            assert_eq!(note(whole.0, whole.1, whole.2, whole.3), None);
        }
        // An upstream may say any number.
        assert_eq!(note(u64::MAX, u64::MAX, 1, 1), None);
        assert!(note(u64::MAX, 0, u64::MAX, 0).is_some());
        let silent = Page { number: None, size: None, total: None, shown: 3 };
        assert_eq!(silent.note("secrets"), None);
    }
}
