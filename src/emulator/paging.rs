//! `PageNumber` and `PageSize`.

use super::error::Refusal;
use super::request::Params;

/// One page of a listing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) number: i32,
    pub(crate) size: i32,
}

impl Page {
    /// Reads the page; past the end is allowed and empty.
    pub(crate) fn of(params: &Params, default_size: i32) -> Result<Self, Refusal> {
        let number = |name: &str, default, most| match params.get(name).map(str::parse::<i32>) {
            None => Ok(default),
            Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
            Some(_) => Err(Refusal::InvalidParameter),
        };
        let (number, size) =
            (number("PageNumber", 1, i32::MAX)?, number("PageSize", default_size, 100)?);
        Ok(Self { number, size })
    }

    /// How many items come before it.
    pub(crate) fn offset(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_within_bounds() {
        let page =
            |pairs: &[_]| Page::of(&Params::test(pairs), 20).map(|page| (page.size, page.offset()));
        assert_eq!(page(&[]), Ok((20, 0)));
        assert_eq!(page(&[("PageNumber", "3"), ("PageSize", "100")]), Ok((100, 200)));
        for wrong in ["0", "101", "-1", "x"] {
            assert_eq!(page(&[("PageSize", wrong)]), Err(Refusal::InvalidParameter));
        }
        assert_eq!(page(&[("PageNumber", "0")]), Err(Refusal::InvalidParameter));
    }
}
