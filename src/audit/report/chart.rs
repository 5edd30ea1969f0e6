//! Charts as SVG. Horizontal places are percentages and text has its own size, so that a chart is
//! as readable on a telephone as on a wide screen.

use maud::{Markup, html};

use crate::audit::query::seen;

/// Characters of a label; the table below has the whole name.
const LABEL: usize = 36;
/// Bars of one chart; the table has the others.
pub(super) const BARS: usize = 12;
/// Where bars end, in percent, so that there is room for the number behind.
const FULL: f64 = 82.0;
/// Where the columns begin, in percent: before them stands the scale.
const LEFT: f64 = 8.0;

/// What a chart is, for those who do not see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Title<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) desc: &'a str,
}

/// A bar: its name, its parts from the left, and what stands behind it.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) label: String,
    /// Class of its colour, and count.
    pub(super) parts: Vec<(&'static str, u64)>,
    pub(super) note: String,
}

/// A column: its time, and its parts from below.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) parts: Vec<(&'static str, u64)>,
}

/// A range: its name, and its lowest, middle and highest place on the scale, each 0 to 1,
/// and what stands beside it.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) label: String,
    pub(super) places: [f64; 3],
    pub(super) note: String,
}

fn svg(title: Title<'_>, height: usize, content: &Markup) -> Markup {
    let (name, text) = (format!("{}-title", title.id), format!("{}-desc", title.id));
    html! {
        svg role="img" width="100%" height=(height) aria-labelledby=(format!("{name} {text}")) {
            title id=(name) { (title.name) }
            desc id=(text) { (title.desc) }
            (content)
        }
    }
}

/// What the colours mean, with the sums.
pub(super) fn legend(entries: &[(&'static str, &str, u64)]) -> Markup {
    html! {
        ul.legend {
            @for (class, name, sum) in entries {
                li { span class={ "swatch " (class) } {} (name) " " strong { (sum) } }
            }
        }
    }
}

/// Horizontal bars, each under its own name.
pub(super) fn bars(title: Title<'_>, bars: &[Bar]) -> Markup {
    const ROW: usize = 42;
    let total = |bar: &Bar| bar.parts.iter().map(|(_, count)| count).sum::<u64>();
    let most = bars.iter().map(total).max().unwrap_or(0).max(1);
    let content = html! {
        @for (row, bar) in bars.iter().take(BARS).enumerate() {
            @let top = row * ROW;
            text.label x="0" y=(top + 13) { (short(&bar.label)) }
            @for (class, left, width) in stacked(bar, most) {
                rect class=(class) x=(percent(left)) y=(top + 19) width=(percent(width)) height="14" {}
            }
            line.axis x1="0" x2="0" y1=(top + 17) y2=(top + 35) {}
            text.value x=(percent(share(total(bar), most) * FULL + 1.0)) y=(top + 31) { (bar.note) }
        }
    };
    html! {
        (svg(title, bars.len().min(BARS) * ROW, &content))
        @if bars.len() > BARS { p.faint { "The first " (BARS) " of " (bars.len()) "; the table has the others." } }
    }
}

/// Class, left edge and width of each part that has a width.
fn stacked(bar: &Bar, most: u64) -> Vec<(&'static str, f64, f64)> {
    let mut left = 0.0;
    let mut places = Vec::new();
    for (class, count) in bar.parts.iter().filter(|(_, count)| *count > 0) {
        let width = share(*count, most) * FULL;
        places.push((*class, left, width));
        left += width;
    }
    places
}

/// Columns along the time.
pub(super) fn columns(title: Title<'_>, columns: &[Column]) -> Markup {
    const TOP: f64 = 18.0;
    const BASE: f64 = 158.0;
    let total = |column: &Column| column.parts.iter().map(|(_, count)| count).sum::<u64>();
    let top = scale(columns.iter().map(total).max().unwrap_or(0));
    let y = |count: u64| BASE - share(count, top) * (BASE - TOP);
    let step = (100.0 - LEFT) / number(columns.len().max(1) as u64);
    // One column alone is no wall.
    let width = (step * 0.8).min(8.0);
    let x = |at: usize| LEFT + step * number(at as u64);
    let content = html! {
        @for mark in [top / 2, top].into_iter().filter(|mark| *mark > 0) {
            line.grid x1=(percent(LEFT)) x2="100%" y1=(pixels(y(mark))) y2=(pixels(y(mark))) {}
            text.tick.end x=(percent(LEFT - 1.0)) y=(pixels(y(mark) + 4.0)) { (mark) }
        }
        text.tick.end x=(percent(LEFT - 1.0)) y=(pixels(BASE + 4.0)) { "0" }
        @for (at, column) in columns.iter().enumerate() {
            g {
                title { (column.label) ": " (total(column)) }
                @for (class, low, high) in piled(column) {
                    rect class=(class) x=(percent(x(at) + (step - width) / 2.0)) width=(percent(width))
                        y=(pixels(y(high))) height=(pixels(y(low) - y(high))) {}
                }
            }
        }
        line.axis x1=(percent(LEFT)) x2="100%" y1=(pixels(BASE)) y2=(pixels(BASE)) {}
        @for (at, anchor) in labelled(columns.len()) {
            @let middle = match anchor { "start" => x(at), "end" => 100.0, _ => x(at) + step / 2.0 };
            @if let Some(column) = columns.get(at) {
                text class={ "tick " (anchor) } x=(percent(middle)) y=(pixels(BASE + 18.0)) { (column.label) }
            }
        }
    };
    svg(title, 184, &content)
}

/// Which columns have their time below, and how it is set: as many as a telephone has room for.
fn labelled(columns: usize) -> Vec<(usize, &'static str)> {
    match columns {
        0 => Vec::new(),
        1 => vec![(0, "middle")],
        2 => vec![(0, "middle"), (1, "middle")],
        _ => vec![(0, "start"), (columns / 2, "middle"), (columns - 1, "end")],
    }
}

/// Class, lower and upper count of each part of a column.
fn piled(column: &Column) -> Vec<(&'static str, u64, u64)> {
    let mut low = 0;
    let mut places = Vec::new();
    for (class, count) in column.parts.iter().filter(|(_, count)| *count > 0) {
        places.push((*class, low, low + count));
        low += count;
    }
    places
}

/// Ranges on one scale, with marks; what lies left of `warning` is shaded.
pub(super) fn ranges(
    title: Title<'_>,
    ranges: &[Range],
    marks: &[(f64, &str)],
    warning: (f64, &str),
) -> Markup {
    const ROW: usize = 46;
    const HEAD: usize = 22;
    let shown = ranges.len().min(BARS);
    let (base, place) = (HEAD + shown * ROW, |at: f64| percent(2.0 + at * 94.0));
    let content = html! {
        rect.shade x="0" y="0" width=(place(warning.0)) height=(base) {}
        text.tick.start x="4" y="14" { (warning.1) }
        @for (at, name) in marks {
            line.grid x1=(place(*at)) x2=(place(*at)) y1=(HEAD) y2=(base) {}
            text.tick.middle x=(place(*at)) y=(base + 16) { (name) }
        }
        @for (row, range) in ranges.iter().take(BARS).enumerate() {
            @let top = HEAD + row * ROW;
            @let [low, middle, high] = range.places;
            @let beside = if high < 0.65 { ("start", high + 0.02) } else { ("end", low - 0.02) };
            text.label x="4" y=(top + 14) { (short(&range.label)) }
            text class={ "value " (beside.0) } x=(place(beside.1)) y=(top + 33) { (range.note) }
            line.range x1=(place(low)) x2=(place(high)) y1=(top + 28) y2=(top + 28) {}
            circle.dot cx=(place(middle)) cy=(top + 28) r="6" {}
        }
        line.axis x1="0" x2="100%" y1=(base) y2=(base) {}
    };
    svg(title, base + 24, &content)
}

/// The top of a scale: 2, 4, 6, 8, 10, 20, 40 …, so that half of it is whole.
fn scale(most: u64) -> u64 {
    let mut ten = 1_u64;
    loop {
        for step in [2, 4, 6, 8, 10] {
            let top = ten.saturating_mul(step);
            if top >= most || top == u64::MAX {
                return top;
            }
        }
        ten = ten.saturating_mul(10);
    }
}

fn share(part: u64, whole: u64) -> f64 {
    number(part) / number(whole.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
fn number(count: u64) -> f64 {
    count as f64
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

fn pixels(value: f64) -> String {
    format!("{value:.1}")
}

/// A name as far as there is room for it.
fn short(text: &str) -> String {
    let text = seen(text);
    match text.char_indices().nth(LABEL) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_a_scale_has_a_whole_half() {
        let tops =
            [(0, 2), (1, 2), (3, 4), (5, 6), (9, 10), (11, 20), (37, 40), (41, 60), (801, 1000)];
        for (most, top) in tops {
            assert_eq!(scale(most), top, "{most}");
        }
        assert!(scale(u64::MAX) >= u64::MAX / 2);
    }
}
