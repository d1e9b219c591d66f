//! `triforium bench` against servers of ours, and against servers that do wrong.

mod fake;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use self::fake::{Fake, Fault};
use crate::library::{library, scratch};
use crate::support::Server;

const WORKLOADS: [&str; 7] = [
    "tiles",
    "thumbnails",
    "regions",
    "rotate",
    "full",
    "info",
    "mixed",
];

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_triforium"))
        .arg("bench")
        .args(arguments)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap()
}

/// The report of a run that ends with `status`.
fn report(arguments: &[&str], status: i32) -> Value {
    let output = bench(&[arguments, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn masters(name: &str) -> PathBuf {
    let folder = scratch(name);
    fs::create_dir(folder.join("box")).unwrap();
    fs::copy(library().join("odd.png"), folder.join("odd.png")).unwrap();
    fs::copy(library().join("uneven.png"), folder.join("box/üne ven.png")).unwrap();
    folder
}

/// The cell of a server in a workload.
fn cell<'a>(report: &'a Value, workload: &str, server: &str) -> &'a Value {
    let named = |list: &'a Value, name: &str| {
        let mut list = list.as_array().unwrap().iter();
        list.find(|one| one["name"] == name).unwrap()
    };
    let workload = named(&report["workloads"], workload);
    named(&workload["servers"], server)
}

#[test]
fn two_servers_are_asked_alike_each_in_its_own_version() {
    let folder = masters("bench-two");
    let first = Server::start(&folder);
    let second = Server::with(&folder, &[("PUBLIC__PREFIX", "/other")]);
    let page = folder.join("report.html");
    let saved = folder.join("report.json");
    let report = report(
        &[
            &format!("http://{}/iiif/3", first.public),
            "--against",
            &format!("other=http://{}/other/iiif/2", second.public),
            "--pid",
            &format!("triforium={}", first.pid()),
            "--requests=16",
            "--rounds=2",
            "--seconds=600",
            "--warm=2",
            "--concurrency=2",
            "--html",
            page.to_str().unwrap(),
        ],
        0,
    );
    assert_eq!(report["images"], 2, "{report:#}");
    assert_eq!(report["servers"][0]["api"], "3");
    assert_eq!(report["servers"][1]["api"], "2");
    for workload in WORKLOADS {
        for server in ["triforium", "other"] {
            let cell = cell(&report, workload, server);
            assert_eq!(cell["requests"], 32, "{cell:#}");
            assert_eq!(cell["errors"], serde_json::json!({}), "{cell:#}");
            assert_eq!(
                (&cell["wrong_sizes"], &cell["near_sizes"]),
                (&0.into(), &0.into())
            );
            assert!(cell["figures"]["requests_per_s"].as_f64().unwrap() > 0.0);
            assert_eq!(cell["figures"]["cpu_ms"].is_number(), server == "triforium");
            assert_eq!(cell["rounds"].as_array().unwrap().len(), 2);
            assert_eq!(cell["ratio"].is_object(), server == "other");
        }
    }
    opens_offline_and_says_the_same(&fs::read_to_string(page).unwrap(), &report);
    fs::write(&saved, report.to_string()).unwrap();
    printed_again_is_the_same(saved.to_str().unwrap(), &report);
}

fn opens_offline_and_says_the_same(page: &str, report: &Value) {
    for foreign in [
        "http:", "https:", "src=", "href=", "<script", "@import", "url(",
    ] {
        assert!(!page.contains(foreign), "the page has {foreign}");
    }
    assert!(page.matches("<svg").count() >= 3 * WORKLOADS.len());
    for workload in WORKLOADS {
        let section = page
            .split(&format!("<section id=\"{workload}\">"))
            .nth(1)
            .unwrap();
        let section = section.split("</section>").next().unwrap();
        for server in ["triforium", "other"] {
            let figures = &cell(report, workload, server)["figures"];
            for (figure, digits) in [("requests_per_s", 1), ("p50_ms", 2), ("p99_ms", 2)] {
                let value = figures[figure].as_f64().unwrap();
                let shown = format!("<td>{value:.digits$}</td>");
                assert!(
                    section.contains(&shown),
                    "{workload} {figure} {shown}: {section}"
                );
            }
        }
    }
}

fn printed_again_is_the_same(saved: &str, report: &Value) {
    let again: Value = serde_json::from_slice(&bench(&["--from", saved, "--json"]).stdout).unwrap();
    assert_eq!(again, *report);
    let markdown = String::from_utf8(bench(&["--from", saved, "--markdown"]).stdout).unwrap();
    let ratio = &cell(report, "tiles", "other")["ratio"]["requests_per_s"];
    let [median, low, high] = ["median", "low", "high"].map(|part| ratio[part].as_f64().unwrap());
    let row = format!("| tiles | {median:.2} ({low:.2}–{high:.2}) |");
    assert!(markdown.contains(&row), "{row}: {markdown}");
    let text = String::from_utf8(bench(&["--from", saved]).stdout).unwrap();
    let rate = cell(report, "full", "other")["figures"]["requests_per_s"]
        .as_f64()
        .unwrap();
    assert!(text.contains(&format!("{rate:.1}")), "{text}");
}

#[test]
fn a_workload_with_errors_or_wrong_sizes_has_no_figure() {
    let folder = masters("bench-faults");
    let server = Server::start(&folder);
    let list = folder.join("ids.txt");
    fs::write(&list, "odd.png\nnobody.png\n").unwrap();
    let faulty = [
        ("wrong", Fault::Size, "", 12),
        ("failing", Fault::Status(500), "HTTP 500", 12),
        ("cut", Fault::Cut, "connection broken", 12),
        ("text", Fault::Text, "unreadable answer", 12),
        ("away", Fault::Redirect, "HTTP 303", 12),
        ("slow", Fault::Never, "timeout", 2),
    ];
    for (name, fault, error, count) in faulty {
        let fake = Fake::start((2501, 1667), 3, fault);
        let report = report(
            &[
                &format!("http://{}/iiif/3", server.public),
                "--against",
                &format!("{name}=http://{}/iiif", fake.address),
                "--workloads=thumbnails,info",
                &format!("--requests={count}"),
                "--rounds=1",
                "--warm=0",
                "--timeout=2",
                "--ids",
                list.to_str().unwrap(),
            ],
            1,
        );
        assert_eq!(report["left_out"][0]["identifier"], "nobody.png");
        let wrong = cell(&report, "thumbnails", name);
        assert!(
            wrong["figures"].is_null() && wrong["ratio"].is_null(),
            "{wrong:#}"
        );
        assert_eq!(wrong["requests"], count);
        if error.is_empty() {
            assert_eq!(wrong["wrong_sizes"], count, "{wrong:#}");
        } else {
            assert_eq!(wrong["errors"][error], count, "{wrong:#}");
        }
        assert!(cell(&report, "thumbnails", "triforium")["figures"].is_object());
        assert!(
            cell(&report, "info", name)["figures"].is_object(),
            "documents are right"
        );
        assert!(fake.elsewhere().is_empty(), "a redirect was followed");
    }
}

#[test]
fn an_open_loop_counts_from_the_intended_time() {
    // 50 ms an answer on one connection: 20 a second at most, asked for 100. The last of 20 is meant to
    // begin at 190 ms and cannot end before 1000.
    let fake = Fake::start((100, 80), 3, Fault::Slow(Duration::from_millis(50)));
    let url = format!("http://{}/iiif", fake.address);
    let list = scratch("bench-open").join("ids.txt");
    fs::write(&list, "a\n").unwrap();
    let shared = [
        url.as_str(),
        "--workloads=info",
        "--requests=20",
        "--rounds=1",
        "--warm=0",
        "--concurrency=1",
        "--ids",
        list.to_str().unwrap(),
    ];
    let figure = |report: &Value, name: &str| {
        cell(report, "info", "triforium")["figures"][name]
            .as_f64()
            .unwrap()
    };
    let open = report(&[&shared[..], &["--rate=100"]].concat(), 0);
    let closed = report(&shared, 0);
    assert!(figure(&open, "p99_ms") >= 809.0, "{open:#}");
    // The tenth is meant to begin at 90 ms and ends at 500 or later.
    assert!(figure(&open, "p50_ms") >= 409.0, "{open:#}");
    assert!(figure(&closed, "p50_ms") >= 50.0, "{closed:#}");
    // Each answer of the closed loop counts from its own beginning: together they are no longer than the run.
    let seconds = 20.0 / figure(&closed, "requests_per_s");
    let middle = figure(&closed, "p50_ms") / 1000.0;
    assert!(middle * 10.0 <= seconds, "{middle} {seconds}: {closed:#}");
}

#[test]
fn servers_take_turns_and_are_asked_the_same() {
    let fakes = [3, 2].map(|version| Fake::start((5000, 3000), version, Fault::None));
    let list = scratch("bench-turns").join("ids.txt");
    fs::write(&list, "shelf/page.1.tif\n\nshelf/page.2.tif\n").unwrap();
    let ask = |extra: &[&str]| {
        let first = format!("a=http://{}/x/{{path}}", fakes[0].address);
        let second = format!("b=http://{}/q?f={{stem}}.jp2", fakes[1].address);
        let fixed = [
            first.as_str(),
            "--against",
            &second,
            "--workloads=info",
            "--requests=3",
            "--rounds=2",
            "--warm=0",
            "--concurrency=1",
            "--ids",
            list.to_str().unwrap(),
        ];
        report(&[&fixed[..], extra].concat(), 0);
        fakes.each_ref().map(Fake::take)
    };
    let [first, second] = ask(&[]);
    let paths = |log: &[fake::Asked]| -> Vec<String> {
        log.iter().map(|asked| asked.path.clone()).collect()
    };
    // Two documents to learn from, then two rounds of three questions.
    assert_eq!(
        paths(&first)[..2],
        [
            "/x/shelf/page.1.tif/info.json",
            "/x/shelf/page.2.tif/info.json"
        ]
    );
    assert_eq!(paths(&second)[0], "/q?f=shelf%2Fpage.1.jp2/info.json");
    assert_eq!((first.len(), second.len()), (8, 8));
    let ends = |log: &[fake::Asked]| [2, 5].map(|at| (log[at].when, log[at + 2].when));
    let ([a1, a2], [b1, b2]) = (ends(&first), ends(&second));
    assert!(a1.1 < b1.0 && b1.1 < a2.0 && a2.1 < b2.0, "A B A B");
    assert_eq!(
        paths(&first)[2..5],
        paths(&first)[5..8],
        "each round asks the same"
    );
    let which =
        |paths: &[String]| -> Vec<bool> { paths.iter().map(|p| p.contains("page.1")).collect() };
    assert_eq!(
        which(&paths(&first)),
        which(&paths(&second)),
        "each server is asked the same"
    );
    assert_eq!(paths(&ask(&[])[0]), paths(&first), "equal seeds ask alike");
}

#[test]
fn a_command_line_that_cannot_be_is_told_from_a_server_that_is_away() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}/iiif/3");
    let twice = format!("triforium={url}");
    let cases: [(&[&str], i32); 7] = [
        (&[&url, "--against", &twice], 2),
        (&[&url, "--pid", "nobody=1"], 2),
        (&[&url, "--api", "triforium=4"], 2),
        (&[&url, "--workloads", "tea"], 2),
        (&[&url, "--rate", "0"], 2),
        (&["https://127.0.0.1/"], 2),
        (&[&url], 1),
    ];
    for (arguments, status) in cases {
        let output = bench(arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {output:?}"
        );
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{arguments:?}"
        );
    }
}
