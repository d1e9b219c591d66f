//! Bytes of a master that are an answer as they are: where they lie, what stands before them, and whether
//! they are what the headers said.
//!
//! A [`Stored`] is made from headers alone, so that the choice is known before anything is read. Its bytes
//! are looked at when they have been read: a stream that another reader might take differently is no
//! answer, and the request goes down the ladder.

use bytes::Bytes;

use crate::error::Result;
use crate::geometry::Dimensions;

use super::jpeg::{Outline, TileColour};
use super::{png, webp};

/// Bytes of a master that answer a request as they are.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What stands before them.
    pub(super) head: Bytes,
    /// Where in the file they begin.
    pub(super) offset: u64,
    /// How many they are, `replaced` included.
    pub(super) length: u64,
    /// What they begin with, in place of which `head` stands.
    pub(super) replaced: &'static [u8],
    pub(super) proof: Proof,
}

/// What the bytes have to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof {
    /// What they were when the master was opened.
    Given,
    /// A JPEG of `whole` pixels, of which the upper left ones are shown.
    Jpeg {
        whole: Dimensions,
        shown: Dimensions,
        colour: TileColour,
    },
    /// A WebP, which has opacity only where it may.
    Webp { dimensions: Dimensions, alpha: bool },
    /// A whole PNG.
    Png { dimensions: Dimensions },
}

/// What reading stored bytes came to.
#[derive(Debug)]
pub enum Passage {
    /// The answer.
    Bytes(Bytes),
    /// The bytes are not at hand.
    Away,
    /// They are not what the headers said, or not for every reader.
    Unfit,
}

impl Stored {
    /// Most bytes of the answer; all of them, where nothing has to be looked at.
    pub fn length(&self) -> u64 {
        self.length + (self.head.len() - self.replaced.len()) as u64
    }

    /// Whether nothing has to be looked at, so that the bytes may leave piece by piece.
    pub fn may_stream(&self) -> bool {
        matches!(self.proof, Proof::Given)
    }

    /// What leaves first, and the range of the file that follows it.
    pub fn pieces(&self) -> (Bytes, u64, u64) {
        let replaced = self.replaced.len() as u64;
        (
            self.head.clone(),
            self.offset + replaced,
            self.length - replaced,
        )
    }

    /// The answer, through `read`, which fills a buffer from an offset of the file in one go, or says
    /// that it cannot now.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn gather(&self, read: impl FnOnce(u64, &mut [u8]) -> Result<bool>) -> Result<Passage> {
        let Ok(length) = usize::try_from(self.length()) else {
            return Ok(Passage::Unfit);
        };
        let mut answer = vec![0; length];
        let start = self.head.len() - self.replaced.len();
        let (_, stored) = answer.split_at_mut(start);
        if !read(self.offset, stored)? {
            return Ok(Passage::Away);
        }
        if !stored.starts_with(self.replaced) {
            return Ok(Passage::Unfit);
        }
        let (head, _) = answer.split_at_mut(self.head.len());
        head.copy_from_slice(&self.head);
        Ok(if self.proof.holds(&mut answer) {
            Passage::Bytes(answer.into())
        } else {
            Passage::Unfit
        })
    }
}

impl Proof {
    /// Looks at the answer, gives a stream that is cut its new dimensions, and leaves out what a picture
    /// does not need.
    fn holds(self, answer: &mut Vec<u8>) -> bool {
        match self {
            Self::Given => true,
            Self::Jpeg {
                whole,
                shown,
                colour,
            } => {
                let Some(outline) = Outline::of(answer) else {
                    return false;
                };
                let fits = outline.dimensions == whole
                    && outline.colour == colour
                    && outline.can_be_cut(shown)
                    && Outline::ends(answer);
                fits && (whole == shown || outline.cut(answer, shown))
            }
            Self::Webp { dimensions, alpha } => webp::strip(answer, dimensions, alpha),
            Self::Png { dimensions } => png::strip(answer, dimensions),
        }
    }
}
