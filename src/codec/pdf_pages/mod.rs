//! Pages of PDF files as masters, in builds with the feature `pdf-pages`.

#[cfg(not(feature = "pdf-pages"))]
mod disabled;
#[cfg(feature = "pdf-pages")]
mod enabled;

#[cfg(not(feature = "pdf-pages"))]
pub(super) use disabled::open;
#[cfg(not(feature = "pdf-pages"))]
pub use disabled::{draw_page, draw_pages_by, serve_page};
#[cfg(feature = "pdf-pages")]
pub(super) use enabled::open;
#[cfg(feature = "pdf-pages")]
pub use enabled::{draw_page, draw_pages_by, serve_page};

use serde::{Deserialize, Serialize};

use super::metadata::Blocks;
use super::{DecodeLimits, Density};

/// How pages of PDF are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PdfLimits {
    /// Pixels of an inch of a page. 0: no pages are drawn.
    pub dpi: u32,
    /// Most bytes for drawing a page, the file's own included, and at most half of what a decode may hold.
    pub bytes: u64,
}

impl Default for PdfLimits {
    fn default() -> Self {
        Self {
            dpi: 150,
            bytes: 512 << 20,
        }
    }
}

/// Whether a file that starts with `head` is a PDF.
pub(super) fn matches(head: &[u8]) -> bool {
    head.starts_with(b"%PDF-")
}

/// What a page says beside its pixels: how large it is on paper.
pub(super) fn metadata(limits: &DecodeLimits) -> Blocks {
    let dpi = f64::from(limits.pdf.dpi);
    Blocks {
        density: Density::of_inch(dpi, dpi),
        ..Blocks::default()
    }
}
