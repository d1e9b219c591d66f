#!/usr/bin/env python3
"""Writes src/codec/colour/inks.bin: the sRGB of 9 x 9 x 9 x 9 mixtures of inks without a profile.

Needs libvips, whose stand-in for a missing CMYK profile is Graeme W. Gill's "Chemical proof" (public
domain), and Pillow, whose ImageCms is LittleCMS 2. Relative colorimetric with black-point compensation.

    python3 tests/tools/make_inks.py
"""

import io
import pathlib
import subprocess
import tempfile

from PIL import Image, ImageCms

SIDE = 9
OUT = pathlib.Path(__file__).resolve().parents[2] / "src" / "codec" / "colour" / "inks.bin"


def profile():
    """The profile, which libvips embeds where it writes inks."""
    with tempfile.TemporaryDirectory() as folder:
        run = lambda *words: subprocess.run(["vips", *words], check=True, cwd=folder)
        run("black", "black.v", "2", "2", "--bands", "3")
        run("copy", "black.v", "srgb.v", "--interpretation", "srgb")
        run("icc_export", "srgb.v", "inks.tif", "--output-profile", "cmyk")
        bytes_ = Image.open(f"{folder}/inks.tif").info["icc_profile"]
    found = ImageCms.ImageCmsProfile(io.BytesIO(bytes_))
    assert "Chemical proof" in ImageCms.getProfileDescription(found)
    assert "public domain" in ImageCms.getProfileCopyright(found)
    return found


levels = [round(node * 255 / (SIDE - 1)) for node in range(SIDE)]
nodes = bytes(v for c in levels for m in levels for y in levels for k in levels for v in (c, m, y, k))
transform = ImageCms.buildTransform(
    profile(), ImageCms.createProfile("sRGB"), "CMYK", "RGB",
    ImageCms.Intent.RELATIVE_COLORIMETRIC,
    ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
)
picture = Image.frombytes("CMYK", (SIDE**3, SIDE), nodes)
OUT.write_bytes(ImageCms.applyTransform(picture, transform).tobytes())
