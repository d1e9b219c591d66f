//! Where the pixels of an answer come from: region, size, mirror, rotation, quality and orientation,
//! told by colours at known places.
//!
//! The validator's picture is ten by ten squares of 100 × 100 pixels, a hundred different colours.
//! `spec/`'s table of them is the expectation; nothing here was made by the program.

use std::fs;

use super::library::{SQUARES, draw, jpeg, library, save, scratch};
use super::pixels::{Pixels, decode, near};
use super::support::{Server, Shared};

/// Colours of the squares, `[column][row]`.
const COLORS: [[[u8; 3]; 10]; 10] = include!("squares.in");

static SERVER: Shared = Shared::new(|| Server::start(library()));

fn squares(request: &str) -> Pixels {
    decode(&SERVER.get().get(&format!("/iiif/3/{SQUARES}/{request}")))
}

fn plain(request: &str) -> Pixels {
    decode(&SERVER.get().get(&format!("/iiif/3/plain.png/{request}")))
}

/// `plain.png`, from its formula.
fn original() -> Pixels {
    draw(300, 200, super::library::plain)
}

#[test]
fn the_whole_picture_shows_every_square_exactly_in_png() {
    let whole = squares("full/max/0/default.png");
    assert_eq!(whole.size(), (1000, 1000));
    for (x, column) in COLORS.iter().enumerate() {
        for (y, color) in column.iter().enumerate() {
            for (dx, dy) in [(0, 0), (99, 0), (50, 50), (0, 99), (99, 99)] {
                assert_eq!(whole.rgb(x * 100 + dx, y * 100 + dy), *color, "{x} {y}");
            }
        }
    }
}

#[test]
fn every_format_shows_the_squares_within_its_means() {
    for (format, tolerance) in [("jpg", 5), ("png", 0), ("webp", 8), ("gif", 5), ("tif", 5)] {
        let whole = squares(&format!("full/500,/0/default.{format}"));
        for (x, column) in COLORS.iter().enumerate() {
            for (y, color) in column.iter().enumerate() {
                let got = whole.rgb(x * 50 + 25, y * 50 + 25);
                assert!(
                    near(got, *color, tolerance),
                    "{format} {x} {y}: {got:?} for {color:?}"
                );
            }
        }
    }
}

#[test]
fn a_region_is_cut_at_its_pixels() {
    let part = squares("250,730,200,150/max/0/default.png");
    assert_eq!(part.size(), (200, 150));
    assert_eq!(part.rgb(0, 0), COLORS[2][7]);
    assert_eq!(part.rgb(49, 69), COLORS[2][7]);
    assert_eq!(part.rgb(50, 70), COLORS[3][8]);
    assert_eq!(part.rgb(149, 149), COLORS[3][8]);
    assert_eq!(part.rgb(150, 0), COLORS[4][7]);
    assert_eq!(
        plain("13,17,101,53/max/0/default.png"),
        original().crop(13, 17, 101, 53)
    );
    assert_eq!(
        plain("299,199,10,10/max/0/default.png"),
        original().crop(299, 199, 1, 1)
    );
}

#[test]
fn a_square_region_is_in_the_middle() {
    assert_eq!(
        plain("square/max/0/default.png"),
        original().crop(50, 0, 200, 200)
    );
}

#[test]
fn percentages_are_of_width_and_height() {
    let part = squares("pct:20,70,10,20/max/0/default.png");
    assert_eq!(part.size(), (100, 200));
    assert_eq!(part.rgb(0, 0), COLORS[2][7]);
    assert_eq!(part.rgb(99, 199), COLORS[2][8]);
}

#[test]
fn i3_rot_03_rotations_are_clockwise() {
    let (whole, turned) = (original(), |angle| {
        plain(&format!("full/max/{angle}/default.png"))
    });
    assert_eq!(turned("90"), whole.moved((200, 300), |x, y| (y, 199 - x)));
    assert_eq!(
        turned("180"),
        whole.moved((300, 200), |x, y| (299 - x, 199 - y))
    );
    assert_eq!(turned("270"), whole.moved((200, 300), |x, y| (299 - y, x)));
}

#[test]
fn i3_rot_04_the_mirror_comes_before_the_rotation() {
    let (whole, turned) = (original(), |angle| {
        plain(&format!("full/max/{angle}/default.png"))
    });
    assert_eq!(turned("!0"), whole.moved((300, 200), |x, y| (299 - x, y)));
    // Left-right first, then a quarter turn clockwise: the upper left pixel is the lower right one.
    assert_eq!(
        turned("!90"),
        whole.moved((200, 300), |x, y| (299 - y, 199 - x))
    );
    assert_eq!(turned("!180"), whole.moved((300, 200), |x, y| (x, 199 - y)));
    assert_eq!(turned("!270"), whole.moved((200, 300), |x, y| (y, x)));
}

#[test]
fn i3_rot_03_any_angle_turns_clockwise_about_the_middle() {
    // 30° clockwise: the middle of the upper edge moves to the right of the middle.
    let turned = squares("full/250,/30/default.png");
    let mirrored = squares("full/250,/!30/default.png");
    assert_eq!(mirrored.size(), turned.size());
    let (sin, cos) = 30_f64.to_radians().sin_cos();
    let (middle_x, middle_y) = (turned.width as f64 / 2.0, turned.height as f64 / 2.0);
    for (x, column) in COLORS.iter().enumerate() {
        for (y, color) in column.iter().enumerate() {
            let (dx, dy) = (x as f64 * 25.0 - 112.5, y as f64 * 25.0 - 112.5);
            for (picture, dx) in [(&turned, dx), (&mirrored, -dx)] {
                let (tx, ty) = (
                    dx * cos - dy * sin + middle_x,
                    dx * sin + dy * cos + middle_y,
                );
                let got = picture.rgba(tx as usize, ty as usize);
                assert_eq!(got, [color[0], color[1], color[2], 255], "{x} {y}");
            }
        }
    }
}

#[test]
fn i3_rot_08_the_corners_are_transparent_where_they_can_be_and_else_white() {
    for format in ["png", "webp", "gif", "tif"] {
        let turned = squares(&format!("full/200,/45/default.{format}"));
        for (x, y) in [(0, 0), (turned.width - 1, 0), (0, turned.height - 1)] {
            assert_eq!(turned.rgba(x, y)[3], 0, "{format} {x} {y}");
        }
        assert_eq!(
            turned.rgba(turned.width / 2, turned.height / 2)[3],
            255,
            "{format}"
        );
    }
    let turned = squares("full/200,/45/default.jpg");
    assert_eq!(turned.channels, 3);
    assert!(near(turned.rgb(0, 0), [255; 3], 2));
    assert!(near(
        turned.rgb(turned.width - 1, turned.height - 1),
        [255; 3],
        2
    ));
    let server = Server::with(library(), &[("IIIF__BACKGROUND", "[0, 128, 255]")]);
    let path = format!("/iiif/3/{SQUARES}/full/200,/45/default.jpg");
    assert!(near(decode(&server.get(&path)).rgb(0, 0), [0, 128, 255], 3));
}

#[test]
fn i3_ord_01_the_region_is_cut_before_the_size_is_reached() {
    let part = squares("100,200,300,200/150,/0/default.png");
    assert_eq!(part.size(), (150, 100));
    assert_eq!(part.rgb(25, 25), COLORS[1][2]);
    assert_eq!(part.rgb(75, 75), COLORS[2][3]);
    assert_eq!(part.rgb(125, 25), COLORS[3][2]);
}

#[test]
fn i3_ord_01_the_size_is_reached_before_the_rotation() {
    // 300 × 100 is scaled to 30 × 100 and then turned: 100 × 30, columns from bottom to top.
    let part = squares("100,200,300,100/30,100/90/default.png");
    assert_eq!(part.size(), (100, 30));
    assert_eq!(part.rgb(50, 5), COLORS[1][2]);
    assert_eq!(part.rgb(50, 25), COLORS[3][2]);
}

#[test]
fn i3_ord_01_the_pixels_are_those_of_one_step_after_the_other() {
    let sized = plain("125,15,120,140/90,105/0/default.png");
    let turned = plain("125,15,120,140/90,/!90/default.png");
    assert_eq!(turned, sized.moved((105, 90), |x, y| (89 - y, 104 - x)));
    let gray = plain("125,15,120,140/90,/!90/gray.png");
    assert_eq!(
        gray.data,
        turned.data.chunks(3).map(luma).collect::<Vec<_>>()
    );
}

/// Luma of BT.601 in 16 bits, as Pillow's `convert("L")` has it.
fn luma(rgb: &[u8]) -> u8 {
    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
    u8::try_from((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16).unwrap()
}

#[test]
fn i3_qua_03_gray_is_luma_exactly() {
    for request in ["full/max/0", "full/max/90", "50,20,99,88/max/!180"] {
        let color = plain(&format!("{request}/color.png"));
        let gray = plain(&format!("{request}/gray.png"));
        assert_eq!(gray.channels, 1, "{request}");
        assert_eq!(
            gray.data,
            color.data.chunks(3).map(luma).collect::<Vec<_>>(),
            "{request}"
        );
    }
    let whole = squares("full/max/0/gray.png");
    assert_eq!(whole.raw(50, 50), [luma(&COLORS[0][0])]);
}

#[test]
fn i3_qua_03_bitonal_is_white_from_a_luma_of_128() {
    let color = plain("full/max/0/color.png");
    let expected: Vec<u8> = color
        .data
        .chunks(3)
        .map(|rgb| if luma(rgb) >= 128 { 255 } else { 0 })
        .collect();
    for edge in [127, 128] {
        assert!(
            color.data.chunks(3).any(|rgb| luma(rgb) == edge),
            "{edge} occurs"
        );
    }
    let bitonal = plain("full/max/0/bitonal.png");
    let got: Vec<u8> = (0..bitonal.height)
        .flat_map(|y| (0..bitonal.width).map(move |x| (x, y)))
        .map(|(x, y)| bitonal.rgb(x, y)[0])
        .collect();
    assert_eq!(got, expected);
    let scaled = plain("full/90,/0/bitonal.png");
    assert!(
        scaled.data.iter().all(|v| matches!(v, 0 | 255)),
        "black and white alone"
    );
}

#[test]
fn gray_and_bitonal_jpegs_have_one_component() {
    for quality in ["gray", "bitonal"] {
        assert_eq!(
            plain(&format!("full/max/0/{quality}.jpg")).channels,
            1,
            "{quality}"
        );
    }
}

#[test]
fn scaling_without_change_gives_the_pixels_themselves() {
    assert_eq!(plain("full/300,200/0/default.png"), original());
    assert_eq!(plain("full/pct:100/0/default.png"), original());
    assert_eq!(
        plain("10,20,30,40/30,40/0/default.png"),
        original().crop(10, 20, 30, 40)
    );
}

#[test]
fn scaling_by_half_stays_near_the_mean_of_two_by_two() {
    // The picture has steps, so that a shift by one pixel shows.
    let half = squares("full/500,/0/default.png");
    for edge in (50..500).step_by(50) {
        let (before, after) = (half.rgb(edge - 3, 25), half.rgb(edge + 2, 25));
        assert!(
            near(before, COLORS[edge / 50 - 1][0], 12),
            "{edge}: {before:?}"
        );
        assert!(near(after, COLORS[edge / 50][0], 12), "{edge}: {after:?}");
    }
}

#[test]
fn opacity_is_kept_where_it_can_be_and_else_laid_over_white() {
    let server = SERVER.get();
    let get =
        |format| decode(&server.get(&format!("/iiif/3/alpha.png/full/max/0/default.{format}")));
    for format in ["png", "webp", "tif"] {
        let picture = get(format);
        assert!(near(picture.rgb(5, 5), [200, 10, 10], 8), "{format}");
        assert_eq!(picture.rgba(5, 5)[3], 255, "{format}");
        assert_eq!(picture.rgba(60, 40)[3], 0, "{format}");
    }
    let flat = get("jpg");
    assert!(
        near(flat.rgb(60, 40), [255; 3], 3),
        "{:?}",
        flat.rgb(60, 40)
    );
    assert!(near(flat.rgb(5, 5), [200, 10, 10], 8));
}

/// Where the pixel of the upright picture lies in the stored one.
///
/// Source: Exif 2.32, tag 0x0112, which says what the 0th row and the 0th column of the stored picture
/// are to the viewer.
fn stored(orientation: u8, upright: &Pixels) -> Pixels {
    let (w, h) = upright.size();
    match orientation {
        1 => upright.clone(),
        // Row 0 is the top, column 0 the right side.
        2 => upright.moved((w, h), |x, y| (w - 1 - x, y)),
        3 => upright.moved((w, h), |x, y| (w - 1 - x, h - 1 - y)),
        4 => upright.moved((w, h), |x, y| (x, h - 1 - y)),
        // Row 0 is the left side, column 0 the top.
        5 => upright.moved((h, w), |x, y| (y, x)),
        // Row 0 is the right side, column 0 the top.
        6 => upright.moved((h, w), |x, y| (w - 1 - y, x)),
        7 => upright.moved((h, w), |x, y| (w - 1 - y, h - 1 - x)),
        8 => upright.moved((h, w), |x, y| (y, h - 1 - x)),
        _ => panic!("no orientation"),
    }
}

/// Six fields of 32 × 32 pixels, no two alike, so that every orientation differs.
fn fields() -> Pixels {
    draw(96, 64, |x, y| match (x / 32, y / 32) {
        (0, 0) => [220, 30, 30],
        (1, 0) => [30, 200, 30],
        (2, 0) => [30, 30, 220],
        (0, _) => [230, 220, 40],
        (1, _) => [240, 240, 240],
        _ => [20, 20, 20],
    })
}

#[test]
fn every_orientation_is_served_upright() {
    let folder = scratch("orientations");
    let upright = fields();
    for orientation in 1..=8 {
        let bytes = jpeg(&stored(orientation, &upright), orientation);
        fs::write(folder.join(format!("{orientation}.jpg")), bytes).unwrap();
    }
    let server = Server::start(&folder);
    for orientation in 1..=8 {
        let base = format!("/iiif/3/{orientation}.jpg");
        let document = server.get(&format!("{base}/info.json")).json();
        assert_eq!(document["width"], 96, "{orientation}");
        assert_eq!(document["height"], 64, "{orientation}");
        let get = |request: &str| decode(&server.get(&format!("{base}/{request}")));
        let close = |got: &Pixels, wanted: &Pixels| {
            let (_, most) = got.difference(wanted);
            assert!(most <= 3, "{orientation}: apart by {most}");
        };
        close(&get("full/max/0/default.png"), &upright);
        close(
            &get("40,20,50,30/max/0/default.png"),
            &upright.crop(40, 20, 50, 30),
        );
        let turned = upright.moved((64, 96), |x, y| (95 - y, 63 - x));
        close(&get("full/max/!90/default.png"), &turned);
        let half = get("full/48,/0/default.png");
        assert_eq!(half.size(), (48, 32), "{orientation}");
        for (x, y) in [(8, 8), (24, 8), (40, 8), (8, 24), (24, 24), (40, 24)] {
            let wanted = upright.rgb(2 * x, 2 * y);
            assert!(near(half.rgb(x, y), wanted, 4), "{orientation} {x} {y}");
        }
    }
}

#[test]
fn an_orientation_that_does_not_exist_is_none() {
    let folder = scratch("orientation-9");
    for orientation in [0, 9, 255] {
        fs::write(
            folder.join(format!("{orientation}.jpg")),
            jpeg(&fields(), orientation),
        )
        .unwrap();
    }
    let server = Server::start(&folder);
    for orientation in [0, 9, 255] {
        let answer = server.get(&format!("/iiif/3/{orientation}.jpg/full/max/0/default.png"));
        assert!(
            decode(&answer).difference(&fields()).1 <= 3,
            "{orientation}"
        );
    }
}

#[test]
fn one_pixel_and_one_row_survive_everything() {
    let folder = scratch("thin");
    for (name, width, height) in [("dot", 1, 1), ("row", 257, 1), ("column", 1, 257)] {
        save(
            &folder.join(format!("{name}.png")),
            &draw(width, height, super::library::plain),
        );
    }
    let server = Server::start(&folder);
    for (name, width, height) in [("dot", 1, 1), ("row", 257, 1), ("column", 1, 257)] {
        let get = |request: &str| decode(&server.get(&format!("/iiif/3/{name}.png/{request}")));
        assert_eq!(
            get("full/max/0/default.png"),
            draw(width, height, super::library::plain)
        );
        assert_eq!(
            get("full/max/90/default.png").size(),
            (height, width),
            "{name}"
        );
        assert_eq!(get("full/^9,7/0/default.jpg").size(), (9, 7), "{name}");
        assert_eq!(get("full/1,1/!180/gray.png").size(), (1, 1), "{name}");
        get("full/max/33/bitonal.webp");
    }
}
