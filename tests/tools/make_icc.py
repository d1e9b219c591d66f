#!/usr/bin/env python3
"""Writes fixtures/icc: small profiles of matrices, curves and tables, and what LittleCMS makes of them.

Needs Pillow (its ImageCms is LittleCMS 2). Each `NAME.icc` has a `NAME.txt`: lines of
`in in in > out out out` (one sample a side for gray, four in for inks), 8 bit, relative colorimetric
with black-point compensation to sRGB (gray to gray with sRGB's curve), without precalculated tables.
`NAME-perceptual.txt` is the same by the perceptual intent, where the profile has tables for it.

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


def lightness_curve_tag(nodes=1024):
    """The inverse of L*: level of a device that is spaced by lightness -> luminance."""
    def luminance(share):
        root = (share * 100 + 16) / 116
        return root ** 3 if root > 24 / 116 else (root - 16 / 116) * 108 / 841
    values = [round(65535 * luminance(i / (nodes - 1))) for i in range(nodes)]
    return b"curv\0\0\0\0" + struct.pack(f">I{nodes}H", nodes, *values)


def lab_of(xyz_):
    f = lambda t: t ** (1 / 3) if t > 216 / 24389 else (t * 24389 / 27 + 16) / 116
    x, y, z = (f(v / w) for v, w in zip(xyz_, D50))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def lab16(lab):
    """L*a*b* as tables of version 2 hold it."""
    l, a, b = lab
    clip = lambda v: max(0, min(65535, round(v)))
    return clip(l * 652.80), clip((a + 128) * 256), clip((b + 128) * 256)


def table16(inputs, outputs, side, curve, value):
    """An mft2 tag: `curve` on every input, `value` at every node."""
    steps = 33
    bent = [round(65535 * curve(i / (steps - 1))) for i in range(steps)]
    body = b"mft2\0\0\0\0" + bytes((inputs, outputs, side, 0))
    body += b"".join(s15(float(i == j)) for i in range(3) for j in range(3))
    body += struct.pack(">HH", steps, 2) + struct.pack(f">{steps}H", *bent) * inputs
    for node in range(side ** inputs):
        at = [node // side ** (inputs - 1 - i) % side / (side - 1) for i in range(inputs)]
        body += struct.pack(f">{outputs}H", *value(at))
    return body + struct.pack(">HH", 0, 65535) * outputs


# What a full layer of each ink leaves of red, green and blue light.
LAYERS = ((0.02, 0.40, 0.62), (0.55, 0.03, 0.18), (0.88, 0.72, 0.03), (0.03, 0.03, 0.028))


def printed(inks):
    """L*a*b* of dots of these sizes, one ink over the other, relative to the paper."""
    light = [1.0, 1.0, 1.0]
    for size, left in zip(inks, LAYERS):
        light = [v * (1 - size * (1 - t)) for v, t in zip(light, left)]
    return lab_of(apply(colorants(P3, D65), light))


def softened(lab):
    """As a maker of perceptual tables might: no deep blacks, less colour."""
    l, a, b = lab
    return 6 + 0.94 * l, 0.9 * a, 0.9 * b


def separated(at):
    """Inks for L*a*b*, of which only black counts here."""
    l = min(1.0, at[0] * 65535 / 65280)
    k = max(0.0, 1 - 1.6 * l)
    return [round(65535 * v) for v in (0.7 * (1 - l), 0.6 * (1 - l), 0.6 * (1 - l), k)]


def inks_profile(name):
    gain = lambda size: size + 0.5 * size * (1 - size)
    tags = [(b"A2B0", table16(4, 3, 7, gain, lambda at: lab16(softened(printed(at))))),
            (b"A2B1", table16(4, 3, 7, gain, lambda at: lab16(printed(at)))),
            (b"B2A0", table16(3, 4, 5, lambda v: v, separated))]
    return profile(b"CMYK", name, tags, b"prtr", b"Lab ")


def scanner_profile(name):
    def seen(at):
        r, g, b = at
        light = [0.01 + 0.95 * r, 0.012 + 0.03 * r + 0.94 * g, 0.01 + 0.05 * g + 0.9 * b]
        return lab16(lab_of(apply(colorants(P3, D65), light)))
    tags = [(b"A2B0", table16(3, 3, 13, lambda v: v ** 1.9, seen))]
    return profile(b"RGB ", name, tags, b"scnr", b"Lab ")


def profile(space, name, tags, kind=b"mntr", connection=b"XYZ "):
    tags = [(b"desc", text_tag(name)), (b"cprt", b"text\0\0\0\0CC0\0"), (b"wtpt", xyz_tag(D50))] + tags
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for signature, data in tags:
        data += bytes(-len(data) % 4)
        table += signature + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s12s4s4sIIIIII", offset + len(body), b"\0\0\0\0", 0x02400000,
                         kind, space, connection, struct.pack(">6H", 2024, 1, 1, 0, 0, 0), b"acsp",
                         b"\0\0\0\0", 0, 0, 0, 0, 0, 1)
    header += b"".join(s15(v) for v in D50)
    return header + bytes(128 - len(header)) + table + body


def lab_profile():
    """L*a*b* as LittleCMS describes them, at a fixed date."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    data[24:36] = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    return bytes(data)


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
    "gray-lightness": gray_profile("gray by lightness", lightness_curve_tag()),
    "gray-srgb": gray_profile("sRGB's gray", srgb_curve_tag()),
    "eci": rgb_profile("eciRGB", [(0.67, 0.33), (0.21, 0.71), (0.14, 0.08)], (0.3457, 0.3585),
                       lightness_curve_tag()),
    "scanner": scanner_profile("A scanner's tables"),
    "inks": inks_profile("Press with dot gain"),
    "lab": lab_profile(),
}
# No tables worked out beforehand; black-point compensation.
FLAGS = 0x0100 | 0x2000


def convert(data, mode, pixels, intent):
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    target = ImageCms.createProfile("sRGB") if mode != "L" else ImageCms.ImageCmsProfile(
        io.BytesIO(PROFILES["gray-srgb"]))
    out = "L" if mode == "L" else "RGB"
    transform = ImageCms.buildTransform(source, target, mode, out, renderingIntent=intent, flags=FLAGS)
    image = Image.new(mode, (len(pixels), 1))
    image.putdata(pixels)
    return list(ImageCms.applyTransform(image, transform).getdata())


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    levels = (0, 8, 40, 100, 128, 200, 255)
    cube = [(r, g, b) for r in levels for g in levels for b in levels]
    coarse = (0, 30, 100, 190, 255)
    lab = [(l, a, b) for l in (0, 40, 128, 200, 255) for a in (40, 100, 128, 160, 220)
           for b in (40, 100, 128, 160, 220)]
    inks = [(c, m, y, k) for c in coarse for m in coarse for y in coarse for k in coarse]
    for name, data in PROFILES.items():
        (HERE / f"{name}.icc").write_bytes(data)
        mode = "L" if name.startswith("gray") else {"inks": "CMYK", "lab": "LAB"}.get(name, "RGB")
        pixels = {"L": list(range(0, 256, 5)), "CMYK": inks, "LAB": lab, "RGB": cube}[mode]
        words = (lambda p: str(p)) if mode == "L" else (lambda p: " ".join(map(str, p)))
        for intent, suffix in ((1, ""), (0, "-perceptual")):
            if intent == 0 and (b"A2B0" not in data[:512] or name == "lab"):
                continue
            result = convert(data, mode, pixels, intent)
            lines = [f"{words(a)} > {words(b)}" for a, b in zip(pixels, result)]
            (HERE / f"{name}{suffix}.txt").write_text("\n".join(lines) + "\n")


main()
