//! A pyramidal TIFF with JPEG tiles, levels as pages.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::Path;

use triforium::cancel::Cancel;
use triforium::codec::jpeg;
use triforium::encoding::JpegSettings;
use triforium::geometry::Dimensions;
use triforium::raster::{Channels, OneStrip, Raster};

use crate::terrain::Picture;

const TILE_PX: u32 = 256;

/// Writes `picture` and its halvings to `path`, through a file beside it.
pub(crate) fn write(path: &Path, picture: Picture) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("part");
    let mut file = BufWriter::new(File::create(&draft)?);
    file.write_all(b"II\x2a\x00\x00\x00\x00\x00")?;
    let mut level = picture;
    let mut link = 4;
    for index in 0.. {
        link = write_level(&mut file, &level, index, link)?;
        if level.width.max(level.height) <= TILE_PX {
            break;
        }
        level = halve(&level);
    }
    file.into_inner()?.sync_all()?;
    fs::rename(draft, path)
}

/// Writes one level and points the offset at `link` to its directory; returns where the next link is.
fn write_level(
    file: &mut BufWriter<File>,
    level: &Picture,
    index: u32,
    link: u64,
) -> io::Result<u64> {
    let (across, down) = (
        level.width.div_ceil(TILE_PX),
        level.height.div_ceil(TILE_PX),
    );
    let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
    for row in 0..down {
        for column in 0..across {
            let tile = encode(cut(level, column * TILE_PX, row * TILE_PX))?;
            offsets.push(file.stream_position()? as u32);
            lengths.push(tile.len() as u32);
            file.write_all(&tile)?;
        }
    }
    let tables = [words(file, &offsets)?, words(file, &lengths)?];
    let bits = file.stream_position()? as u32;
    file.write_all(&[8, 0, 8, 0, 8, 0, 0, 0])?;
    let directory = file.stream_position()?;
    let entries: [(u16, u16, u32, u32); 14] = [
        (254, 4, 1, u32::from(index > 0)),
        (256, 4, 1, level.width),
        (257, 4, 1, level.height),
        (258, 3, 3, bits),
        (259, 3, 1, 7),
        (262, 3, 1, 6),
        (277, 3, 1, 3),
        (284, 3, 1, 1),
        (322, 4, 1, TILE_PX),
        (323, 4, 1, TILE_PX),
        (324, 4, offsets.len() as u32, tables[0]),
        (325, 4, lengths.len() as u32, tables[1]),
        (339, 3, 1, 1),
        (530, 3, 2, 2 | 2 << 16),
    ];
    file.write_all(&(entries.len() as u16).to_le_bytes())?;
    for (tag, kind, count, value) in entries {
        file.write_all(&tag.to_le_bytes())?;
        file.write_all(&kind.to_le_bytes())?;
        file.write_all(&count.to_le_bytes())?;
        file.write_all(&value.to_le_bytes())?;
    }
    let next = file.stream_position()?;
    file.write_all(&[0; 4])?;
    file.seek(io::SeekFrom::Start(link))?;
    file.write_all(&(directory as u32).to_le_bytes())?;
    file.seek(io::SeekFrom::End(0))?;
    Ok(next)
}

/// Writes a table of numbers and returns its place, or the number itself where there is one.
fn words(file: &mut BufWriter<File>, values: &[u32]) -> io::Result<u32> {
    if let [only] = values {
        return Ok(*only);
    }
    let place = file.stream_position()? as u32;
    for value in values {
        file.write_all(&value.to_le_bytes())?;
    }
    Ok(place)
}

/// A whole tile; beyond the picture its last column and row go on.
fn cut(level: &Picture, x: u32, y: u32) -> Vec<u8> {
    let mut tile = Vec::with_capacity((TILE_PX * TILE_PX * 3) as usize);
    for row in y..y + TILE_PX {
        for column in x..x + TILE_PX {
            let (row, column) = (row.min(level.height - 1), column.min(level.width - 1));
            let start = ((row * level.width + column) * 3) as usize;
            tile.extend_from_slice(&level.pixels[start..start + 3]);
        }
    }
    tile
}

fn encode(tile: Vec<u8>) -> io::Result<Vec<u8>> {
    let dimensions = Dimensions {
        width: TILE_PX,
        height: TILE_PX,
    };
    let raster = Raster::from_u8(dimensions, Channels::Rgb, tile).map_err(io::Error::other)?;
    let settings = JpegSettings {
        quality: 82,
        ..JpegSettings::default()
    };
    let mut file = Vec::new();
    jpeg::encode(
        &mut OneStrip::from(raster),
        &settings,
        &Cancel::new(),
        &mut file,
    )
    .map_err(io::Error::other)?;
    Ok(file)
}

/// Means of 2 × 2 pixels, rounded half up.
fn halve(level: &Picture) -> Picture {
    let (width, height) = (level.width.div_ceil(2), level.height.div_ceil(2));
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let sample = |dx: u32, dy: u32| {
                    let column = (2 * x + dx).min(level.width - 1);
                    let row = (2 * y + dy).min(level.height - 1);
                    u32::from(level.pixels[((row * level.width + column) * 3 + channel) as usize])
                };
                let sum = sample(0, 0) + sample(1, 0) + sample(0, 1) + sample(1, 1);
                pixels.push(((sum + 2) / 4) as u8);
            }
        }
    }
    Picture {
        width,
        height,
        pixels,
    }
}
