//! The C side of scan lines (`scan.c`) as safe types: [`Decoder`] and [`Encoder`].
//!
//! The library reports errors by long jumps and keeps its state in structs whose layout differs from
//! version to version; `scan.c` hides both, so that this file mirrors the few declarations of
//! `scan.h` alone. Callers may rely on: an error of the reader or sink comes back as it was; a
//! message of the library is kept as the cause and never shown. Callbacks call foreign code (a
//! reader, a sink), so they catch panics: nothing unwinds into C, and no jump crosses a Rust frame,
//! because the C side jumps only after a callback has returned.

#![expect(
    unsafe_code,
    reason = "the libraries are C; every block says why it holds"
)]

mod encoder;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

#[cfg(feature = "mozjpeg")]
use mozjpeg_sys as _;
#[cfg(feature = "turbojpeg")]
use turbojpeg_sys as _;

use crate::cancel::Cancel;
use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

use super::header::Stored;

pub(super) use encoder::{Encoder, Output, Settings};

/// The status of a call that a callback stopped.
const STOPPED: c_int = 3;

const GRAY: i32 = 0;
const YCBCR: i32 = 1;
const RGB: i32 = 2;
const CMYK: i32 = 3;
const YCCK: i32 = 4;
const PLAIN: i32 = 5;

#[repr(C)]
struct RawDecoder {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Default)]
struct RawHeader {
    width: u32,
    height: u32,
    components: u32,
}

#[repr(C)]
struct RawStart {
    colour: i32,
    divisor: u32,
    crop_x: u32,
    crop_width: u32,
}

/// What rows of a started decoder hold, in output pixels.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    /// First column.
    pub(super) x: u32,
    /// Columns.
    pub(super) width: u32,
    /// Rows of the whole picture.
    pub(super) height: u32,
}

type Read = unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> isize;
type Proceed = unsafe extern "C" fn(*mut c_void) -> c_int;

unsafe extern "C" {
    fn scan_decoder_new(read: Read, proceed: Proceed, scans: u32, bytes: u64) -> *mut RawDecoder;
    fn scan_decoder_header(d: *mut RawDecoder, user: *mut c_void, header: *mut RawHeader) -> c_int;
    fn scan_decoder_start(
        d: *mut RawDecoder,
        user: *mut c_void,
        start: *const RawStart,
        layout: *mut Layout,
    ) -> c_int;
    fn scan_decoder_skip(d: *mut RawDecoder, user: *mut c_void, rows: u32) -> c_int;
    fn scan_decoder_read(
        d: *mut RawDecoder,
        user: *mut c_void,
        out: *mut u8,
        stride: usize,
        rows: u32,
    ) -> c_int;
    fn scan_decoder_read_12(
        d: *mut RawDecoder,
        user: *mut c_void,
        out: *mut u16,
        stride: usize,
        rows: u32,
    ) -> c_int;
    fn scan_decoder_message(d: *const RawDecoder) -> *const c_char;
    fn scan_decoder_free(d: *mut RawDecoder);

    fn scan_version() -> *const c_char;
    fn scan_decodes_arithmetic() -> c_int;
    fn scan_decodes_twelve_bits() -> c_int;
}

/// The library's name and version.
pub(super) fn version() -> &'static str {
    // SAFETY: the function takes nothing and gives a pointer to a constant.
    let text = unsafe { scan_version() };
    // SAFETY: the constant is a C string and lives as long as the program.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().unwrap_or("JPEG")
}

/// Whether the library decodes arithmetic coding.
pub(super) fn decodes_arithmetic() -> bool {
    // SAFETY: the function takes nothing and gives a constant.
    let answer = unsafe { scan_decodes_arithmetic() };
    answer != 0
}

/// Whether the library decodes samples of 12 bits.
pub(super) fn decodes_twelve_bits() -> bool {
    // SAFETY: the function takes nothing and gives a constant.
    let answer = unsafe { scan_decodes_twelve_bits() };
    answer != 0
}

/// The error of a status of `scan.h` other than 0. `stopped` is what a callback kept.
fn failure(status: c_int, message: *const c_char, stopped: Option<Error>) -> Error {
    // SAFETY: the message is a C string inside the object that the status came from, which lives.
    let message = unsafe { CStr::from_ptr(message) };
    let cause = message.to_string_lossy().into_owned();
    match status {
        1 => Error::corrupt("its compressed data are damaged or end early").with_source(cause),
        2 => Error::unsupported("its JPEG coding is not read here").with_source(cause),
        STOPPED => stopped.unwrap_or_else(|| Error::internal(cause)),
        4 => Error::new(ErrorKind::TooLarge, "the source image has too many scans"),
        5 => Error::new(
            ErrorKind::TooLarge,
            "the source image needs more memory than the limit",
        )
        .with_source(cause),
        _ => Error::internal(cause),
    }
}

fn no_memory() -> Error {
    Error::new(ErrorKind::Busy, "there is no memory for this image now")
}

/// Where a decoder's bytes come from.
pub(super) enum Bytes<'a> {
    /// A master.
    Shared(Arc<dyn RangeReader>),
    /// A stream in memory.
    Slice(&'a [u8]),
    /// A stream that is made as it is read.
    Made(Box<dyn Feed>),
}

/// Makes a stream piece by piece.
pub(super) trait Feed: Send {
    /// Fills `buffer` from its start with the stream's next bytes and gives how many; 0 at its end.
    ///
    /// # Errors
    ///
    /// Whatever keeps the stream from being made; the decode fails with it.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

/// What the callbacks of a decoder work on.
struct Input<'a> {
    bytes: Bytes<'a>,
    position: u64,
    cancel: Cancel,
    stopped: Option<Error>,
}

impl Input<'_> {
    /// Fills `buffer` from the position on as far as there are bytes; gives how many.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.cancel.check()?;
        let count = match &mut self.bytes {
            Bytes::Slice(rest) => {
                let (now, later) = rest.split_at(rest.len().min(buffer.len()));
                let (target, _) = buffer.split_at_mut(now.len());
                target.copy_from_slice(now);
                *rest = later;
                now.len()
            }
            Bytes::Shared(reader) => {
                let left = reader.length().saturating_sub(self.position);
                let count = usize::try_from(left).map_or(buffer.len(), |l| l.min(buffer.len()));
                let (target, _) = buffer.split_at_mut(count);
                reader.read(self.position, target)?;
                count
            }
            Bytes::Made(feed) => feed.fill(buffer)?.min(buffer.len()),
        };
        self.position += count as u64;
        Ok(count)
    }
}

/// Runs `work`; what it fails with, a panic included, is kept in `stopped`.
fn guarded<T>(stopped: &mut Option<Error>, work: impl FnOnce() -> Result<T>) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::internal("calling back from a JPEG library")));
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            *stopped = Some(error);
            None
        }
    }
}

unsafe extern "C" fn read_input(user: *mut c_void, buffer: *mut u8, length: usize) -> isize {
    // SAFETY: `user` is the `Input` that the entry function under way borrows for itself alone.
    let input = unsafe { &mut *user.cast::<Input<'_>>() };
    // SAFETY: the C side hands over its own zeroed buffer of `length` bytes and leaves it alone meanwhile.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, length) };
    let mut stopped = None;
    let count = guarded(&mut stopped, || input.fill(buffer));
    input.stopped = stopped;
    count
        .and_then(|count| isize::try_from(count).ok())
        .unwrap_or(-1)
}

unsafe extern "C" fn may_proceed(user: *mut c_void) -> c_int {
    // SAFETY: as in `read_input`.
    let input = unsafe { &mut *user.cast::<Input<'_>>() };
    let checked = guarded(&mut input.stopped, || input.cancel.check());
    c_int::from(checked.is_some())
}

/// A decoder of one stream.
///
/// It is made for each stream: tables of an earlier stream would stay in a reused one and let an
/// incomplete stream decode to pixels that depend on what was decoded before. Making and freeing one
/// takes under 1 µs, decoding a tile of 256 × 256 more than 200.
pub(super) struct Decoder<'a> {
    raw: NonNull<RawDecoder>,
    input: Input<'a>,
    row_samples: usize,
}

// SAFETY: the C object is reached through this handle alone and keeps nothing of its thread.
unsafe impl Send for Decoder<'_> {}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `bytes`.
    pub(super) fn new(bytes: Bytes<'a>, limits: &DecodeLimits, cancel: &Cancel) -> Result<Self> {
        let (scans, memory) = (limits.max_scans, limits.max_bytes);
        // SAFETY: both callbacks have the types that scan.h declares and live as long as the program.
        let raw = unsafe { scan_decoder_new(read_input, may_proceed, scans, memory) };
        Ok(Self {
            raw: NonNull::new(raw).ok_or_else(no_memory)?,
            input: Input {
                bytes,
                position: 0,
                cancel: cancel.clone(),
                stopped: None,
            },
            row_samples: 0,
        })
    }

    /// Reads the markers up to the first scan: dimensions and number of components.
    pub(super) fn header(&mut self) -> Result<(Option<Dimensions>, usize)> {
        let mut header = RawHeader::default();
        // SAFETY: all three are live and used by this call alone.
        self.call(|raw, user| unsafe { scan_decoder_header(raw, user, &raw mut header) })?;
        let components = usize::try_from(header.components).unwrap_or(usize::MAX);
        Ok((Dimensions::new(header.width, header.height), components))
    }

    /// Begins to decode components of the kind `stored`, each side divided by `divisor`, with at
    /// least `width` columns from `x` on.
    pub(super) fn start(
        &mut self,
        stored: Stored,
        divisor: u32,
        x: u32,
        width: u32,
    ) -> Result<Layout> {
        let start = RawStart {
            colour: colour_code(stored),
            divisor,
            crop_x: x,
            crop_width: width,
        };
        let mut layout = Layout::default();
        // SAFETY: all four are live and used by this call alone.
        self.call(|raw, user| unsafe {
            scan_decoder_start(raw, user, &raw const start, &raw mut layout)
        })?;
        self.row_samples = layout.width as usize * stored.channels().count();
        Ok(layout)
    }

    /// Samples of a row.
    pub(super) fn row_samples(&self) -> usize {
        self.row_samples
    }

    /// Passes over `rows` rows.
    pub(super) fn skip(&mut self, rows: u32) -> Result<()> {
        // SAFETY: the decoder and its input are live and used by this call alone.
        self.call(|raw, user| unsafe { scan_decoder_skip(raw, user, rows) })
    }

    /// The next `rows` rows into `out`, tight.
    pub(super) fn read(&mut self, out: &mut [u8], rows: u32) -> Result<()> {
        let stride = self.stride(out.len(), rows)?;
        // SAFETY: `out` has room for `rows` rows of `stride` bytes, which is the output width times
        // the components that the library was started with.
        self.call(|raw, user| unsafe {
            scan_decoder_read(raw, user, out.as_mut_ptr(), stride, rows)
        })
    }

    /// The next `rows` rows of samples of 12 bits into `out`, tight.
    pub(super) fn read_12(&mut self, out: &mut [u16], rows: u32) -> Result<()> {
        let stride = self.stride(out.len(), rows)?;
        // SAFETY: as in `read`, in samples of 16 bits; those of 12 are never negative.
        self.call(|raw, user| unsafe {
            scan_decoder_read_12(raw, user, out.as_mut_ptr(), stride, rows)
        })
    }

    /// Samples of a row, of which `length` is `rows` times as much.
    fn stride(&self, length: usize, rows: u32) -> Result<usize> {
        let stride = self.row_samples;
        if stride == 0 || length != stride * rows as usize {
            return Err(Error::internal("reading rows into a buffer of other size"));
        }
        Ok(stride)
    }

    fn call(&mut self, entry: impl FnOnce(*mut RawDecoder, *mut c_void) -> c_int) -> Result<()> {
        let raw = self.raw.as_ptr();
        match entry(raw, ptr::from_mut(&mut self.input).cast()) {
            0 => Ok(()),
            status => {
                // SAFETY: the decoder is live.
                let message = unsafe { scan_decoder_message(raw) };
                Err(failure(status, message, self.input.stopped.take()))
            }
        }
    }
}

impl Drop for Decoder<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is freed here alone, once.
        unsafe { scan_decoder_free(self.raw.as_ptr()) }
    }
}

const fn colour_code(stored: Stored) -> i32 {
    match stored {
        Stored::Gray => GRAY,
        Stored::YCbCr => YCBCR,
        Stored::Rgb => RGB,
        Stored::Cmyk => CMYK,
        Stored::Ycck => YCCK,
        Stored::Pair | Stored::Four => PLAIN,
    }
}
