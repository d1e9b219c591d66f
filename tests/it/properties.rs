//! What holds for every request, asked of the real server with a seeded generator: every run asks the
//! same.

use triforium::geometry::Dimensions;
use triforium::iiif::{ImageRequest, ImageTraits, Resolved, SizeRules, Version};
use triforium::plan::canvas;

use super::library::{draw, library, plain};
use super::pixels::{Pixels, decode};
use super::support::{Server, Shared};

static SERVER: Shared = Shared::new(|| Server::start(library()));

/// Numbers that look random and are the same in every run (Steele, Lea and Flood 2014: `SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Pictures that the requests are about: name, width, height, whether gray.
const PICTURES: [(&str, u32, u32, bool); 3] = [
    ("plain.png", 300, 200, false),
    ("gray.png", 300, 200, true),
    ("uneven.png", 1025, 513, false),
];

/// A valid request for a picture of these dimensions.
fn request(numbers: &mut Numbers, width: u32, height: u32) -> String {
    let (w, h) = (u64::from(width), u64::from(height));
    let region = match numbers.below(5) {
        0 => "full".to_owned(),
        1 => "square".to_owned(),
        2 => format!(
            "pct:{}.{},{},{},{}.5",
            numbers.below(90),
            numbers.below(100),
            numbers.below(90),
            1 + numbers.below(120),
            1 + numbers.below(60)
        ),
        _ => format!(
            "{},{},{},{}",
            numbers.below(w),
            numbers.below(h),
            1 + numbers.below(w + 50),
            1 + numbers.below(h + 50)
        ),
    };
    let size = match numbers.below(7) {
        0 => "max".to_owned(),
        1 => format!("^{},", 1 + numbers.below(400)),
        2 => format!("^,{}", 1 + numbers.below(300)),
        3 => format!("^pct:{}", 100 + numbers.below(60)),
        4 => format!("!{},{}", 1 + numbers.below(400), 1 + numbers.below(400)),
        5 => format!("^!{},{}", 1 + numbers.below(400), 1 + numbers.below(400)),
        _ => format!("^{},{}", 1 + numbers.below(300), 1 + numbers.below(300)),
    };
    let mirror = numbers.one_of(&["", "!"]);
    // Turns by any angle cost the most: small ones show as much.
    let (size, angle) = if numbers.below(6) == 0 {
        (
            format!("!{},{}", 1 + numbers.below(120), 1 + numbers.below(120)),
            format!("{}.{}", numbers.below(360), numbers.below(10)),
        )
    } else {
        let quarter = numbers.one_of(&["0", "90", "180", "270", "360"]);
        (size, quarter.to_owned())
    };
    let quality = numbers.one_of(&["default", "color", "gray", "bitonal"]);
    let format = numbers.one_of(&["jpg", "jpg", "png", "png", "webp", "gif", "tif"]);
    format!("{region}/{size}/{mirror}{angle}/{quality}.{format}")
}

/// What the grammar's own code says of a request.
fn resolve(request: &str, (_, width, height, is_gray): (&str, u32, u32, bool)) -> Resolved {
    let segments: Vec<&str> = std::iter::once("x").chain(request.split('/')).collect();
    let traits = ImageTraits {
        dimensions: Dimensions::new(width, height).unwrap(),
        is_gray,
        has_alpha: false,
    };
    let rules = SizeRules {
        max_width_px: None,
        max_height_px: None,
        max_area_px: Some(1 << 27),
        upscaling: true,
        strict_validator: false,
    };
    let parsed = ImageRequest::parse(Version::V3, &segments, None).unwrap();
    parsed.resolve(&traits, &rules).unwrap()
}

#[test]
fn three_hundred_requests_have_the_dimensions_and_the_form_that_they_resolve_to() {
    let server = SERVER.get();
    let mut numbers = Numbers(2026);
    for number in 0..300 {
        let picture = PICTURES[number % 3];
        let request = request(&mut numbers, picture.1, picture.2);
        let resolved = resolve(&request, picture);
        let answer = server.get(&format!("/iiif/3/{}/{request}", picture.0));
        assert_eq!(answer.status, 200, "{request}: {}", answer.text_lossy());
        let turned = canvas(resolved.size, resolved.degrees.as_f64());
        let got = decode(&answer).size();
        assert_eq!(
            got,
            (turned.width as usize, turned.height as usize),
            "{request}"
        );
        let base = format!("http://{}/iiif/3/{}", server.public, picture.0);
        let wanted = format!("<{base}/{}>;rel=\"canonical\"", resolved.canonical);
        assert!(
            answer.header("link").starts_with(&wanted),
            "{request}: {answer:?}"
        );
        let again = server.get(&format!("/iiif/3/{}/{}", picture.0, resolved.canonical));
        assert_eq!(again.body, answer.body, "{request}");
        assert_eq!(again.header("etag"), answer.header("etag"), "{request}");
        assert!(
            again.header("link").starts_with(&wanted),
            "{request}: a fixed point"
        );
    }
}

#[test]
fn different_canonical_forms_have_different_tags() {
    let server = SERVER.get();
    let mut numbers = Numbers(7);
    let mut known = std::collections::BTreeMap::<String, String>::new();
    for _ in 0..150 {
        let request = request(&mut numbers, 300, 200);
        let head = server.request("HEAD", &format!("/iiif/3/plain.png/{request}"), &[]);
        assert_eq!(head.status, 200, "{request}");
        let form = resolve(&request, PICTURES[0]).canonical;
        let tag = head.header("etag").to_owned();
        if let Some(other) = known.insert(tag, form.clone()) {
            assert_eq!(other, form, "two forms share a tag");
        }
    }
    assert!(known.len() > 100, "{}", known.len());
}

/// All tiles of a level, put together.
fn assembled(
    server: &Server,
    picture: &str,
    (width, height): (usize, usize),
    edge: usize,
    factor: usize,
) -> Pixels {
    let (out_width, out_height) = (width.div_ceil(factor), height.div_ceil(factor));
    let mut whole = Pixels {
        width: out_width,
        height: out_height,
        channels: 3,
        data: vec![0; out_width * out_height * 3],
    };
    let step = edge * factor;
    for y in (0..height).step_by(step) {
        for x in (0..width).step_by(step) {
            let (w, h) = (step.min(width - x), step.min(height - y));
            let (ow, oh) = (w.div_ceil(factor), h.div_ceil(factor));
            let path = format!("/iiif/3/{picture}/{x},{y},{w},{h}/{ow},{oh}/0/default.png");
            let tile = decode(&server.get(&path));
            assert_eq!(tile.size(), (ow, oh), "{path}");
            for row in 0..oh {
                let to = ((y / factor + row) * out_width + x / factor) * 3;
                let from = row * ow * 3;
                whole.data[to..to + ow * 3].copy_from_slice(&tile.data[from..from + ow * 3]);
            }
        }
    }
    whole
}

#[test]
fn tiles_partition_every_level_without_seams() {
    let server = SERVER.get();
    for edge in [256, 100] {
        let tiles = assembled(&server, "uneven.png", (1025, 513), edge, 1);
        assert_eq!(tiles, draw(1025, 513, plain), "{edge}");
    }
    for factor in [2, 4] {
        let (w, h) = (1025_usize.div_ceil(factor), 513_usize.div_ceil(factor));
        let path = format!("/iiif/3/uneven.png/full/{w},{h}/0/default.png");
        let whole = decode(&server.get(&path));
        let tiles = assembled(&server, "uneven.png", (1025, 513), 256, factor);
        assert_eq!(tiles, whole, "factor {factor}");
    }
}

#[test]
fn levels_without_resampling_are_means_of_two_by_two() {
    let whole = draw(1025, 513, plain);
    let half = decode(
        &SERVER
            .get()
            .get("/iiif/3/uneven.png/full/513,257/0/default.png"),
    );
    for y in 0..257 {
        for x in 0..513 {
            let at =
                |dx: usize, dy: usize| whole.rgb((2 * x + dx).min(1024), (2 * y + dy).min(512));
            let four = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
            let mean = |c: usize| (four.iter().map(|p| u16::from(p[c])).sum::<u16>() + 2) / 4;
            let wanted = [mean(0), mean(1), mean(2)];
            assert_eq!(half.rgb(x, y).map(u16::from), wanted, "{x} {y}");
        }
    }
}

#[test]
fn a_pyramids_tiles_are_seamless_too() {
    let server = Server::start(&super::support::fixtures().join("golden/masters"));
    let document = server.get("/iiif/3/pyramid.tif/info.json").json();
    assert_eq!(document["width"], 390);
    let whole = decode(&server.get("/iiif/3/pyramid.tif/full/max/0/default.png"));
    assert_eq!(assembled(&server, "pyramid.tif", (390, 291), 128, 1), whole);
    let half = decode(&server.get("/iiif/3/pyramid.tif/full/195,146/0/default.png"));
    assert_eq!(assembled(&server, "pyramid.tif", (390, 291), 64, 2), half);
}
