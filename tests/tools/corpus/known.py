"""What is known of single files, by name: refused, read in full by one decoder or none, or read wrongly by others."""

_FREE = "takes what an opaque frame leaves free for the background colour; browsers leave it clear"
_ALPHA = "does not read opacity of one bit"
_FEW_BITS = "shifts samples of few bits up instead of scaling them"
_MASKS = "all widths of masks are in codec/bmp/mask.rs, and made ones are compared"
_RANGE = "spreads opacity whose stream leaves values at both ends free, which the format forbids; libheif and older libavif do not"
_COMPONENTS = "component by component beside OpenJPEG in codec/jp2/tests/components.rs"

#: File → status and the reason for which it is refused.
REFUSED = {
    "image-rs/png/apng_wpt_LICENSE.md": (501, "no picture"),
    "image-rs/bmp/images_lenient_badrle.bmp": (500, "run lengths pass the last row"),
    "jxl/cmyk_layers.jxl": (501, "its colours are CMYK"),
}

#: File → another one with the same pixels, which more decoders read.
SAME = {
    "image-rs/bmp/images_rgb24rle24.bmp": "image-rs/bmp/images_pal8rle.bmp",
    "image-rs/bmp/images_rgba32abf.bmp": "image-rs/bmp/images_rgba32.bmp",
}

#: File → why fewer than two decoders read it in full.
ALONE = {
    "avif/abc_color_irot_alpha_irot.avif": "the newer libavif is not believed",
    "avif/alpha_noispe.avif": "its opacity has no dimensions, which others want; avifdec reads it in codec/heif/tests.rs",
    "avif/clap_irot_imir_non_essential.avif": "a crop that may be passed over, which others refuse",
    "avif/color_grid_alpha_nogrid.avif": "the newer libavif is not believed",
    "image-rs/bmp/images_pal2.bmp": "2 bits a pixel, which no other decoder here reads; bmpsuite's own pictures are the other ones of it",
    "image-rs/bmp/images_pal2color.bmp": "2 bits a pixel, which no other decoder here reads",
    "image-rs/gif/anim_border_touching_layers.gif": _FREE,
    "cantaloupe/jp2-6res-rgb*-64x56x16-multitiled-reversible.jp2": "FFmpeg is not believed, and others convert 16 bits by the profile as 8",
    "image-rs/bmp/images_pal8badindex.bmp": "places beyond the palette are black to Pillow and browsers",
    "image-rs/bmp/images_V3_X4_R4_G4_B4.bmp": "ImageMagick is not believed",
    "image-rs/bmp/images_V3_X4_R4_G4_B4_Top_Down.bmp": "ImageMagick is not believed",
    "image-rs/bmp/images_V5_A1_R5_G5_B5.bmp": "Pillow and ImageMagick are not believed",
    "image-rs/bmp/images_lenient_badpalettesize.bmp": "others believe a length of 300 million colours",
    "image-rs/bmp/images_lenient_pal8oversizepal.bmp": "others refuse a palette of 300 colours",
    "image-rs/bmp/images_lenient_rgb16-880.bmp": f"no mask for blue; {_MASKS}",
    "image-rs/bmp/images_rgb16-231.bmp": f"masks of 2, 3 and 1 bits; {_MASKS}",
    "image-rs/bmp/images_rgb32-111110.bmp": f"masks of 11 and 10 bits; {_MASKS}",
    "image-rs/bmp/images_rgba16-1924.bmp": f"masks of 1, 9, 2 and 4 bits; {_MASKS}",
    "image-rs/bmp/images_rgba32-61754.bmp": f"masks of 6, 17, 5 and 4 bits; {_MASKS}",
    "image-rs/gif/anim_issue_1455_undersized.gif": _FREE,
    "j-12-*.jpg": "12 bits, which libjpeg-turbo alone reads",
    "t-associated-32-*.tif": "tifffile reads it; others do not scale these bits",
    "t-jpeg2000-lossy.tif": "tifffile alone reads JPEG 2000 in TIFF",
    "t-jxl-lossy.tif": "no other decoder here reads lossy JPEG XL in TIFF; such files are compared by themselves",
    "t-ycbcr-*-planes.tif": "colour differences in planes of their own",
    "jp2/p0_02.j2k": f"a subsampled component; {_COMPONENTS}",
    "jp2/p0_03.j2k": f"signed numbers of 4 bits; {_COMPONENTS}",
    "jp2/p0_10.j2k": f"subsampled components; {_COMPONENTS}",
    "jxl/alpha_premultiplied.jxl": "djxl writes no PNG of multiplied opacity, libvips leaves colours multiplied",
    "jxl/animation_spline.jxl": "libvips is not believed",
    "jp2/p0_06.j2k": f"four subsampled components of 12 bits; {_COMPONENTS}",
    "jp2/p0_13.j2k": f"257 components; {_COMPONENTS}",
    "jp2/p1_01.j2k": f"an offset and subsampling; {_COMPONENTS}",
    "jp2/p1_07.j2k": f"components of several sizes; {_COMPONENTS}",
    "jxl/spot.jxl": "an extra channel, which libvips does not read",
}

#: File → decoder → why it is not believed.
WRONG = {
    "avif/abc_color_irot_alpha_irot.avif": {"Pillow": _RANGE},
    "avif/alpha_noispe.avif": {"libvips": "leaves its opacity out", "imagecodecs": _RANGE},
    "avif/clap_irot_imir_non_essential.avif": {"libvips": "gives zeroes"},
    "avif/color_grid_alpha_nogrid.avif": {"Pillow": _RANGE, "imagecodecs": _RANGE},
    "avif/kodim23_yuv420_8bpc.avif": {"libvips": "repeats colour differences where others put values between them"},
    "avif/colors_wcg_hdr_rec2020.avif": {"imagecodecs": "leaves colours in their own space"},
    "k-25-*": {"FFmpeg": "does not undo a region of interest"},
    "cantaloupe/jp2-6res-rgb*-64x56x16-multitiled-reversible.jp2": {"FFmpeg": "is 1 of 65535 off after the reversible colour transform"},
    "image-rs/bmp/images_V3_A1_R5_G5_B5.bmp": {"Pillow": _ALPHA},
    "image-rs/bmp/images_V3_A1_R5_G5_B5_Top_Down.bmp": {"Pillow": _ALPHA},
    "image-rs/bmp/images_V5_A1_R5_G5_B5.bmp": {"Pillow": _ALPHA, "ImageMagick": _FEW_BITS},
    "image-rs/bmp/images_V3_X4_R4_G4_B4.bmp": {"ImageMagick": _FEW_BITS},
    "image-rs/bmp/images_V3_X4_R4_G4_B4_Top_Down.bmp": {"ImageMagick": _FEW_BITS},
    "image-rs/bmp/images_rgb16-231.bmp": {"ImageMagick": _FEW_BITS},
    "image-rs/bmp/images_rgba16-1924.bmp": {"ImageMagick": _FEW_BITS, "imagecodecs": _FEW_BITS},
    "image-rs/bmp/images_rgba32-61754.bmp": {"ImageMagick": _FEW_BITS, "imagecodecs": _FEW_BITS},
    "image-rs/bmp/images_rgb32-111110.bmp": {"imagecodecs": "cuts the upper bits of more than 8 off"},
    "image-rs/bmp/images_V5_A8_R8_G8_B8_Rgb.bmp": {"FFmpeg": "takes the fourth byte for opacity where no mask names it"},
    "image-rs/bmp/images_lenient_V5_A8_R8_G8_B8_Rgb_BadMask.bmp": {"FFmpeg": "takes the fourth byte for opacity where no mask names it"},
    "image-rs/bmp/images_lenient_badpalettesize.bmp": {"FFmpeg": "takes pixels for colours"},
    "image-rs/bmp/images_pal8badindex.bmp": {"ImageMagick": "takes places beyond the palette for others", "FFmpeg": "takes pixels for colours"},
    "image-rs/gif/anim_border_touching_layers.gif": dict.fromkeys(("libvips", "Pillow", "imagecodecs", "FFmpeg"), _FREE),
    "image-rs/gif/anim_issue_1455_undersized.gif": dict.fromkeys(("Pillow", "imagecodecs", "FFmpeg"), _FREE),
    "image-rs/gif/anim_large-gif-anim-combine.gif": {"imagecodecs": _FREE},
    "image-rs/gif/anim_oob.gif": {"FFmpeg": "cuts a first frame that passes the screen; browsers grow the screen"},
    "image-rs/gif/simple_issue_1455_oversized.gif": {"FFmpeg": "cuts a first frame that passes the screen; browsers grow the screen"},
    "jp2/Bretagne1_ht_lossy.j2k": {"libvips": "its OpenJPEG is too old for HT"},
    "jp2/p0_06.j2k": {"Pillow": "takes components for inks"},
    "jp2/p0_10.j2k": {"libvips": "does not follow the reference grid", "Pillow": "does not follow the reference grid"},
    "jxl/alpha_premultiplied.jxl": {"libvips": "leaves colours multiplied with their opacity"},
    "jxl/animation_spline.jxl": {"libvips": "lays all frames over one another"},
}
