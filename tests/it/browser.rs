//! The start page and the viewer in a real browser: Debian's Chromium, driven as a reader would, with
//! keys, clicks and screenshots. What is seen is compared with what libvips reads from the master.

mod driver;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::support::{Server, fixtures};
use driver::{Browser, Screenshot};

/// The demo master: 8192 × 6144 pixels in JPEG tiles with levels. `make test` draws it before the tests.
const ISLAND: &str = "island.tif";

fn demo() -> PathBuf {
    let folder = fixtures().join("images/demo");
    assert!(
        folder.join(ISLAND).exists(),
        "the demo master is missing: run tests/tools/make-demo.sh"
    );
    folder
}

/// A folder with `count` small JPEGs, `leaf 1.jpg` and on.
fn leaves(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let leaf = fixtures().join("golden/masters/gray.jpg");
    for number in 1..=count {
        fs::copy(&leaf, folder.path().join(format!("leaf {number}.jpg"))).unwrap();
    }
    folder
}

/// The start page's list is made in the background.
fn wait_for_list(server: &Server, root: &str) {
    for _ in 0..200 {
        let list = server.request("GET", root, &[("Accept", "application/json")]);
        if list.json()["building"] == false {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the list is never made");
}

/// What must hold after every visit: the console is silent, and what [`assert_own`] says.
fn assert_clean(browser: &Browser, server: &Server) {
    let said = browser.console();
    assert!(said.is_empty(), "the console is not silent: {said:#?}");
    assert_own(browser, &format!("http://{}/", server.public));
}

/// No policy was violated, and nothing was asked of anybody but `origin`.
fn assert_own(browser: &Browser, origin: &str) {
    let violations = browser.run(
        "const done = arguments[0];
         new ReportingObserver((reports) => done(reports.map((r) => r.body.blockedURL)),
             {types: ['csp-violation'], buffered: true}).observe();
         setTimeout(() => done([]), 300);",
    );
    assert_eq!(violations, json!([]), "the policy was violated");
    let asked = browser.requests();
    assert!(asked.len() > 3, "requests are not seen: {asked:?}");
    for address in asked {
        let is_own = address.starts_with(origin) || address.starts_with("data:");
        assert!(is_own, "{address} is not on {origin}");
    }
}

#[test]
fn the_start_page_lists_pages_and_filters_the_collection() {
    let folder = leaves(130);
    fs::write(folder.path().join("broken.jpg"), "no picture").unwrap();
    let mut server = Server::start(folder.path());
    server.log_may_be_dirty = true;
    wait_for_list(&server, "/");
    let browser = Browser::open(1200, 900);
    browser.visit(&format!("http://{}/", server.public));

    browser.until("document.querySelectorAll('.gallery li').length === 60");
    browser.until(
        "[...document.querySelectorAll('.frame img')].filter((i) => i.naturalWidth > 0).length >= 4",
    );
    browser.until("document.querySelectorAll('.frame.broken').length === 1");
    assert_eq!(browser.text("#count"), "131 pictures");
    assert_eq!(browser.text(".paging span"), "Page 1 of 3");

    browser.click(".paging a[rel=next]");
    browser.until("document.querySelector('.paging span').textContent === 'Page 2 of 3'");
    assert_eq!(browser.text(".gallery li .name"), "leaf 60.jpg");
    browser.click(".paging a[rel=next]");
    browser.until("document.querySelector('.paging span').textContent === 'Page 3 of 3'");
    browser.until("document.querySelectorAll('.gallery li').length === 11");

    browser.click(".paging a[rel=first]");
    browser.until("document.querySelector('.paging span').textContent === 'Page 1 of 3'");

    browser.focus("input[name=q]");
    browser.keys("LEAF 12");
    browser.until("document.getElementById('count').textContent === '11 pictures'");
    assert_eq!(browser.text(".gallery li .name"), "leaf 12.jpg");
    assert!(
        browser.address().ends_with("/?q=LEAF+12"),
        "{}",
        browser.address()
    );
    browser.keys("xyz");
    browser.until("document.querySelector('.nothing')?.textContent.includes('No name contains')");

    // The broken picture was answered as what it is; nothing else went wrong.
    let said = browser.console();
    assert!(
        said.iter().all(|line| line.contains("broken.jpg")),
        "{said:?}"
    );
    assert!(!said.is_empty(), "the broken picture was not asked for");
    assert_own(&browser, &format!("http://{}/", server.public));
}

#[test]
fn without_scripts_the_start_page_has_every_link() {
    let folder = leaves(3);
    fs::create_dir(folder.path().join("a & b")).unwrap();
    fs::copy(
        fixtures().join("golden/masters/small.png"),
        folder.path().join("a & b/é+c.png"),
    )
    .unwrap();
    let server = Server::start(folder.path());
    wait_for_list(&server, "/");
    let page = server.request("GET", "/", &[("Accept", "text/html,*/*;q=0.8")]);
    assert_eq!(page.header("vary"), "Accept");
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.header("content-security-policy").contains("unsafe"));
    let page = page.text();
    let links: Vec<&str> = page
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.ends_with("/info.json"))
        .collect();
    assert_eq!(links.len(), 4, "{page}");
    for link in &links {
        assert_eq!(server.get(link).status, 200, "{link}");
    }
    assert!(links.contains(&"/iiif/3/a%20%26%20b%2F%C3%A9%2Bc.png/info.json"));

    let list = server.request("GET", "/?q=LEAF", &[("Accept", "application/json")]);
    assert_eq!(list.header("content-type"), "application/json");
    assert_eq!(list.header("vary"), "Accept");
    let list = list.json();
    assert_eq!((&list["total"], &list["pages"]), (&json!(3), &json!(1)));
    assert_eq!(list["images"][1]["identifier"], "leaf 2.jpg");
    let info = list["images"][1]["info"].as_str().unwrap();
    let own = format!("http://{}", server.public);
    assert_eq!(server.get(info.strip_prefix(&own).unwrap()).status, 200);
}

#[test]
fn a_picture_is_reached_and_opened_by_keys_alone() {
    let folder = leaves(3);
    let server = Server::start(folder.path());
    wait_for_list(&server, "/");
    let browser = Browser::open(1000, 800);
    browser.visit(&format!("http://{}/", server.public));
    for _ in 0..12 {
        browser.keys(driver::TAB);
        if browser.run("arguments[0](document.activeElement.className)") == "picture" {
            break;
        }
    }
    let focus = browser.run(
        "const style = getComputedStyle(document.activeElement);
         arguments[0]([document.activeElement.className, style.outlineStyle, style.outlineWidth])",
    );
    assert_eq!(focus, json!(["picture", "solid", "3px"]));
    browser.keys(driver::ENTER);
    browser.until("location.pathname === '/view'");
    browser.until("window.viewer?.world.getItemAt(0)?.getFullyLoaded()");
    // Every control is reached by Tab and has a name; the picture itself takes keys.
    let mut met = Vec::new();
    for _ in 0..14 {
        browser.keys(driver::TAB);
        let name = "const e = document.activeElement;
            arguments[0](e.ariaLabel ?? e.textContent)";
        met.push(browser.run(name).as_str().unwrap_or("").to_owned());
    }
    for name in [
        "All pictures",
        "Closer",
        "Whole",
        "1:1",
        "Turn",
        "Full screen",
    ] {
        assert!(met.iter().any(|m| m == name), "{name} is not in {met:?}");
    }
    let canvas = met.iter().find(|m| m.starts_with("leaf 1.jpg: arrow keys"));
    assert!(canvas.is_some(), "the picture is not in {met:?}");
    assert_clean(&browser, &server);
}

#[test]
fn the_viewer_shows_the_masters_own_pixels() {
    let server = Server::start(&demo());
    let browser = Browser::open(1000, 800);
    browser.visit(&format!("http://{}/view?id={ISLAND}", server.public));
    see_every_pixel(&browser, "/iiif/3/island.tif/");
    assert_clean(&browser, &server);
}

#[test]
fn page_and_viewer_work_under_a_prefix() {
    let server = Server::with(&demo(), &[("PUBLIC__PREFIX", "/scans")]);
    wait_for_list(&server, "/scans/");
    assert_eq!(server.get("/").status, 404);
    let browser = Browser::open(900, 700);
    browser.visit(&format!("http://{}/scans/", server.public));
    browser.until("document.querySelector('.frame img')?.naturalWidth > 0");
    let copied = browser.run("arguments[0](document.querySelector('[data-copy]').dataset.copy)");
    assert_eq!(copied, "/scans/iiif/3/island.tif/info.json");
    browser.click(".gallery .picture");
    browser.until("location.pathname === '/scans/view'");
    see_every_pixel(&browser, "/scans/iiif/3/island.tif/");
    assert_clean(&browser, &server);
}

#[test]
fn what_the_operator_alone_may_see_works_on_the_admin_listener() {
    let server = Server::with(
        &fixtures().join("golden/masters"),
        &[
            ("PUBLIC__START_PAGE", "admin"),
            ("PUBLIC__BASE_URI", "https://images.example.org/all"),
        ],
    );
    assert_eq!(server.get("/").status, 404);
    let browser = Browser::open(900, 700);
    browser.visit(&format!("http://{}/", server.admin));
    browser.until("document.querySelectorAll('.gallery li').length >= 10");
    browser.until("document.querySelector('.frame img')?.naturalWidth > 0");
    browser.visit(&format!("http://{}/view?id=photo.jpg", server.admin));
    browser.until("window.viewer?.world.getItemAt(0)?.getFullyLoaded()");
    let said = browser.console();
    assert!(said.is_empty(), "the console is not silent: {said:#?}");
    assert_own(&browser, &format!("http://{}/", server.admin));
}

/// Zooms to full resolution, waits for the tiles, and compares the middle of the screen with libvips.
fn see_every_pixel(browser: &Browser, service: &str) {
    browser.until("window.viewer?.world.getItemAt(0)?.getFullyLoaded()");
    browser.run("performance.clearResourceTimings(); arguments[0](0)");
    browser.click("#pixels");
    browser.until(
        "Math.abs(viewer.viewport.viewportToImageZoom(viewer.viewport.getZoom(true)) - 1) < 1e-9",
    );
    browser.until("viewer.world.getItemAt(0).getFullyLoaded() && !viewer.isAnimating?.()");
    std::thread::sleep(Duration::from_millis(400));

    let tiles: Vec<String> = browser
        .requests()
        .into_iter()
        .filter_map(|address| Some(address.split_once(service)?.1.to_owned()))
        .collect();
    let whole = tiles.iter().filter(|tile| is_unscaled(tile)).count();
    assert!(whole >= 4, "no tiles of scale factor 1: {tiles:?}");

    let place = browser.run(PLACE);
    let whole = |index: usize| u32::try_from(place[index].as_u64().unwrap()).unwrap();
    let (left, top) = (whole(0), whole(1));
    let off = place[4].as_f64().unwrap();
    assert!(off < 1e-3, "pixels lie between pixels: {place}");
    let shot = browser.screenshot();
    let seen = |dx: u32, dy: u32| shot.patch(left + dx, top + dy, PATCH, PATCH);
    let master = master_patch(whole(2), whole(3), PATCH);
    let here = difference(&seen(0, 0), &master);
    assert!(
        here <= TOLERANCE,
        "the screen differs from the master by {here}"
    );
    for (dx, dy) in [(1, 0), (0, 1), (2, 2)] {
        let beside = difference(&seen(dx, dy), &master);
        assert!(
            beside > here,
            "beside by {dx}, {dy}: {beside}; in place: {here}"
        );
    }
}

/// Side of the patch that is compared, in pixels.
const PATCH: u32 = 256;

/// Mean difference of samples, of 255: two decoders and an encoding at quality 80 lie between.
const TOLERANCE: f64 = 6.0;

/// A corner on the screen, in the picture's middle, the master's pixel that is there, and how far from
/// it.
const PLACE: &str = "
    const box = viewer.canvas.getBoundingClientRect();
    const at = new OpenSeadragon.Point(Math.round(box.width / 2) - 128, Math.round(box.height / 2) - 128);
    const pixel = viewer.viewport.viewportToImageCoordinates(viewer.viewport.pointFromPixel(at, true));
    const [x, y] = [Math.round(pixel.x), Math.round(pixel.y)];
    const off = Math.hypot(pixel.x - x, pixel.y - y);
    arguments[0]([Math.round(box.left + at.x), Math.round(box.top + at.y), x, y, off]);";

/// Whether region and size of a tile's path are the same: `1024,512,256,256/256,256/…`.
fn is_unscaled(tile: &str) -> bool {
    let mut segments = tile.split('/');
    let (Some(region), Some(size)) = (segments.next(), segments.next()) else {
        return false;
    };
    let mut sides = region.splitn(3, ',').skip(2);
    sides.next() == Some(size)
}

/// RGB of a square of the demo master, as libvips decodes it.
fn master_patch(x: u32, y: u32, side: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("patch.png");
    let status = Command::new("vips")
        .arg("extract_area")
        .args([&demo().join(ISLAND), &out])
        .args([x, y, side, side].map(|number| number.to_string()))
        .status()
        .expect("vips is installed by make test");
    assert!(status.success());
    Screenshot::read(Path::new(&out)).patch(0, 0, side, side)
}

fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}
