#!/usr/bin/env python3
"""Writes fixtures/icc: small matrix and gray profiles, and what LittleCMS makes of them.

Needs Pillow (its ImageCms is LittleCMS 2). Each `NAME.icc` has a `NAME.txt`: lines of
`in in in > out out out` (one sample a side for gray), 8 bit, relative colorimetric to sRGB
(gray to gray with sRGB's curve), without precalculated tables.

    python3 tests/tools/make_icc.py
"""

import io
import pathlib
import struct

from PIL import Image, ImageCms

HERE = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "icc"
D50 = (0.9642, 1.0, 0.8249)
D65 = (0.3127, 0.3290)
BRADFORD = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]


def multiply(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(3)) for j in range(3)] for i in range(3)]


def apply(a, v):
    return [sum(a[i][k] * v[k] for k in range(3)) for i in range(3)]


def inverse(m):
    (a, b, c), (d, e, f), (g, h, i) = m
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    rows = [[e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d]]
    return [[x / det for x in row] for row in rows]


def xyz(x, y):
    return (x / y, 1.0, (1 - x - y) / y)


def colorants(primaries, white):
    """Columns: red, green, blue in XYZ, adapted to D50 by Bradford."""
    columns = [xyz(*p) for p in primaries]
    m = [[columns[j][i] for j in range(3)] for i in range(3)]
    scale = apply(inverse(m), xyz(*white))
    m = [[m[i][j] * scale[j] for j in range(3)] for i in range(3)]
    source, target = apply(BRADFORD, xyz(*white)), apply(BRADFORD, D50)
    gain = [[target[i] / source[i] if i == j else 0 for j in range(3)] for i in range(3)]
    adapt = multiply(inverse(BRADFORD), multiply(gain, BRADFORD))
    return multiply(adapt, m)


def s15(value):
    return struct.pack(">i", round(value * 65536))


def xyz_tag(values):
    return b"XYZ \0\0\0\0" + b"".join(s15(v) for v in values)


def gamma_tag(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def srgb_curve_tag():
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(s15(v) for v in values)


def text_tag(text):
    raw = text.encode("ascii") + b"\0"
    body = b"desc\0\0\0\0" + struct.pack(">I", len(raw)) + raw
    return body + struct.pack(">II", 0, 0) + struct.pack(">HB", 0, 0) + bytes(67)


def profile(space, name, tags):
    tags = [(b"desc", text_tag(name)), (b"cprt", b"text\0\0\0\0CC0\0"), (b"wtpt", xyz_tag(D50))] + tags
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for signature, data in tags:
        data += bytes(-len(data) % 4)
        table += signature + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s12s4s4sIIIIII", offset + len(body), b"\0\0\0\0", 0x02400000,
                         b"mntr", space, b"XYZ ", struct.pack(">6H", 2024, 1, 1, 0, 0, 0), b"acsp",
                         b"\0\0\0\0", 0, 0, 0, 0, 0, 1)
    header += b"".join(s15(v) for v in D50)
    return header + bytes(128 - len(header)) + table + body


def rgb_profile(name, primaries, white, curve):
    m = colorants(primaries, white)
    tags = [(n, xyz_tag([m[i][j] for i in range(3)])) for j, n in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    return profile(b"RGB ", name, tags + [(n, curve) for n in (b"rTRC", b"gTRC", b"bTRC")])


def gray_profile(name, curve):
    return profile(b"GRAY", name, [(b"kTRC", curve)])


P3 = [(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)]
PROFILES = {
    "srgb": rgb_profile("Another sRGB", [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)], D65, srgb_curve_tag()),
    "adobe": rgb_profile("Adobe RGB (1998)", [(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], D65, gamma_tag(2.19921875)),
    "p3": rgb_profile("Display P3", P3, D65, srgb_curve_tag()),
    "prophoto": rgb_profile("ProPhoto", [(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)],
                            (0.3457, 0.3585), gamma_tag(1.8)),
    "gray-1.8": gray_profile("gray gamma 1.8", gamma_tag(1.8)),
    "gray-2.2": gray_profile("gray gamma 2.2", gamma_tag(2.2)),
    "gray-srgb": gray_profile("sRGB's gray", srgb_curve_tag()),
}
NO_PRECALC = 0x0100


def convert(data, mode, pixels):
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    target = ImageCms.createProfile("sRGB") if mode == "RGB" else ImageCms.ImageCmsProfile(
        io.BytesIO(PROFILES["gray-srgb"]))
    transform = ImageCms.buildTransform(source, target, mode, mode, renderingIntent=1, flags=NO_PRECALC)
    image = Image.new(mode, (len(pixels), 1))
    image.putdata(pixels)
    return list(ImageCms.applyTransform(image, transform).getdata())


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    levels = (0, 8, 40, 100, 128, 200, 255)
    cube = [(r, g, b) for r in levels for g in levels for b in levels]
    for name, data in PROFILES.items():
        (HERE / f"{name}.icc").write_bytes(data)
        gray = name.startswith("gray")
        pixels = list(range(0, 256, 5)) if gray else cube
        result = convert(data, "L" if gray else "RGB", pixels)
        words = (lambda p: str(p)) if gray else (lambda p: " ".join(map(str, p)))
        lines = [f"{words(a)} > {words(b)}" for a, b in zip(pixels, result)]
        (HERE / f"{name}.txt").write_text("\n".join(lines) + "\n")


main()
