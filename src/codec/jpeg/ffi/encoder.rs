//! The encoder half of `scan.c`: rows in, pieces of a file out.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::ptr::{self, NonNull};

use crate::codec::sink;
use crate::encoding::Subsampling;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::{GRAY, RGB, STOPPED, failure, guarded, no_memory};

#[repr(C)]
struct RawEncoder {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawSettings {
    width: u32,
    height: u32,
    colour: i32,
    quality: i32,
    h_factor: i32,
    v_factor: i32,
    progressive: i32,
}

type Write = unsafe extern "C" fn(*mut c_void, *const u8, usize) -> c_int;

unsafe extern "C" {
    fn scan_encoder_new(write: Write) -> *mut RawEncoder;
    fn scan_encoder_start(
        e: *mut RawEncoder,
        user: *mut c_void,
        settings: *const RawSettings,
    ) -> c_int;
    fn scan_encoder_rows(
        e: *mut RawEncoder,
        user: *mut c_void,
        rows_in: *const u8,
        stride: usize,
        rows: u32,
    ) -> c_int;
    fn scan_encoder_finish(e: *mut RawEncoder, user: *mut c_void) -> c_int;
    fn scan_encoder_message(e: *const RawEncoder) -> *const c_char;
    fn scan_encoder_free(e: *mut RawEncoder);
}

/// Where an encoder's bytes go.
pub(in super::super) struct Output<'a> {
    sink: &'a mut dyn io::Write,
    stopped: Option<Error>,
}

impl<'a> Output<'a> {
    /// Writes to `sink`.
    pub(in super::super) fn new(sink: &'a mut dyn io::Write) -> Self {
        Self {
            sink,
            stopped: None,
        }
    }
}

unsafe extern "C" fn write_output(user: *mut c_void, bytes: *const u8, length: usize) -> c_int {
    // SAFETY: `user` is the `Output` that the entry function under way borrows for itself alone.
    let output = unsafe { &mut *user.cast::<Output<'_>>() };
    // SAFETY: the C side hands over `length` bytes of its own and leaves them alone meanwhile.
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    let written = guarded(&mut output.stopped, || {
        output.sink.write_all(bytes).map_err(sink::refused)
    });
    c_int::from(written.is_some())
}

/// What a file is to be.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Settings {
    /// Of the picture.
    pub(in super::super) dimensions: Dimensions,
    /// One component instead of three.
    pub(in super::super) gray: bool,
    /// IJG quality, 1 to 100.
    pub(in super::super) quality: u8,
    /// Resolution of the colour components.
    pub(in super::super) subsampling: Subsampling,
    /// Several scans of growing precision.
    pub(in super::super) progressive: bool,
}

impl Settings {
    fn raw(self) -> RawSettings {
        let (h_factor, v_factor) = match self.subsampling {
            Subsampling::S420 => (2, 2),
            Subsampling::S422 => (2, 1),
            Subsampling::S444 => (1, 1),
        };
        RawSettings {
            width: self.dimensions.width,
            height: self.dimensions.height,
            colour: if self.gray { GRAY } else { RGB },
            quality: i32::from(self.quality),
            h_factor,
            v_factor,
            progressive: i32::from(self.progressive),
        }
    }
}

/// An encoder of one file. Like a decoder, it is cheap to make and begins without a past.
pub(in super::super) struct Encoder {
    raw: NonNull<RawEncoder>,
    row_bytes: usize,
}

// SAFETY: as for the decoder.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder that has not begun a file.
    pub(in super::super) fn new() -> Result<Self> {
        // SAFETY: the callback has the type that scan.h declares and lives as long as the program.
        let raw = unsafe { scan_encoder_new(write_output) };
        Ok(Self {
            raw: NonNull::new(raw).ok_or_else(no_memory)?,
            row_bytes: 0,
        })
    }

    /// Begins a file.
    pub(in super::super) fn start(
        &mut self,
        output: &mut Output<'_>,
        settings: Settings,
    ) -> Result<()> {
        let components = if settings.gray { 1 } else { 3 };
        self.row_bytes = settings.dimensions.width as usize * components;
        let settings = settings.raw();
        // SAFETY: all three are live and used by this call alone.
        self.call(output, |raw, user| unsafe {
            scan_encoder_start(raw, user, &raw const settings)
        })
    }

    /// Writes the next `rows` rows, tight.
    pub(in super::super) fn rows(
        &mut self,
        output: &mut Output<'_>,
        rows: u32,
        pixels: &[u8],
    ) -> Result<()> {
        let stride = self.row_bytes;
        if pixels.len() != stride * rows as usize {
            return Err(Error::internal("writing rows of another width"));
        }
        // SAFETY: `pixels` holds `rows` rows of `stride` bytes, which is the picture's width times its
        // components.
        self.call(output, |raw, user| unsafe {
            scan_encoder_rows(raw, user, pixels.as_ptr(), stride, rows)
        })
    }

    /// Writes what is left after the last row.
    pub(in super::super) fn finish(&mut self, output: &mut Output<'_>) -> Result<()> {
        // SAFETY: the encoder and the output are live and used by this call alone.
        self.call(output, |raw, user| unsafe {
            scan_encoder_finish(raw, user)
        })
    }

    fn call(
        &mut self,
        output: &mut Output<'_>,
        entry: impl FnOnce(*mut RawEncoder, *mut c_void) -> c_int,
    ) -> Result<()> {
        let raw = self.raw.as_ptr();
        match entry(raw, ptr::from_mut(&mut *output).cast()) {
            0 => Ok(()),
            status => {
                // SAFETY: the encoder is live.
                let message = unsafe { scan_encoder_message(raw) };
                let error = failure(status, message, output.stopped.take());
                // Status 3 is what the sink said; about a master it can never be.
                if status == STOPPED {
                    return Err(error);
                }
                Err(Error::internal("encoding a JPEG").with_source(error))
            }
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the handle is freed here alone, once.
        unsafe { scan_encoder_free(self.raw.as_ptr()) }
    }
}
