#!/usr/bin/env python3
"""Makes the masters and the expected pictures of tests/it/golden.rs.

Everything is made by Pillow (libjpeg-turbo, LittleCMS) and libvips' command, never by the program.

  usage: make_golden.py PHOTO        PHOTO: libavif's tests/data/paris_exif_orientation_5.jpg

Needs Pillow 12 or newer and the command `vips` on the path.
"""

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
MASTERS = FIXTURES / "golden" / "masters"
EXPECTED = FIXTURES / "golden" / "expected"


def make_masters(photo: Path) -> None:
    MASTERS.mkdir(parents=True, exist_ok=True)
    (MASTERS / "photo.jpg").write_bytes(photo.read_bytes())
    upright = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
    small = upright.resize((130, 97), Image.Resampling.LANCZOS, box=(0, 100, 302, 325))
    small.save(MASTERS / "small.png", optimize=True)
    alpha = small.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(alpha.size))
    alpha.save(MASTERS / "alpha.png", optimize=True)
    small.save(MASTERS / "lossless.webp", lossless=True)
    small.quantize(64).save(MASTERS / "palette.gif")
    small.save(MASTERS / "plain.bmp")
    upright.convert("L").save(MASTERS / "gray.jpg", quality=85)
    upright.save(MASTERS / "progressive.jpg", quality=80, progressive=True)
    adobe = (FIXTURES / "icc" / "adobe.icc").read_bytes()
    small.save(MASTERS / "adobe.png", icc_profile=adobe, optimize=True)
    small.save(MASTERS / "strips.tif", compression="tiff_lzw")
    big = small.convert("RGB").resize((390, 291), Image.Resampling.NEAREST)
    big.save("/tmp/golden-big.png")
    tiled = ["--tile", "--pyramid", "--tile-width", "128", "--tile-height", "128"]
    vips("tiffsave", "/tmp/golden-big.png", str(MASTERS / "pyramid.tif"), "--compression", "jpeg", "--Q", "80", *tiled)
    pages = [small.crop((0, 0, 40, 30)), small.crop((40, 30, 90, 60))]
    pages[0].save(MASTERS / "pages.tif", save_all=True, append_images=pages[1:])


def vips(*arguments: str) -> None:
    subprocess.run(["vips", *arguments], check=True)


def opened(name: str) -> Image.Image:
    image = Image.open(MASTERS / name)
    image = ImageOps.exif_transpose(image)
    if name == "adobe.png":
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return ImageCms.profileToProfile(image, profile, srgb, renderingIntent=intent)
    if image.mode == "P":
        return image.convert("RGB")
    return image


LANCZOS = Image.Resampling.LANCZOS
TURN = Image.Transpose


def region(name, box):
    left, top, width, height = box
    return opened(name).crop((left, top, left + width, top + height))


def scaled(image, size):
    """Premultiplied where there is opacity, as Pillow does it for RGBA."""
    return image.resize(size, LANCZOS)


def by_scaled_decoding(name, factor, size, box=None):
    """libjpeg-turbo's scaled inverse DCT, then the kernel over exactly the part asked for.

    `size` and `box` (left, top, width, height) are those of the upright picture; the factor is the one that the
    plan has to choose: the largest power of two, at most 8, that leaves enough pixels.
    """
    image = Image.open(MASTERS / name)
    transposed = image.getexif().get(0x0112, 1) >= 5
    width, height = image.size
    image.draft(image.mode, (width // factor, height // factor))
    assert image.size == (-(-width // factor), -(-height // factor)), image.size
    image = ImageOps.exif_transpose(image)
    if transposed:
        width, height = height, width
    left, top, wide, high = box or (0, 0, width, height)
    if box is None:
        part = (0, 0, *share((width, height), factor, size))
    else:
        part = tuple(edge / factor for edge in (left, top, left + wide, top + high))
    return image.resize(size, LANCZOS, box=part)


def share(whole, factor, size):
    """What the whole picture takes of a level: a side that is asked for as the level has it is taken unscaled."""
    return tuple(-(-w // factor) if -(-w // factor) == s else w / factor for w, s in zip(whole, size))


def by_boxes(name, times, size):
    """Means of two by two, then the kernel over exactly the whole picture."""
    image = opened(name)
    width, height = image.size
    for _ in range(times):
        image = image.reduce(2)
    return image.resize(size, LANCZOS, box=(0, 0, *share((width, height), 2**times, size)))


def by_stored_level(name, index, factor, size):
    """A stored level, its last row repeated where the factor asks for one more."""
    image = Image.open(MASTERS / name)
    width, height = image.size
    image.seek(index)
    level = image.convert("RGB")
    wanted = (-(-width // factor), -(-height // factor))
    whole = Image.new("RGB", wanted)
    for dx in (wanted[0] - level.width, 0):
        for dy in (wanted[1] - level.height, 0):
            whole.paste(level, (dx, dy))
    return whole.resize(size, LANCZOS, box=(0, 0, width / factor, height / factor))


def bitonal(image):
    return image.convert("L").point(lambda v: 255 if v >= 128 else 0)


CASES = {
    "photo-region": lambda: region("photo.jpg", (60, 120, 120, 90)),
    "photo-region-mirror": lambda: ImageOps.mirror(region("photo.jpg", (60, 120, 120, 90))),
    "photo-region-90": lambda: region("photo.jpg", (10, 250, 120, 90)).transpose(TURN.ROTATE_270),
    "photo-region-180": lambda: region("photo.jpg", (10, 250, 120, 90)).transpose(TURN.ROTATE_180),
    "photo-region-270": lambda: region("photo.jpg", (10, 250, 120, 90)).transpose(TURN.ROTATE_90),
    "photo-region-mirror-90": lambda: ImageOps.mirror(region("photo.jpg", (10, 250, 120, 90))).transpose(TURN.ROTATE_270),
    "photo-gray": lambda: region("photo.jpg", (60, 120, 120, 90)).convert("L"),
    "photo-third": lambda: by_scaled_decoding("photo.jpg", 2, (101, 134)),
    "photo-half": lambda: by_scaled_decoding("photo.jpg", 2, (151, 202)),
    "photo-tenth": lambda: by_scaled_decoding("photo.jpg", 8, (30, 40)),
    "photo-region-scaled": lambda: by_scaled_decoding("photo.jpg", 2, (90, 135), (31, 57, 200, 300)),
    "photo-distorted": lambda: by_scaled_decoding("photo.jpg", 2, (150, 90)),
    "gray-third": lambda: by_scaled_decoding("gray.jpg", 2, (101, 134)),
    "progressive-region": lambda: region("progressive.jpg", (100, 100, 120, 90)),
    "small-whole": lambda: opened("small.png"),
    "small-gray": lambda: opened("small.png").convert("L"),
    "small-bitonal": lambda: bitonal(opened("small.png")),
    "small-scaled": lambda: scaled(opened("small.png"), (100, 75)),
    "small-quarter": lambda: by_boxes("small.png", 2, (33, 24)),
    "small-enlarged": lambda: opened("small.png").resize((150, 120), Image.Resampling.BICUBIC, box=(10, 10, 60, 50)),
    "alpha-whole": lambda: opened("alpha.png"),
    "alpha-scaled": lambda: scaled(opened("alpha.png"), (100, 75)),
    "webp-region": lambda: region("lossless.webp", (11, 13, 77, 55)),
    "gif-whole": lambda: opened("palette.gif"),
    "gif-turned": lambda: opened("palette.gif").transpose(TURN.ROTATE_270),
    "bmp-region": lambda: region("plain.bmp", (5, 7, 100, 80)),
    "adobe-whole": lambda: opened("adobe.png"),
    "strips-region": lambda: region("strips.tif", (3, 50, 120, 40)),
    "pyramid-region": lambda: region("pyramid.tif", (120, 100, 140, 60)),
    "pyramid-whole": lambda: by_stored_level("pyramid.tif", 1, 2, (130, 97)),
    "pages-first": lambda: opened("pages.tif"),
    "pages-second": lambda: page("pages.tif", 1),
}


def page(name, number):
    image = Image.open(MASTERS / name)
    image.seek(number)
    return image.convert("RGB")


def main() -> None:
    make_masters(Path(sys.argv[1]))
    EXPECTED.mkdir(parents=True, exist_ok=True)
    for name, make in CASES.items():
        picture = make()
        path = EXPECTED / f"{name}.png"
        clean = Image.frombytes(picture.mode, picture.size, picture.tobytes())
        clean.save(path, optimize=True)
        assert path.stat().st_size <= 64 << 10, f"{path} has {path.stat().st_size} bytes"


main()
