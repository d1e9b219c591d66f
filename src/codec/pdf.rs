//! Rows → PDF: one page that is the picture, as a JPEG.
//!
//! The page is as large as the picture's density says; one longer than [`LONGEST`] points is told in
//! larger units. Opacity and 16 bits are gone before.
//!
//! Source: ISO 32000-1:2008, 7.4.8 for `DCTDecode`, 14.3 for metadata, annex C for limits of pages.

use std::fmt::Write as _;
use std::io::Write;

use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref, TextStr};

use crate::cancel::Cancel;
use crate::encoding::{JpegSettings, PdfSettings};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Rows};

use super::{Attached, Density, jpeg, sink};

/// Points of an inch.
const POINTS: f64 = 72.0;

/// Longest side of a page in its own units: readers' limit since PDF 1.4.
const LONGEST: f64 = 14_400.0;

/// The program, as the file names it.
const PRODUCER: &str = "Triforium";

/// Writes `rows` to `sink`: a JPEG by `jpeg`, on a page by `settings`, described by `attached`.
///
/// # Errors
///
/// As those of JPEG.
pub(super) fn encode(
    rows: &mut dyn Rows,
    (jpeg, settings): (&JpegSettings, PdfSettings),
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let shape = rows.shape();
    let mut picture = Vec::new();
    jpeg::encode(rows, jpeg, cancel, &mut picture)?;
    cancel.check()?;
    let page = Page {
        dimensions: shape.dimensions,
        channels: shape.format.channels,
        picture,
        attached,
    };
    let file = page.write(settings)?;
    sink.write_all(&file).map_err(sink::refused)
}

/// Everything that the file holds.
struct Page<'a> {
    dimensions: Dimensions,
    channels: Channels,
    picture: Vec<u8>,
    attached: &'a Attached,
}

impl Page<'_> {
    fn write(&self, settings: PdfSettings) -> Result<Vec<u8>> {
        let [
            catalog,
            pages,
            page,
            image,
            content,
            metadata,
            profile,
            about,
        ] = [1, 2, 3, 4, 5, 6, 7, 8].map(Ref::new);
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(pages).metadata(metadata);
        pdf.pages(pages).kids([page]).count(1);
        let (unit, width, height) = self.paper(settings);
        let mut leaf = pdf.page(page);
        leaf.media_box(Rect::new(0.0, 0.0, width, height));
        if unit > 1.0 {
            leaf.user_unit(unit);
        }
        leaf.parent(pages).contents(content);
        leaf.resources().x_objects().pair(Name(b"Im1"), image);
        leaf.finish();
        self.image(&mut pdf, image, profile)?;
        let mut drawing = Content::new();
        drawing.save_state();
        drawing.transform([width, 0.0, 0.0, height, 0.0, 0.0]);
        drawing.x_object(Name(b"Im1"));
        drawing.restore_state();
        pdf.stream(content, &drawing.finish());
        let packet = self.attached.xmp.clone();
        let packet = packet.unwrap_or_else(|| self.packet().into_bytes());
        let mut stream = pdf.stream(metadata, &packet);
        stream.pair(Name(b"Type"), Name(b"Metadata"));
        stream.pair(Name(b"Subtype"), Name(b"XML"));
        stream.finish();
        let mut info = pdf.document_info(about);
        info.producer(TextStr(PRODUCER));
        if let Some(title) = &self.attached.title {
            info.title(TextStr(title));
        }
        info.finish();
        Ok(pdf.finish())
    }

    fn image(&self, pdf: &mut Pdf, image: Ref, profile: Ref) -> Result<()> {
        let side = |pixels: u32| {
            i32::try_from(pixels).map_err(|cause| Error::internal("a side").with_source(cause))
        };
        let mut stream = pdf.image_xobject(image, &self.picture);
        stream.filter(Filter::DctDecode);
        stream.width(side(self.dimensions.width)?);
        stream.height(side(self.dimensions.height)?);
        stream.bits_per_component(8);
        let is_gray = self.channels.is_gray();
        match &self.attached.icc {
            Some(_) => stream.color_space().icc_based(profile),
            None if is_gray => stream.color_space().device_gray(),
            None => stream.color_space().device_rgb(),
        }
        stream.finish();
        if let Some(icc) = &self.attached.icc {
            pdf.icc_profile(profile, icc).n(if is_gray { 1 } else { 3 });
        }
        Ok(())
    }

    /// Points of a unit over 72, and the page in such units.
    #[expect(clippy::cast_possible_truncation, reason = "pages are told in f32")]
    fn paper(&self, settings: PdfSettings) -> (f32, f32, f32) {
        let dpi = f64::from(settings.dpi);
        let said = self.attached.density.map(Density::per_inch);
        let (across, down) = said.unwrap_or((dpi, dpi));
        let width = f64::from(self.dimensions.width) / across * POINTS;
        let height = f64::from(self.dimensions.height) / down * POINTS;
        let unit = (width.max(height) / LONGEST).ceil().max(1.0);
        (unit as f32, (width / unit) as f32, (height / unit) as f32)
    }

    /// Title, rights and program as an XMP packet.
    fn packet(&self) -> String {
        let mut packet = String::from(concat!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n",
            "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">",
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">",
            "<rdf:Description rdf:about=\"\"",
            " xmlns:dc=\"http://purl.org/dc/elements/1.1/\"",
            " xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\"",
            " xmlns:xmpRights=\"http://ns.adobe.com/xap/1.0/rights/\">",
            "<dc:format>application/pdf</dc:format>",
        ));
        let _ = write!(packet, "<pdf:Producer>{PRODUCER}</pdf:Producer>");
        if let Some(title) = &self.attached.title {
            let title = escaped(title);
            let _ = write!(
                packet,
                "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>"
            );
        }
        if let Some(rights) = &self.attached.rights {
            let rights = escaped(rights);
            let _ = write!(
                packet,
                "<xmpRights:WebStatement>{rights}</xmpRights:WebStatement>"
            );
        }
        packet.push_str("</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>");
        packet
    }
}

/// Text that XML reads as itself; what XML has no sign for is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\t' | '\n' | ' '.. => safe.push(sign),
            _ => {}
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{OneStrip, Raster};

    fn written(side: u32, attached: &Attached) -> Vec<u8> {
        let dimensions = Dimensions::new(side, 2).expect("sides");
        let samples = vec![77; side as usize * 2 * 3];
        let raster = Raster::from_u8(dimensions, Channels::Rgb, samples).expect("a raster");
        let settings = (&JpegSettings::default(), PdfSettings::default());
        let mut file = Vec::new();
        let mut rows = OneStrip::from(raster);
        encode(&mut rows, settings, attached, &Cancel::new(), &mut file).expect("a file");
        file
    }

    fn page_of(channels: Channels, dpi: u32, attached: &Attached) -> Vec<u8> {
        let dimensions = Dimensions::new(30, 20).expect("sides");
        let samples = vec![77; 600 * channels.count()];
        let raster = Raster::from_u8(dimensions, channels, samples).expect("a raster");
        let settings = (&JpegSettings::default(), PdfSettings { dpi });
        let (mut rows, mut file) = (OneStrip::from(raster), Vec::new());
        encode(&mut rows, settings, attached, &Cancel::new(), &mut file).expect("a file");
        file
    }

    fn holds(file: &[u8], text: &str) -> bool {
        file.windows(text.len()).any(|part| part == text.as_bytes())
    }

    #[test]
    fn the_page_has_the_pictures_size_on_paper() {
        let attached = Attached::default();
        assert!(holds(&written(600, &attached), "[0 0 144 0.48]"));
        let density = Density::of_inch(100.0, 50.0);
        let attached = Attached {
            density,
            ..attached
        };
        assert!(holds(&written(600, &attached), "[0 0 432 2.88]"));
    }

    #[test]
    fn a_page_beyond_the_readers_limit_is_told_in_larger_units() {
        let density = Density::of_inch(1.0, 1.0);
        let attached = Attached {
            density,
            ..Attached::default()
        };
        let file = written(401, &attached);
        assert!(holds(&file, "/UserUnit 3") && holds(&file, "[0 0 9624 48]"));
        assert!(!holds(&written(200, &attached), "/UserUnit"));
    }

    #[test]
    fn title_and_rights_are_said_twice_and_harmless() {
        let attached = Attached {
            title: Some("a<b>&\u{1}.tif".to_owned()),
            rights: Some("http://rightsstatements.org/vocab/NoC-US/1.0/".to_owned()),
            ..Attached::default()
        };
        let file = written(2, &attached);
        assert!(holds(&file, ">a&lt;b&gt;&amp;.tif</rdf:li>"));
        assert!(holds(&file, "NoC-US/1.0/</xmpRights:WebStatement>"));
        assert!(holds(&file, "/Title"));
        let attached = Attached {
            xmp: Some(b"<other/>".to_vec()),
            ..attached
        };
        let file = written(2, &attached);
        assert!(holds(&file, "<other/>") && !holds(&file, "xmpRights"));
    }

    #[test]
    fn the_setting_counts_where_the_master_says_nothing() {
        let mut attached = Attached::default();
        assert!(holds(
            &page_of(Channels::Rgb, 144, &attached),
            "[0 0 15 10]"
        ));
        attached.density = Density::of_inch(36.0, 36.0);
        assert!(holds(
            &page_of(Channels::Rgb, 144, &attached),
            "[0 0 60 40]"
        ));
    }

    #[test]
    fn the_picture_has_the_colours_of_its_channels() {
        let with = Attached {
            icc: Some(b"a profile".to_vec()),
            ..Attached::default()
        };
        for (channels, device, components) in [
            (Channels::Gray, "/DeviceGray", "/N 1"),
            (Channels::Rgb, "/DeviceRGB", "/N 3"),
        ] {
            let plain = page_of(channels, 300, &Attached::default());
            assert!(holds(&plain, device) && !holds(&plain, "/ICCBased"));
            let file = page_of(channels, 300, &with);
            assert!(holds(&file, "/ICCBased") && holds(&file, components));
            assert!(holds(&file, "a profile") && !holds(&file, "/Device"));
        }
    }

    #[test]
    fn lines_and_other_scripts_stay_in_xml_and_what_has_no_sign_does_not() {
        assert_eq!(escaped("a\tb\nc\u{7}d\u{e9}"), "a\tb\ncd\u{e9}");
    }
}
