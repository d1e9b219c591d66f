#!/usr/bin/env python3
"""Writes what foreign decoders make of fixtures/png, webp, gif and bmp.

Needs Pillow, libvips (`vips`) and ImageMagick (`convert`). First it makes the fixtures whose names start with `made-`,
then `fixtures/FORMAT/expected.txt`: lines of `file width height bits digest`, the digest being
FNV-1a (64 bits) over all samples as RGBA, opaque where the file has no opacity, 16 bits as
little-endian. PNG comes from libvips, WebP and GIF from Pillow, BMP from ImageMagick. Lossy WebP has its pixels
beside it instead, as PNG made by libwebp through Pillow; so have files with a profile, converted by
LittleCMS.

    python3 tests/tools/make_decode_expectations.py
"""

import io
import pathlib
import random
import struct
import subprocess
import tempfile
import zlib

from PIL import Image, ImageCms

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
LOSSY = ("lossy_images_simple-gray.webp", "lossy_images_simple-rgb.webp", "webp-rgb.webp",
         "extended_images_lossy_alpha.webp", "extended_images_anim.webp", "made-exif-profile.webp")
# Files whose profile changes their pixels.
CONVERTED = ("made-exif-profile.png", "images_rgb24prof.bmp")


def orientation_block(value):
    """A TIFF structure with the orientation tag alone."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)


def noise(mode, size, smooth=False):
    source = random.Random(5)
    channels = len(Image.new(mode, (1, 1)).getbands())
    count = size[0] * size[1]
    if smooth:
        pixels = bytes((x * 4 + y * 2 + c * 40) % 256
                       for y in range(size[1]) for x in range(size[0]) for c in range(channels))
    else:
        pixels = bytes(source.randrange(256) for _ in range(count * channels))
    return Image.frombytes(mode, size, pixels)


def convert(*words):
    return subprocess.run(["convert", *map(str, words)], check=True, capture_output=True).stdout


def write_gray_png(path, bits, width, height):
    """By hand: rows of packed levels, no filter."""
    source = random.Random(bits)
    rows = b"".join(b"\0" + bytes(source.randrange(256) for _ in range((width * bits + 7) // 8))
                    for _ in range(height))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)),
              (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks))


def to_srgb(image, profile):
    """By LittleCMS, relative colorimetric."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, source, target, renderingIntent=1, outputMode="RGB")


def make():
    png, profile = FIXTURES / "png", (FIXTURES / "icc" / "p3.icc").read_bytes()
    noise("L", (37, 19)).point(lambda v: 255 * (v > 127)).convert("1").save(png / "made-gray-1.png")
    for bits in (2, 4):
        write_gray_png(png / f"made-gray-{bits}.png", bits, 37, 19)
        noise("RGB", (37, 19)).quantize(2 ** bits).save(png / f"made-palette-{bits}.png", bits=bits)
    noise("LA", (37, 19)).save(png / "made-gray-alpha-8.png")
    convert(png / "png-rgba-64x56x16.png", "-interlace", "PNG", "-strip",
            "-define", "png:bit-depth=16", png / "made-interlaced-16.png")
    convert(png / "png-rgba-64x56x16.png", "-colorspace", "Gray", "-strip", "-define", "png:color-type=4",
            "-depth", "16", png / "made-gray-alpha-16.png")
    noise("RGB", (40, 30), smooth=True).save(png / "made-exif-profile.png", icc_profile=profile,
                                             exif=orientation_block(6))
    noise("RGB", (40, 30), smooth=True).save(FIXTURES / "webp" / "made-exif-profile.webp", quality=90,
                                             icc_profile=profile, exif=orientation_block(8))
    noise("RGBA", (33, 21)).save(FIXTURES / "webp" / "made-rgba.webp", lossless=True, exact=True)
    noise("RGB", (900, 700), smooth=True).save(png / "made-tall.png", compress_level=9)


def digest(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def png_pixels(path):
    """By libvips, whose raw form has the file's own channels in the machine's order."""
    width, height, bits = struct.unpack_from(">IIB", path.read_bytes(), 16)
    with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        subprocess.run(["vips", "rawsave", path, raw.name], check=True)
        data = pathlib.Path(raw.name).read_bytes()
    wide = 2 if bits == 16 else 1
    samples = len(data) // (width * height * wide)
    pixels = (data[i:i + samples * wide] for i in range(0, len(data), samples * wide))
    opaque = b"\xff" * wide
    spread = {1: lambda p: p * 3 + opaque, 2: lambda p: p[:wide] * 3 + p[wide:],
              3: lambda p: p + opaque, 4: lambda p: p}[samples]
    return (width, height), 8 * wide, b"".join(map(spread, pixels))


def gif_pixels(path):
    """By Pillow, which grows the screen where the first frame passes it: the frame's rectangle on a clear screen."""
    with Image.open(path) as image:
        screen = Image.new("RGBA", image.size)
        box = image.dispose_extent
        screen.paste(image.convert("RGBA").crop(box), box[:2])
    return screen.size, 8, screen.tobytes()


def bmp_pixels(path):
    """By ImageMagick; 16-bit fields by their masks, each rounded to 8 bits, as bmpsuite asks."""
    data = path.read_bytes()
    if data[14] == 12:
        return struct.unpack_from("<HH", data, 18), 8, convert(path, "-depth", "8", "rgba:-")
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if bits != 16:
        return (width, abs(height)), 8, convert(path, "-depth", "8", "rgba:-")
    masks = list(struct.unpack_from("<IIII", data, 54)) if compression == 3 else [0x7C00, 0x3E0, 0x1F, 0]
    if data[14] == 40:
        masks[3] = 0
    start, stride = struct.unpack_from("<I", data, 10)[0], (width * 2 + 3) // 4 * 4
    rows = range(-height) if height < 0 else range(height - 1, -1, -1)
    result = bytearray()
    for y in rows:
        for value in struct.unpack_from(f"<{width}H", data, start + y * stride):
            for mask in masks:
                low = mask & -mask
                result.append(255 if mask == 0 else round((value & mask) // low * 255 / (mask // low)))
    return (width, abs(height)), 8, bytes(result)


def bmp_profile(path):
    data = path.read_bytes()
    if path.suffix != ".bmp" or data[14] != 124 or data[70:74] != b"DEBM":
        return None
    start, length = struct.unpack_from("<II", data, 14 + 112)
    return data[14 + start:14 + start + length]


def webp_pixels(path):
    with Image.open(path) as image:
        return image.size, 8, image.convert("RGBA").tobytes()


PIXELS = {".png": png_pixels, ".gif": gif_pixels, ".bmp": bmp_pixels, ".webp": webp_pixels}


def expectation(path):
    size, bits, data = PIXELS[path.suffix](path)
    return f"{path.name} {size[0]} {size[1]} {bits} {digest(data)}"


def main():
    make()
    for kind in ("png", "webp", "gif", "bmp"):
        lines = []
        for path in sorted((FIXTURES / kind).glob(f"*.{kind}")):
            if path.name.endswith(".expected.png"):
                continue
            if path.name in LOSSY + CONVERTED:
                with Image.open(path) as image:
                    mode = "RGBA" if image.mode == "RGBA" else "RGB"
                    pixels = image.convert(mode)
                    profile = image.info.get("icc_profile") or bmp_profile(path)
                    if profile:
                        pixels = to_srgb(pixels, profile)
                    pixels.save(path.with_name(path.stem + ".expected.png"), icc_profile=None, exif=b"")
            else:
                lines.append(expectation(path))
        (FIXTURES / kind / "expected.txt").write_text("\n".join(lines) + "\n")


main()
