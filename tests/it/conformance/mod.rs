//! The clauses of the Image API that can be seen over HTTP, a test each, named after the clause.

mod http;
mod image1;
mod image2;
mod image3;
mod image3_info;

use super::library::library;
use super::pixels::decode;
use super::support::{Answer, Server, Shared};

/// Built-in settings.
static PLAIN: Shared = Shared::new(|| dirty(&[]));
/// Nothing wider or higher than 200 pixels.
static WIDTH_200: Shared = Shared::new(|| dirty(&[("LIMITS__MAX_WIDTH_PX", "200")]));
/// Nothing wider or higher than 360 pixels.
static WIDTH_360: Shared = Shared::new(|| dirty(&[("LIMITS__MAX_WIDTH_PX", "360")]));
/// Width, height and area are limited.
static ALL_LIMITS: Shared = Shared::new(|| {
    dirty(&[
        ("LIMITS__MAX_WIDTH_PX", "3000"),
        ("LIMITS__MAX_HEIGHT_PX", "2000"),
        ("LIMITS__MAX_AREA_PX", "4000000"),
    ])
});
/// Images are never enlarged.
static NO_UPSCALING: Shared = Shared::new(|| dirty(&[("IIIF__UPSCALING", "false")]));

/// A server of the library whose log may hold the 501 that a test provokes.
fn dirty(settings: &[(&str, &str)]) -> Server {
    let mut server = Server::with(library(), settings);
    server.log_may_be_dirty = true;
    server
}

/// The URI in the canonical relation of an answer's `Link` header.
fn canonical(answer: &Answer) -> String {
    let link = answer.header("link");
    // Commas stand inside the URI of most requests, so the line is not split at them.
    let (before, _) = link
        .split_once(">;rel=\"canonical\"")
        .unwrap_or_else(|| panic!("no canonical relation in {link:?}"));
    let (_, uri) = before.rsplit_once('<').unwrap();
    uri.to_owned()
}

/// What a request must come to.
enum Outcome {
    /// 200: dimensions of the decoded answer and the canonical request.
    Image((usize, usize), &'static str),
    /// An error with this status.
    Refused(u16),
}

use Outcome::{Image, Refused};

/// Sends each request for an image and compares what comes.
fn check(server: &Server, api: &str, identifier: &str, rows: &[(&str, Outcome)]) {
    let base = format!("/iiif/{api}/{identifier}");
    for (request, outcome) in rows {
        let answer = server.get(&format!("{base}/{request}"));
        match outcome {
            Refused(status) => assert_eq!(answer.status, *status, "{request}"),
            Image(size, form) => {
                assert_eq!(answer.status, 200, "{request}: {}", text(&answer));
                assert_eq!(decode(&answer).size(), *size, "{request}");
                let wanted = format!("http://{}{base}/{form}", server.public);
                assert_eq!(canonical(&answer), wanted, "{request}");
            }
        }
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}
