//! The numbers of TIFF that this room reads, by name.
//!
//! Source: TIFF 6.0 (1992), its Technical Note 1 (`SubIFDs`) and Supplement 2 (JPEG, Deflate); sections 21 to
//! 23 for YCbCr, old JPEG and L\*a\*b\*.

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
pub(super) const T4_OPTIONS: u16 = 292;
pub(super) const T6_OPTIONS: u16 = 293;
pub(super) const PREDICTOR: u16 = 317;
pub(super) const COLOUR_MAP: u16 = 320;
pub(super) const TILE_WIDTH: u16 = 322;
pub(super) const TILE_LENGTH: u16 = 323;
pub(super) const TILE_OFFSETS: u16 = 324;
pub(super) const TILE_BYTE_COUNTS: u16 = 325;
pub(super) const SUB_IFDS: u16 = 330;
pub(super) const INK_SET: u16 = 332;
pub(super) const NUMBER_OF_INKS: u16 = 334;
pub(super) const EXTRA_SAMPLES: u16 = 338;
pub(super) const SAMPLE_FORMAT: u16 = 339;
pub(super) const JPEG_TABLES: u16 = 347;
pub(super) const JPEG_STREAM: u16 = 513;
pub(super) const JPEG_STREAM_LENGTH: u16 = 514;
pub(super) const JPEG_RESTART_INTERVAL: u16 = 515;
pub(super) const JPEG_Q_TABLES: u16 = 519;
pub(super) const JPEG_DC_TABLES: u16 = 520;
pub(super) const JPEG_AC_TABLES: u16 = 521;
pub(super) const YCBCR_COEFFICIENTS: u16 = 529;
pub(super) const YCBCR_SUBSAMPLING: u16 = 530;
pub(super) const REFERENCE_BLACK_WHITE: u16 = 532;
/// An XMP packet.
pub(super) const XMP: u16 = 700;
pub(super) const ICC_PROFILE: u16 = 34675;

/// Every tag above: the entries that a parsed directory keeps.
pub(super) const KNOWN: [u16; 39] = [
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
    INK_SET,
    NUMBER_OF_INKS,
    T4_OPTIONS,
    T6_OPTIONS,
    JPEG_STREAM,
    JPEG_STREAM_LENGTH,
    JPEG_RESTART_INTERVAL,
    JPEG_Q_TABLES,
    JPEG_DC_TABLES,
    JPEG_AC_TABLES,
    YCBCR_COEFFICIENTS,
    YCBCR_SUBSAMPLING,
    REFERENCE_BLACK_WHITE,
    EXTRA_SAMPLES,
    SAMPLE_FORMAT,
    JPEG_TABLES,
    XMP,
    ICC_PROFILE,
];

pub(super) mod photometric {
    //! Values of [`super::PHOTOMETRIC`].
    pub(in super::super) const MIN_IS_WHITE: u64 = 0;
    pub(in super::super) const MIN_IS_BLACK: u64 = 1;
    pub(in super::super) const RGB: u64 = 2;
    pub(in super::super) const PALETTE: u64 = 3;
    pub(in super::super) const SEPARATED: u64 = 5;
    pub(in super::super) const YCBCR: u64 = 6;
    pub(in super::super) const CIE_LAB: u64 = 8;
    pub(in super::super) const ICC_LAB: u64 = 9;
    pub(in super::super) const ITU_LAB: u64 = 10;
    pub(in super::super) const LOG_L: u64 = 32844;
    pub(in super::super) const LOG_LUV: u64 = 32845;
}
