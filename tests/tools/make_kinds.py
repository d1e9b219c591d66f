#!/usr/bin/env python3
"""Writes fixtures/tiff/kinds and fixtures/jpeg/kinds: small masters of every kind of sample and colour, and
their pixels.

Needs numpy, Pillow (with LittleCMS 2), tifffile, imagecodecs, tiffcp, tiffset and `make_icc.py`'s profiles. The
pictures are arithmetic, so that the files are this project's own. Samples come from tifffile, imagecodecs
or Pillow, colours from LittleCMS; what is left is arithmetic that the code under test does not share.
expected.txt has the lines of make-tiff-fixtures.sh.

    python3 tests/tools/make_kinds.py
"""

import hashlib
import io
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms, TiffImagePlugin

from tiff_file import assembled

ROOT = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
TIFF, JPEG = ROOT / "tiff" / "kinds", ROOT / "jpeg" / "kinds"
PROFILE = (ROOT / "icc" / "inks.icc").read_bytes()
H, W = 37, 45
BPC, NO_PRECALC = 0x2000, 0x0100
lines = {TIFF: [], JPEG: []}

y, x = np.mgrid[0:H, 0:W]
BASE = np.stack([np.clip(0.4 + 0.4 * np.sin(x / (7 + 3 * c)) * np.cos(y / (11 - 2 * c)) + 0.2 * ((x // 13 + y // 9 + c) % 2), 0, 1)
                 for c in range(5)], -1)


def levels(bits, channels):
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    return np.round(BASE[..., channels] * (2**bits - 1)).astype(kind)


def scaled(values, bits):
    """Whole numbers of so many bits as 8 or 16."""
    full = 255 if bits <= 8 else 65535
    return np.floor(values.astype(np.float64) * full / (2**bits - 1) + 0.5).astype(np.uint8 if full == 255 else "<u2")


def expect(folder, name, pixels, tolerance=0):
    pixels = np.ascontiguousarray(pixels)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    data = pixels.tobytes()
    digest = hashlib.sha256(data).hexdigest()[:12]
    (folder / "raw" / f"{digest}.raw").write_bytes(data)
    bits = 8 * pixels.dtype.itemsize
    lines[folder].append(f"kinds/{name} 1 0 {pixels.shape[1]} {pixels.shape[0]} {pixels.shape[2]} {bits} {tolerance} {digest}")


def tiff(name, data, pixels, tolerance=0, **kind):
    tifffile.imwrite(TIFF / f"{name}.tif", data, metadata=None, software=False, **kind)
    expect(TIFF, f"{name}.tif", pixels, tolerance)


def littlecms(source, mode, pixels):
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", renderingIntent=1,
                                        flags=BPC | NO_PRECALC)
    image = Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())
    return np.array(ImageCms.applyTransform(image, transform))


def inks(pixels):
    return littlecms(ImageCms.ImageCmsProfile(io.BytesIO(PROFILE)), "CMYK", pixels)


def encoded(linear):
    curve = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    return np.floor(np.clip(curve, 0, 1) * 65535 + 0.5).astype("<u2")


def numbers():
    for bits in (3, 5, 6, 7, 10, 11, 12, 14, 15):
        data = levels(bits, 0)
        tiff(f"gray-{bits}-bit", data, scaled(data, bits), photometric="minisblack", bitspersample=bits)
    for bits in (4, 10, 12):
        data = levels(bits, slice(0, 3))
        tiff(f"rgb-{bits}-bit", data, scaled(data, bits), photometric="rgb", bitspersample=bits)
    wide = levels(32, 0)
    for name, order, way in (("le-none", "<", {}), ("be-zlib2", ">", dict(compression="zlib", predictor=2)),
                             ("le-lzma2", "<", dict(compression="lzma", predictor=2, tile=(16, 32)))):
        tiff(f"gray-32-{name}", wide, scaled(wide, 32), photometric="minisblack", byteorder=order, **way)
    signed = (levels(16, 0).astype(np.int32) - 32768).astype(np.int16)
    tiff("signed-16", signed, levels(16, 0), photometric="minisblack", byteorder=">")
    signed = (levels(8, 0).astype(np.int16) - 128).astype(np.int8)
    tiff("signed-8", signed, levels(8, 0), photometric="minisblack", compression="packbits")
    light = BASE[..., :3]
    for bits, kind in ((16, np.float16), (32, np.float32), (64, np.float64)):
        data = light.astype(kind)
        for name, order, way in (("le-none", "<", {}), ("be-zlib3", ">", dict(compression="zlib", predictor=3)),
                                 ("le-lzw3-planes", "<", dict(compression="lzw", predictor=3, planarconfig="separate"))):
            stored = np.moveaxis(data, -1, 0) if "planes" in name else data
            tiff(f"float-{bits}-{name}", stored, encoded(data.astype(np.float64)), 15, photometric="rgb",
                 byteorder=order, **way)


def colours():
    cmyk = levels(8, slice(0, 4))
    tiff("cmyk", cmyk, inks(cmyk), 8, photometric="separated", iccprofile=PROFILE)
    tiff("cmyk-tiles-16", levels(16, slice(0, 4)), inks(cmyk).astype("<u2") * 257, 8 * 257, photometric="separated",
         iccprofile=PROFILE, tile=(16, 16), compression="zlib", predictor=2)
    tiff("cmyk-planes", np.moveaxis(cmyk, -1, 0), inks(cmyk), 8, photometric="separated", iccprofile=PROFILE,
         planarconfig="separate", compression="lzw")
    alpha = levels(8, slice(0, 5))
    tiff("cmyk-alpha", alpha, np.dstack([inks(cmyk), alpha[..., 4]]), 8, photometric="separated", iccprofile=PROFILE,
         extrasamples=["unassalpha"])
    lab = np.dstack([levels(8, 0), np.round(BASE[..., 1:3] * 120 + 68).astype(np.uint8)])
    # Bytes go into Pillow as TIFF's CIE L*a*b*, with a* and b* in two's complement.
    cie = lab ^ np.array([0, 128, 128], np.uint8)
    srgb = littlecms(ImageCms.createProfile("LAB"), "LAB", cie)
    tiff("lab-icc", lab, srgb, 2, photometric="icclab")
    tiff("lab-cie", cie, srgb, 2, photometric="cielab", compression="zlib")
    wide = np.dstack([np.round(lab[..., 0].astype(int) * 65535 / 255), lab[..., 1].astype(int) * 256, lab[..., 2].astype(int) * 256])
    tiff("lab-cie-16", wide.astype(np.uint16) ^ np.array([0, 0x8000, 0x8000], np.uint16),
         srgb.astype("<u2") * 257, 2 * 257, photometric="cielab")
    for across, down in ((1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (4, 4)):
        units(across, down)


def units(across, down):
    """YCbCr without JPEG."""
    samples = levels(8, slice(0, 3)).astype(int)
    luma, chroma = samples[..., 0], samples[::down, ::across, 1:] // 2 + 64
    rows, columns = chroma.shape[:2]
    padded = np.pad(luma, ((0, rows * down - H), (0, columns * across - W)), mode="edge")
    body = bytearray()
    for row in range(rows):
        for column in range(columns):
            body += padded[row * down:(row + 1) * down, column * across:(column + 1) * across].astype(np.uint8).tobytes()
            body += chroma[row, column].astype(np.uint8).tobytes()
    fields = [(256, 3, 1, W), (257, 3, 1, H), (258, 3, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1, 1), (262, 3, 1, 6),
              (273, 4, 1, 8), (277, 3, 1, 3), (278, 3, 1, H), (279, 4, 1, len(body)),
              (530, 3, 2, struct.pack("<HH", across, down))]
    name = f"ycbcr-{across}{down}.tif"
    (TIFF / name).write_bytes(assembled(fields, bytes(body)))
    spread = np.repeat(np.repeat(chroma, down, 0), across, 1)[:H, :W].astype(np.float64)
    # The default reference of black and white spreads a difference of 127 over 127.
    blue, red = spread[..., 0] - 128, spread[..., 1] - 128
    r, b = luma + 1.402 * red, luma + 1.772 * blue
    g = (luma - 0.114 * b - 0.299 * r) / 0.587
    expect(TIFF, name, np.floor(np.clip(np.dstack([r, g, b]), 0, 255) + 0.5).astype(np.uint8), 1)


def bilevel():
    bits = (BASE[..., 0] + 0.3 * np.sin(x * 1.7 + y) > 0.5)
    bits[5:8], bits[8:11] = False, True
    white = np.where(bits, 255, 0).astype(np.uint8)
    Image.fromarray(bits).save(TIFF / "none.tif")
    for name, words in (("g3", "-s -r 10 -c g3"), ("g3-2d-fill", "-s -r 20 -c g3:2d:fill"),
                        ("g4-tiles", "-t -w 16 -l 32 -c g4"), ("g4-reversed", "-f lsb2msb -c g4")):
        subprocess.run(["tiffcp", *words.split(), TIFF / "none.tif", TIFF / f"ccitt-{name}.tif"], check=True)
        expect(TIFF, f"ccitt-{name}.tif", white)
    (TIFF / "none.tif").unlink()
    Image.fromarray(bits).save(TIFF / "ccitt-huffman.tif", compression="tiff_ccitt")
    expect(TIFF, "ccitt-huffman.tif", white)


def segments(stream):
    at = 2
    while stream[at + 1] != 0xDA:
        length = struct.unpack(">H", stream[at + 2:at + 4])[0]
        yield stream[at + 1], stream[at + 4:at + 2 + length]
        at += 2 + length
    yield 0xDA, stream[at + 2 + struct.unpack(">H", stream[at + 2:at + 4])[0]:-2]


def old_jpegs():
    rgb = levels(8, slice(0, 3))
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=85, subsampling=2)
    stream = file.getvalue()
    pixels = np.array(Image.open(io.BytesIO(stream)))
    base = [(256, 3, 1, W), (257, 3, 1, H), (258, 3, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1, 6), (262, 3, 1, 6),
            (277, 3, 1, 3), (278, 3, 1, H), (530, 3, 2, struct.pack("<HH", 2, 2)), (512, 3, 1, 1)]
    whole = base + [(273, 4, 1, 8), (279, 4, 1, len(stream)), (513, 4, 1, 8), (514, 4, 1, len(stream))]
    (TIFF / "old-jpeg-whole.tif").write_bytes(assembled(whole, stream))
    expect(TIFF, "old-jpeg-whole.tif", pixels, "jpeg")
    quantisers, codes, coded = {}, {}, b""
    for marker, payload in segments(stream):
        if marker == 0xDB:
            for at in range(0, len(payload), 65):
                quantisers[payload[at]] = payload[at + 1:at + 65]
        elif marker == 0xC4:
            while payload:
                length = 17 + sum(payload[1:17])
                codes[payload[0]], payload = payload[1:length], payload[length:]
        elif marker == 0xDA:
            coded = payload
    body, places = coded, {}
    for kind, table in [(("q", k), v) for k, v in quantisers.items()] + [(("c", k), v) for k, v in codes.items()]:
        body += bytes(len(body) % 2)
        places[kind] = 8 + len(body)
        body += table
    three = lambda kind, one, two: struct.pack("<3I", places[(kind, one)], places[(kind, two)], places[(kind, two)])
    tables = base + [(273, 4, 1, 8), (279, 4, 1, len(coded)), (519, 4, 3, three("q", 0, 1)),
                     (520, 4, 3, three("c", 0, 1)), (521, 4, 3, three("c", 0x10, 0x11))]
    (TIFF / "old-jpeg-tables.tif").write_bytes(assembled(tables, body))
    expect(TIFF, "old-jpeg-tables.tif", pixels, "jpeg")


def jpegs():
    cmyk = levels(8, slice(0, 4))
    tifffile.imwrite(TIFF / "none.tif", cmyk, photometric="separated", metadata=None, software=False, iccprofile=PROFILE)
    subprocess.run(["tiffcp", "-c", "jpeg:90", "-r", "16", TIFF / "none.tif", TIFF / "jpeg-cmyk.tif"], check=True)
    (TIFF / "none.tif").unlink()
    stored = np.array(Image.open(TIFF / "jpeg-cmyk.tif"))
    expect(TIFF, "jpeg-cmyk.tif", inks(stored), 8)
    twelve = levels(12, 0)
    tifffile.imwrite(TIFF / "jpeg-12-bit.tif", twelve, photometric="minisblack", metadata=None, software=False,
                     compression="jpeg", bitspersample=12, tile=(32, 32))
    expect(TIFF, "jpeg-12-bit.tif", scaled(tifffile.imread(TIFF / "jpeg-12-bit.tif"), 12))
    for name, more in (("cmyk", {}), ("cmyk-profile", dict(icc_profile=PROFILE))):
        Image.frombytes("CMYK", (W, H), cmyk.tobytes()).save(JPEG / f"{name}.jpg", quality=90, **more)
        stored = np.array(Image.open(JPEG / f"{name}.jpg"))
        if more:
            expect(JPEG, f"{name}.jpg", inks(stored), 8)
    coded = imagecodecs.jpeg8_encode(cmyk, level=90, colorspace="CMYK", outcolorspace="YCCK", subsampling="420")
    head = b"\xff\xe2" + struct.pack(">H", len(PROFILE) + 16) + b"ICC_PROFILE\0\x01\x01" + PROFILE
    (JPEG / "ycck-profile.jpg").write_bytes(coded[:2] + head + coded[2:])
    stored = np.array(Image.open(JPEG / "ycck-profile.jpg"))
    expect(JPEG, "ycck-profile.jpg", inks(stored), 16)
    for name, channels, way in (("gray-12-bit", 0, {}), ("rgb-12-bit-420", slice(0, 3), dict(subsampling="420")),
                                ("rgb-12-bit-411", slice(0, 3), dict(subsampling="411"))):
        coded = imagecodecs.jpeg8_encode(levels(12, channels), level=90, bitspersample=12, **way)
        (JPEG / f"{name}.jpg").write_bytes(coded)
        expect(JPEG, f"{name}.jpg", scaled(imagecodecs.jpeg8_decode(coded), 12))


def others():
    """Files of tests/tools/corpus/make.py, which knows their pixels."""
    sys.path.insert(0, str(pathlib.Path(__file__).parent / "corpus"))
    import make

    with tempfile.TemporaryDirectory() as folder:
        make.IMAGES, make.TRUTH = pathlib.Path(folder) / "images", pathlib.Path(folder) / "truth"
        make.IMAGES.mkdir(), make.TRUTH.mkdir()
        make.logarithms()
        make.early_lzw()
        make.ycbcr(2, 2)
        make.inside("jxl", "lossless")
        make.inside("jpeg2000", "lossless")
        make.lossless_jpegs()
        for to, names in ((TIFF, ("t-logl-16.tif", "t-logluv-32.tif", "t-lzw-early.tif", "t-ycbcr-22-planes.tif", "t-jxl-lossless.tif",
                                  "t-jpeg2000-lossless.tif")),
                          (JPEG, ("j-lossless-gray-8-1.jpg", "j-lossless-rgb-12-7.jpg", "j-lossless-rgb-16-4.jpg"))):
            for name in names:
                shutil.copy(make.IMAGES / name, to / name)
                expect(to, name, np.load(make.TRUTH / f"{name}.npz")["samples"])


for folder in (TIFF, JPEG):
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "raw").mkdir(parents=True)
numbers()
colours()
bilevel()
old_jpegs()
jpegs()
others()
for folder, all_lines in lines.items():
    (folder / "expected.txt").write_text("\n".join(all_lines) + "\n")
