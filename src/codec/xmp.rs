//! An XMP packet → the orientation that it asks for, and the packet of a picture that is upright.
//!
//! The property is found as text, in either form that RDF has for it; nothing else of the packet is
//! looked at. A packet that is not UTF-8 says nothing.
//!
//! Source: Adobe's XMP, part 2, 3.2 (`tiff:Orientation`), part 1, 7.

use crate::geometry::Orientation;

/// The property's usual name.
const NAME: &[u8] = b"tiff:Orientation";

/// What has to be done to the stored pixels, as the packet says; `None` where it says nothing.
pub(super) fn orientation(packet: &[u8]) -> Option<Orientation> {
    let place = values(packet).next()?;
    let digit = packet.get(place)?;
    Some(Orientation::from_tag(u16::from(digit - b'0')))
}

/// The same packet, which says that the picture is upright wherever it says anything.
pub(super) fn upright(mut packet: Vec<u8>) -> Vec<u8> {
    let places: Vec<usize> = values(&packet).collect();
    for place in places {
        if let Some(digit) = packet.get_mut(place) {
            *digit = b'1';
        }
    }
    packet
}

/// Where the property's values are: a digit in quotes, or in an element.
fn values(packet: &[u8]) -> impl Iterator<Item = usize> {
    let names = packet.windows(NAME.len()).enumerate();
    names.filter_map(|(at, name)| (name == NAME).then(|| value(packet, at)).flatten())
}

fn value(packet: &[u8], at: usize) -> Option<usize> {
    let start = at + NAME.len();
    let rest = packet.get(start..)?;
    let is_element = at > 0 && packet.get(at - 1) == Some(&b'<');
    let skipped = rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let (before, after): (&[u8], &[u8]) = if is_element {
        (b">", b"<")
    } else {
        (b"=", b"\"'")
    };
    let mut place = start + skipped;
    if !before.contains(packet.get(place)?) {
        return None;
    }
    place += 1;
    let blank = |byte: &u8| byte.is_ascii_whitespace() || (!is_element && after.contains(byte));
    place += packet
        .get(place..)?
        .iter()
        .take_while(|byte| blank(byte))
        .count();
    let digit = packet.get(place)?;
    let ends = packet.get(place + 1)?;
    let is_alone = after.contains(ends) || ends.is_ascii_whitespace();
    ((b'1'..=b'8').contains(digit) && is_alone).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [&str; 4] = [
        r#"<rdf:Description tiff:Orientation="6" x="1"/>"#,
        "<rdf:Description tiff:Orientation = '6'/>",
        "<tiff:Orientation>6</tiff:Orientation>",
        "<tiff:Orientation >\n 6 </tiff:Orientation>",
    ];

    #[test]
    fn the_property_is_read_in_every_form() {
        for packet in FORMS {
            let found = orientation(packet.as_bytes());
            assert_eq!(found, Some(Orientation::from_tag(6)), "{packet}");
        }
    }

    #[test]
    fn an_upright_packet_differs_in_the_value_alone() {
        for packet in FORMS {
            let upright = upright(packet.as_bytes().to_vec());
            let wanted = packet.replacen('6', "1", 1);
            assert_eq!(String::from_utf8(upright).unwrap(), wanted);
        }
    }

    #[test]
    fn anything_else_says_nothing() {
        for packet in [
            "",
            "tiff:Orientation",
            "tiff:Orientation=",
            "tiff:Orientation=\"",
            "tiff:Orientation=\"9\"",
            "tiff:Orientation=\"16\"",
            "<tiff:Orientation>6",
            "<tiff:OrientationOther>6</tiff:OrientationOther>",
            "</tiff:Orientation>6<",
        ] {
            assert_eq!(orientation(packet.as_bytes()), None, "{packet}");
            assert_eq!(upright(packet.as_bytes().to_vec()), packet.as_bytes());
        }
    }
}
