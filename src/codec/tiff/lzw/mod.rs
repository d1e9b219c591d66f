//! TIFF's LZW streams → their bytes: a whole tile at once, or any stream piece by piece.
//!
//! Codes have 9 to 12 bits, most significant first, and grow one code early. What a reader of TIFF must
//! expect beyond that is the same in both ways: a stream may lack its first clear code, a table that is
//! full stays as it is until the next clear code, and bytes behind the last wanted one are ignored.
//!
//! Source: TIFF 6.0, section 13.

mod bits;
mod old;
mod pieces;
#[cfg(test)]
mod tests;
mod whole;

pub(super) use old::Old;
pub(super) use pieces::Pieces;
pub(super) use whole::Whole;

/// Codes below are the byte that they stand for.
const CLEAR: usize = 256;
/// The stream ends.
const END: usize = 257;
/// Next code of an empty table. The code behind a clear code adds no string: what it seems to add falls
/// on [`END`], which no code looks up.
const EMPTY: usize = END;
/// Codes of the widest kind.
const CODES: usize = 1 << 12;

/// How wide codes are, and which the next string will have.
#[derive(Debug, Clone, Copy)]
struct Growth {
    next: usize,
    width: u32,
}

impl Growth {
    /// Of an empty table.
    const START: Self = Self {
        next: EMPTY,
        width: 9,
    };

    /// A string was added; a full table takes none.
    #[inline]
    fn advance(&mut self) {
        if self.next < CODES {
            self.next += 1;
            // One code early.
            if self.next + 1 == 1 << self.width && self.width < 12 {
                self.width += 1;
            }
        }
    }
}

/// Something for each code; one more for what comes behind a full table.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it is too large for the stack"
)]
fn table<T: Copy>(entry: T) -> Box<[T; CODES + 1]> {
    let all = vec![entry; CODES + 1].into_boxed_slice();
    all.try_into()
        .unwrap_or_else(|_| unreachable!("it has that length"))
}
