//! An island out of layered noise: sea, shore, forest, rock and snow, shaded from the north-west, with
//! contour lines and a labelled grid.

use std::thread;

/// A picture of 8-bit RGB pixels.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
}

/// Grid lines stand this many pixels apart.
const GRID_PX: u32 = 512;

/// Draws the island.
pub(crate) fn draw(width: u32, height: u32) -> Picture {
    let mut pixels = vec![0_u8; (width * height * 3) as usize];
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get) as u32;
    let rows = height.div_ceil(threads);
    thread::scope(|scope| {
        for (band, part) in pixels.chunks_mut((rows * width * 3) as usize).enumerate() {
            scope.spawn(move || draw_band(band as u32 * rows, width, height, part));
        }
    });
    Picture {
        width,
        height,
        pixels,
    }
}

fn draw_band(first_row: u32, width: u32, height: u32, pixels: &mut [u8]) {
    let elevations = |y: u32| -> Vec<f32> {
        (0..=width)
            .map(|x| elevation(x, y, width, height))
            .collect()
    };
    let mut here = elevations(first_row);
    for (row, line) in pixels.chunks_mut(width as usize * 3).enumerate() {
        let y = first_row + row as u32;
        let below = elevations(y + 1);
        for (x, pixel) in line.chunks_mut(3).enumerate() {
            let (level, east, south) = (here[x], here[x + 1], below[x]);
            let mut colour = paint(level, east, south);
            if is_ink(x as u32, y) {
                colour = colour.map(|channel| channel * 0.45);
            }
            for (out, channel) in pixel.iter_mut().zip(colour) {
                *out = channel.clamp(0.0, 255.0) as u8;
            }
        }
        here = below;
    }
}

/// Metres above the sea, roughly -1 to 1.
fn elevation(x: u32, y: u32, width: u32, height: u32) -> f32 {
    let (u, v) = (x as f32 / 1024.0, y as f32 / 1024.0);
    let bend_u = noise(u * 0.9 + 11.3, v * 0.9, 1);
    let bend_v = noise(u * 0.9, v * 0.9 + 7.7, 2);
    let (u, v) = (u + 0.6 * bend_u, v + 0.6 * bend_v);
    let (mut sum, mut amplitude, mut frequency) = (0.0, 0.55, 0.45);
    for octave in 0..10 {
        let ridge = 1.0 - 2.0 * noise(u * frequency, v * frequency, 3 + octave).abs();
        sum += amplitude * ridge;
        amplitude *= 0.48;
        frequency *= 2.03;
    }
    let (cx, cy) = (
        2.0 * x as f32 / width as f32 - 1.0,
        2.0 * y as f32 / height as f32 - 1.0,
    );
    sum * 0.8 - 0.95 * (cx * cx + cy * cy) + 0.1
}

/// The colour of a point, from its height and its neighbours' to the east and south.
fn paint(level: f32, east: f32, south: f32) -> [f32; 3] {
    const TINTS: [(f32, [f32; 3]); 9] = [
        (-1.5, [22.0, 44.0, 92.0]),
        (-0.4, [38.0, 88.0, 148.0]),
        (-0.03, [96.0, 164.0, 196.0]),
        (0.0, [226.0, 212.0, 164.0]),
        (0.04, [154.0, 178.0, 98.0]),
        (0.25, [72.0, 118.0, 62.0]),
        (0.5, [132.0, 116.0, 88.0]),
        (0.75, [158.0, 150.0, 142.0]),
        (1.0, [246.0, 248.0, 252.0]),
    ];
    let upper = TINTS
        .iter()
        .position(|(height, _)| *height > level)
        .unwrap_or(TINTS.len() - 1)
        .max(1);
    let ((low, from), (high, to)) = (TINTS[upper - 1], TINTS[upper]);
    let share = ((level - low) / (high - low)).clamp(0.0, 1.0);
    let land = level > 0.0;
    let slope = (level - east) + (level - south);
    let light = 1.0 - slope * if land { 38.0 } else { 6.0 };
    let step = |level: f32| (level * 25.0).floor() as i32;
    let contour = land && (step(level) != step(east) || step(level) != step(south));
    let ink = if contour { 0.72 } else { 1.0 };
    [0, 1, 2].map(|c| (from[c] + share * (to[c] - from[c])) * light.clamp(0.35, 1.6) * ink)
}

/// Gradient noise after Perlin 2002, about -1 to 1, in additions and products alone.
fn noise(x: f32, y: f32, layer: u32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let (fx, fy) = (x - column, y - row);
    let corner = |dx: i32, dy: i32| {
        let hash = mix(column as i32 + dx, row as i32 + dy, layer);
        let (ax, ay) = (fx - dx as f32, fy - dy as f32);
        match hash & 7 {
            0 => ax + ay,
            1 => ax - ay,
            2 => ay - ax,
            3 => -ax - ay,
            4 => 1.4 * ax,
            5 => -1.4 * ax,
            6 => 1.4 * ay,
            _ => -1.4 * ay,
        }
    };
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (wx, wy) = (fade(fx), fade(fy));
    let top = corner(0, 0) + wx * (corner(1, 0) - corner(0, 0));
    let bottom = corner(0, 1) + wx * (corner(1, 1) - corner(0, 1));
    top + wy * (bottom - top)
}

fn mix(column: i32, row: i32, layer: u32) -> u32 {
    let mut hash =
        (column as u32).wrapping_mul(0x9E37_79B1) ^ (row as u32).wrapping_mul(0x85EB_CA77);
    hash ^= layer.wrapping_mul(0xC2B2_AE3D);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2C1B_3C6D);
    hash ^= hash >> 12;
    hash = hash.wrapping_mul(0x297A_2D39);
    hash ^ (hash >> 15)
}

/// Whether a line of the grid or a label covers the pixel.
fn is_ink(x: u32, y: u32) -> bool {
    x.is_multiple_of(GRID_PX) || y.is_multiple_of(GRID_PX) || is_label(x, y)
}

/// Whether a label's ink covers the pixel: column and row of the grid cell, in its upper left corner.
fn is_label(x: u32, y: u32) -> bool {
    const SCALE: u32 = 3;
    let (cell_x, cell_y) = (x / GRID_PX, y / GRID_PX);
    let (dx, dy) = (x % GRID_PX, y % GRID_PX);
    let (Some(dx), Some(dy)) = (dx.checked_sub(10), dy.checked_sub(10)) else {
        return false;
    };
    let (column, row) = (dx / SCALE, dy / SCALE);
    if row >= 5 {
        return false;
    }
    let glyphs = [10 + cell_x % 16, cell_y / 10, cell_y % 10];
    let Some(glyph) = glyphs.get((column / 4) as usize) else {
        return false;
    };
    let inside = column % 4;
    inside < 3 && (GLYPHS[*glyph as usize] >> (14 - (row * 3 + inside))) & 1 == 1
}

/// Digits 0–9 and letters A–P, 3 × 5 pixels, rows from the top, highest bit first.
const GLYPHS: [u16; 26] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
    0b010_101_111_101_101,
    0b110_101_110_101_110,
    0b011_100_100_100_011,
    0b110_101_101_101_110,
    0b111_100_110_100_111,
    0b111_100_110_100_100,
    0b011_100_101_101_011,
    0b101_101_111_101_101,
    0b111_010_010_010_111,
    0b001_001_001_101_010,
    0b101_101_110_101_101,
    0b100_100_100_100_111,
    0b101_111_111_101_101,
    0b111_101_101_101_101,
    0b111_101_101_101_111,
    0b111_101_111_100_100,
];
