//! The only file that calls OpenJPEG: samples → a code stream.
//!
//! One call of [`encode`] makes an image and an encoder, lets it write through callbacks, and frees both.
//! It runs on the calling thread alone.

#![expect(unsafe_code, reason = "the wavelet encoder is a C library")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;

use openjpeg_sys as opj;

use super::Coding;

/// Bytes that the encoder gathers before it writes them.
const BUFFER_BYTES: usize = 256 << 10;

/// Longest message of the encoder that is kept, in bytes.
const MAX_MESSAGE: usize = 200;

/// What a callback gives when it has failed.
const FAILED: usize = usize::MAX;

/// The code stream of interleaved `samples`.
///
/// # Errors
///
/// The library's words.
pub(super) fn encode<T: Copy + Into<i32>>(
    coding: &Coding,
    samples: &[T],
) -> Result<Vec<u8>, String> {
    let mut message = Message::default();
    let mut written = Written::default();
    let done = run(coding, samples, &mut message, &mut written);
    match done {
        Some(()) => Ok(written.bytes),
        None => Err(message.0.unwrap_or_else(|| "no message".to_owned())),
    }
}

fn run<T: Copy + Into<i32>>(
    coding: &Coding,
    samples: &[T],
    message: &mut Message,
    written: &mut Written,
) -> Option<()> {
    let image = Image::new(coding)?;
    image.fill(coding, samples)?;
    let encoder = Encoder::new(message)?;
    encoder.set_up(coding, &image)?;
    let stream = Stream::new(written)?;
    // SAFETY: all three are live and belong together.
    check(unsafe { opj::opj_start_compress(encoder.raw(), image.0.as_ptr(), stream.raw()) })?;
    // SAFETY: as above.
    check(unsafe { opj::opj_encode(encoder.raw(), stream.raw()) })?;
    // SAFETY: as above.
    check(unsafe { opj::opj_end_compress(encoder.raw(), stream.raw()) })
}

/// The first error that the encoder reports.
#[derive(Default)]
struct Message(Option<String>);

/// What has been written, and where the next byte goes.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    position: usize,
}

impl Written {
    fn write(&mut self, part: &[u8]) -> Option<usize> {
        let end = self.position.checked_add(part.len())?;
        if end > self.bytes.len() {
            let more = end - self.bytes.len();
            self.bytes.try_reserve(more).ok()?;
            self.bytes.resize(end, 0);
        }
        self.bytes
            .get_mut(self.position..end)?
            .copy_from_slice(part);
        self.position = end;
        Some(part.len())
    }

    fn skip(&mut self, count: i64) -> Option<i64> {
        self.position = self
            .position
            .checked_add_signed(isize::try_from(count).ok()?)?;
        Some(count)
    }

    fn seek(&mut self, position: i64) -> Option<()> {
        self.position = usize::try_from(position).ok()?;
        Some(())
    }
}

/// The picture as the library holds it; freed when dropped.
struct Image(NonNull<opj::opj_image_t>);

impl Image {
    /// Zeroes of the coding's shape.
    fn new(coding: &Coding) -> Option<Self> {
        // SAFETY: a plain C structure of integers, for which zeroes are valid.
        let mut component: opj::opj_image_cmptparm_t = unsafe { std::mem::zeroed() };
        component.dx = 1;
        component.dy = 1;
        component.w = coding.width;
        component.h = coding.height;
        component.prec = coding.bits;
        component.bpp = coding.bits;
        let mut components = vec![component; coding.components];
        let count = u32::try_from(coding.components).ok()?;
        let space = opj::COLOR_SPACE::OPJ_CLRSPC_UNSPECIFIED;
        // SAFETY: the pointer is to `count` structures, which are copied.
        let raw = unsafe { opj::opj_image_create(count, components.as_mut_ptr(), space) };
        let mut image = NonNull::new(raw)?;
        // SAFETY: just made, and nobody else has it.
        let area = unsafe { image.as_mut() };
        area.x1 = coding.width;
        area.y1 = coding.height;
        Some(Self(image))
    }

    /// Gives each component its plane of the interleaved samples.
    fn fill<T: Copy + Into<i32>>(&self, coding: &Coding, samples: &[T]) -> Option<()> {
        let pixels = usize::try_from(u64::from(coding.width) * u64::from(coding.height)).ok()?;
        // SAFETY: the image is live and whole, and nobody else has it.
        let image = unsafe { self.0.as_ref() };
        let first = NonNull::new(image.comps)?;
        // SAFETY: `opj_image_create` makes as many components as it was asked for.
        let components = unsafe { slice::from_raw_parts(first.as_ptr(), coding.components) };
        for (channel, component) in components.iter().enumerate() {
            let data = NonNull::new(component.data)?;
            // SAFETY: it gives each component width × height numbers, which are zero, and nobody looks at
            // them meanwhile.
            let plane = unsafe { slice::from_raw_parts_mut(data.as_ptr(), pixels) };
            let channel = samples.iter().skip(channel).step_by(coding.components);
            for (value, sample) in plane.iter_mut().zip(channel) {
                *value = (*sample).into();
            }
        }
        Some(())
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: made by `opj_image_create`, freed here alone.
        unsafe { opj::opj_image_destroy(self.0.as_ptr()) };
    }
}

/// An encoder; freed when dropped.
struct Encoder(NonNull<opj::opj_codec_t>);

impl Encoder {
    /// `message` has to outlive the encoder, which keeps a pointer to it; `run` sees to it.
    fn new(message: &mut Message) -> Option<Self> {
        // SAFETY: takes a constant and gives an encoder or null.
        let raw = unsafe { opj::opj_create_compress(opj::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K) };
        let encoder = Self(NonNull::new(raw)?);
        let client = ptr::from_mut(message).cast();
        // SAFETY: the encoder is live, the callback matches the type, and `message` outlives it.
        check(unsafe { opj::opj_set_error_handler(encoder.raw(), Some(on_error), client) })?;
        Some(encoder)
    }

    fn set_up(&self, coding: &Coding, image: &Image) -> Option<()> {
        // SAFETY: a plain C structure of numbers, character arrays and pointers, for which zeroes are valid.
        let mut parameters: opj::opj_cparameters_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a whole structure.
        unsafe { opj::opj_set_default_encoder_parameters(&raw mut parameters) };
        let settings = &coding.settings;
        let whole = |number: u32| c_int::try_from(number).ok();
        parameters.tcp_numlayers = 1;
        if settings.lossless {
            parameters.cp_disto_alloc = 1;
            parameters.tcp_rates[0] = 0.0;
        } else {
            parameters.irreversible = 1;
            parameters.cp_fixed_quality = 1;
            parameters.tcp_distoratio[0] = f32::from(settings.psnr_db);
        }
        parameters.tcp_mct = c_char::from(coding.components >= 3);
        parameters.numresolution = whole(coding.resolutions)?;
        parameters.prog_order = opj::PROG_ORDER::OPJ_RPCL;
        let edge = settings.tile_px;
        if edge > 0 && coding.width.max(coding.height) > edge {
            parameters.tile_size_on = 1;
            parameters.cp_tdx = whole(edge)?;
            parameters.cp_tdy = whole(edge)?;
        }
        let image = image.0.as_ptr();
        // SAFETY: encoder and image are live, the structure whole; it is copied.
        check(unsafe { opj::opj_setup_encoder(self.raw(), &raw mut parameters, image) })?;
        // The environment could ask for threads of its own; 0 takes that back.
        // SAFETY: the encoder is live and has not begun.
        check(unsafe { opj::opj_codec_set_threads(self.raw(), 0) })
    }

    const fn raw(&self) -> *mut opj::opj_codec_t {
        self.0.as_ptr()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by `opj_create_compress`, freed here alone.
        unsafe { opj::opj_destroy_codec(self.raw()) };
    }
}

/// The encoder's view of [`Written`]; freed when dropped.
struct Stream<'s> {
    raw: NonNull<opj::opj_stream_t>,
    /// The callbacks hold a pointer to it.
    _target: std::marker::PhantomData<&'s mut Written>,
}

impl<'s> Stream<'s> {
    fn new(target: &'s mut Written) -> Option<Self> {
        // SAFETY: takes integers and gives a stream for writing or null.
        let raw = NonNull::new(unsafe { opj::opj_stream_create(BUFFER_BYTES, 0) })?;
        let stream = Self {
            raw,
            _target: std::marker::PhantomData,
        };
        let client = ptr::from_mut(target).cast();
        // SAFETY: the stream is live; the callback matches the type.
        unsafe { opj::opj_stream_set_write_function(stream.raw(), Some(on_write)) };
        // SAFETY: as above.
        unsafe { opj::opj_stream_set_skip_function(stream.raw(), Some(on_skip)) };
        // SAFETY: as above.
        unsafe { opj::opj_stream_set_seek_function(stream.raw(), Some(on_seek)) };
        // SAFETY: the stream is live; `target` is borrowed for as long as it, and not freed by it.
        unsafe { opj::opj_stream_set_user_data(stream.raw(), client, None) };
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

fn check(done: opj::OPJ_BOOL) -> Option<()> {
    (done != 0).then_some(())
}

/// Keeps the first error.
extern "C" fn on_error(text: *const c_char, client: *mut c_void) {
    let Some(mut message) = NonNull::new(client.cast::<Message>()) else {
        return;
    };
    // SAFETY: `client` is the message that `Encoder::new` was given, live and not borrowed meanwhile.
    let message = unsafe { message.as_mut() };
    if message.0.is_none() && !text.is_null() {
        // SAFETY: the encoder hands over a string that ends with a zero.
        let text = unsafe { CStr::from_ptr(text) };
        let kept = text.to_bytes();
        let kept = kept.get(..kept.len().min(MAX_MESSAGE)).unwrap_or_default();
        message.0 = Some(String::from_utf8_lossy(kept).trim().to_owned());
    }
}

/// Runs `act` on the target behind `client`; a panic, which may not cross C, counts as a failure.
fn with_target<T>(client: *mut c_void, act: impl FnOnce(&mut Written) -> Option<T>) -> Option<T> {
    let mut target = NonNull::new(client.cast::<Written>())?;
    // SAFETY: `client` is the target that `Stream::new` was given, live and not borrowed meanwhile.
    let target = unsafe { target.as_mut() };
    catch_unwind(AssertUnwindSafe(|| act(target)))
        .ok()
        .flatten()
}

extern "C" fn on_write(buffer: *mut c_void, length: usize, client: *mut c_void) -> usize {
    let Some(buffer) = NonNull::new(buffer.cast::<u8>()) else {
        return FAILED;
    };
    // SAFETY: the encoder hands over `length` bytes that it has written to.
    let part = unsafe { slice::from_raw_parts(buffer.as_ptr(), length) };
    with_target(client, |target| target.write(part)).unwrap_or(FAILED)
}

extern "C" fn on_skip(count: i64, client: *mut c_void) -> i64 {
    with_target(client, |target| target.skip(count)).unwrap_or(-1)
}

extern "C" fn on_seek(position: i64, client: *mut c_void) -> opj::OPJ_BOOL {
    let sought = with_target(client, |target| target.seek(position));
    opj::OPJ_BOOL::from(sought.is_some())
}
