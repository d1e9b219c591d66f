//! A window of one resolution → what it takes of the resolution below and of the bands.
//!
//! Source: ISO/IEC 15444-1 B.5 (B-15), F.3.7.

use super::super::codestream::Span;
use super::lifting::Wavelet;

/// One axis of a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Reach {
    /// What is wanted of the resolution.
    pub(super) wanted: Span,
    /// What the filter runs over for it.
    pub(super) line: Span,
    /// Samples that the whole resolution has.
    pub(super) length: u32,
}

impl Reach {
    /// Of `wanted` in a resolution that is `whole`.
    pub(in super::super) fn new<W: Wavelet>(wanted: Span, whole: Span) -> Self {
        let last = wanted.end.saturating_sub(1);
        let line = Span {
            start: (wanted.start)
                .saturating_sub(Self::of::<W>(wanted.start))
                .max(whole.start),
            end: wanted
                .end
                .saturating_add(Self::of::<W>(last))
                .min(whole.end),
        };
        Self {
            wanted,
            line,
            length: whole.length(),
        }
    }

    /// How far the sum of the sample at `place` reaches. The last step changes odd places, so that an even one
    /// is done before it and reaches less far.
    pub(super) const fn of<W: Wavelet>(place: u32) -> u32 {
        W::REACH - place.is_multiple_of(2) as u32
    }

    /// What it takes of the low half: the even places.
    pub(in super::super) const fn low(&self) -> Span {
        Span {
            start: self.line.start.div_ceil(2),
            end: self.line.end.div_ceil(2),
        }
    }

    /// What it takes of the high half: the odd places.
    pub(in super::super) const fn high(&self) -> Span {
        Span {
            start: self.line.start / 2,
            end: self.line.end / 2,
        }
    }

    /// Whether the line begins at an even place.
    pub(super) const fn starts_low(&self) -> bool {
        self.line.start.is_multiple_of(2)
    }

    /// Whether there is nothing that the filter could run over.
    pub(super) const fn is_lone(&self) -> bool {
        self.length == 1
    }
}
