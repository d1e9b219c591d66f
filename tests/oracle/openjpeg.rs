//! OpenJPEG, which decoding of JPEG 2000 is tested against and measured beside: a code stream in memory →
//! the samples of its components.
//!
//! One call of [`decode`] makes a decoder, lets it read through callbacks, and frees it. It runs on the
//! calling thread alone. Streams are those of tests, good by all we know.

#![expect(unsafe_code, reason = "the library is C")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;

use openjpeg_sys as opj;

/// What the callback for reading gives at the end; 0 would let the decoder ask for ever.
const END_OF_STREAM: usize = usize::MAX;

/// One component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plane {
    /// Samples in a row.
    pub(crate) width: u32,
    /// Rows.
    pub(crate) height: u32,
    /// Bits of a sample.
    pub(crate) bits: u32,
    /// Whether samples have a sign.
    pub(crate) signed: bool,
    /// Rows without gaps, top row first.
    pub(crate) samples: Vec<i32>,
}

/// A code stream that is being read.
struct Source<'a> {
    bytes: &'a [u8],
    position: usize,
}

/// The code stream of a file: from the markers SOC and SIZ on.
pub(crate) fn codestream(file: &[u8]) -> Option<&[u8]> {
    let start = file
        .windows(4)
        .position(|four| four == [0xFF, 0x4F, 0xFF, 0x51])?;
    file.get(start..)
}

/// The components of `stream` at 1/2^`reduction`, or of the rectangle `area` of its grid (left, top, right,
/// bottom). `None` where the decoder finds fault.
pub(crate) fn decode(stream: &[u8], reduction: u32, area: Option<[i32; 4]>) -> Option<Vec<Plane>> {
    let mut source = Source {
        bytes: stream,
        position: 0,
    };
    let stream = Stream::new(&mut source)?;
    let codec = Codec::new(reduction)?;
    let mut image = ptr::null_mut();
    // SAFETY: stream and decoder are live; the pointer may be written to.
    let read = unsafe { opj::opj_read_header(stream.0.as_ptr(), codec.0.as_ptr(), &raw mut image) };
    let image = Image(NonNull::new(image)?);
    let [x0, y0, x1, y1] = area.unwrap_or_default();
    let done = read != 0
        // SAFETY: the decoder is live and has read the header that `image` is from.
        && unsafe { opj::opj_set_decode_area(codec.0.as_ptr(), image.0.as_ptr(), x0, y0, x1, y1) } != 0
        // SAFETY: all three are live and belong together.
        && unsafe { opj::opj_decode(codec.0.as_ptr(), stream.0.as_ptr(), image.0.as_ptr()) } != 0;
    done.then(|| image.planes())?
}

/// A decoder; freed when dropped.
struct Codec(NonNull<opj::opj_codec_t>);

impl Codec {
    fn new(reduction: u32) -> Option<Self> {
        // SAFETY: takes a constant and gives a decoder or null.
        let raw = unsafe { opj::opj_create_decompress(opj::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K) };
        let codec = Self(NonNull::new(raw)?);
        // SAFETY: a plain C structure of integers and character arrays, for which zeroes are valid.
        let mut parameters: opj::opj_dparameters_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a whole structure.
        unsafe { opj::opj_set_default_decoder_parameters(&raw mut parameters) };
        parameters.cp_reduce = reduction;
        // SAFETY: the decoder is live, the structure whole; it is copied.
        let set_up = unsafe { opj::opj_setup_decoder(codec.0.as_ptr(), &raw mut parameters) };
        (set_up != 0).then_some(codec)
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        // SAFETY: made by `opj_create_decompress`, freed here alone.
        unsafe { opj::opj_destroy_codec(self.0.as_ptr()) };
    }
}

/// The decoder's view of a [`Source`]; freed when dropped.
struct Stream(NonNull<opj::opj_stream_t>);

impl Stream {
    /// `source` has to outlive it; [`decode`] sees to it.
    fn new(source: &mut Source<'_>) -> Option<Self> {
        // SAFETY: takes integers and gives a stream for reading or null.
        let raw = NonNull::new(unsafe { opj::opj_stream_create(1 << 16, 1) })?;
        let length = source.bytes.len() as u64;
        let client = ptr::from_mut(source).cast();
        // SAFETY: the stream is live; the callback matches the type.
        unsafe { opj::opj_stream_set_read_function(raw.as_ptr(), Some(on_read)) };
        // SAFETY: as above.
        unsafe { opj::opj_stream_set_skip_function(raw.as_ptr(), Some(on_skip)) };
        // SAFETY: as above.
        unsafe { opj::opj_stream_set_seek_function(raw.as_ptr(), Some(on_seek)) };
        // SAFETY: the stream is live; it does not free the source.
        unsafe { opj::opj_stream_set_user_data(raw.as_ptr(), client, None) };
        // SAFETY: the stream is live.
        unsafe { opj::opj_stream_set_user_data_length(raw.as_ptr(), length) };
        Some(Self(raw))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: made by `opj_stream_create`, freed here alone.
        unsafe { opj::opj_stream_destroy(self.0.as_ptr()) };
    }
}

/// A decoded picture; freed when dropped.
struct Image(NonNull<opj::opj_image_t>);

impl Image {
    fn planes(&self) -> Option<Vec<Plane>> {
        // SAFETY: the image is live and whole; nobody writes to it while it is borrowed.
        let image = unsafe { self.0.as_ref() };
        let count = usize::try_from(image.numcomps).ok()?;
        let first = NonNull::new(image.comps)?;
        // SAFETY: the decoder allocates `numcomps` components.
        let components = unsafe { slice::from_raw_parts(first.as_ptr(), count) };
        components.iter().map(plane).collect()
    }
}

fn plane(component: &opj::opj_image_comp_t) -> Option<Plane> {
    let data = NonNull::new(component.data)?;
    let length = usize::try_from(u64::from(component.w) * u64::from(component.h)).ok()?;
    // SAFETY: the decoder allocates w × h samples for every component that has a pointer.
    let samples = unsafe { slice::from_raw_parts(data.as_ptr(), length) };
    Some(Plane {
        width: component.w,
        height: component.h,
        bits: component.prec,
        signed: component.sgnd != 0,
        samples: samples.to_vec(),
    })
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: made by `opj_read_header`, freed here alone.
        unsafe { opj::opj_image_destroy(self.0.as_ptr()) };
    }
}

/// The source behind `client`.
fn source<'s>(client: *mut c_void) -> Option<&'s mut Source<'s>> {
    let mut source = NonNull::new(client.cast::<Source<'s>>())?;
    // SAFETY: `client` is the source that `Stream::new` was given, live and not borrowed meanwhile.
    Some(unsafe { source.as_mut() })
}

extern "C" fn on_read(buffer: *mut c_void, length: usize, client: *mut c_void) -> usize {
    let Some((source, buffer)) = source(client).zip(NonNull::new(buffer.cast::<u8>())) else {
        return END_OF_STREAM;
    };
    let rest = source.bytes.get(source.position..).unwrap_or_default();
    let count = rest.len().min(length);
    if count == 0 {
        return END_OF_STREAM;
    }
    // SAFETY: the decoder hands over a buffer with room for `length` bytes; `rest` has `count`.
    unsafe { ptr::copy_nonoverlapping(rest.as_ptr(), buffer.as_ptr(), count) };
    source.position += count;
    count
}

/// Gives how many bytes were skipped, or -1.
extern "C" fn on_skip(count: i64, client: *mut c_void) -> i64 {
    let Some(source) = source(client) else {
        return -1;
    };
    let before = source.position as u64;
    let target = before
        .saturating_add_signed(count)
        .min(source.bytes.len() as u64);
    source.position = usize::try_from(target).unwrap_or(0);
    match i64::try_from(target).ok().zip(i64::try_from(before).ok()) {
        Some((target, before)) if target != before || count == 0 => target - before,
        _ => -1,
    }
}

extern "C" fn on_seek(position: i64, client: *mut c_void) -> opj::OPJ_BOOL {
    let position = usize::try_from(position).ok();
    let found = source(client)
        .zip(position)
        .is_some_and(|(source, position)| {
            source.position = position.min(source.bytes.len());
            source.position == position
        });
    opj::OPJ_BOOL::from(found)
}
