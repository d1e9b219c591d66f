//! Reports as tables in Markdown, for a README or a note.
//!
//! One report gives a table of its figures. Several, measured on different masters say, give one table of
//! ratios too: a row for each workload, a column for each report.

use std::fmt::Write as _;

use super::report::{Cell, Report};
use super::text::{COLUMNS, method, spread, values};

/// Why writing to a text never fails.
const IN_MEMORY: &str = "a String takes every write";

/// All tables.
pub(super) fn tables(reports: &[Report]) -> String {
    let mut text = summary(reports);
    for report in reports {
        writeln!(text, "**{}**: {}.\n", report.title, method(&report.method)).expect(IN_MEMORY);
        let columns = COLUMNS.join(" | ");
        writeln!(
            text,
            "| workload | {columns} |\n|---|---|{}",
            "--:|".repeat(COLUMNS.len() - 1)
        )
        .expect(IN_MEMORY);
        for workload in &report.workloads {
            for cell in &workload.servers {
                writeln!(text, "| {} | {} |", workload.name, row(cell).join(" | "))
                    .expect(IN_MEMORY);
            }
        }
        text.push('\n');
    }
    text
}

fn row(cell: &Cell) -> Vec<String> {
    let mut row = values(cell);
    if cell.figures.is_none()
        && let Some(first) = row.get_mut(1)
    {
        *first = format!("none: {}", cell.reason());
    }
    row
}

/// Ratios to the first server: of processor time where it is known, else of requests per second.
fn summary(reports: &[Report]) -> String {
    let mut columns = Vec::new();
    for report in reports {
        for server in report.servers.iter().skip(1) {
            columns.push((report, server.name.as_str()));
        }
    }
    if columns.is_empty() {
        return String::new();
    }
    let mut names: Vec<&str> = Vec::new();
    for workload in reports.iter().flat_map(|report| &report.workloads) {
        if !names.contains(&workload.name.as_str()) {
            names.push(&workload.name);
        }
    }
    let heads = columns
        .iter()
        .map(|(report, server)| format!("{}: {server}", report.title));
    let heads: Vec<String> = heads.collect();
    let rule = "--:|".repeat(columns.len());
    let mut text = format!(
        "| {} | {} |\n|---|{rule}\n",
        what(reports),
        heads.join(" | ")
    );
    for name in names {
        let row: Vec<String> = columns
            .iter()
            .map(|(report, server)| ratio(report, name, server))
            .collect();
        writeln!(text, "| {name} | {} |", row.join(" | ")).expect(IN_MEMORY);
    }
    text.push('\n');
    text
}

fn what(reports: &[Report]) -> &'static str {
    if has_cpu(reports) {
        "processor time of a request, relative to the first server's"
    } else {
        "requests per second, relative to the first server's"
    }
}

fn has_cpu(reports: &[Report]) -> bool {
    let cells = reports.iter().flat_map(|report| &report.workloads);
    let mut ratios = cells
        .flat_map(|workload| &workload.servers)
        .filter_map(|cell| cell.ratio);
    ratios.any(|ratio| ratio.cpu_ms.is_some())
}

fn ratio(report: &Report, workload: &str, server: &str) -> String {
    let workload = report.workloads.iter().find(|one| one.name == workload);
    let cell = workload.and_then(|one| one.servers.iter().find(|cell| cell.name == server));
    let ratio = cell.and_then(|cell| cell.ratio);
    spread(if has_cpu(std::slice::from_ref(report)) {
        ratio.and_then(|ratio| ratio.cpu_ms)
    } else {
        ratio.map(|ratio| ratio.requests_per_s)
    })
}
