//! The tools beside the program that decide something: what `make bench` calls slower.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::library::scratch;

/// A comparison as criterion writes it: the median changed by this part, at least and in the middle.
fn comparison(folder: &Path, name: &str, low: f64, middle: f64) {
    let bench = folder.join(name.replace(' ', "_"));
    fs::create_dir_all(bench.join("new")).unwrap();
    fs::create_dir_all(bench.join("change")).unwrap();
    let about =
        format!(r#"{{"group_id":"g","full_id":"{name}","directory_name":"d","title":"{name}"}}"#);
    fs::write(bench.join("new/benchmark.json"), about).unwrap();
    let part = |name: &str, low: f64, middle: f64| {
        format!(
            r#""{name}":{{"confidence_interval":{{"confidence_level":0.95,"lower_bound":{low},"upper_bound":9.0}},"point_estimate":{middle},"standard_error":0.01}}"#
        )
    };
    let text = format!(
        "{{{},{}}}",
        part("mean", 5.0, 6.0),
        part("median", low, middle)
    );
    fs::write(bench.join("change/estimates.json"), text).unwrap();
}

fn slower(folder: &Path, since: &Path, percent: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/slower.sh");
    Command::new(script)
        .args([folder, since])
        .arg(percent)
        .output()
        .unwrap()
}

fn folder(name: &str) -> (PathBuf, PathBuf) {
    let folder = scratch(name);
    let since = folder.join("since");
    fs::write(&since, "").unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    fs::File::open(&since)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    (folder, since)
}

#[test]
fn what_got_slower_is_named_and_nothing_else() {
    let (folder, since) = folder("slower-some");
    comparison(&folder, "decode/tiff pyramid", 0.21, 0.25);
    comparison(&folder, "decode/gif", -0.30, -0.25);
    comparison(&folder, "parse/path", 0.05, 0.40);
    comparison(&folder, "encode/jpeg", 1.5e0, 2.0);
    let output = slower(&folder, &since, "10");
    assert_eq!(output.status.code(), Some(1));
    let named = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        named,
        "  decode/tiff pyramid: 25 % slower, at least 21 %\n  encode/jpeg: 200 % slower, at least 150 %\n"
    );
}

#[test]
fn within_the_threshold_nothing_is_named() {
    let (folder, since) = folder("slower-none");
    comparison(&folder, "parse/path", 0.09, 0.2);
    let output = slower(&folder, &since, "10");
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), &b""[..])
    );
    assert_eq!(slower(&folder, &since, "8").status.code(), Some(1));
}

#[test]
fn old_comparisons_and_unknown_forms_are_no_answer() {
    let (folder, since) = folder("slower-old");
    comparison(&folder, "parse/path", 0.5, 0.6);
    let estimates = folder.join("parse/path/change/estimates.json");
    fs::write(&since, "later").unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_mins(1);
    fs::File::open(&since).unwrap().set_modified(later).unwrap();
    assert_eq!(
        slower(&folder, &since, "10").status.code(),
        Some(2),
        "nothing was compared"
    );
    let (_, since) = self::folder("slower-since");
    fs::write(&estimates, r#"{"average":0.5}"#).unwrap();
    assert_eq!(
        slower(&folder, &since, "10").status.code(),
        Some(2),
        "the form is not criterion's"
    );
}
