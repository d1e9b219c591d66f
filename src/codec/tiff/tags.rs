//! The numbers of TIFF that this room reads, by name.
//!
//! Source: TIFF 6.0 (1992), its Technical Note 1 (`SubIFDs`) and Supplement 2 (JPEG, Deflate).

/// What role a directory's picture has: bits 0 reduced, 1 page of several, 2 mask.
pub(super) const NEW_SUBFILE_TYPE: u16 = 254;
/// The older form of the same: 1 full, 2 reduced, 3 page of several.
pub(super) const SUBFILE_TYPE: u16 = 255;
pub(super) const IMAGE_WIDTH: u16 = 256;
pub(super) const IMAGE_LENGTH: u16 = 257;
pub(super) const BITS_PER_SAMPLE: u16 = 258;
pub(super) const COMPRESSION: u16 = 259;
pub(super) const PHOTOMETRIC: u16 = 262;
pub(super) const FILL_ORDER: u16 = 266;
pub(super) const STRIP_OFFSETS: u16 = 273;
pub(super) const ORIENTATION: u16 = 274;
pub(super) const SAMPLES_PER_PIXEL: u16 = 277;
pub(super) const ROWS_PER_STRIP: u16 = 278;
pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
pub(super) const PLANAR_CONFIGURATION: u16 = 284;
pub(super) const PREDICTOR: u16 = 317;
pub(super) const COLOUR_MAP: u16 = 320;
pub(super) const TILE_WIDTH: u16 = 322;
pub(super) const TILE_LENGTH: u16 = 323;
pub(super) const TILE_OFFSETS: u16 = 324;
pub(super) const TILE_BYTE_COUNTS: u16 = 325;
pub(super) const SUB_IFDS: u16 = 330;
pub(super) const EXTRA_SAMPLES: u16 = 338;
pub(super) const SAMPLE_FORMAT: u16 = 339;
pub(super) const JPEG_TABLES: u16 = 347;
pub(super) const ICC_PROFILE: u16 = 34675;

/// Every tag above: the entries that a parsed directory keeps.
pub(super) const KNOWN: [u16; 25] = [
    NEW_SUBFILE_TYPE,
    SUBFILE_TYPE,
    IMAGE_WIDTH,
    IMAGE_LENGTH,
    BITS_PER_SAMPLE,
    COMPRESSION,
    PHOTOMETRIC,
    FILL_ORDER,
    STRIP_OFFSETS,
    ORIENTATION,
    SAMPLES_PER_PIXEL,
    ROWS_PER_STRIP,
    STRIP_BYTE_COUNTS,
    PLANAR_CONFIGURATION,
    PREDICTOR,
    COLOUR_MAP,
    TILE_WIDTH,
    TILE_LENGTH,
    TILE_OFFSETS,
    TILE_BYTE_COUNTS,
    SUB_IFDS,
    EXTRA_SAMPLES,
    SAMPLE_FORMAT,
    JPEG_TABLES,
    ICC_PROFILE,
];

pub(super) mod photometric {
    //! Values of [`super::PHOTOMETRIC`].
    pub(in super::super) const MIN_IS_WHITE: u64 = 0;
    pub(in super::super) const MIN_IS_BLACK: u64 = 1;
    pub(in super::super) const RGB: u64 = 2;
    pub(in super::super) const PALETTE: u64 = 3;
    pub(in super::super) const YCBCR: u64 = 6;
}
