//! What came back from the device → files.

use std::collections::BTreeMap;

use crate::render::gpu::Fault;
use crate::render::jpeg::file;

use super::plan::JpegPlan;
use super::rates::Rates;

/// The files of a batch, in its order, from its [readback](JpegPlan::readback_bytes) and the
/// [rest](JpegPlan::rest) behind it. `rates` learn their lengths, also of those that did not fit.
pub(in super::super) fn finish(
    plan: &JpegPlan,
    readback: &[u8],
    rates: &Rates,
) -> Vec<Result<Vec<u8>, Fault>> {
    let totals = plan.heads.len() * 4;
    let Some((totals, words)) = readback.split_at_checked(totals) else {
        return vec![Err(Fault::Lost); plan.heads.len()];
    };
    let totals: Vec<u32> = totals
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| u32::from_le_bytes(bytes))
        .collect();
    learn(plan, &totals, rates);
    let mut start = 0_u64;
    let mut files = Vec::with_capacity(totals.len());
    for (&head, bits) in plan.heads.iter().zip(totals) {
        let end = start + u64::from(bits.div_ceil(32));
        let codes = usize::try_from(4 * start)
            .ok()
            .zip(usize::try_from(4 * end).ok());
        files.push(match codes.and_then(|(start, end)| words.get(start..end)) {
            Some(words) if end <= u64::from(plan.capacity_words) => Ok(file(head, words, bits)),
            _ => Err(Fault::Overflow),
        });
        start = end;
    }
    files
}

fn learn(plan: &JpegPlan, totals: &[u32], rates: &Rates) {
    let mut kinds: BTreeMap<(bool, u8), (u64, u64)> = BTreeMap::new();
    for (head, &bits) in plan.heads.iter().zip(totals) {
        let (pixels, bytes) = kinds.entry((head.gray, head.quality)).or_default();
        *pixels += head.dimensions.area();
        *bytes += u64::from(bits.div_ceil(8));
    }
    for ((gray, quality), (pixels, bytes)) in kinds {
        rates.learn(gray, quality, pixels, bytes);
    }
}
