//! Watermarks are where they should be, at their opacity, at every scale and rotation.

use std::fs;

use super::{folder, serve, until};
use crate::library::{draw, jpeg, save};
use crate::pixels::{Pixels, decode, near};
use crate::support::fixtures;

/// 800 × 600 in one colour.
const PAPER: [u8; 3] = [240, 200, 160];

/// Upper half red, lower half blue.
fn mark() -> Pixels {
    draw(
        40,
        20,
        |_, y| if y < 10 { [255, 0, 0] } else { [0, 0, 255] },
    )
}

/// A red and a blue half of 200 × 50 each, at half opacity, 30 pixels from the lower right corner.
const RULE: &str = "[[overlay.watermarks]]\npattern = \".*\"\nimage = \"MARK\"\nopacity = 0.5\n\
                    scale = 0.25\ninset_px = 30\n";
const RED: [u8; 3] = [248, 100, 80];
const BLUE: [u8; 3] = [120, 100, 208];

fn rule(place: &tempfile::TempDir) -> String {
    let path = place.path().join("mark.png");
    save(&path, &mark());
    RULE.replace("MARK", path.to_str().unwrap())
}

#[test]
fn a_picture_lies_where_it_should_at_every_scale_and_rotation() {
    let (masters, place) = (folder(), folder());
    let picture = draw(800, 600, |_, _| PAPER);
    save(&masters.path().join("a.png"), &picture);
    let turned = picture.moved((600, 800), |x, y| (800 - 1 - y, x));
    fs::write(masters.path().join("b.jpg"), jpeg(&turned, 6)).unwrap();
    let rule = rule(&place);
    let house = serve(masters.path(), &rule, &[], place);
    // Places in the upright image with what is there: the mark is 570..770 × 470..570.
    let places = [
        (565, 500, PAPER),
        (775, 500, PAPER),
        (600, 465, PAPER),
        (600, 575, PAPER),
        (576, 476, RED),
        (764, 514, RED),
        (576, 526, BLUE),
        (764, 564, BLUE),
        (400, 300, PAPER),
    ];
    for name in ["a.png", "b.jpg"] {
        for (size, scale) in [
            ("max", 1.0),
            ("400,", 0.5),
            ("200,", 0.25),
            ("533,", 533.0 / 800.0),
            ("^1200,", 1.5),
        ] {
            for (rotation, turns) in [
                ("0", 0),
                ("90", 1),
                ("180", 2),
                ("270", 3),
                ("!0", 4),
                ("!90", 5),
            ] {
                let url = format!("/iiif/3/{name}/full/{size}/{rotation}/default.png");
                let pixels = decode(&house.get(&url));
                let (width, height) = (800.0 * scale, 600.0 * scale);
                for (x, y, expected) in places {
                    let (x, y) = ((f64::from(x) + 0.5) * scale, (f64::from(y) + 0.5) * scale);
                    let x = if turns > 3 { width - x } else { x };
                    let (x, y) = match turns % 4 {
                        1 => (height - y, x),
                        2 => (width - x, height - y),
                        3 => (y, width - x),
                        _ => (x, y),
                    };
                    let at = (x as usize, y as usize);
                    let pixel = pixels.rgb(at.0, at.1);
                    // The nearer the edge in pixels, the more a resampled one shows of both sides.
                    let tolerance = if scale < 0.3 { 40 } else { 12 };
                    assert!(
                        near(pixel, expected, tolerance),
                        "{url} {at:?}: {pixel:?}, {expected:?}"
                    );
                }
            }
        }
        // Where nothing is resampled, opacity is exact.
        let url = format!("/iiif/3/{name}/600,480,20,20/max/0/default.png");
        let pixels = decode(&house.get(&url));
        assert!(
            near(pixels.rgb(9, 9), RED, if name == "a.png" { 0 } else { 2 }),
            "{:?}",
            pixels.rgb(9, 9)
        );
        let gray = decode(&house.get(&format!("/iiif/3/{name}/600,530,20,20/max/0/gray.png")));
        let luma = i32::from(gray.rgb(9, 9)[0]);
        assert!((luma - 118).abs() <= 2, "{luma}");
        // Regions and tiles have their parts.
        let url = format!("/iiif/3/{name}/512,256,256,256/max/0/default.png");
        let part = decode(&house.get(&url));
        let whole = decode(&house.get(&format!("/iiif/3/{name}/full/max/0/default.png")));
        assert_eq!(part, whole.crop(512, 256, 256, 256));
    }
    assert!(house.faults().is_empty());
}

#[test]
fn a_text_is_drawn_in_its_colour() {
    let (masters, place) = (folder(), folder());
    save(&masters.path().join("a.png"), &draw(800, 600, |_, _| PAPER));
    save(
        &masters.path().join("small.png"),
        &draw(80, 60, |_, _| PAPER),
    );
    let font = fixtures().join("overlay/blocks.ttf");
    // A half, a gap, and a full block: 400 × 133 pixels at 50, 30.
    let rules = format!(
        "[[overlay.watermarks]]\npattern = \".*\"\ntext = \"BA\"\nfont = \"{}\"\ncolour = [10, 90, 30]\n\
         position = \"top-left\"\nscale = 0.5\ninset_px = 30\nmin_image_px = 81\n",
        font.display()
    );
    let house = serve(masters.path(), &rules, &[], place);
    let pixels = decode(&house.get("/iiif/3/a.png/full/max/0/default.png"));
    for (x, y, is_inked) in [
        (29, 100, false),
        (32, 100, true),
        (125, 100, true),
        (135, 100, false),
        (225, 100, false),
        (235, 100, true),
        (427, 100, true),
        (431, 100, false),
        (300, 28, false),
        (300, 33, true),
        (300, 227, true),
        (300, 233, false),
    ] {
        let expected = if is_inked { [10, 90, 30] } else { PAPER };
        assert_eq!(pixels.rgb(x, y), expected, "{x},{y}");
    }
    let small = decode(&house.get("/iiif/3/small.png/full/max/0/default.png"));
    assert_eq!(small, draw(80, 60, |_, _| PAPER), "too small to have it");
}

#[test]
fn another_picture_in_the_file_is_another_answer() {
    let (masters, place) = (folder(), folder());
    save(&masters.path().join("a.png"), &draw(800, 600, |_, _| PAPER));
    let rule = rule(&place);
    let house = serve(masters.path(), &rule, &[], place);
    let url = "/iiif/3/a.png/full/400,/0/default.png";
    let before = house.get(url);
    save(
        &house.place.path().join("mark.png"),
        &draw(40, 20, |_, _| [0, 255, 0]),
    );
    let tag = [("If-None-Match", before.header("etag"))];
    until(
        || house.server.request("GET", url, &tag).status == 200,
        "it is not noticed",
    );
    let since = [("If-Modified-Since", before.header("last-modified"))];
    let after = house.server.request("GET", url, &since);
    assert!(near(decode(&after).rgb(320, 250), [120, 228, 80], 2));
}
