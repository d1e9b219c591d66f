//! A report as aligned lines.

use std::fmt::Write as _;

use super::report::{Cell, Method, Ratio, Report};

/// Why writing to a text never fails.
const IN_MEMORY: &str = "a String takes every write";

/// A report for a terminal.
pub(super) fn table(report: &Report) -> String {
    let mut text = format!("{}\n{}\n", report.title, method(&report.method));
    for server in &report.servers {
        let software = server.software.as_deref().unwrap_or("unnamed software");
        writeln!(
            text,
            "{}: {}, {software}, Image API {}",
            server.name, server.address, server.api
        )
        .expect(IN_MEMORY);
    }
    for image in &report.left_out {
        writeln!(text, "left out: {} ({})", image.identifier, image.reason).expect(IN_MEMORY);
    }
    for workload in &report.workloads {
        writeln!(
            text,
            "\n{} ({} questions, {} different)",
            workload.name, workload.questions, workload.distinct
        )
        .expect(IN_MEMORY);
        text.push_str(&aligned(&rows(&workload.servers)));
        for cell in &workload.servers {
            for example in &cell.examples {
                writeln!(text, "  {}: {example}", cell.name).expect(IN_MEMORY);
            }
        }
    }
    text
}

/// How it was measured, in a line.
pub(super) fn method(method: &Method) -> String {
    let pace = match method.rate {
        Some(rate) => format!(
            "open loop of {rate} requests/s over {} connections",
            method.connections
        ),
        None => format!("closed loop of {} connections", method.connections),
    };
    let questions = if method.fresh {
        "new questions each"
    } else {
        "the same questions"
    };
    format!(
        "{pace}, {} rounds of {} requests or {} s, {questions}, {} to warm; {}, seed {}, {} processors",
        method.rounds,
        method.requests,
        method.seconds,
        method.warm,
        method.format,
        method.seed,
        method.processors
    )
}

/// The columns of a cell: name and value.
pub(super) const COLUMNS: [&str; 13] = [
    "server", "req/s", "MP/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "RSS MiB", "KB each",
    "requests", "MB", "× req/s", "× CPU",
];

/// A cell's figures in the order of [`COLUMNS`]; a dash where there is none.
pub(super) fn values(cell: &Cell) -> Vec<String> {
    let figure = |of: fn(&super::report::Figures) -> Option<f64>, digits| {
        number(cell.figures.as_ref().and_then(of), digits)
    };
    let ratio = cell.ratio;
    vec![
        cell.name.clone(),
        figure(|figures| Some(figures.requests_per_s), 1),
        figure(|figures| Some(figures.megapixels_per_s), 1),
        figure(|figures| Some(figures.p50_ms), 2),
        figure(|figures| Some(figures.p95_ms), 2),
        figure(|figures| Some(figures.p99_ms), 2),
        figure(|figures| figures.cpu_ms, 3),
        figure(|figures| figures.resident_mib, 0),
        figure(|figures| Some(figures.bytes_per_request / 1000.0), 1),
        cell.requests.to_string(),
        number(Some(cell.bytes as f64 / 1e6), 1),
        spread(ratio.map(|ratio| ratio.requests_per_s)),
        spread(ratio.and_then(|ratio| ratio.cpu_ms)),
    ]
}

/// A ratio with its spread: `0.21 (0.19–0.23)`.
pub(super) fn spread(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(dash, |ratio| {
        format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
    })
}

/// A number with so many digits after the point.
pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(dash, |value| format!("{value:.digits$}"))
}

fn dash() -> String {
    "–".to_owned()
}

fn rows(cells: &[Cell]) -> Vec<Vec<String>> {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for cell in cells {
        let mut row = values(cell);
        if cell.figures.is_none() {
            row.push(format!("no figure: {}", cell.reason()));
        } else if cell.near_sizes > 0 {
            row.push(format!("{} rounded otherwise", cell.near_sizes));
        }
        if let Some(seconds) = cell.settle_cpu_seconds {
            row.push(format!("{seconds:.2} CPU s to rest"));
        }
        rows.push(row);
    }
    rows
}

/// Columns of equal width; numbers stand to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(width(column).saturating_sub(cell.chars().count()));
            let (before, after) = match column {
                0 => ("", gap.as_str()),
                _ if column < COLUMNS.len() => (gap.as_str(), ""),
                _ => ("", ""),
            };
            write!(text, "  {before}{cell}{after}").expect(IN_MEMORY);
        }
        text.push('\n');
    }
    text
}
