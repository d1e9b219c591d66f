//! An XMP packet → the orientation that it asks for, and the packet that goes with a derivative: upright,
//! without the small pictures of `xmp:Thumbnails`, and without places unless they are asked for.
//!
//! Properties are found as text, in either form that RDF has for them. A packet that is not UTF-8 says
//! nothing; one whose tags cannot be told apart does not go along.
//!
//! Source: Adobe's XMP, part 2, 3.2 (`tiff:Orientation`), 3.3 (`exif:GPS…`), 2.6 (`xmp:Thumbnails`), part 1, 7.

use crate::geometry::Orientation;

/// The property's usual name.
const NAME: &[u8] = b"tiff:Orientation";

/// What has to be done to the stored pixels, as the packet says; `None` where it says nothing.
pub(super) fn orientation(packet: &[u8]) -> Option<Orientation> {
    let place = values(packet).next()?;
    let digit = packet.get(place)?;
    Some(Orientation::from_tag(u16::from(digit - b'0')))
}

/// What of `packet` goes with a derivative, with `places` or without; `None` where its tags cannot be told
/// apart.
pub(super) fn carried(packet: Vec<u8>, places: bool) -> Option<Vec<u8>> {
    let text = String::from_utf8(upright(packet)).ok();
    // UTF-16 is mostly UTF-8 with zeroes.
    let text = text.filter(|text| !text.contains('\0'))?;
    let stays = |name: &str| {
        // The prefix is the file's own choice.
        let local = name.rsplit(':').next().unwrap_or(name);
        local != "Thumbnails" && (places || !local.starts_with("GPS"))
    };
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, tag, after)) = next_tag(rest) {
        kept.push_str(before);
        let name = element(tag);
        if stays(name) {
            keep(&mut kept, tag, &stays)?;
            rest = after;
        } else if tag.ends_with("/>") {
            rest = after;
        } else {
            rest = behind(name, after)?;
        }
    }
    kept.push_str(rest);
    Some(kept.into_bytes())
}

/// The next tag, from its `<` to its `>`, with what stands before and after it; all of the rest where it
/// does not end.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let (before, tag) = text.split_at_checked(text.find('<')?)?;
    let others = ["<!--", "<![CDATA[", "<?"].iter().zip(["-->", "]]>", "?>"]);
    let mut others = others.filter(|(start, _)| tag.starts_with(**start));
    let end = match others.next() {
        Some((_, end)) => tag.find(end).map(|at| at + end.len()),
        None => end_of_element(tag),
    };
    let (tag, after) = tag.split_at_checked(end.unwrap_or(tag.len()))?;
    Some((before, tag, after))
}

/// Where the tag of an element ends: at a `>` outside of quotes.
fn end_of_element(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, sign) in tag.char_indices() {
        match quote {
            None if sign == '>' => return Some(at + 1),
            None if matches!(sign, '"' | '\'') => quote = Some(sign),
            Some(open) if open == sign => quote = None,
            None | Some(_) => {}
        }
    }
    None
}

/// The name of a start tag's element; nothing of an end tag or of what is no element.
fn element(tag: &str) -> &str {
    let name = tag.trim_start_matches('<');
    let ends = |sign: char| sign.is_ascii_whitespace() || matches!(sign, '/' | '>');
    name.split(ends).next().unwrap_or_default()
}

/// What stands behind the end tag of the element `name`, of which the start tag is over.
fn behind<'t>(name: &str, mut text: &'t str) -> Option<&'t str> {
    let mut depth = 1_usize;
    while depth > 0 {
        let (_, tag, after) = next_tag(text)?;
        let ended = tag.strip_prefix("</").map(element);
        if ended == Some(name) {
            depth -= 1;
        } else if element(tag) == name && !tag.ends_with("/>") {
            depth += 1;
        }
        text = after;
    }
    Some(text)
}

/// Appends `tag` without the attributes that do not stay; `None` where they cannot be told apart.
fn keep(kept: &mut String, tag: &str, stays: &dyn Fn(&str) -> bool) -> Option<()> {
    if !tag.ends_with('>') {
        return None;
    }
    if element(tag).is_empty() || tag.starts_with("<?") || tag.starts_with("<!") {
        kept.push_str(tag);
        return Some(());
    }
    let (name, mut rest) = tag.split_at_checked(1 + element(tag).len())?;
    kept.push_str(name);
    while let Some((attribute, after)) = rest.split_once('=') {
        let quoted = after.trim_start();
        let quote = quoted.chars().next().filter(|sign| "\"'".contains(*sign))?;
        let length = quoted.get(1..)?.find(quote)? + 2;
        let end = attribute.len() + 1 + (after.len() - quoted.len()) + length;
        let (whole, next) = rest.split_at_checked(end)?;
        if stays(attribute.trim()) {
            kept.push_str(whole);
        }
        rest = next;
    }
    kept.push_str(rest);
    Some(())
}

/// The same packet, which says that the picture is upright wherever it says anything.
fn upright(mut packet: Vec<u8>) -> Vec<u8> {
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

    fn kept(packet: &str, places: bool) -> Option<String> {
        let kept = carried(packet.as_bytes().to_vec(), places)?;
        Some(String::from_utf8(kept).unwrap())
    }

    const TELLING: &str = "<?xpacket begin='\u{feff}'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
        <rdf:Description exif:GPSLatitude='52,31N' dc:source = \"a > b\" e:GPSMapDatum=\"W\">\
        <exif:GPSLongitude>13,24E</exif:GPSLongitude><dc:title>A &lt; B</dc:title>\
        <exif:GPSAreaInformation/><!-- <exif:GPS -->\
        <xmp:Thumbnails><rdf:Alt><rdf:li xmpGImg:image='/9j/'/></rdf:Alt></xmp:Thumbnails>\
        <tiff:Orientation>6</tiff:Orientation></rdf:Description></x:xmpmeta><?xpacket end='w'?>";

    #[test]
    fn small_pictures_stay_behind_and_places_unless_asked_for() {
        let without = kept(TELLING, false).unwrap();
        let wanted = "<?xpacket begin='\u{feff}'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
            <rdf:Description dc:source = \"a > b\"><dc:title>A &lt; B</dc:title>\
            <!-- <exif:GPS --><tiff:Orientation>1</tiff:Orientation></rdf:Description>\
            </x:xmpmeta><?xpacket end='w'?>";
        assert_eq!(without, wanted);
        let with = kept(TELLING, true).unwrap();
        assert!(with.contains("GPSLatitude='52,31N'") && with.contains("13,24E"));
        assert!(!with.contains("/9j/"));
        assert_eq!(kept(&with, false), Some(without));
    }

    #[test]
    fn a_packet_without_either_stays_as_it_is() {
        let packet = "<a b='c' d = \"e\"  ><f g='&gt;'/> x </a >\n  <?xpacket end=\"w\"?>   ";
        assert_eq!(kept(packet, false).as_deref(), Some(packet));
    }

    #[test]
    fn what_cannot_be_told_apart_does_not_go_along() {
        for packet in [
            "<a",
            "<a b='c>",
            "<a b=c>",
            "<!-- a",
            "<e:GPSa>1",
            "<e:GPSa><e:GPSa></e:GPSa>",
        ] {
            assert_eq!(kept(packet, false), None, "{packet}");
        }
        assert_eq!(carried(b"<a b='\xff'/>".to_vec(), true), None);
        // Of UTF-16 nothing is known.
        let wide: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(carried(wide, true), None);
    }

    #[test]
    fn no_cut_of_a_packet_does_more_than_stay_behind() {
        for end in (0..TELLING.len()).filter(|end| TELLING.is_char_boundary(*end)) {
            let part = kept(TELLING.get(..end).unwrap(), false);
            assert!(part.is_none_or(|part| !part.contains("52,31N")), "{end}");
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
