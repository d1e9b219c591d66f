//! The commands besides `serve`: what they print and how they end.

use std::process::{Command, Output};

use super::SERVER;
use crate::library::{SQUARES, library};

fn triforium(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(arguments)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap()
}

/// What a command that ends well prints.
fn prints(arguments: &[&str]) -> String {
    let output = triforium(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&prints(arguments)).unwrap()
}

#[test]
fn every_command_has_help_with_examples() {
    for command in [
        "serve",
        "info",
        "explain",
        "bench",
        "convert",
        "health",
        "config",
        "completions",
    ] {
        let help = prints(&[command, "--help"]);
        assert!(help.contains("Examples:"), "{command}");
        assert!(help.matches("triforium ").count() >= 2, "{command}: {help}");
    }
    assert!(prints(&["--version"]).starts_with("triforium "));
    assert_eq!(triforium(&["fly"]).status.code(), Some(2));
    assert_eq!(triforium(&[]).status.code(), Some(2));
}

#[test]
fn info_says_what_a_master_is() {
    let file = library().join(SQUARES);
    let file = file.to_str().unwrap();
    let report = json(&["info", "--json", file]);
    let text = report.to_string();
    assert!(text.contains("1000"), "{text}");
    assert!(text.to_ascii_lowercase().contains("png"), "{text}");
    assert!(prints(&["info", file]).contains("1000"));
    let missing = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["info", "nobody"])
        .env("TRIFORIUM_SOURCE__FILE__ROOT", library())
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stdout.is_empty());
    assert!(String::from_utf8_lossy(&missing.stderr).starts_with("triforium: "));
}

#[test]
fn explain_names_the_rung_and_form_that_the_server_then_reports() {
    let root = library().to_str().unwrap();
    let server = SERVER.get();
    for request in [
        "0,0,300,300/77,/0/color.jpg",
        "full/333,/90/gray.png",
        "full/100,/33/default.webp",
    ] {
        let path = format!("/iiif/3/uneven.png/{request}");
        let report = json(&["explain", "--json", "--root", root, &path]);
        let answer = server.get(&path);
        let canonical = report["canonical"].as_str().unwrap();
        assert!(
            answer
                .header("link")
                .contains(&format!("/uneven.png/{canonical}>")),
            "{report}"
        );
        let timing = answer.header("server-timing");
        let rung = report["rung"].as_str().unwrap();
        assert!(
            timing.contains(&format!("rung;desc=\"{rung}\"")),
            "{timing} {rung}"
        );
        let engine = report["engine"].as_str().unwrap();
        assert!(
            timing.contains(&format!("engine;desc=\"{engine}\"")),
            "{timing}"
        );
    }
    for wrong in [
        "/nowhere",
        "/iiif/3/uneven.png/full/0,/0/default.jpg",
        "/iiif/3/nobody/full/max/0/default.jpg",
    ] {
        assert_eq!(
            triforium(&["explain", "--root", root, wrong]).status.code(),
            Some(1),
            "{wrong}"
        );
    }
}

#[test]
fn config_shows_checks_and_documents() {
    let shown = prints(&["config", "show"]);
    assert!(
        shown.contains("limits.max_area_px = 134217728  # built-in"),
        "{shown}"
    );
    let report = json(&["config", "show", "--json"]);
    assert_eq!(report["settings"]["encode.jpeg.quality"]["value"], 80);
    assert_eq!(json(&["config", "check", "--json"])["valid"], true);
    let schema = json(&["config", "schema", "--json"]);
    assert!(schema["settings"].as_array().unwrap().len() > 30);
    let wrong = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["config", "check"])
        .env("TRIFORIUM_ENCODE__JPEG__QUALTIY", "70")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("encode.jpeg.quality"));
}

#[test]
fn what_schema_prints_is_a_valid_configuration() {
    let file = std::env::temp_dir().join(format!("triforium-schema-{}.toml", std::process::id()));
    std::fs::write(&file, prints(&["config", "schema"])).unwrap();
    let checked = json(&[
        "config",
        "check",
        "--json",
        "--config",
        file.to_str().unwrap(),
    ]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(checked["valid"], true);
}

#[test]
fn health_probes_a_running_server() {
    let server = SERVER.get();
    let help = prints(&["health", "--help"]);
    assert!(help.contains("health"));
    let listen = |address: &str| {
        Command::new(env!("CARGO_BIN_EXE_triforium"))
            .arg("health")
            .env("TRIFORIUM_SERVER__LISTEN", address)
            .env("TRIFORIUM_ADMIN__LISTEN", address)
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(listen(&server.public), Some(0));
    // A port on which nothing listens: bound and given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(listen(&free.to_string()), Some(1));
}

#[test]
fn completions_are_written_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            prints(&["completions", shell]).contains("triforium"),
            "{shell}"
        );
    }
    assert_eq!(triforium(&["completions", "tea"]).status.code(), Some(2));
}
