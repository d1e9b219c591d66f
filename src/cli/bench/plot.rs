//! Plots as inline SVG: bars, latency curves, ratios with their spread. Colours are the page's classes.

use std::fmt::Write as _;

use super::report::{Cell, Ratio};
use super::text::number;

/// Why writing to a text never fails.
const IN_MEMORY: &str = "a String takes every write";

/// Width of a plot, and where its marks begin and end, in its own units.
const WIDTH: f64 = 560.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 470.0;
/// Height of a row of bars.
const ROW: f64 = 26.0;
/// Height of the latency plot's field.
const FIELD: f64 = 180.0;
/// Classes of colours that the page has.
const COLOURS: usize = 6;

/// What a bar or a whisker shows.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The server.
    pub(super) name: &'a str,
    /// The value; none where there is no figure.
    pub(super) value: Option<f64>,
    /// Least and most, for ratios.
    pub(super) spread: Option<(f64, f64)>,
}

/// Text that may stand in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The class of the colour of the `place`th server.
pub(super) fn colour(place: usize) -> String {
    format!("c{}", place % COLOURS)
}

/// Horizontal bars from 0, each with its number; with a whisker where there is a spread.
pub(super) fn bars(title: &str, rows: &[Row<'_>], digits: usize) -> String {
    let reach = |row: &Row<'_>| row.spread.map(|(_, high)| high).or(row.value);
    let most = rows.iter().filter_map(reach).fold(0.0, f64::max);
    let x = |value: f64| LEFT + (RIGHT - LEFT) * if most > 0.0 { value / most } else { 0.0 };
    let mut marks = String::new();
    for (place, row) in rows.iter().enumerate() {
        let top = 24.0 + ROW * place as f64;
        let middle = top + ROW / 2.0;
        label(&mut marks, LEFT - 8.0, middle + 4.0, "end", row.name);
        let Some(value) = row.value else {
            label(&mut marks, LEFT + 4.0, middle + 4.0, "start", "no figure");
            continue;
        };
        let (class, width) = (colour(place), x(value) - LEFT);
        write!(
            marks,
            r#"<rect class="{class}" x="{LEFT}" y="{:.1}" width="{width:.1}" height="16"/>"#,
            top + 5.0
        )
        .expect(IN_MEMORY);
        if let Some((low, high)) = row.spread {
            write!(
                marks,
                r#"<path class="whisker" d="M{:.1} {middle:.1}H{:.1}M{:.1} {:.1}v8M{:.1} {:.1}v8"/>"#,
                x(low), x(high), x(low), middle - 4.0, x(high), middle - 4.0
            )
            .expect(IN_MEMORY);
        }
        let end = x(row.spread.map_or(value, |(_, high)| high));
        label(
            &mut marks,
            end + 6.0,
            middle + 4.0,
            "start",
            &number(Some(value), digits),
        );
    }
    framed(title, 30.0 + ROW * rows.len() as f64, &marks)
}

/// Latency against the part of requests that had at most so much; the scale is logarithmic.
pub(super) fn latencies(cells: &[Cell]) -> String {
    let all = || {
        cells
            .iter()
            .flat_map(|cell| &cell.latency_ms)
            .copied()
            .filter(|ms| *ms > 0.0)
    };
    let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
    if high <= 0.0 {
        return String::new();
    }
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let span = (high - low).max(1.0);
    let x = |ms: f64| LEFT + (RIGHT - LEFT) * (ms.max(1e-6).log10() - low) / span;
    let y = |percent: f64| 24.0 + FIELD * (1.0 - percent / 100.0);
    let mut marks = String::new();
    let mut power = low;
    while power <= low + span {
        let ms = 10_f64.powf(power);
        write!(
            marks,
            r#"<path class="grid" d="M{:.1} 24V{:.1}"/>"#,
            x(ms),
            24.0 + FIELD
        )
        .expect(IN_MEMORY);
        label(
            &mut marks,
            x(ms),
            40.0 + FIELD,
            "middle",
            &format!("{ms} ms"),
        );
        power += 1.0;
    }
    for percent in [0.0, 50.0, 95.0, 100.0] {
        write!(
            marks,
            r#"<path class="grid" d="M{LEFT} {:.1}H{RIGHT}"/>"#,
            y(percent)
        )
        .expect(IN_MEMORY);
        // 100 would stand on 95.
        if percent < 100.0 {
            label(
                &mut marks,
                LEFT - 8.0,
                y(percent) + 4.0,
                "end",
                &format!("{percent} %"),
            );
        }
    }
    for (place, cell) in cells.iter().enumerate() {
        marks.push_str(&curve(place, cell, &x, &y));
    }
    framed(
        "latency: part of the requests that took at most so long",
        50.0 + FIELD,
        &marks,
    )
}

fn curve(place: usize, cell: &Cell, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut points = String::new();
    for (percent, ms) in cell.latency_ms.iter().enumerate() {
        write!(points, "{:.1},{:.1} ", x(*ms), y(percent as f64)).expect(IN_MEMORY);
    }
    let class = colour(place);
    format!(
        r#"<polyline class="line {class}" points="{}"/>"#,
        points.trim_end()
    )
}

/// A ratio as a row.
pub(super) fn row(name: &str, ratio: Option<Ratio>) -> Row<'_> {
    Row {
        name,
        value: ratio.map(|ratio| ratio.median),
        spread: ratio.map(|ratio| (ratio.low, ratio.high)),
    }
}

fn label(marks: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    write!(
        marks,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
        escaped(text)
    )
    .expect(IN_MEMORY);
}

fn framed(title: &str, height: f64, marks: &str) -> String {
    let title = escaped(title);
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{title}"><text class="title" x="0" y="14">{title}</text>{marks}</svg>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_field_and_others_are_in_proportion() {
        let row = |name, value| Row {
            name,
            value,
            spread: None,
        };
        let plot = bars(
            "t",
            &[row("a", Some(50.0)), row("b<", Some(25.0)), row("c", None)],
            1,
        );
        assert!(
            plot.contains(r#"width="340.0""#) && plot.contains(r#"width="170.0""#),
            "{plot}"
        );
        assert!(plot.contains("b&lt;") && plot.contains("no figure"));
        assert_eq!(plot.matches("<rect").count(), 2);
    }

    #[test]
    fn a_curve_has_a_point_for_each_percent() {
        let cell = Cell {
            latency_ms: (0..=100).map(|percent| 1.0 + f64::from(percent)).collect(),
            ..Cell::default()
        };
        let plot = latencies(&[cell, Cell::default()]);
        let points = plot
            .split("points=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        assert_eq!(points.expect("a curve").split(' ').count(), 101);
        assert_eq!(latencies(&[Cell::default()]), "");
    }
}
