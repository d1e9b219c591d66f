//! Pixels on the device → finished JPEG files, many in one submission.
//!
//! [`JpegPlan`] says what a batch takes and where everything lies, [`JpegStage`] holds the pipelines and
//! records them, [`finish`] makes files from what came back. All files of a batch share one stream of
//! bits, each from a whole word on, so that little more than the files themselves comes back. Its
//! length is not known before: [`Rates`] guess it from what came before. What was written beyond the
//! guess is fetched apart. A file that does not fit the device's buffer is
//! [`Fault::Overflow`](super::super::Fault); those before it are whole.

mod finish;
mod plan;
mod rates;
mod stage;
mod tables;
#[cfg(test)]
mod tests;

pub(super) use finish::finish;
pub(super) use plan::{JpegImage, JpegNeed, JpegPlan, need};
pub(super) use rates::Rates;
pub(super) use stage::{JpegBuffers, JpegStage};
