//! Boxes of JPEG 2000 and JPEG XL files, as they are written.
//!
//! Source: ISO/IEC 15444-1 I.4; ISO/IEC 18181-2 takes the same.

/// Appends a box of `kind` that holds `content`; one beyond 4 GiB has its length in 64 bits.
pub(super) fn append(file: &mut Vec<u8>, kind: [u8; 4], content: &[&[u8]]) {
    let length = content.iter().map(|part| part.len() as u64).sum::<u64>() + 8;
    if let Ok(length) = u32::try_from(length) {
        file.extend(length.to_be_bytes());
        file.extend(kind);
    } else {
        file.extend(1_u32.to_be_bytes());
        file.extend(kind);
        file.extend((length + 8).to_be_bytes());
    }
    for part in content {
        file.extend_from_slice(part);
    }
}
