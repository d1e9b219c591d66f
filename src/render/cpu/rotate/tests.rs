//! Turns against an exact cubic in `f64`, against quarter turns, and at the edges.

use super::super::reference::rounded;
use super::super::testing::{bytes, dimensions, painted, picture, run, run_in_strips, start};
use super::grid::fixed;
use super::*;
use crate::error::ErrorKind;
use crate::geometry::Orientation;
use crate::plan::{Pass, canvas};
use crate::raster::{OneStrip, PixelFormat};

const GRAY: PixelFormat = PixelFormat::eight(Channels::Gray);
const RGB: PixelFormat = PixelFormat::eight(Channels::Rgb);
const RGBA: PixelFormat = PixelFormat::eight(Channels::Rgba);
const WHITE: Option<[u8; 3]> = Some([255; 3]);

fn turn(source: &Raster, degrees: f64, background: Option<[u8; 3]>) -> Pass {
    Pass::Rotate(Turn {
        degrees,
        canvas: canvas(source.dimensions(), degrees),
        background,
    })
}

fn turned(source: &Raster, degrees: f64, background: Option<[u8; 3]>) -> Raster {
    run(source.clone(), &[turn(source, degrees, background)])
}

fn smooth(width: u32, height: u32, format: PixelFormat) -> Raster {
    painted(dimensions(width, height), format, |x, y, c| {
        let (x, y, c) = (f64::from(x), f64::from(y), f64::from(c));
        let wave = (x * 0.05 + c).sin() * (y * 0.04 + c * 0.7).cos();
        let [level, ..] = rounded(128.0 + 100.0 * wave).to_le_bytes();
        level
    })
}

#[test]
fn weights_add_up_and_are_those_of_catmull_and_rom() {
    assert_eq!(phase(0), [0, 4096, 0, 0]);
    assert_eq!(phase(128), [-256, 2304, 2304, -256]); // -1/16, 9/16
    for (index, weights) in PHASES.iter().enumerate() {
        assert_eq!(weights.iter().sum::<i16>(), 4096);
        let [a, b, c, d] = PHASES[(256 - index) % 256];
        if index != 0 && index != 128 {
            assert_eq!(*weights, [d, c, b, a], "phase {index} mirrored");
        }
    }
}

/// Where the centre of a canvas pixel lies in the picture, in `f64`.
fn position(source: &Raster, result: &Raster, degrees: f64, (x, y): (u32, u32)) -> (f64, f64) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (from, to) = (source.dimensions(), result.dimensions());
    let dx = f64::from(x) + 0.5 - f64::from(to.width) / 2.0;
    let dy = f64::from(y) + 0.5 - f64::from(to.height) / 2.0;
    let right = dx * cos + dy * sin + f64::from(from.width) / 2.0 - 0.5;
    let down = dy * cos - dx * sin + f64::from(from.height) / 2.0 - 0.5;
    (right, down)
}

/// A sample of a picture on white.
fn sample(source: &Raster, x: i64, y: i64, channel: usize) -> f64 {
    let Dimensions { width, height } = source.dimensions();
    let inside = (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y);
    let pixel = usize::try_from(y * i64::from(width) + x).ok();
    let index = pixel.map(|pixel| pixel * source.format().channels.count() + channel);
    let level = index
        .filter(|_| inside)
        .map_or(255, |index| bytes(source)[index]);
    f64::from(level)
}

/// The Catmull-Rom kernel.
fn kernel(distance: f64) -> f64 {
    match distance.abs() {
        t if t < 1.0 => (1.5 * t - 2.5) * t * t + 1.0,
        t if t < 2.0 => ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0,
        _ => 0.0,
    }
}

/// The level at a position by an exact cubic.
fn exact(source: &Raster, (right, down): (f64, f64), channel: usize) -> f64 {
    let around = |at: f64| {
        let first = rounded(at.floor()) - 1;
        first..first + 4
    };
    around(down)
        .flat_map(|y| around(right).map(move |x| (x, y)))
        .map(|(x, y)| {
            let weight = kernel(right - x as f64) * kernel(down - y as f64);
            weight * sample(source, x, y, channel)
        })
        .sum()
}

#[test]
fn a_smooth_picture_is_turned_as_by_an_exact_cubic() {
    for format in [GRAY, RGB] {
        let source = smooth(200, 150, format);
        for degrees in [1.0, 22.5, 45.0, 137.3, 200.0, 345.0] {
            let result = run_in_strips(&source, &[turn(&source, degrees, WHITE)]);
            let (n, width) = (format.channels.count(), result.dimensions().width);
            let (mut worst, mut sum) = (0.0_f64, 0.0);
            for (index, got) in bytes(&result).iter().enumerate() {
                let pixel = u32::try_from(index / n).expect("a small picture");
                let at = position(&source, &result, degrees, (pixel % width, pixel / width));
                let exact = exact(&source, at, index % n).clamp(0.0, 255.0).round();
                let distance = (exact - f64::from(*got)).abs();
                worst = worst.max(distance);
                sum += distance;
            }
            let mean = sum / bytes(&result).len() as f64;
            assert!(worst <= 2.0 && mean <= 0.1, "{degrees}: {worst}, {mean}");
        }
    }
}

#[test]
fn i3_rot_03_turns_are_clockwise_and_near_a_quarter_turn_are_one() {
    let source = picture(dimensions(61, 40), RGB, 21);
    for (turns, degrees) in [(1, 90.0), (2, 180.0), (3, 270.0)] {
        let orientation = Orientation {
            mirror: false,
            turns,
        };
        let wanted = run(source.clone(), &[Pass::Orient(orientation)]);
        for degrees in [degrees - 1e-7, degrees + 1e-7] {
            let result = turned(&source, degrees, WHITE);
            assert_eq!(result.dimensions(), wanted.dimensions());
            assert_eq!(bytes(&result), bytes(&wanted), "{degrees}");
        }
    }
}

#[test]
fn i3_rot_06_the_middle_stays_and_the_corners_are_background() {
    let source = painted(dimensions(60, 40), RGB, |_, _, c| {
        [10, 120, 230][usize::from(c)]
    });
    let result = turned(&source, 30.0, Some([1, 2, 3]));
    let Dimensions { width, height } = result.dimensions();
    let pixel = |x: u32, y: u32| {
        let start = (y * width + x) as usize * 3;
        <[u8; 3]>::try_from(&bytes(&result)[start..start + 3]).expect("three samples")
    };
    for (x, y) in [
        (0, 0),
        (width - 1, 0),
        (0, height - 1),
        (width - 1, height - 1),
    ] {
        assert_eq!(pixel(x, y), [1, 2, 3]);
    }
    assert_eq!(pixel(width / 2, height / 2), [10, 120, 230]);
}

#[test]
fn a_clear_background_makes_opacity_and_does_not_bleed() {
    let levels = [200, 100, 50];
    let source = painted(dimensions(50, 50), RGB, |_, _, c| levels[usize::from(c)]);
    let result = run_in_strips(&source, &[turn(&source, 45.0, None)]);
    assert_eq!(result.format(), RGBA);
    let mut seen = [false; 3];
    for pixel in bytes(&result).as_chunks::<4>().0 {
        match pixel[3] {
            0 => assert_eq!(*pixel, [0; 4]),
            // Rows keep two fractional bits: 0.16 of a level in colour and opacity each.
            opacity => {
                let reach = 1 + 80 / opacity;
                for (got, wanted) in pixel[..3].iter().zip(levels) {
                    assert!(got.abs_diff(wanted) <= reach, "{pixel:?}");
                }
            }
        }
        seen[usize::from(pixel[3] != 0) + usize::from(pixel[3] == 255)] = true;
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn clear_pixels_inside_do_not_tint_their_neighbours() {
    let source = painted(dimensions(40, 40), RGBA, |x, _, c| match (c, x < 20) {
        (3, left) => u8::from(left) * 255,
        (0, true) | (1, false) => 240,
        _ => 0,
    });
    let result = turned(&source, 10.0, None);
    for pixel in bytes(&result).as_chunks::<4>().0 {
        assert_eq!(pixel[1], 0, "{pixel:?}");
    }
}

#[test]
fn an_opaque_picture_turns_as_one_without_opacity() {
    let rgb = picture(dimensions(45, 33), RGB, 22);
    let rgba = bytes(&rgb).as_chunks::<3>().0.iter();
    let rgba = rgba.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    let rgba = Raster::from_u8(rgb.dimensions(), Channels::Rgba, rgba).expect("as many pixels");
    let background = Some([7, 80, 200]);
    let (rgb, rgba) = (
        turned(&rgb, 33.3, background),
        turned(&rgba, 33.3, background),
    );
    let wanted = bytes(&rgb).as_chunks::<3>().0.iter();
    let wanted: Vec<u8> = wanted.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    assert_eq!(bytes(&rgba), wanted);
}

#[test]
fn a_gray_picture_on_a_coloured_background_becomes_rgb() {
    let source = smooth(30, 20, GRAY);
    let result = turned(&source, 30.0, Some([200, 0, 0]));
    assert_eq!(result.format(), RGB);
    assert_eq!(bytes(&result)[..3], [200, 0, 0]);
    let gray = turned(&source, 30.0, Some([9; 3]));
    assert_eq!(gray.format(), GRAY);
    let middle = bytes(&gray).len() / 2;
    assert_eq!(bytes(&gray)[0], 9);
    assert_eq!(
        bytes(&result)[3 * middle..3 * middle + 3],
        [bytes(&gray)[middle]; 3]
    );
}

#[test]
fn every_format_and_the_smallest_pictures_turn_in_strips_of_any_height() {
    for channels in [
        Channels::Gray,
        Channels::GrayAlpha,
        Channels::Rgb,
        Channels::Rgba,
    ] {
        for (w, h) in [(1, 1), (1, 90), (3, 2), (70, 131)] {
            let source = picture(dimensions(w, h), PixelFormat::eight(channels), 23);
            for background in [WHITE, None] {
                run_in_strips(&source, &[turn(&source, 22.5, background)]);
            }
        }
    }
}

#[test]
fn sides_above_what_16_16_holds_in_32_bits_turn_too() {
    let source = painted(dimensions(40_000, 3), GRAY, |x, _, _| x.to_le_bytes()[1]);
    let result = turned(&source, 180.000_000_01, WHITE);
    let wanted = run(
        source,
        &[Pass::Orient(Orientation {
            mirror: false,
            turns: 2,
        })],
    );
    assert_eq!(result.dimensions(), wanted.dimensions());
    // A phase is cut off, not rounded: a 256th of the white around the picture comes in.
    let pairs = bytes(&result).iter().zip(bytes(&wanted));
    assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 2));
}

#[test]
fn sixteen_bits_are_a_fault_of_the_plan() {
    let source = picture(dimensions(4, 4), PixelFormat::sixteen(Channels::Rgb), 24);
    let pass = turn(&source, 5.0, None);
    let source = Box::new(OneStrip::from(source));
    let error = start(source, &[pass], &Cancel::new())
        .next_strip()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

/// What the pass makes of a whole picture, by `vectors` or by portable code.
fn by(vectors: Option<Vectors>, source: &Raster, degrees: f64, background: bool) -> Raster {
    let background = background.then_some([200, 30, 90]);
    let pass = turn(source, degrees, background);
    let shape = pass.shape_after(OneStrip::from(source.clone()).shape());
    let Pass::Rotate(turn) = pass else {
        panic!("a turn by any angle");
    };
    let rotate = Rotate {
        channels: shape.format.channels,
        source: source.dimensions(),
        grid: Grid::new(source.dimensions(), turn),
        outside: outside(shape.format.channels, background),
        vectors,
    };
    let prepared = rotate.prepare(source.clone()).expect("eight bits");
    let strip = rotate.strip(&prepared, 0, shape.dimensions);
    strip.expect("the canvas")
}

#[test]
fn vectors_and_portable_code_give_the_same_bits() {
    for channels in [
        Channels::Gray,
        Channels::GrayAlpha,
        Channels::Rgb,
        Channels::Rgba,
    ] {
        for (w, h) in [(1, 1), (4, 4), (5, 90), (131, 70), (97, 203)] {
            let source = picture(dimensions(w, h), PixelFormat::eight(channels), 25);
            for degrees in [0.001, 22.5, 89.0, 137.3, 200.0, 345.0] {
                for background in [true, false] {
                    assert_eq!(
                        by(Vectors::found(), &source, degrees, background),
                        by(None, &source, degrees, background),
                        "{channels:?} {w}×{h} by {degrees}"
                    );
                }
            }
        }
    }
}

/// The pass by its definition: every pixel of the canvas from its tile's first, every neighbour looked up.
fn by_definition(source: &Raster, degrees: f64) -> Vec<u8> {
    let canvas = canvas(source.dimensions(), degrees);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let start = |x: u32, y: u32| {
        let of = |side: u32| f64::from(side) / 2.0;
        let dx = f64::from(x) + 0.5 - of(canvas.width);
        let dy = f64::from(y) + 0.5 - of(canvas.height);
        let Dimensions { width, height } = source.dimensions();
        (
            fixed(dx * cos + dy * sin + of(width) - 0.5),
            fixed(dy * cos - dx * sin + of(height) - 0.5),
        )
    };
    let mut result = Vec::new();
    for y in 0..canvas.height {
        for x in 0..canvas.width {
            let (right, down) = start(x - x % TILE_WIDTH, y - y % TILE_HEIGHT);
            let (dx, dy) = (i64::from(x % TILE_WIDTH), i64::from(y % TILE_HEIGHT));
            let right = right + dx * fixed(cos) + dy * fixed(sin);
            let down = down + dy * fixed(cos) - dx * fixed(sin);
            let weights = |at: i64| PHASES[usize::try_from((at >> 8) & 255).expect("a phase")];
            let rows = OFFSETS.map(|row| {
                let taps = OFFSETS.map(|tap| {
                    let (x, y) = ((right >> 16) - 1 + tap, (down >> 16) - 1 + row);
                    rounded(sample(source, x, y, 0))
                });
                let sum = weighted_sum(taps, weights(right));
                (sum + 512) >> 10
            });
            let level = (weighted_sum(rows, weights(down)) + 8192) >> 14;
            result.push(u8::try_from(level.clamp(0, 255)).expect("a level"));
        }
    }
    result
}

fn weighted_sum(values: [i64; 4], weights: [i16; 4]) -> i64 {
    let products = values.iter().zip(weights);
    products
        .map(|(value, weight)| value * i64::from(weight))
        .sum()
}

#[test]
fn every_pixel_is_what_the_definition_says() {
    for (w, h) in [(2, 3), (61, 9), (90, 75)] {
        let source = picture(dimensions(w, h), GRAY, 26);
        for degrees in [0.3, 22.5, 91.0, 180.1, 300.0] {
            let result = turned(&source, degrees, WHITE);
            assert_eq!(
                bytes(&result),
                by_definition(&source, degrees),
                "{w}×{h} {degrees}"
            );
        }
    }
}
