#!/usr/bin/env python3
"""Writes some hundred masters of every kind without a profile, and what their makers know of their pixels.

    make.py FOLDER

FOLDER/images gets the files, FOLDER/truth arrays of the pixels of those that are stored without loss. The
pictures are arithmetic and the same at every run. Needs tiffcp, opj_compress, cjpeg and libvips beside the
packages of the environment.
"""
import io
import itertools
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import zlib

import imagecodecs
import numpy as np
import PIL.Image
import pyvips
import tifffile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from tiff_file import assembled

IMAGES = TRUTH = None
H, W = 37, 45
dice = random.Random(5)


def base(height, width, channels=5):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([np.clip(0.4 + 0.4 * np.sin(x / (7 + 3 * c)) * np.cos(y / (11 - 2 * c)) + 0.2 * ((x // 13 + y // 9 + c) % 2), 0, 1)
                     for c in range(channels)], -1)


BASE = base(H, W)


def levels(bits, channels, picture=BASE):
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    return np.round(picture[..., channels] * (2 ** bits - 1)).astype(kind)


def scaled(values, bits):
    full = 255 if bits <= 8 else 65535
    return np.floor(values.astype(np.float64) * full / (2 ** bits - 1) + 0.5).astype(np.uint8 if full == 255 else np.uint16)


def true(name, samples, space, alpha=None):
    """What is known of a file: samples as whole numbers of 8 or 16 bits, opacity from 0 to 1."""
    samples = samples[..., None] if samples.ndim == 2 else samples
    np.savez_compressed(TRUTH / f"{name}.npz", samples=samples, space=space, **({} if alpha is None else {"alpha": alpha}))


def write(name, data):
    (IMAGES / name).write_bytes(data)


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


# --- TIFF

def tiffs():
    ways = [("none", {}), ("lzw", dict(compression="lzw")), ("lzw2", dict(compression="lzw", predictor=2)),
            ("zip", dict(compression="zlib")), ("zip2", dict(compression="zlib", predictor=2)), ("packbits", dict(compression="packbits")),
            ("zstd2", dict(compression="zstd", predictor=2)), ("zstd", dict(compression="zstd")), ("lzma", dict(compression="lzma"))]
    cells = [("strips", dict(rowsperstrip=9)), ("strip", dict()), ("tiles", dict(tile=(16, 32))), ("rows", dict(rowsperstrip=1))]
    for bits, (way, options), (cell, shape) in itertools.product((8, 16, 32), ways, cells):
        for kind in dice.sample(("gray", "white", "rgb", "planes", "rgba", "rgbx", "graya", "associated", "cmyk"), 2):
            tiff(f"t-{kind}-{bits}-{way}-{cell}", kind, bits, dict(byteorder=dice.choice("<>"), bigtiff=dice.random() < 0.3, **options, **shape))
    for bits in (1, 2, 3, 4, 6, 10, 12, 14, 24):
        for kind in ("gray", "white", "rgb"):
            if bits == 24 and kind == "rgb":
                continue
            tiff(f"t-{kind}-{bits}-bits", kind, bits, dict(bitspersample=bits))
    for width, height in ((1, 1), (1, 64), (64, 1), (129, 67), (16, 16), (17, 33)):
        for cell, shape in (("strip", {}), ("tiles", dict(tile=(16, 16)))):
            tiff(f"t-rgb-8-{width}x{height}-{cell}", "rgb", 8, dict(compression="lzw", predictor=2, **shape), base(height, width))
    for bits, kind in ((16, np.float16), (32, np.float32), (64, np.float64)):
        for way, options in (("none", {}), ("zip3", dict(compression="zlib", predictor=3)), ("lzw3", dict(compression="lzw", predictor=3)),
                             ("zstd", dict(compression="zstd"))):
            for cell, shape in cells[:3]:
                order = dice.choice("<>")
                data = BASE[..., :3].astype(kind)
                name = f"t-float-{bits}-{way}-{cell}.tif"
                tifffile.imwrite(IMAGES / name, data, photometric="rgb", metadata=None, byteorder=order, **options, **shape)
                true(name, data.astype(np.float64), "linear")
    palettes()
    labs()
    for across, down in itertools.product((1, 2, 4), (1, 2, 4)):
        if down <= across:
            ycbcr(across, down)
    logarithms()
    early_lzw()
    jpeg_planes()
    copies()


def tiff(name, kind, bits, options, picture=BASE):
    name += ".tif"
    data = lambda channels: levels(bits, channels, picture)
    shown, full = lambda values: scaled(values, bits), 2 ** bits - 1
    extra = {}
    if kind in ("gray", "white"):
        stored, truth, photometric = data(0), shown(data(0)), "minisblack"
        if kind == "white":
            stored, photometric = (full - stored.astype(np.int64)).astype(stored.dtype), "miniswhite"
        space, alpha = "gray", None
    elif kind in ("rgb", "planes"):
        stored = data(slice(0, 3))
        truth, space, alpha, photometric = shown(stored), "rgb", None, "rgb"
        if kind == "planes":
            stored, extra = np.moveaxis(stored, -1, 0), dict(planarconfig="separate")
    elif kind in ("rgba", "rgbx", "associated"):
        stored = data(slice(0, 4))
        alpha = None if kind == "rgbx" else shown(stored[..., 3]) / (255 if bits <= 8 else 65535)
        truth, space, photometric = shown(stored[..., :3]), "rgb", "rgb"
        extra = dict(extrasamples=[{"rgba": "unassalpha", "rgbx": "unspecified", "associated": "assocalpha"}[kind]])
        if kind == "associated":
            opacity = stored[..., 3:].astype(np.float64)
            stored[..., :3] = np.floor(stored[..., :3] * (opacity / full) + 0.5).astype(stored.dtype)
            truth = shown(np.where(opacity > 0, np.minimum(np.floor(stored[..., :3] / np.maximum(opacity, 1) * full + 0.5), full), 0))
    elif kind == "graya":
        stored = data(slice(0, 2))
        truth, space, alpha, photometric = shown(stored[..., 0]), "gray", shown(stored[..., 1]) / (255 if bits <= 8 else 65535), "minisblack"
        extra = dict(extrasamples=["unassalpha"], planarconfig="contig")
    elif kind == "cmyk":
        stored = data(slice(0, 4))
        truth, space, alpha, photometric = shown(stored), "cmyk", None, "separated"
    if bits == 24:
        stored = pack24(stored)
        return whole24(name, stored, truth, photometric)
    if options.get("predictor") == 2 and kind == "planes" and bits == 32:
        pass
    tifffile.imwrite(IMAGES / name, stored, photometric=photometric, metadata=None, **options, **extra)
    if truth is not None:
        true(name, truth, space, alpha)


def pack24(values):
    return np.stack([values & 255, values >> 8 & 255, values >> 16 & 255], -1).astype(np.uint8).tobytes()


def whole24(name, body, truth, photometric):
    fields = [(256, 3, 1, W), (257, 3, 1, H), (258, 3, 1, 24), (259, 3, 1, 1), (262, 3, 1, int(photometric == "minisblack")),
              (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, H), (279, 4, 1, len(body))]
    write(name, assembled(fields, body))
    true(name, truth, "gray")


def palettes():
    for bits, tiled, wide in itertools.product((1, 2, 4, 8), (False, True), (False, True)):
        count = 2 ** bits
        table = np.stack([np.round(np.linspace(0, 1, count) ** power * 255) for power in (1, 0.5, 2)]).astype(np.uint16)
        indices = levels(bits, 0)
        packed = []
        tw, th = (16, 16) if tiled else (W, H)
        for top in range(0, H, th):
            for left in range(0, W, tw):
                cell = np.zeros((th, tw), np.uint8)
                part = indices[top:top + th, left:left + tw]
                cell[:part.shape[0], :part.shape[1]] = part
                packed.append(imagecodecs.packints_encode(cell, bits, runlen=tw) if bits < 8 else cell.tobytes())
        name = f"t-palette-{bits}-{'tiles' if tiled else 'strip'}-{'wide' if wide else 'narrow'}.tif"
        cells(name, packed, 1, bits, 3, tiled, [(320, 3, 3 * count, (table * (257 if wide else 1)).astype("<u2").tobytes())])
        true(name, table.T[indices].astype(np.uint8), "rgb")


def cells(name, packed, samples, bits, photometric, tiled, more=()):
    body, places = b"", []
    for cell in packed:
        places.append(8 + len(body))
        body += cell + bytes(len(cell) % 2)
    count = len(packed)
    numbers = lambda values: struct.pack(f"<{count}I", *values) if count > 1 else values[0]
    offsets, sizes = numbers(places), numbers([len(cell) for cell in packed])
    where = [(322, 3, 1, 16), (323, 3, 1, 16), (324, 4, count, offsets), (325, 4, count, sizes)] if tiled else \
            [(273, 4, count, offsets), (278, 3, 1, H), (279, 4, count, sizes)]
    depth = struct.pack(f"<{samples}H", *[bits] * samples) if samples > 2 else bits
    write(name, assembled([(256, 3, 1, W), (257, 3, 1, H), (258, 3, samples, depth), (259, 3, 1, 1), (262, 3, 1, photometric),
                           (277, 3, 1, samples), *where, *more], body))


def labs():
    lab = np.dstack([levels(8, 0), np.round(BASE[..., 1:3] * 120 + 68).astype(np.uint8)])
    for way, options in (("none", {}), ("zip", dict(compression="zlib", tile=(16, 16)))):
        tifffile.imwrite(IMAGES / f"t-lab-icc-{way}.tif", lab, photometric="icclab", metadata=None, **options)
        tifffile.imwrite(IMAGES / f"t-lab-cie-{way}.tif", lab ^ np.array([0, 128, 128], np.uint8), photometric="cielab", metadata=None, **options)
        numbers = np.dstack([lab[..., 0] * (100 / 255), lab[..., 1] - 128.0, lab[..., 2] - 128.0])
        true(f"t-lab-icc-{way}.tif", numbers, "lab")
        true(f"t-lab-cie-{way}.tif", numbers, "lab")


def ycbcr(across, down):
    """Without JPEG, stored and by LZW, together and in planes."""
    samples = levels(8, slice(0, 3)).astype(int)
    luma, chroma = samples[..., 0], samples[::down, ::across, 1:] // 2 + 64
    rows, columns = chroma.shape[:2]
    padded = np.pad(luma, ((0, rows * down - H), (0, columns * across - W)), mode="edge")
    body = bytearray()
    for row, column in itertools.product(range(rows), range(columns)):
        body += padded[row * down:(row + 1) * down, column * across:(column + 1) * across].astype(np.uint8).tobytes()
        body += chroma[row, column].astype(np.uint8).tobytes()
    spread = np.repeat(np.repeat(chroma, down, 0), across, 1)[:H, :W].astype(np.float64) - 128
    r, b = luma + 1.402 * spread[..., 1], luma + 1.772 * spread[..., 0]
    g = (luma - 0.114 * b - 0.299 * r) / 0.587
    rgb = np.floor(np.clip(np.dstack([r, g, b]), 0, 255) + 0.5).astype(np.uint8)
    steps = (530, 3, 2, struct.pack("<HH", across, down))
    for way, number, coded in (("none", 1, bytes(body)), ("zip", 8, zlib.compress(bytes(body)))):
        fields = [(256, 3, 1, W), (257, 3, 1, H), (258, 3, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1, number), (262, 3, 1, 6),
                  (273, 4, 1, 8), (277, 3, 1, 3), (278, 3, 1, H), (279, 4, 1, len(coded)), steps]
        write(f"t-ycbcr-{across}{down}-{way}.tif", assembled(fields, coded))
        true(f"t-ycbcr-{across}{down}-{way}.tif", rgb, "rgb")
    planes = [luma.astype(np.uint8).tobytes(), *(np.ascontiguousarray(chroma[..., at]).astype(np.uint8).tobytes() for at in (0, 1))]
    places = np.cumsum([8] + [len(plane) for plane in planes])[:3]
    fields = [(256, 3, 1, W), (257, 3, 1, H), (258, 3, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1, 1), (262, 3, 1, 6),
              (273, 4, 3, struct.pack("<3I", *places)), (277, 3, 1, 3), (278, 3, 1, H),
              (279, 4, 3, struct.pack("<3I", *map(len, planes))), (284, 3, 1, 2), steps]
    write(f"t-ycbcr-{across}{down}-planes.tif", assembled(fields, b"".join(planes)))
    true(f"t-ycbcr-{across}{down}-planes.tif", rgb, "rgb")


def logarithms():
    """SGILog of 16 and 32 bits, shown as libtiff shows it."""
    light = np.exp2(BASE[..., 0] * 8 - 7)
    steps = np.clip(np.floor(256 * (np.log2(light) + 64)), 0, 32767).astype(np.uint32)
    back = np.exp2((steps + 0.5) / 256 - 64)
    level = lambda value: np.clip(np.floor(256 * np.sqrt(np.maximum(value, 0))), 0, 255).astype(np.uint8)
    name = "t-logl-16.tif"
    write(name, log_tiff(steps, 16, 32844, 1))
    true(name, level(back), "gray")
    u, v = (np.round(60 + BASE[..., 1] * 60).astype(np.uint32), np.round(170 + BASE[..., 2] * 40).astype(np.uint32))
    un, vn = (u + 0.5) / 410, (v + 0.5) / 410
    scale = 1 / (6 * un - 16 * vn + 12)
    x, y = 9 * un * scale, 4 * vn * scale
    xyz = np.stack([x / y * back, back, (1 - x - y) / y * back], -1)
    rgb = xyz @ np.array([[2.690, -1.276, -0.414], [-1.022, 1.978, 0.044], [0.061, -0.224, 1.163]]).T
    name = "t-logluv-32.tif"
    write(name, log_tiff(steps << 16 | u << 8 | v, 32, 32845, 3))
    true(name, level(rgb), "rgb")


def log_tiff(words, bits, photometric, samples):
    body = bytearray()
    for row in words:
        for shift in range(bits - 8, -1, -8):
            plane, at = (row >> shift & 255).astype(np.uint8), 0
            while at < W:
                same = 1
                while at + same < W and same < 129 and plane[at + same] == plane[at]:
                    same += 1
                if same >= 2:
                    body += bytes((126 + same, plane[at]))
                    at += same
                    continue
                count = min(W - at, 20)
                body += bytes([count]) + plane[at:at + count].tobytes()
                at += count
    depth = (258, 3, 3, struct.pack("<3H", 16, 16, 16)) if samples == 3 else (258, 3, 1, 16)
    kinds = (339, 3, 3, struct.pack("<3H", 2, 2, 2)) if samples == 3 else (339, 3, 1, 2)
    return assembled([(256, 3, 1, W), (257, 3, 1, H), depth, (259, 3, 1, 34676), (262, 3, 1, photometric), (273, 4, 1, 8),
                      (277, 3, 1, samples), (278, 3, 1, H), (279, 4, 1, len(body)), (284, 3, 1, 1), kinds], bytes(body))


def early_lzw():
    """Codes with their least bit first, as before TIFF 6.0."""
    rgb = levels(8, slice(0, 3))
    strips, places, body = [], [], b""
    for top in range(0, H, 12):
        strips.append(least_bit_first(rgb[top:top + 12].tobytes()))
    for strip in strips:
        places.append(8 + len(body))
        body += strip
    count = len(strips)
    name = "t-lzw-early.tif"
    write(name, assembled([(256, 3, 1, W), (257, 3, 1, H), (258, 3, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1, 5), (262, 3, 1, 2),
                           (273, 4, count, struct.pack(f"<{count}I", *places)), (277, 3, 1, 3), (278, 3, 1, 12),
                           (279, 4, count, struct.pack(f"<{count}I", *map(len, strips)))], body))
    true(name, rgb, "rgb")


def least_bit_first(data):
    out, held, bits, width, table = bytearray(), 0, 0, 9, {bytes([byte]): byte for byte in range(256)}
    next_, word = 258, b""

    def put(code):
        nonlocal held, bits
        held |= code << bits
        bits += width
        while bits >= 8:
            out.append(held & 255)
            held >>= 8
            bits -= 8

    put(256)
    for byte in data:
        longer = word + bytes([byte])
        if longer in table:
            word = longer
            continue
        put(table[word])
        table[longer] = next_
        next_ += 1
        if next_ - 1 == 1 << width:
            width += 1
        if next_ == 4094:
            put(256)
            table, next_, width = {bytes([byte]): byte for byte in range(256)}, 258, 9
        word = bytes([byte])
    put(table[word])
    put(257)
    if bits:
        out.append(held & 255)
    return bytes(out)


def jpeg_planes():
    """YCbCr as three JPEGs of one component, at full and at half resolution."""
    for step in (1, 2):
        planes, coded = levels(8, slice(0, 3)), []
        spread = []
        for at in range(3):
            part = planes[..., at] if at == 0 else planes[::step, ::step, at] // 2 + 64
            file = io.BytesIO()
            PIL.Image.fromarray(part).save(file, "JPEG", quality=95)
            coded.append(file.getvalue())
            back = np.array(PIL.Image.open(io.BytesIO(coded[-1]))).astype(np.float64)
            spread.append(back if at == 0 else np.repeat(np.repeat(back, step, 0), step, 1)[:H, :W] - 128)
        luma, blue, red = spread
        r, b = luma + 1.402 * red, luma + 1.772 * blue
        g = (luma - 0.114 * b - 0.299 * r) / 0.587
        places = np.cumsum([8] + [len(plane) for plane in coded])[:3]
        name = f"t-ycbcr-{step}{step}-jpeg-planes.tif"
        write(name, assembled([(256, 3, 1, W), (257, 3, 1, H), (258, 3, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1, 7), (262, 3, 1, 6),
                               (273, 4, 3, struct.pack("<3I", *places)), (277, 3, 1, 3), (278, 3, 1, H),
                               (279, 4, 3, struct.pack("<3I", *map(len, coded))), (284, 3, 1, 2),
                               (530, 3, 2, struct.pack("<HH", step, step))], b"".join(coded)))
        true(name, np.floor(np.clip(np.dstack([r, g, b]), 0, 255) + 0.5).astype(np.uint8), "rgb")


def copies():
    """By libtiff: fax, JPEG, reversed bits, planes."""
    with tempfile.TemporaryDirectory() as folder:
        bits, rgb, gray, inks = (f"{folder}/{name}.tif" for name in ("bits", "rgb", "gray", "inks"))
        picture = BASE[..., 0] + 0.3 * np.sin(np.arange(W) * 1.7) > 0.5
        PIL.Image.fromarray(picture).save(bits)
        tifffile.imwrite(rgb, levels(8, slice(0, 3)), photometric="rgb", metadata=None)
        tifffile.imwrite(gray, levels(8, 0), photometric="minisblack", metadata=None)
        tifffile.imwrite(inks, levels(8, slice(0, 4)), photometric="separated", metadata=None)
        for way in ("g3", "g3:2d", "g3:fill", "g3:2d:fill", "g4", "packbits", "lzw", "zip"):
            for cell in ("-s -r 7", "-t -w 16 -l 16", "-s -r 100 -f lsb2msb"):
                name = f"c-{way.replace(':', '')}-{cell.replace(' ', '').replace('-', '')}.tif"
                run("tiffcp", *cell.split(), "-c", way, bits, IMAGES / name)
                true(name, np.where(picture, 255, 0).astype(np.uint8), "gray")
        for source, kind in ((rgb, "rgb"), (gray, "gray"), (inks, "cmyk")):
            for way in ("jpeg:90", "jpeg:r:75", "jpeg:r:40"):
                for cell in ("-s -r 16", "-t -w 32 -l 16", "-p separate -s -r 16"):
                    if kind == "rgb" and way == "jpeg:90" and "separate" in cell:
                        continue  # tiffcp calls planes of red, green and blue YCbCr
                    name = f"c-{kind}-{way.replace(':', '')}-{cell.replace(' ', '').replace('-', '')}.tif"
                    try:
                        run("tiffcp", *cell.split(), "-c", way, source, IMAGES / name)
                    except subprocess.CalledProcessError:
                        (IMAGES / name).unlink(missing_ok=True)
        for way in ("lzw", "zip:2", "zip", "packbits", "none"):
            name = f"c-planes-{way.replace(':', '')}.tif"
            run("tiffcp", "-p", "separate", "-B", "-t", "-w", 32, "-l", 32, "-f", "lsb2msb", "-c", way, rgb, IMAGES / name)
            true(name, levels(8, slice(0, 3)), "rgb")
    for coding in ("webp", "jxl", "jpeg2000"):
        for quality in ("lossless", "lossy"):
            inside(coding, quality)


def inside(coding, quality):
    """Other formats' pictures as tiles."""
    rgb = levels(8, slice(0, 3))
    options = {"webp": dict(compression="webp", compressionargs={"lossless": True} if quality == "lossless" else {"level": 80}),
               "jxl": dict(compression="jpegxl", compressionargs={"lossless": True} if quality == "lossless" else {"distance": 1.0}),
               "jpeg2000": dict(compression="jpeg2000", compressionargs={"reversible": True} if quality == "lossless" else {"level": 45})}
    name = f"t-{coding}-{quality}.tif"
    tifffile.imwrite(IMAGES / name, rgb, photometric="rgb", tile=(32, 32), metadata=None, **options[coding])
    if quality == "lossless":
        true(name, rgb, "rgb")


# --- PNG, GIF, WebP, JPEG XL, JPEG, JPEG 2000

def vips(array, interpretation):
    array = np.ascontiguousarray(array[..., None] if array.ndim == 2 else array)
    kind = {np.uint8: "uchar", np.uint16: "ushort"}[array.dtype.type]
    image = pyvips.Image.new_from_memory(array.tobytes(), array.shape[1], array.shape[0], array.shape[2], kind)
    return image.copy(interpretation=interpretation)


def pngs():
    for depth, channels, interlaced in itertools.product((8, 16), (1, 2, 3, 4), (False, True)):
        data = levels(depth, slice(0, channels))
        name = f"p-{channels}-{depth}{'-interlaced' if interlaced else ''}.png"
        space = ("b-w" if depth == 8 else "grey16") if channels < 3 else ("srgb" if depth == 8 else "rgb16")
        vips(data, space).pngsave(str(IMAGES / name), interlace=interlaced, strip=True)
        even = channels % 2 == 0
        true(name, data[..., :channels - even], "gray" if channels < 3 else "rgb", data[..., -1] / (2 ** depth - 1) if even else None)
    for depth, interlaced in itertools.product((1, 2, 4), (False, True)):
        data = levels(depth, 0)
        rows = imagecodecs.packints_encode(data, depth, runlen=W)
        for transparent in (None, 1):
            name = f"p-gray-{depth}{'-clear' if transparent else ''}.png"
            png(name, depth, 0, rows, [] if transparent is None else [(b"tRNS", struct.pack(">H", transparent))])
            true(name, scaled(data, depth), "gray", None if transparent is None else (data != transparent).astype(np.float64))
        table = np.stack([np.round(np.linspace(0, 1, 2 ** depth) ** power * 255) for power in (1, 0.5, 2)], -1).astype(np.uint8)
        for clear in (False, True):
            name = f"p-palette-{depth}{'-clear' if clear else ''}.png"
            png(name, depth, 3, rows, [(b"PLTE", table.tobytes())] + ([(b"tRNS", bytes([0, 128]))] if clear else []))
            alpha = np.array([0, 128] + [255] * 254)[data] / 255 if clear else None
            true(name, table[data], "rgb", alpha)
    for depth in (8, 16):
        data = levels(depth, slice(0, 3))
        key = data[11, 13].astype(int)
        name = f"p-rgb-{depth}-clear.png"
        png(name, depth, 2, data.astype(">u2").tobytes() if depth == 16 else data.tobytes(), [(b"tRNS", struct.pack(">3H", *key))])
        true(name, data, "rgb", (data.astype(int) != key).any(-1).astype(np.float64))
    name = "p-rgb-8-gamma.png"  # gAMA alone is not believed
    png(name, 8, 2, levels(8, slice(0, 3)).tobytes(), [(b"gAMA", struct.pack(">I", 100000))])
    true(name, levels(8, slice(0, 3)), "rgb")


def png(name, depth, kind, rows, chunks):
    length = len(rows) // H
    raw = b"".join(b"\0" + rows[at * length:(at + 1) * length] for at in range(H))
    chunk = lambda tag, data: struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, kind, 0, 0, 0)), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    write(name, b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def gifs():
    for colours, interlaced, clear in itertools.product((2, 3, 16, 256), (False, True), (False, True)):
        image = PIL.Image.fromarray(levels(8, slice(0, 3))).quantize(colours)
        name = f"g-{colours}{'-interlaced' if interlaced else ''}{'-clear' if clear else ''}.gif"
        image.save(IMAGES / name, interlace=int(interlaced), **(dict(transparency=1) if clear else {}))
        index = np.array(image)
        true(name, np.array(image.convert("RGB")), "rgb", (index != 1).astype(np.float64) if clear else None)


def webps():
    for channels, quality in itertools.product((3, 4), (None, 5, 50, 95, 100)):
        data = levels(8, slice(0, channels))
        name = f"w-{channels}-{quality or 'lossless'}.webp"
        image = PIL.Image.fromarray(data)
        image.save(IMAGES / name, lossless=quality is None, exact=True, **({} if quality is None else {"quality": quality}))
        if quality is None:
            true(name, data[..., :3], "rgb", data[..., 3] / 255 if channels == 4 else None)
    for width, height in ((1, 1), (1, 33), (17, 1), (129, 67)):
        PIL.Image.fromarray(levels(8, slice(0, 3), base(height, width))).save(IMAGES / f"w-{width}x{height}.webp", quality=70)


def jxls():
    for depth, channels, distance in itertools.product((8, 16), (1, 3, 4), (None, 0.5, 3.0)):
        data = levels(depth, slice(0, channels)) if channels > 1 else levels(depth, 0)
        name = f"x-{channels}-{depth}-{distance or 'lossless'}.jxl"
        write(name, imagecodecs.jpegxl_encode(data, **(dict(lossless=True) if distance is None else dict(distance=distance))))
        if distance is None and depth == 8:  # those of 16 are written as linear light
            true(name, data if channels < 4 else data[..., :3], "gray" if channels == 1 else "rgb",
                 data[..., 3] / (2 ** depth - 1) if channels == 4 else None)


def jpegs():
    with tempfile.TemporaryDirectory() as folder:
        source, gray = f"{folder}/s.ppm", f"{folder}/g.pgm"
        for width, height in ((W, H), (129, 67), (1, 1), (8, 8), (7, 33)):
            rgb = levels(8, slice(0, 3), base(height, width))
            PIL.Image.fromarray(rgb).save(source)
            PIL.Image.fromarray(rgb[..., 0]).save(gray)
            every = ["-sample 1x1", "-sample 2x1", "-sample 2x2", "-sample 1x2", "-sample 4x1", "-sample 4x2", "-sample 1x4",
                     "-sample 2x4", "-progressive", "-arithmetic", "-arithmetic -progressive", "-restart 1B", "-restart 2",
                     "-rgb", "-rgb -progressive", "-quality 5", "-quality 100 -sample 1x1", "-grayscale", "-optimize", "-smooth 20",
                     "-sample 2x2,1x2,2x1", "-sample 1x1,2x2,1x1", "-sample 3x1", "-sample 3x2,1x1,1x1", "-sample 1x1,1x2,2x1", "-dct float",
                     "-progressive -sample 1x2", "-progressive -sample 4x1 -restart 1"]
            for words in every if (width, height) == (W, H) else every[:10]:
                name = f"j-{width}x{height}{words.replace(' ', '').replace(',', '_')}.jpg"
                run("cjpeg", *words.split(), "-outfile", IMAGES / name, source)
            run("cjpeg", "-outfile", IMAGES / f"j-{width}x{height}-gray.jpg", gray)
    cmyk = levels(8, slice(0, 4))
    for quality in (60, 95):
        PIL.Image.frombytes("CMYK", (W, H), cmyk.tobytes()).save(IMAGES / f"j-cmyk-{quality}.jpg", quality=quality)
        for step in ("444", "420", "422"):
            write(f"j-ycck-{quality}-{step}.jpg", imagecodecs.jpeg8_encode(cmyk, level=quality, colorspace="CMYK", outcolorspace="YCCK", subsampling=step))
    for step in ("444", "420", "422", "440", "411"):
        write(f"j-12-{step}.jpg", imagecodecs.jpeg8_encode(levels(12, slice(0, 3)), level=90, bitspersample=12, subsampling=step))
    write("j-12-gray.jpg", imagecodecs.jpeg8_encode(levels(12, 0), level=90, bitspersample=12))
    lossless_jpegs()


def lossless_jpegs():
    for bits in (8, 12, 16):
        for kind, data in (("gray", levels(bits, 0)), ("rgb", levels(bits, slice(0, 3)))):
            for predictor in (1, 4, 7):
                name = f"j-lossless-{kind}-{bits}-{predictor}.jpg"
                write(name, imagecodecs.jpeg8_encode(data, lossless=True, predictor=predictor, bitspersample=bits))
                true(name, scaled(data, bits), kind)


def jp2s():
    with tempfile.TemporaryDirectory() as folder:
        rgb, gray, wide = f"{folder}/rgb.ppm", f"{folder}/gray.pgm", f"{folder}/wide.tif"
        picture = base(67, 129)
        PIL.Image.fromarray(levels(8, slice(0, 3), picture)).save(rgb)
        PIL.Image.fromarray(levels(8, 0, picture)).save(gray)
        tifffile.imwrite(wide, levels(16, slice(0, 3), picture), photometric="rgb", metadata=None)
        every = ["", "-I", "-r 10", "-I -r 20,5,1", "-n 1", "-n 3 -I", "-t 32,32", "-t 50,30 -I", "-b 16,16", "-b 4,64 -I", "-c [32,32],[16,16]",
                 "-p RLCP", "-p RPCL -c [64,64]", "-p PCRL -t 64,64", "-p CPRL -I", "-SOP -EPH", "-M 1", "-M 2", "-M 4 -I", "-M 8", "-M 16",
                 "-M 32", "-M 63", "-d 13,7", "-T 5,3 -d 9,9 -t 40,40", "-ROI c=0,U=5", "-mct 0", "-mct 0 -I", "-q 30,40,50", "-TP R -t 64,64"]
        for at, words in enumerate(every):
            for kind, source in (("rgb", rgb), ("gray", gray), ("wide", wide)):
                if ("mct" in words and kind == "gray") or (kind == "wide" and at % 3):
                    continue
                suffix = ("jp2", "j2k")[at % 2]
                name = f"k-{at}-{kind}.{suffix}"
                try:
                    run("opj_compress", "-i", source, "-o", IMAGES / name, *words.split())
                except subprocess.CalledProcessError:
                    (IMAGES / name).unlink(missing_ok=True)
                    continue
                if not {"-I", "-r", "-q", "-ROI"} & set(words.split()):
                    data = levels(16 if kind == "wide" else 8, 0 if kind == "gray" else slice(0, 3), picture)
                    true(name, data, "gray" if kind == "gray" else "rgb")
    for bits in (1, 2, 4, 7, 9, 10, 12, 15):
        data = levels(bits, slice(0, 3))
        name = f"k-bits-{bits}.jp2"
        write(name, imagecodecs.jpeg2k_encode(data, reversible=True, bitspersample=bits, codecformat="jp2"))
        true(name, scaled(data, bits), "rgb")


# --- BMP

def bmps():
    eight = levels(8, slice(0, 3))
    for bits, header, down in itertools.product((1, 2, 4, 8), (12, 16, 40, 52, 56, 64, 108, 124), (False, True)):
        if down and header < 40:
            continue
        table = np.stack([np.round(np.linspace(0, 1, 2 ** bits) ** power * 255) for power in (1, 0.5, 2)], -1).astype(np.uint8)
        indices = levels(bits, 0)
        rows = rows_of(imagecodecs.packints_encode(indices, bits, runlen=W) if bits < 8 else indices.tobytes(), down)
        name = f"b-{bits}-{header}{'-down' if down else ''}.bmp"
        entries = table[:, ::-1] if header == 12 else np.pad(table[:, ::-1], ((0, 0), (0, 1)))
        bmp(name, header, bits, 0, rows, entries.tobytes(), down)
        true(name, table[indices], "rgb")
    for header, down in itertools.product((12, 40, 64, 124), (False, True)):
        if down and header < 40:
            continue
        bmp(f"b-24-{header}{'-down' if down else ''}.bmp", header, 24, 0, rows_of(eight[..., ::-1].tobytes(), down), b"", down)
        true(f"b-24-{header}{'-down' if down else ''}.bmp", eight, "rgb")
    masks()
    for bits, compression, header in ((8, 1, 40), (4, 2, 40), (8, 1, 64), (4, 2, 64), (24, 4, 64)):
        runs(bits, compression, header)


def rows_of(data, down):
    length = len(data) // H
    rows = [data[at * length:(at + 1) * length].ljust((length + 3) // 4 * 4, b"\0") for at in range(H)]
    return b"".join(rows if down else rows[::-1])


def bmp(name, header, bits, compression, body, palette=b"", down=False, masks=()):
    if header == 12:
        fields = struct.pack("<HHHH", W, H, 1, bits)
    else:
        fields = struct.pack("<iiHHIIiiII", W, -H if down else H, 1, bits, compression, len(body), 2835, 2835, 0, 0)
        between = struct.pack(f"<{len(masks)}I", *masks)
        fields = (fields + between if header != 40 else fields).ljust(header - 4, b"\0")[:header - 4]
        palette = between + palette if header == 40 else palette
    start = 14 + header + len(palette)
    write(name, b"BM" + struct.pack("<IHHII", start + len(body), 0, 0, start, header) + fields + palette + body)


def masks():
    layouts = {"555": (16, (5, 10), (5, 5), (5, 0)), "565": (16, (5, 11), (6, 5), (5, 0)), "444": (16, (4, 8), (4, 4), (4, 0)),
               "1555": (16, (5, 10), (5, 5), (5, 0), (1, 15)), "4444": (16, (4, 8), (4, 4), (4, 0), (4, 12)), "332": (16, (3, 5), (3, 2), (2, 0)),
               "888": (32, (8, 16), (8, 8), (8, 0)), "bgr": (32, (8, 0), (8, 8), (8, 16)), "8888": (32, (8, 16), (8, 8), (8, 0), (8, 24)),
               "101010": (32, (10, 20), (10, 10), (10, 0)), "2101010": (32, (10, 20), (10, 10), (10, 0), (2, 30)), "111110": (32, (11, 21), (11, 10), (10, 0))}
    for (label, (bits, *fields)), header in itertools.product(layouts.items(), (40, 52, 56, 108, 124)):
        if len(fields) == 4 and header in (40, 52):
            continue
        pixels, shown = np.zeros((H, W), np.uint32), []
        for channel, (width, shift) in enumerate(fields):
            values = levels(width, channel).astype(np.uint32)
            pixels |= values << shift
            shown.append(np.floor(values * 255.0 / (2 ** width - 1) + 0.5))
        body = rows_of(pixels.astype("<u2" if bits == 16 else "<u4").tobytes(), False)
        words = [(2 ** width - 1) << shift for width, shift in fields]
        name = f"b-{label}-{header}.bmp"
        bmp(name, header, bits, 3, body, masks=words[:3] if header in (40, 52) else words)
        true(name, np.dstack(shown[:3]).astype(np.uint8), "rgb", shown[3] / 255 if len(fields) == 4 else None)


def runs(bits, compression, header):
    """Runs, literals, and a picture's parts stepped over."""
    rgb = bits == 24
    indices = (levels(8, 0) >> 4 << 4) if bits == 8 else levels(4, 0) >> 2 << 2
    table = np.stack([np.arange(2 ** min(bits, 8)) * 3 % 256, np.arange(2 ** min(bits, 8)) * 7 % 256, 255 - np.arange(2 ** min(bits, 8))], -1).astype(np.uint8)
    colours = (levels(8, slice(0, 3)) >> 5 << 5) if rgb else table[indices]
    code, shown = bytearray(), colours.copy()
    for row in range(H - 1, -1, -1):
        at = 0
        if row == H // 2:  # nothing of this row
            code += b"\0\0"
            shown[row] = 0 if rgb else table[0]
            continue
        if row == 3:  # the left part stepped over
            code += bytes((0, 2, 10, 0))
            shown[row, :10] = 0 if rgb else table[0]
            at = 10
        while at < W:
            same = 1
            while at + same < W and (colours[row, at + same] == colours[row, at]).all():
                same += 1
            if same >= 3 or W - at < 3:
                code += bytes([same]) + (colours[row, at, ::-1].tobytes() if rgb else bytes([indices[row, at] * (17 if bits == 4 else 1)]))
                at += same
                continue
            count = min(W - at, 7)
            part = colours[row, at:at + count, ::-1].tobytes() if rgb else indices[row, at:at + count].tobytes() if bits == 8 else \
                bytes(np.pad(indices[row, at:at + count], (0, count % 2)).reshape(-1, 2) @ np.array([16, 1], np.uint8))
            code += bytes((0, count)) + part + bytes(len(part) % 2)
            at += count
        code += b"\0\0"
    code += b"\0\1"
    name = f"b-runs-{bits}-{header}.bmp"
    bmp(name, header, bits, compression, bytes(code), b"" if rgb else np.pad(table[:, ::-1], ((0, 0), (0, 1))).tobytes())
    true(name, shown, "rgb")


def main():
    global IMAGES, TRUTH
    folder = pathlib.Path(sys.argv[1])
    IMAGES, TRUTH = folder / "images", folder / "truth"
    for place in (IMAGES, TRUTH):
        place.mkdir(parents=True)
    for makes in (tiffs, pngs, gifs, webps, jxls, jpegs, jp2s, bmps):
        makes()
    print(f"{len(list(IMAGES.iterdir()))} files, the pixels of {len(list(TRUTH.iterdir()))} known")


if __name__ == "__main__":
    main()
