//! Answers → pixels, by decoders that are no part of the program's own reading path, and comparisons.

use std::io::Cursor;

use super::openjpeg;
use super::support::Answer;

/// Decoded pixels, 8 bits a sample, rows tight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pixels {
    /// In pixels.
    pub(crate) width: usize,
    /// In pixels.
    pub(crate) height: usize,
    /// 1 gray, 2 gray with alpha, 3 RGB, 4 RGBA.
    pub(crate) channels: usize,
    /// `height` × `width` × `channels`.
    pub(crate) data: Vec<u8>,
}

impl Pixels {
    /// The samples of one pixel.
    pub(crate) fn raw(&self, x: usize, y: usize) -> &[u8] {
        let at = (y * self.width + x) * self.channels;
        &self.data[at..at + self.channels]
    }

    /// Red, green, blue and alpha of one pixel.
    pub(crate) fn rgba(&self, x: usize, y: usize) -> [u8; 4] {
        match *self.raw(x, y) {
            [v] => [v, v, v, 255],
            [v, a] => [v, v, v, a],
            [r, g, b] => [r, g, b, 255],
            [r, g, b, a] => [r, g, b, a],
            _ => panic!("{} channels", self.channels),
        }
    }

    /// Red, green and blue of one pixel.
    pub(crate) fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let [r, g, b, _] = self.rgba(x, y);
        [r, g, b]
    }

    /// Width and height.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The picture with each pixel moved by `from`, which says where a pixel of the result comes from.
    pub(crate) fn moved(
        &self,
        size: (usize, usize),
        from: impl Fn(usize, usize) -> (usize, usize),
    ) -> Self {
        let mut data = Vec::with_capacity(size.0 * size.1 * self.channels);
        for y in 0..size.1 {
            for x in 0..size.0 {
                let (fx, fy) = from(x, y);
                data.extend_from_slice(self.raw(fx, fy));
            }
        }
        Self {
            width: size.0,
            height: size.1,
            channels: self.channels,
            data,
        }
    }

    /// A rectangle of the picture.
    pub(crate) fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        self.moved((width, height), |cx, cy| (x + cx, y + cy))
    }

    /// Mean and largest difference of alpha and of the colours as far as they show.
    pub(crate) fn difference(&self, other: &Self) -> (f64, u8) {
        assert_eq!(self.size(), other.size(), "the dimensions differ");
        let (mut sum, mut most) = (0_u64, 0_u8);
        for y in 0..self.height {
            for x in 0..self.width {
                let (a, b) = (shown(self.rgba(x, y)), shown(other.rgba(x, y)));
                for (a, b) in a.iter().zip(b) {
                    let apart = a.abs_diff(b);
                    sum += u64::from(apart);
                    most = most.max(apart);
                }
            }
        }
        // Alpha counts in neither the mean of opaque pictures nor its divisor.
        let samples = self.width * self.height * 3;
        (sum as f64 / samples as f64, most)
    }
}

/// A pixel with its colours weighted by its opacity.
fn shown(pixel: [u8; 4]) -> [u8; 4] {
    let alpha = u16::from(pixel[3]);
    let [r, g, b, _] = pixel.map(|v| u8::try_from((u16::from(v) * alpha + 127) / 255).unwrap());
    [r, g, b, pixel[3]]
}

/// Whether every sample is within `tolerance`.
pub(crate) fn near(a: [u8; 3], b: [u8; 3], tolerance: u8) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= tolerance)
}

/// The pixels of a 200 answer, by its media type.
pub(crate) fn decode(answer: &Answer) -> Pixels {
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    decode_as(answer.header("content-type"), &answer.body)
}

/// The pixels of `bytes`, which are of a media type.
pub(crate) fn decode_as(media: &str, bytes: &[u8]) -> Pixels {
    match media {
        "image/png" => png(bytes),
        "image/jpeg" => jpeg(bytes),
        "image/gif" => gif(bytes),
        "image/webp" => webp(bytes),
        "image/tiff" => tiff(bytes),
        "image/avif" => vips(bytes, "avif", &[]),
        "image/jxl" => vips(bytes, "jxl", &[]),
        "image/jp2" => vips(bytes, "jp2", &[]),
        // A page is as large as its pixels at the resolution that is taken where a master says none.
        "application/pdf" => vips(bytes, "pdf", &["--dpi=300"]),
        other => panic!("no decoder for {other}"),
    }
}

/// The same by decoders in this process, where there are some: for thousands of answers.
pub(crate) fn decode_quickly(answer: &Answer) -> Pixels {
    match (answer.status, answer.header("content-type")) {
        (200, "image/jxl") => jxl(&answer.body),
        (200, "image/jp2") => jp2(&answer.body),
        (200, "application/pdf") => jpeg(embedded(&answer.body)),
        _ => decode(answer),
    }
}

/// What jxl-oxide makes of a file.
fn jxl(bytes: &[u8]) -> Pixels {
    let image = jxl_oxide::JxlImage::builder().read(bytes).unwrap();
    let frame = image.render_frame(0).unwrap().image_all_channels();
    let narrow = |value: &f32| (value * 255.0).round() as u8;
    Pixels {
        width: frame.width(),
        height: frame.height(),
        channels: frame.channels(),
        data: frame.buf().iter().map(narrow).collect(),
    }
}

/// What `OpenJPEG` makes of the code stream of a file, whose opacity is its last channel.
fn jp2(bytes: &[u8]) -> Pixels {
    let stream = openjpeg::codestream(bytes).unwrap();
    let planes = openjpeg::decode(stream, 0, None).unwrap();
    let (width, height) = (planes[0].width as usize, planes[0].height as usize);
    let data = (0..width * height).flat_map(|at| planes.iter().map(move |p| (p, at)));
    let data = data.map(|(p, at)| {
        let most = (1 << p.bits) - 1;
        (p.samples[at].clamp(0, most) * 255 / most) as u8
    });
    Pixels {
        width,
        height,
        channels: planes.len(),
        data: data.collect(),
    }
}

/// The JPEG that is the page of a PDF.
pub(crate) fn embedded(pdf: &[u8]) -> &[u8] {
    let find = |what: &[u8], from: usize| {
        let found = pdf[from..].windows(what.len()).position(|w| w == what);
        from + found.unwrap()
    };
    let start = find(b"\xff\xd8\xff", find(b"/DCTDecode", 0));
    &pdf[start..find(b"\xff\xd9", start) + 2]
}

/// What libvips, with libheif, libjxl, OpenJPEG or Poppler, makes of a file.
fn vips(bytes: &[u8], format: &str, options: &[&str]) -> Pixels {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (
        folder.path().join(format!("a.{format}")),
        folder.path().join("a.png"),
    );
    std::fs::write(&from, bytes).unwrap();
    let loader = match format {
        "avif" => "heifload",
        "jxl" => "jxlload",
        "jp2" => "jp2kload",
        _ => "pdfload",
    };
    let output = std::process::Command::new("vips")
        .arg(loader)
        .args([&from, &to])
        .args(options)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{format}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    png(&std::fs::read(to).unwrap())
}

fn png(bytes: &[u8]) -> Pixels {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut data).unwrap();
    data.truncate(frame.buffer_size());
    Pixels {
        width: frame.width as usize,
        height: frame.height as usize,
        channels: frame.color_type.samples(),
        data,
    }
}

fn jpeg(bytes: &[u8]) -> Pixels {
    use zune_jpeg::zune_core::bytestream::ZCursor;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    let mut decoder = zune_jpeg::JpegDecoder::new(ZCursor::new(bytes));
    decoder.decode_headers().unwrap();
    if decoder.input_colorspace() == Some(ColorSpace::Luma) {
        let options = decoder.options().jpeg_set_out_colorspace(ColorSpace::Luma);
        decoder.set_options(options);
    }
    let data = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    Pixels {
        width,
        height,
        channels: data.len() / (width * height),
        data,
    }
}

fn gif(bytes: &[u8]) -> Pixels {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(Cursor::new(bytes)).unwrap();
    let size = (decoder.width(), decoder.height());
    let frame = decoder.read_next_frame().unwrap().unwrap();
    assert_eq!(
        (frame.width, frame.height),
        size,
        "the frame fills the picture"
    );
    Pixels {
        width: size.0.into(),
        height: size.1.into(),
        channels: 4,
        data: frame.buffer.to_vec(),
    }
}

fn webp(bytes: &[u8]) -> Pixels {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).unwrap();
    let mut data = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut data).unwrap();
    let (width, height) = decoder.dimensions();
    Pixels {
        width: width as usize,
        height: height as usize,
        channels: if decoder.has_alpha() { 4 } else { 3 },
        data,
    }
}

fn tiff(bytes: &[u8]) -> Pixels {
    let mut decoder = tiff::decoder::Decoder::new(Cursor::new(bytes)).unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let tiff::decoder::DecodingResult::U8(data) = decoder.read_image().unwrap() else {
        panic!("not 8 bits");
    };
    let (width, height) = (width as usize, height as usize);
    Pixels {
        width,
        height,
        channels: data.len() / (width * height),
        data,
    }
}
