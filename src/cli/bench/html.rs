//! Reports as one page: tables and plots, with nothing loaded from anywhere and no script.

use std::fmt::Write as _;

use super::plot::{self, Row, bars, colour, escaped, latencies};
use super::report::{Cell, Figures, Report, WorkloadReport};
use super::text::{COLUMNS, method, values};

/// Why writing to a text never fails.
const IN_MEMORY: &str = "a String takes every write";

/// A page of all reports.
pub(super) fn page(reports: &[Report]) -> String {
    let title = reports
        .first()
        .map_or("triforium bench", |report| report.title.as_str());
    let body: String = reports.iter().map(section).collect();
    let style = include_str!("page.css");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{style}</style></head>\n<body>{body}</body></html>\n",
        escaped(title)
    )
}

fn section(report: &Report) -> String {
    let mut html = format!(
        "<header><h1>{}</h1><p>{} · {}</p><p>{}.</p>",
        escaped(&report.title),
        escaped(&report.started),
        escaped(&report.program),
        escaped(&method(&report.method)),
    );
    html.push_str("<ul class=\"servers\">");
    for (place, server) in report.servers.iter().enumerate() {
        let software = server.software.as_deref().unwrap_or("unnamed software");
        write!(
            html,
            "<li><span class=\"key {}\"></span><b>{}</b> {}, {}, Image API {}</li>",
            colour(place),
            escaped(&server.name),
            escaped(&server.address),
            escaped(software),
            escaped(&server.api)
        )
        .expect(IN_MEMORY);
    }
    write!(html, "</ul><p>{} images", report.images).expect(IN_MEMORY);
    if !report.left_out.is_empty() {
        write!(html, ", {} left out:</p><ul>", report.left_out.len()).expect(IN_MEMORY);
        for image in &report.left_out {
            let (name, reason) = (escaped(&image.identifier), escaped(&image.reason));
            write!(html, "<li>{name}: {reason}</li>").expect(IN_MEMORY);
        }
        html.push_str("</ul><p>");
    }
    html.push_str("</p></header>\n");
    html.extend(report.workloads.iter().map(workload));
    html
}

fn workload(workload: &WorkloadReport) -> String {
    let cells = &workload.servers;
    let mut html = format!(
        "<section id=\"{0}\"><h2>{0}</h2><p>{1} questions, {2} different.</p>",
        escaped(&workload.name),
        workload.questions,
        workload.distinct
    );
    html.push_str(&table(cells));
    html.push_str(&faults(cells));
    html.push_str("<div class=\"plots\">");
    html.push_str(&plots(cells));
    html.push_str("</div></section>\n");
    html
}

fn table(cells: &[Cell]) -> String {
    let mut html = String::from("<div class=\"wide\"><table><thead><tr>");
    for column in COLUMNS {
        write!(html, "<th>{column}</th>").expect(IN_MEMORY);
    }
    html.push_str("</tr></thead><tbody>");
    for (place, cell) in cells.iter().enumerate() {
        html.push_str("<tr>");
        for (column, value) in values(cell).iter().enumerate() {
            let value = escaped(value);
            if column == 0 {
                write!(
                    html,
                    "<th><span class=\"key {}\"></span>{value}</th>",
                    colour(place)
                )
            } else {
                write!(html, "<td>{value}</td>")
            }
            .expect(IN_MEMORY);
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html
}

fn faults(cells: &[Cell]) -> String {
    let mut html = String::new();
    for cell in cells {
        let name = escaped(&cell.name);
        if cell.figures.is_none() {
            write!(
                html,
                "<p class=\"fault\">{name}: no figure: {}</p>",
                escaped(&cell.reason())
            )
            .expect(IN_MEMORY);
        }
        if cell.near_sizes > 0 {
            write!(
                html,
                "<p>{name}: {} sizes were rounded otherwise.</p>",
                cell.near_sizes
            )
            .expect(IN_MEMORY);
        }
        if let Some(seconds) = cell.settle_cpu_seconds {
            write!(
                html,
                "<p>{name}: {seconds:.2} s of processor time between warming and rest.</p>"
            )
            .expect(IN_MEMORY);
        }
        for example in &cell.examples {
            write!(
                html,
                "<p class=\"example\">{name}: {}</p>",
                escaped(example)
            )
            .expect(IN_MEMORY);
        }
    }
    html
}

fn plots(cells: &[Cell]) -> String {
    let rows = |of: fn(&Figures) -> Option<f64>| -> Vec<Row<'_>> {
        let row = |cell| figure(cell, of);
        cells.iter().map(row).collect()
    };
    let mut html = bars(
        "requests per second",
        &rows(|figures| Some(figures.requests_per_s)),
        1,
    );
    let cpu = rows(|figures| figures.cpu_ms);
    if cpu.iter().any(|row| row.value.is_some()) {
        html.push_str(&bars("processor time of a request, ms", &cpu, 3));
    }
    html.push_str(&latencies(cells));
    if cells.len() > 1 {
        let ratios = cells.iter().skip(1).map(|cell| {
            let ratio = cell.ratio.map(|ratio| ratio.requests_per_s);
            plot::row(&cell.name, ratio)
        });
        let ratios: Vec<_> = std::iter::once(unity(cells)).chain(ratios).collect();
        html.push_str(&bars(
            "requests per second, relative to the first; least and most of the rounds",
            &ratios,
            2,
        ));
    }
    html
}

fn figure(cell: &Cell, of: fn(&Figures) -> Option<f64>) -> Row<'_> {
    Row {
        name: &cell.name,
        value: cell.figures.as_ref().and_then(of),
        spread: None,
    }
}

/// The first server, compared with itself.
fn unity(cells: &[Cell]) -> Row<'_> {
    let first = cells.first();
    Row {
        name: first.map_or("", |cell| cell.name.as_str()),
        value: first.and_then(|cell| cell.figures).map(|_| 1.0),
        spread: None,
    }
}
