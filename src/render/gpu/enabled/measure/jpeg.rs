//! JPEG files from pictures of the host, in one submission.

use std::time::{Duration, Instant};

use wgpu::BufferUsages as Usage;

use super::super::jpeg::{JpegBuffers, JpegImage, JpegPlan, JpegStage, Rates, finish, need};
use super::stamps::Stamps;
use super::{Bare, us};
use crate::encoding::JpegSettings;
use crate::raster::{Channels, Raster, Samples};
use crate::render::Target;
use crate::render::gpu::{Fault, Measured, Output, Trial};

/// Files, and what they took.
#[derive(Debug)]
pub struct JpegRun {
    /// In the order of the pictures.
    pub files: Vec<Result<Vec<u8>, Fault>>,
    /// From the first write into the device's memory to the last file.
    pub whole: Duration,
    /// Bytes that were not thought to be written, and fetched apart.
    pub apart: u64,
    /// Each pass by itself, where the device tells.
    pub passes: Vec<(&'static str, Duration)>,
}

impl Bare {
    /// Encodes all `pictures` as if files like them had had `bytes_per_px`.
    ///
    /// # Errors
    ///
    /// [`Fault::Unfit`] for pictures other than gray or RGB of 8 bits or a batch beyond the device's
    /// limits; [`Fault::Lost`] and [`Fault::Hung`].
    pub fn jpeg(
        &self,
        pictures: &[(Raster, JpegSettings)],
        bytes_per_px: u32,
    ) -> Result<JpegRun, Fault> {
        let (words, images) = packed(pictures)?;
        let rates = Rates::new(bytes_per_px);
        let plan = JpegPlan::new(&images, &rates, self.binding_bytes).ok_or(Fault::Unfit)?;
        let bytes = 4 * words.len() as u64;
        let pixels = self.buffer("pixels", bytes, Usage::STORAGE | Usage::COPY_DST);
        let params = self.buffer(
            "params",
            plan.params_bytes(),
            Usage::STORAGE | Usage::COPY_DST,
        );
        let coef = self.buffer("coef", plan.coef_bytes(), Usage::STORAGE);
        let lens = self.buffer("lens", plan.lens_bytes(), Usage::STORAGE | Usage::COPY_SRC);
        let codes = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let bits = self.buffer("bits", plan.bits_bytes(), codes);
        let back = self.buffer(
            "readback",
            plan.readback_bytes(),
            Usage::MAP_READ | Usage::COPY_DST,
        );
        let buffers = JpegBuffers {
            pixels: &pixels,
            params: &params,
            coef: &coef,
            lens: &lens,
            bits: &bits,
        };
        let begun = Instant::now();
        self.device
            .queue
            .write_buffer(&pixels, 0, bytemuck::cast_slice(&words));
        self.device
            .queue
            .write_buffer(&params, 0, bytemuck::cast_slice(&plan.params));
        let mut encoder = self.encoder();
        let stamps = Stamps::new(self, 5);
        self.jpeg.record_each(
            &mut encoder,
            &plan,
            &buffers,
            |pass| stamps.as_ref().and_then(|stamps| stamps.of(pass)),
            |_, _| (),
        );
        if let Some(stamps) = &stamps {
            stamps.resolve(&mut encoder);
        }
        JpegStage::copy_back(&mut encoder, &plan, &buffers, &back, 0);
        let mut readback = self.read(encoder, &back, plan.readback_bytes())?;
        let rest = plan.rest(&readback).unwrap_or_default();
        let apart = rest.end - rest.start;
        if apart > 0 {
            let back = self.buffer("rest", apart, Usage::MAP_READ | Usage::COPY_DST);
            let mut encoder = self.encoder();
            encoder.copy_buffer_to_buffer(&bits, rest.start, &back, 0, apart);
            readback.extend(self.read(encoder, &back, apart)?);
        }
        let files = finish(&plan, &readback, &rates);
        Ok(JpegRun {
            files,
            whole: begun.elapsed(),
            apart,
            passes: self
                .jpeg
                .steps(&plan)
                .map(|(name, ..)| name)
                .into_iter()
                .zip(stamps.map(|stamps| stamps.read()).unwrap_or_default())
                .collect(),
        })
    }
}

/// Pictures of a submission whose passes are timed.
const TIMED: usize = 64;

/// What each JPEG pass takes, a picture of those that the trials come to; its first run compiles.
pub(super) fn measure(bare: &Bare, trials: &[Trial], measured: &mut Measured) -> Result<(), Fault> {
    let Some(picture) = trials.iter().find_map(encoded) else {
        return Ok(());
    };
    let pictures = vec![picture; TIMED];
    bare.jpeg(&pictures, 2)?;
    let run = bare.jpeg(&pictures, 2)?;
    let pixels = pictures[0].0.dimensions().area() as f64 * TIMED as f64;
    for (pass, took) in run.passes {
        measured.note("kernel", pass, us(took) * 1e3 / pixels, "ns a pixel");
    }
    let name = format!("JPEG alone × {TIMED}, uploaded");
    measured.note("kernel", name, us(run.whole) * 1e3 / pixels, "ns a pixel");
    Ok(())
}

/// The picture that a trial encodes as it is.
fn encoded(trial: &Trial) -> Option<(Raster, JpegSettings)> {
    match (trial.job.target, &trial.expected) {
        (Target::Jpeg(settings), Output::Jpeg(_)) if trial.job.passes.is_empty() => {
            Some((trial.job.source.raster()?.clone(), settings))
        }
        _ => None,
    }
}

/// All pictures' pixels one behind another, each row in whole words of 4 pixels.
fn packed(pictures: &[(Raster, JpegSettings)]) -> Result<(Vec<u32>, Vec<JpegImage>), Fault> {
    let mut words = Vec::new();
    let mut images = Vec::new();
    for (raster, settings) in pictures {
        let gray = match raster.format().channels {
            Channels::Gray => true,
            Channels::Rgb => false,
            Channels::GrayAlpha | Channels::Rgba => return Err(Fault::Unfit),
        };
        let Samples::U8(samples) = raster.samples() else {
            return Err(Fault::Unfit);
        };
        let dimensions = raster.dimensions();
        need(dimensions, gray, *settings).ok_or(Fault::Unfit)?;
        let stride = dimensions.width.div_ceil(4) * if gray { 1 } else { 3 };
        images.push(JpegImage {
            pixel_offset: u32::try_from(words.len()).or(Err(Fault::Unfit))?,
            stride,
            dimensions,
            gray,
            settings: *settings,
        });
        for row in samples.chunks_exact(raster.row_len()) {
            words.extend((0..stride as usize).map(|at| word(row, 4 * at)));
        }
    }
    Ok((words, images))
}

/// Four bytes of a row; what lies behind its end has no meaning, and is not zero so that tests see it.
fn word(row: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|k| {
        row.get(at + k).copied().unwrap_or(0xa5)
    }))
}
