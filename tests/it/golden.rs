//! Whole requests against pictures that foreign tools made.
//!
//! The expectations in `fixtures/golden/expected` come from Pillow (libjpeg-turbo, LittleCMS), the
//! tiled master from libvips: `tests/tools/make_golden.py` makes all of them. Turns and crops of
//! lossless masters are exact. Scaling is Pillow's kernel over the level that the plan has to choose:
//! libjpeg-turbo's scaled decoding, means of two by two, a stored level.

use std::fs;

use super::pixels::{decode, decode_as};
use super::support::{Server, Shared, fixtures};

static SERVER: Shared = Shared::new(|| Server::start(&fixtures().join("golden/masters")));

/// A request and how far its answer may be from the expectation of the same name: mean and largest
/// difference in levels of 255.
struct Case {
    name: &'static str,
    request: &'static str,
    mean: f64,
    most: u8,
}

const fn case(name: &'static str, request: &'static str, mean: f64, most: u8) -> Case {
    Case {
        name,
        request,
        mean,
        most,
    }
}

const CASES: &[Case] = &[
    case(
        "photo-region",
        "photo.jpg/60,120,120,90/max/0/default.png",
        0.3,
        4,
    ),
    case(
        "photo-region-mirror",
        "photo.jpg/60,120,120,90/max/!0/default.png",
        0.3,
        4,
    ),
    case(
        "photo-region-90",
        "photo.jpg/10,250,120,90/max/90/default.png",
        0.3,
        4,
    ),
    case(
        "photo-region-180",
        "photo.jpg/10,250,120,90/max/180/default.png",
        0.3,
        4,
    ),
    case(
        "photo-region-270",
        "photo.jpg/10,250,120,90/max/270/default.png",
        0.3,
        4,
    ),
    case(
        "photo-region-mirror-90",
        "photo.jpg/10,250,120,90/max/!90/default.png",
        0.3,
        4,
    ),
    case(
        "photo-gray",
        "photo.jpg/60,120,120,90/max/0/gray.png",
        0.3,
        3,
    ),
    case(
        "photo-third",
        "photo.jpg/full/101,134/0/default.png",
        0.3,
        3,
    ),
    case("photo-half", "photo.jpg/full/151,202/0/default.png", 0.3, 3),
    case("photo-tenth", "photo.jpg/full/30,40/0/default.png", 0.3, 3),
    case(
        "photo-region-scaled",
        "photo.jpg/31,57,200,300/90,135/0/default.png",
        0.3,
        3,
    ),
    case(
        "photo-distorted",
        "photo.jpg/full/150,90/0/default.png",
        0.3,
        3,
    ),
    case("gray-third", "gray.jpg/full/101,134/0/default.png", 0.3, 3),
    case(
        "progressive-region",
        "progressive.jpg/100,100,120,90/max/0/default.png",
        0.3,
        4,
    ),
    case("small-whole", "small.png/full/max/0/default.png", 0.0, 0),
    case("small-gray", "small.png/full/max/0/gray.png", 0.0, 0),
    case("small-bitonal", "small.png/full/max/0/bitonal.png", 0.0, 0),
    case(
        "small-scaled",
        "small.png/full/100,75/0/default.png",
        0.3,
        3,
    ),
    case(
        "small-quarter",
        "small.png/full/33,24/0/default.png",
        0.3,
        3,
    ),
    case(
        "small-enlarged",
        "small.png/10,10,50,40/^150,120/0/default.png",
        0.3,
        3,
    ),
    case("alpha-whole", "alpha.png/full/max/0/default.png", 0.0, 0),
    case(
        "alpha-scaled",
        "alpha.png/full/100,75/0/default.png",
        0.5,
        24,
    ),
    case(
        "webp-region",
        "lossless.webp/11,13,77,55/max/0/default.png",
        0.0,
        0,
    ),
    case("gif-whole", "palette.gif/full/max/0/default.png", 0.0, 0),
    case("gif-turned", "palette.gif/full/max/90/default.png", 0.0, 0),
    case(
        "bmp-region",
        "plain.bmp/5,7,100,80/max/0/default.png",
        0.0,
        0,
    ),
    case("adobe-whole", "adobe.png/full/max/0/default.png", 0.5, 3),
    case(
        "strips-region",
        "strips.tif/3,50,120,40/max/0/default.png",
        0.0,
        0,
    ),
    case(
        "pyramid-region",
        "pyramid.tif/120,100,140,60/max/0/default.png",
        0.6,
        8,
    ),
    case(
        "pyramid-whole",
        "pyramid.tif/full/130,97/0/default.png",
        2.0,
        40,
    ),
    case("pages-first", "pages.tif/full/max/0/default.png", 0.0, 0),
    case("pages-second", "pages.tif;2/full/max/0/default.png", 0.0, 0),
];

#[test]
fn answers_are_what_other_tools_make() {
    let server = SERVER.get();
    let faults: Vec<String> = CASES
        .iter()
        .filter_map(|case| fault(&server, case))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_expectation_has_its_case() {
    let mut expected: Vec<String> = fs::read_dir(fixtures().join("golden/expected"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .inspect(|path| assert!(path.metadata().unwrap().len() <= 64 << 10, "{path:?}"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    expected.sort();
    let mut cases: Vec<_> = CASES.iter().map(|case| case.name.to_owned()).collect();
    cases.sort();
    assert_eq!(expected, cases);
    assert!(cases.len() >= 25);
}

#[test]
fn jpeg_answers_hold_the_pixels_of_png_answers() {
    let server = SERVER.get();
    for request in [
        "photo.jpg/full/max/0/default",
        "small.png/full/max/!90/gray",
    ] {
        let exact = decode(&server.get(&format!("/iiif/3/{request}.png")));
        let lossy = decode(&server.get(&format!("/iiif/3/{request}.jpg")));
        let (mean, _) = lossy.difference(&exact);
        assert!(mean < 6.0, "{request}: {mean}");
    }
}

/// What is wrong with the answer; it is kept for a look.
fn fault(server: &Server, case: &Case) -> Option<String> {
    let path = fixtures().join(format!("golden/expected/{}.png", case.name));
    let expected = decode_as("image/png", &fs::read(path).unwrap());
    let answer = server.get(&format!("/iiif/3/{}", case.request));
    if answer.status != 200 {
        let body = String::from_utf8_lossy(&answer.body);
        return Some(format!("{}: status {}: {body}", case.name, answer.status));
    }
    let got = decode(&answer);
    let (mean, most) = if got.size() == expected.size() {
        got.difference(&expected)
    } else {
        (f64::INFINITY, 255)
    };
    if mean <= case.mean && most <= case.most {
        return None;
    }
    let kept = std::env::temp_dir().join(format!("triforium-golden-{}.png", case.name));
    fs::write(&kept, &answer.body).unwrap();
    Some(format!(
        "{}: {:?} apart from {:?} by {mean:.3} on average and {most} at most; it lies in {}",
        case.name,
        got.size(),
        expected.size(),
        kept.display()
    ))
}
