//! The README says what the program says: its tables are made from the program's, and its tour works.
//!
//! `BLESS=readme` writes the tables anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use triforium::codec::formats::{DERIVATIVES, MASTERS};
use triforium::config::{Config, KEYS};
use triforium::metrics::{Kind, TABLE};

use crate::support::{Server, fixtures};

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The place of a generated table: after the line that begins `<!-- name:`, up to `<!-- /name -->`.
fn place(text: &str, name: &str) -> std::ops::Range<usize> {
    let mark = text.find(&format!("<!-- {name}:")).unwrap();
    let start = mark + text[mark..].find('\n').unwrap() + 1;
    let end = start + text[start..].find(&format!("<!-- /{name} -->")).unwrap();
    start..end
}

fn agree(name: &str, table: &str) {
    let text = fs::read_to_string(readme()).unwrap();
    let place = place(&text, name);
    if text[place.clone()] == *table {
        return;
    }
    let blessed = std::env::var("BLESS").is_ok_and(|name| name == "readme");
    assert!(
        blessed,
        "the README's table of {name} is out of date: BLESS=readme"
    );
    let (before, after) = (&text[..place.start], &text[place.end..]);
    fs::write(readme(), format!("{before}{table}{after}")).unwrap();
}

#[test]
fn the_tables_are_the_programs() {
    agree("settings", &settings());
    agree("metrics", &metrics());
    agree("masters", &masters());
    agree("derivatives", &derivatives());
}

fn masters() -> String {
    let mut table = String::from(
        "| Masters | Depth | Colour | Levels | Regions | Crates |\n|---|---|---|---|---|---|\n",
    );
    for row in MASTERS {
        let (depth, colour, regions) = (row.depth, row.colour, row.regions);
        let cells = [
            row.name,
            depth,
            colour,
            row.levels,
            regions,
            &named(row.crates),
        ];
        writeln!(table, "| {} |", cells.join(" | ")).unwrap();
    }
    table
}

fn derivatives() -> String {
    let mut table = String::from(
        "| Derivatives | Depth | Colour | Metadata | Crates |\n|---|---|---|---|---|\n",
    );
    for row in DERIVATIVES {
        let name = format!("`{}`", row.format.token());
        let crates = named(row.crates);
        let cells = [&name, row.depth, row.colour, row.metadata, &crates];
        writeln!(table, "| {} |", cells.join(" | ")).unwrap();
    }
    table
}

fn named(crates: &[&str]) -> String {
    if crates.is_empty() {
        return "this program's own".to_owned();
    }
    let names: Vec<_> = crates.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn settings() -> String {
    let defaults = Config::default().to_table();
    let mut table = String::from("| Setting | Default | Meaning |\n|---|---|---|\n");
    for info in KEYS {
        let mut value = None;
        for part in info.key.split('.') {
            value = value.map_or_else(|| defaults.get(part), |inner: &toml::Value| inner.get(part));
        }
        let meaning = info
            .meaning
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let value = value.unwrap();
        writeln!(
            table,
            "| `{}` | `{value}` | {} |",
            info.key,
            meaning.replace('|', "\\|")
        )
        .unwrap();
    }
    table
}

fn metrics() -> String {
    let mut table = String::from("| Metric | Kind | Labels | Meaning |\n|---|---|---|---|\n");
    for metric in TABLE {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, help) = (metric.name, metric.help);
        writeln!(
            table,
            "| `{name}` | {kind} | {} | {help} |",
            labels.join(" ")
        )
        .unwrap();
    }
    table
}

/// Paths of the commands that begin with `curl`, outside of examples with their output.
fn tour(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("curl "))
        .map(|line| line.split_once("//127.0.0.1:8182").unwrap().1)
        .map(|rest| rest.split(['\'', ' ']).next().unwrap())
        .collect()
}

#[test]
fn every_command_of_the_tour_is_answered() {
    let text = fs::read_to_string(readme()).unwrap();
    let paths = tour(&text);
    assert!(paths.len() >= 8, "the tour has {} commands", paths.len());
    let server = Server::start(&fixtures().join("images"));
    for path in paths {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let too_large = server.get("/iiif/3/cat-progressive.jpg/full/640,/0/default.jpg");
    assert_eq!(too_large.status, 400);
    let json = too_large.json();
    let detail = json["detail"].as_str().unwrap();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(detail), "{detail}");
}

#[test]
fn every_link_of_the_contents_leads_to_a_heading() {
    let text = fs::read_to_string(readme()).unwrap();
    let anchor = |heading: &str| {
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let headings: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(anchor)
        .collect();
    let links: Vec<_> = text
        .split("](#")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert!(
        links.len() >= headings.len() - 1,
        "a heading is missing in the contents"
    );
    for link in links {
        assert!(
            headings.iter().any(|heading| heading == link),
            "#{link} leads nowhere"
        );
    }
    for file in [
        "config.toml",
        "SECURITY.md",
        "src/ARCHITECTURE.md",
        "fixtures/LICENSES.md",
    ] {
        assert!(text.contains(&format!("]({file})")), "{file} is not linked");
    }
}
