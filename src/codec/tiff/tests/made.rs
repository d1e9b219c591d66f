//! TIFFs put together field by field, for what no program would write.

use super::super::tags;

/// One entry of a directory: tag, type, count, value in little-endian order.
#[derive(Debug, Clone)]
pub(super) struct Field(u16, u16, u32, Vec<u8>);

impl Field {
    pub(super) fn tag(&self) -> u16 {
        self.0
    }
}

pub(super) fn shorts(tag: u16, values: &[u16]) -> Field {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes());
    Field(
        tag,
        3,
        u32::try_from(values.len()).unwrap(),
        bytes.collect(),
    )
}

pub(super) fn longs(tag: u16, values: &[u32]) -> Field {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes());
    Field(
        tag,
        4,
        u32::try_from(values.len()).unwrap(),
        bytes.collect(),
    )
}

/// A field whose values stand at an offset, whatever is there.
pub(super) fn elsewhere(tag: u16, kind: u16, count: u32, offset: u32) -> Field {
    Field(tag, kind, count, offset.to_le_bytes().to_vec())
}

/// A classic little-endian file with `data` from offset 8 on and no directory yet.
pub(super) fn file(data: &[u8]) -> Vec<u8> {
    [b"II*\0\0\0\0\0", data].concat()
}

/// Makes the directory at `offset` the first.
pub(super) fn starting_at(mut file: Vec<u8>, offset: u32) -> Vec<u8> {
    file[4..8].copy_from_slice(&offset.to_le_bytes());
    file
}

/// Appends a directory whose next one is at `next`; its offset.
pub(super) fn append(file: &mut Vec<u8>, fields: &[Field], next: u32) -> u32 {
    let mut body = u16::try_from(fields.len()).unwrap().to_le_bytes().to_vec();
    for Field(tag, kind, count, value) in fields {
        body.extend(tag.to_le_bytes());
        body.extend(kind.to_le_bytes());
        body.extend(count.to_le_bytes());
        if value.len() > 4 {
            body.extend(u32::try_from(file.len()).unwrap().to_le_bytes());
            file.extend(value);
        } else {
            body.extend(value);
            body.resize(body.len() + 4 - value.len(), 0);
        }
    }
    body.extend(next.to_le_bytes());
    let offset = u32::try_from(file.len()).unwrap();
    file.extend(body);
    offset
}

/// `fields` with `changes` in place of those with the same tags, or behind them.
pub(super) fn changed(mut fields: Vec<Field>, changes: &[Field]) -> Vec<Field> {
    for change in changes {
        fields.retain(|field| field.0 != change.0);
        fields.push(change.clone());
    }
    fields
}

/// A gray picture of 8 bits in one strip at offset 8.
pub(super) fn gray(width: u32, height: u32) -> Vec<Field> {
    vec![
        longs(tags::IMAGE_WIDTH, &[width]),
        longs(tags::IMAGE_LENGTH, &[height]),
        shorts(tags::BITS_PER_SAMPLE, &[8]),
        shorts(tags::COMPRESSION, &[1]),
        shorts(tags::PHOTOMETRIC, &[1]),
        longs(tags::STRIP_OFFSETS, &[8]),
        longs(tags::STRIP_BYTE_COUNTS, &[width * height]),
    ]
}

/// A gray picture of 8 bits in tiles of 16×16, which all lie at offset 8.
pub(super) fn tiled_gray(width: u32, height: u32) -> Vec<Field> {
    let tiles = usize::try_from(width.div_ceil(16) * height.div_ceil(16)).unwrap();
    let mut fields = gray(width, height);
    fields.retain(|field| ![tags::STRIP_OFFSETS, tags::STRIP_BYTE_COUNTS].contains(&field.0));
    fields.extend([
        shorts(tags::TILE_WIDTH, &[16]),
        shorts(tags::TILE_LENGTH, &[16]),
        longs(tags::TILE_OFFSETS, &vec![8; tiles]),
        longs(tags::TILE_BYTE_COUNTS, &vec![256; tiles]),
    ]);
    fields
}

/// A file of one directory.
pub(super) fn single(fields: &[Field], data: &[u8]) -> Vec<u8> {
    let mut file = file(data);
    let offset = append(&mut file, fields, 0);
    starting_at(file, offset)
}

/// A file of several directories, in this order.
pub(super) fn several(directories: &[Vec<Field>], data: &[u8]) -> Vec<u8> {
    let mut file = file(data);
    let next = directories
        .iter()
        .rev()
        .fold(0, |next, fields| append(&mut file, fields, next));
    starting_at(file, next)
}
