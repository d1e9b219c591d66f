//! The only file that calls OpenJPEG: a tile's code stream → its components' samples.
//!
//! One call of [`decode`] makes a decoder, lets it read the stream through callbacks, and frees it.
//! It runs on the calling thread alone. The caller hands over streams that `codestream` has made.

#![expect(unsafe_code, reason = "the wavelet decoder is a C library")]

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;

use openjpeg_sys as opj;

use crate::error::{Error, Result};

use super::stream::TileStream;

/// Bytes that the decoder reads at a time where it reads headers; larger reads go past its buffer.
const BUFFER_BYTES: usize = 16 << 10;

/// Longest message of the decoder that is kept, in bytes.
const MAX_MESSAGE: usize = 200;

/// What the callback for reading gives at the end; 0 would let the decoder ask for ever.
const END_OF_STREAM: usize = usize::MAX;

/// A rectangle on the reference grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x0: u32,
    pub(super) y0: u32,
    pub(super) x1: u32,
    pub(super) y1: u32,
}

/// One component of a decoded area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Rows without gaps, top row first.
    pub(super) samples: &'a [i32],
}

/// Decodes the part of the stream's tile in `area` at 1/2^`reduction`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Corrupt`] when the decoder finds fault with the stream, and what stopped
/// the stream itself: an error of the reader or of a cancelled request.
pub(super) fn decode(
    mut stream: TileStream<'_>,
    reduction: u8,
    area: Area,
) -> Result<DecodedImage> {
    let mut message = Message::default();
    let decoded = run(&mut stream, reduction, area, &mut message);
    if let Some(failure) = stream.take_failure() {
        return Err(failure.while_doing("reading a tile"));
    }
    decoded.ok_or_else(|| {
        Error::corrupt("its code stream is damaged").with_source(message.into_text())
    })
}

fn run(
    stream: &mut TileStream<'_>,
    reduction: u8,
    area: Area,
    message: &mut Message,
) -> Option<DecodedImage> {
    let codec = Codec::new(reduction, message)?;
    let stream = Stream::new(stream)?;
    let image = codec.read_header(&stream)?;
    codec.set_area(&image, area)?;
    codec.decode(&stream, &image)?;
    Some(image)
}

/// The first error that the decoder reports.
#[derive(Default)]
struct Message(Option<String>);

impl Message {
    fn into_text(self) -> String {
        self.0.unwrap_or_else(|| "no message".to_owned())
    }
}

/// A decoder; freed when dropped.
struct Codec(NonNull<opj::opj_codec_t>);

impl Codec {
    /// `message` has to outlive the decoder, which keeps a pointer to it; `run` sees to it.
    fn new(reduction: u8, message: &mut Message) -> Option<Self> {
        // SAFETY: takes a constant and gives a decoder or null.
        let raw = unsafe { opj::opj_create_decompress(opj::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K) };
        let codec = Self(NonNull::new(raw)?);
        let client = ptr::from_mut(message).cast();
        // SAFETY: the decoder is live, the callback matches the type, and `message` outlives it.
        check(unsafe { opj::opj_set_error_handler(codec.raw(), Some(on_error), client) })?;
        codec.set_up(reduction)?;
        Some(codec)
    }

    fn set_up(&self, reduction: u8) -> Option<()> {
        // SAFETY: a plain C structure of integers and character arrays, for which zeroes are valid.
        let mut parameters: opj::opj_dparameters_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a whole structure.
        unsafe { opj::opj_set_default_decoder_parameters(&raw mut parameters) };
        parameters.cp_reduce = u32::from(reduction);
        // SAFETY: the decoder is live, the structure whole; it is copied.
        check(unsafe { opj::opj_setup_decoder(self.raw(), &raw mut parameters) })?;
        // SAFETY: the decoder is live and has been set up.
        check(unsafe { opj::opj_decoder_set_strict_mode(self.raw(), 1) })?;
        // The environment could ask for threads of its own; 0 takes that back.
        // SAFETY: the decoder is live and no header was read.
        check(unsafe { opj::opj_codec_set_threads(self.raw(), 0) })
    }

    /// The image of the main header, without samples.
    fn read_header(&self, stream: &Stream<'_>) -> Option<DecodedImage> {
        // The decoder leaves the pointer alone when it fails early (CVE-2025-54874).
        let mut image = ptr::null_mut();
        // SAFETY: stream and decoder are live; the pointer may be written to.
        let read = unsafe { opj::opj_read_header(stream.raw(), self.raw(), &raw mut image) };
        let image = NonNull::new(image).map(DecodedImage);
        check(read)?;
        image
    }

    fn set_area(&self, image: &DecodedImage, area: Area) -> Option<()> {
        let Area { x0, y0, x1, y1 } = area;
        let [x0, y0, x1, y1] = [signed(x0)?, signed(y0)?, signed(x1)?, signed(y1)?];
        // SAFETY: the decoder is live and has read the header that `image` is from.
        check(unsafe { opj::opj_set_decode_area(self.raw(), image.0.as_ptr(), x0, y0, x1, y1) })
    }

    fn decode(&self, stream: &Stream<'_>, image: &DecodedImage) -> Option<()> {
        // SAFETY: all three are live and belong together.
        check(unsafe { opj::opj_decode(self.raw(), stream.raw(), image.0.as_ptr()) })
    }

    const fn raw(&self) -> *mut opj::opj_codec_t {
        self.0.as_ptr()
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        // SAFETY: made by `opj_create_decompress`, freed here alone.
        unsafe { opj::opj_destroy_codec(self.raw()) };
    }
}

/// The decoder's view of a [`TileStream`]; freed when dropped.
struct Stream<'s> {
    raw: NonNull<opj::opj_stream_t>,
    /// The callbacks hold a pointer to it.
    _source: std::marker::PhantomData<&'s mut ()>,
}

impl<'s> Stream<'s> {
    fn new(source: &'s mut TileStream<'_>) -> Option<Self> {
        // SAFETY: takes integers and gives a stream for reading or null.
        let raw = NonNull::new(unsafe { opj::opj_stream_create(BUFFER_BYTES, 1) })?;
        let stream = Self {
            raw,
            _source: std::marker::PhantomData,
        };
        let length = source.length();
        let client = ptr::from_mut(source).cast();
        // SAFETY: the stream is live; the callback matches the type.
        unsafe { opj::opj_stream_set_read_function(stream.raw(), Some(on_read)) };
        // SAFETY: as above.
        unsafe { opj::opj_stream_set_skip_function(stream.raw(), Some(on_skip)) };
        // SAFETY: as above.
        unsafe { opj::opj_stream_set_seek_function(stream.raw(), Some(on_seek)) };
        // SAFETY: the stream is live; `source` is borrowed for as long as it, and not freed by it.
        unsafe { opj::opj_stream_set_user_data(stream.raw(), client, None) };
        // SAFETY: the stream is live.
        unsafe { opj::opj_stream_set_user_data_length(stream.raw(), length) };
        Some(stream)
    }

    const fn raw(&self) -> *mut opj::opj_stream_t {
        self.raw.as_ptr()
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `opj_stream_create`, freed here alone.
        unsafe { opj::opj_stream_destroy(self.raw()) };
    }
}

/// A decoded area; freed when dropped.
pub(super) struct DecodedImage(NonNull<opj::opj_image_t>);

impl DecodedImage {
    /// The component with this number; `None` if it has none or no samples.
    pub(super) fn plane(&self, component: usize) -> Option<Plane<'_>> {
        let component = self.components().get(component)?;
        let data = NonNull::new(component.data)?;
        let length = usize::try_from(u64::from(component.w) * u64::from(component.h)).ok()?;
        // SAFETY: the decoder allocates w × h samples for every component that has a pointer.
        let samples = unsafe { slice::from_raw_parts(data.as_ptr(), length) };
        Some(Plane {
            width: component.w,
            height: component.h,
            samples,
        })
    }

    fn components(&self) -> &[opj::opj_image_comp_t] {
        // SAFETY: the image is live and whole; nobody writes to it while it is borrowed.
        let image = unsafe { self.0.as_ref() };
        match (NonNull::new(image.comps), usize::try_from(image.numcomps)) {
            // SAFETY: the decoder allocates `numcomps` components.
            (Some(first), Ok(count)) => unsafe { slice::from_raw_parts(first.as_ptr(), count) },
            _ => &[],
        }
    }
}

impl Drop for DecodedImage {
    fn drop(&mut self) {
        // SAFETY: made by `opj_read_header`, freed here alone.
        unsafe { opj::opj_image_destroy(self.0.as_ptr()) };
    }
}

fn check(done: opj::OPJ_BOOL) -> Option<()> {
    (done != 0).then_some(())
}

fn signed(point: u32) -> Option<i32> {
    i32::try_from(point).ok()
}

/// Keeps the first error.
extern "C" fn on_error(text: *const c_char, client: *mut c_void) {
    let Some(mut message) = NonNull::new(client.cast::<Message>()) else {
        return;
    };
    // SAFETY: `client` is the message that `Codec::new` was given, live and not borrowed meanwhile.
    let message = unsafe { message.as_mut() };
    if message.0.is_none() && !text.is_null() {
        // SAFETY: the decoder hands over a string that ends with a zero.
        let text = unsafe { CStr::from_ptr(text) };
        let kept = text.to_bytes();
        let kept = kept.get(..kept.len().min(MAX_MESSAGE)).unwrap_or_default();
        message.0 = Some(String::from_utf8_lossy(kept).trim().to_owned());
    }
}

/// Runs `act` on the stream behind `client`; a panic, which may not cross C, counts as a failure.
fn with_stream<T>(client: *mut c_void, act: impl FnOnce(&mut TileStream<'_>) -> T) -> Option<T> {
    let mut stream = NonNull::new(client.cast::<TileStream<'_>>())?;
    // SAFETY: `client` is the stream that `Stream::new` was given, live and not borrowed meanwhile.
    let stream = unsafe { stream.as_mut() };
    catch_unwind(AssertUnwindSafe(|| act(stream))).ok()
}

extern "C" fn on_read(buffer: *mut c_void, length: usize, client: *mut c_void) -> usize {
    let Some(buffer) = NonNull::new(buffer.cast::<u8>()) else {
        return END_OF_STREAM;
    };
    // The decoder's buffers are not initialised, and a slice of bytes has to be.
    // SAFETY: the decoder hands over a buffer with room for `length` bytes.
    let read = with_stream(client, |stream| unsafe { fill(stream, buffer, length) });
    match read {
        None | Some(0) => END_OF_STREAM,
        Some(count) => count,
    }
}

/// Bytes that are read at a time: what was zeroed is still near when it is written to. A picture
/// without tiles is one read of all its code.
const PIECE_BYTES: usize = 128 << 10;

/// Reads up to `length` bytes to `buffer`, piece by piece; gives how many.
///
/// # Safety
///
/// `buffer` has room for `length` bytes, which nobody else looks at meanwhile.
unsafe fn fill(stream: &mut TileStream<'_>, buffer: NonNull<u8>, length: usize) -> usize {
    let mut filled = 0;
    while filled < length {
        let count = PIECE_BYTES.min(length - filled);
        // SAFETY: `filled` is below `length`.
        let piece = unsafe { buffer.add(filled) };
        // SAFETY: `count` bytes from there on lie within `length`.
        unsafe { ptr::write_bytes(piece.as_ptr(), 0, count) };
        // SAFETY: as above; all of them are initialised now.
        let piece = unsafe { slice::from_raw_parts_mut(piece.as_ptr(), count) };
        let read = stream.read(piece);
        filled += read;
        if read < count {
            break;
        }
    }
    filled
}

/// Gives how many bytes were skipped, or -1.
extern "C" fn on_skip(count: i64, client: *mut c_void) -> i64 {
    let skipped = with_stream(client, |stream| {
        let before = stream.position();
        let target = before.saturating_add_signed(count);
        let after = stream.seek(target);
        i64::try_from(after)
            .ok()?
            .checked_sub(i64::try_from(before).ok()?)
    });
    match skipped.flatten() {
        Some(0) if count != 0 => -1,
        Some(skipped) => skipped,
        None => -1,
    }
}

extern "C" fn on_seek(position: i64, client: *mut c_void) -> opj::OPJ_BOOL {
    let sought = with_stream(client, |stream| {
        let position = u64::try_from(position).ok()?;
        (stream.seek(position) == position).then_some(())
    });
    opj::OPJ_BOOL::from(sought.flatten().is_some())
}
