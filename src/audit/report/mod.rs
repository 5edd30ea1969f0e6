//! The log as one page: what an auditor asks first, as charts and as tables.
//!
//! [`Figures`] counts rows as they pass, in bounded memory · `chart` draws SVG · `page` is the HTML,
//! escaped as it is made, without a script and without anything from elsewhere.

mod chart;
mod figures;
mod page;
mod sections;
mod tally;

pub(crate) use figures::Figures;
pub(crate) use page::{About, page};
