//! The tags of a picture's directory that describe it and stay true when its pixels are stored another
//! way.
//!
//! Source: TIFF 6.0 (1992), sections 8 and 12; EXIF 2.32, 4.6.3; Adobe's XMP, part 3; `GeoTIFF` 1.1.

/// The program that wrote the file.
pub(in crate::codec) const SOFTWARE: u16 = 305;
/// Pixels of a unit from left to right, and from top to bottom.
pub(super) const X_RESOLUTION: u16 = 282;
pub(super) const Y_RESOLUTION: u16 = 283;
/// The unit: 2 is an inch, 3 a centimetre.
pub(super) const RESOLUTION_UNIT: u16 = 296;
/// An XMP packet.
pub(in crate::codec) const XMP: u16 = 700;
/// IPTC records.
pub(in crate::codec) const IPTC: u16 = 33723;
/// Photoshop's resources.
pub(super) const PHOTOSHOP: u16 = 34377;
/// An ICC profile.
pub(in crate::codec) const ICC_PROFILE: u16 = 34675;
/// The offset of the EXIF directory.
pub(in crate::codec) const EXIF_IFD: u16 = 34665;
/// The offset of the directory of places.
pub(in crate::codec) const GPS_IFD: u16 = 34853;
/// In the EXIF directory, the offset of the directory of interoperability.
pub(in crate::codec) const INTEROPERABILITY_IFD: u16 = 40965;

/// What is carried of a picture's directory.
pub(super) const CARRIED: [u16; 29] = [
    269, // DocumentName
    270, // ImageDescription
    271, // Make
    272, // Model
    X_RESOLUTION,
    Y_RESOLUTION,
    285, // PageName
    RESOLUTION_UNIT,
    SOFTWARE,
    306, // DateTime
    315, // Artist
    316, // HostComputer
    XMP,
    18246, // Rating
    33432, // Copyright
    33550, // ModelPixelScale, of GeoTIFF
    IPTC,
    33922, // ModelTiepoint, of GeoTIFF
    34264, // ModelTransformation, of GeoTIFF
    PHOTOSHOP,
    ICC_PROFILE,
    34735, // GeoKeyDirectory, of GeoTIFF
    34736, // GeoDoubleParams, of GeoTIFF
    34737, // GeoAsciiParams, of GeoTIFF
    40091, // XPTitle
    40092, // XPComment
    40093, // XPAuthor
    40094, // XPKeywords
    40095, // XPSubject
];
