//! A JPEG on its way to a sink → the same with metadata behind its first segment.
//!
//! What does not fit a segment stays behind, but for profiles, which may take several.
//!
//! Source: JFIF 1.02; EXIF 2.32, 4.7.2; Adobe's XMP, part 3, 1.1.3; ICC.1:2022 B.4; Photoshop's resources,
//! 1028, in APP13.

use std::io::{self, Write};

use super::super::{Attached, Density};

/// Bytes of the start of image and a JFIF segment without a thumbnail.
const HEAD_BYTES: usize = 20;
/// Where the segment says its unit and densities.
const DENSITY_AT: usize = 13;
/// Largest payload of a segment.
const MAX_PAYLOAD: usize = 65_533;
/// Bytes of a profile in one segment, beside its name and two numbers.
const PROFILE_PART: usize = MAX_PAYLOAD - 14;

/// A sink that adds segments.
pub(super) struct Attaching<'a> {
    sink: &'a mut dyn Write,
    attached: &'a Attached,
    /// The first bytes, until there are enough of them.
    head: Option<Vec<u8>>,
}

impl<'a> Attaching<'a> {
    /// Adds what is `attached` to the JPEG that is written to `sink`.
    pub(super) const fn new(sink: &'a mut dyn Write, attached: &'a Attached) -> Self {
        Self {
            sink,
            attached,
            head: Some(Vec::new()),
        }
    }
}

impl Write for Attaching<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let Some(mut head) = self.head.take() else {
            self.sink.write_all(part)?;
            return Ok(part.len());
        };
        head.extend_from_slice(part);
        if head.len() < HEAD_BYTES {
            self.head = Some(head);
            return Ok(part.len());
        }
        let is_jfif = head.get(2..11) == Some(b"\xff\xe0\0\x10JFIF\0".as_slice());
        let (first, rest) = head.split_at_mut(if is_jfif { HEAD_BYTES } else { 2 });
        if is_jfif && let Some(density) = self.attached.density {
            say(density, first);
        }
        self.sink.write_all(first)?;
        self.sink.write_all(&segments(self.attached))?;
        self.sink.write_all(rest)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Writes whole pixels of an inch into a JFIF segment, if it can hold them.
fn say(density: Density, head: &mut [u8]) {
    let (across, down) = density.per_inch();
    let whole = |value: f64| {
        let value = value.round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within 16 bits, as has been looked at"
        )]
        (1.0..=65_535.0).contains(&value).then_some(value as u16)
    };
    if let (Some(across), Some(down)) = (whole(across), whole(down))
        && let Some(place) = head.get_mut(DENSITY_AT..DENSITY_AT + 5)
    {
        let [a, b] = across.to_be_bytes();
        let [c, d] = down.to_be_bytes();
        place.copy_from_slice(&[1, a, b, c, d]);
    }
}

fn segments(attached: &Attached) -> Vec<u8> {
    let mut segments = Vec::new();
    if let Some(exif) = &attached.exif {
        append(&mut segments, 0xe1, &[b"Exif\0\0", exif]);
    }
    if let Some(xmp) = &attached.xmp {
        append(
            &mut segments,
            0xe1,
            &[b"http://ns.adobe.com/xap/1.0/\0", xmp],
        );
    }
    if let Some(icc) = &attached.icc {
        let count = icc.len().div_ceil(PROFILE_PART);
        if let Ok(count) = u8::try_from(count) {
            for (number, part) in (1..=count).zip(icc.chunks(PROFILE_PART)) {
                append(
                    &mut segments,
                    0xe2,
                    &[b"ICC_PROFILE\0", &[number, count], part],
                );
            }
        }
    }
    if let Some(iptc) = &attached.iptc
        && let Ok(length) = u32::try_from(iptc.len())
    {
        // A resource without a name; contents have an even number of bytes.
        let padding: &[u8] = if iptc.len().is_multiple_of(2) {
            &[]
        } else {
            &[0]
        };
        let head = b"Photoshop 3.0\08BIM\x04\x04\0\0".as_slice();
        append(
            &mut segments,
            0xed,
            &[head, &length.to_be_bytes(), iptc, padding],
        );
    }
    segments
}

fn append(segments: &mut Vec<u8>, marker: u8, payload: &[&[u8]]) {
    let length = payload.iter().map(|part| part.len()).sum::<usize>();
    let Some(length) = u16::try_from(length + 2)
        .ok()
        .filter(|_| length <= MAX_PAYLOAD)
    else {
        return;
    };
    segments.extend([0xff, marker]);
    segments.extend(length.to_be_bytes());
    for part in payload {
        segments.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JFIF: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0rest";

    fn written(parts: &[&[u8]], attached: &Attached) -> Vec<u8> {
        let mut file = Vec::new();
        let mut sink = Attaching::new(&mut file, attached);
        for part in parts {
            sink.write_all(part).expect("a Vec takes every write");
        }
        file
    }

    #[test]
    fn segments_follow_the_first_one_however_it_arrives() {
        let attached = Attached {
            exif: Some(b"II*\0".to_vec()),
            density: Density::of_inch(300.0, 299.6),
            ..Attached::default()
        };
        let wanted = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\x01\x01\x2c\x01\x2c\0\0\xff\xe1\0\x0cExif\0\0II*\0rest";
        assert_eq!(written(&[JFIF], &attached), wanted);
        let bytes: Vec<&[u8]> = JFIF.chunks(1).collect();
        assert_eq!(written(&bytes, &attached), wanted);
        let plain = [b"\xff\xd8".as_slice(), &[7; 30]].concat();
        let file = written(&[&plain], &attached);
        assert!(file.starts_with(b"\xff\xd8\xff\xe1\0\x0cExif"));
    }

    #[test]
    fn a_density_that_16_bits_do_not_hold_is_not_said() {
        let head = |across, down| {
            let attached = Attached {
                density: Density::of_inch(across, down),
                ..Attached::default()
            };
            written(&[JFIF], &attached)[DENSITY_AT..DENSITY_AT + 5].to_vec()
        };
        assert_eq!(head(65_535.0, 1.0), [1, 255, 255, 0, 1]);
        assert_eq!(head(65_535.4, 0.5), [1, 255, 255, 0, 1]);
        for (across, down) in [(65_536.0, 300.0), (300.0, 65_536.0), (0.4, 300.0)] {
            assert_eq!(head(across, down), [0, 0, 1, 0, 1], "{across} {down}");
        }
    }

    #[test]
    fn a_long_profile_takes_segments_and_a_long_packet_stays_behind() {
        let attached = Attached {
            icc: Some(vec![5; 70_000]),
            xmp: Some(vec![6; 70_000]),
            iptc: Some(vec![1, 2, 3]),
            ..Attached::default()
        };
        let segments = segments(&attached);
        assert!(segments.starts_with(b"\xff\xe2\xff\xffICC_PROFILE\0\x01\x02"));
        assert!(segments.ends_with(b"8BIM\x04\x04\0\0\0\0\0\x03\x01\x02\x03\0"));
        assert_eq!(segments.len(), 70_000 + 2 * 18 + 4 + 14 + 8 + 4 + 4);
        assert!(!segments.contains(&6));
    }
}
