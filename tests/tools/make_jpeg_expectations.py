#!/usr/bin/env python3
"""Makes the pictures of fixtures/jpeg whose names start with `made-`, and what foreign tools make of them all.

Needs libjpeg-turbo's `cjpeg` and `djpeg` (Debian: libjpeg-turbo-progs) and Pillow. Writes

- `decoded.txt`: lines of `file divisor width height channels digest`: what `djpeg -dct int` gives at
  each scale, the digest being FNV-1a (64 bits) over the samples;
- `NAME.ppm` for some: those pixels themselves;
- `encoded.txt`: lines of `channels width height subsampling quality bytes digest`: the files that
  `cjpeg -dct int` makes of the picture `pattern`;
- `oriented.txt`: lines of `file orientation`, as Pillow reads the tag.

    python3 tests/tools/make_jpeg_expectations.py
"""

import pathlib
import subprocess
import tempfile

from PIL import Image

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "jpeg"
WIDTH, HEIGHT = 203, 157

MULTIPLE = "0;\n1;\n2;\n"

# Name, channels, options of cjpeg.
MADE = (
    ("420", 3, ["-sample", "2x2"]),
    ("422", 3, ["-sample", "2x1"]),
    ("444", 3, ["-sample", "1x1"]),
    ("440", 3, ["-sample", "1x2"]),
    ("411", 3, ["-sample", "4x1"]),
    ("gray", 1, ["-grayscale"]),
    ("gray-2x2", 1, ["-grayscale", "-sample", "2x2"]),
    ("rgb", 3, ["-rgb"]),
    ("progressive-420", 3, ["-progressive", "-sample", "2x2"]),
    ("progressive-422", 3, ["-progressive", "-sample", "2x1"]),
    ("progressive-440", 3, ["-progressive", "-sample", "1x2"]),
    ("progressive-gray", 1, ["-progressive", "-grayscale"]),
    ("restart-420", 3, ["-restart", "3B", "-sample", "2x2"]),
    ("restart-444", 3, ["-restart", "1", "-sample", "1x1"]),
    ("scans-420", 3, ["-sample", "2x2", "-scans", MULTIPLE]),
    ("arithmetic-420", 3, ["-arithmetic", "-sample", "2x2"]),
)
SAMPLING = {"420": "2x2", "422": "2x1", "444": "1x1"}


def digest(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def pattern(channels, width, height):
    """Slopes, edges and a little noise; the tests make the same picture."""
    state, samples = 1, bytearray()
    for y in range(height):
        for x in range(width):
            for channel in range(channels):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                noise = (state >> 16) & 15
                edge = 60 if (x // 13 + y // 9 + channel) % 3 == 0 else 0
                samples.append((x * (channel + 1) // 2 + y // (channel + 1) + edge + noise) & 255)
    return bytes(samples)


def portable(channels, width, height):
    kind = b"P5" if channels == 1 else b"P6"
    return kind + f"\n{width} {height}\n255\n".encode() + pattern(channels, width, height)


def run(words, data):
    return subprocess.run(words, input=data, check=True, capture_output=True).stdout


def cjpeg(channels, width, height, options):
    words = ["cjpeg", "-dct", "int"]
    with tempfile.NamedTemporaryFile("w", suffix=".scans") as scans:
        for option in options:
            if option == MULTIPLE:
                scans.write(option)
                scans.flush()
            words.append(scans.name if option == MULTIPLE else option)
        return run(words, portable(channels, width, height))


def samples_of(path, divisor):
    portable_map = run(["djpeg", "-dct", "int", "-scale", f"1/{divisor}", str(path)], b"")
    kind, size, _, samples = portable_map.split(b"\n", 3)
    width, height = map(int, size.split())
    channels = 1 if kind == b"P5" else 3
    assert len(samples) == width * height * channels
    return width, height, channels, samples


def make():
    for name, channels, options in MADE:
        data = cjpeg(channels, WIDTH, HEIGHT, ["-quality", "75", *options])
        (FIXTURES / f"made-{name}.jpg").write_bytes(data)


def decoded():
    for path in sorted(FIXTURES.glob("*.jpg")):
        if path.name.startswith("no-"):
            continue
        for divisor in (1, 2, 4, 8):
            width, height, channels, samples = samples_of(path, divisor)
            yield f"{path.name} {divisor} {width} {height} {channels} {digest(samples)}"


def pixels():
    for name in ("landscape-1", "iptc"):
        data = run(["djpeg", "-dct", "int", str(FIXTURES / f"{name}.jpg")], b"")
        (FIXTURES / f"{name}.ppm").write_bytes(data)


def encoded():
    for channels, width, height, sampling, quality in (
            (3, 203, 157, "420", 80), (3, 16, 16, "420", 80), (3, 1, 1, "420", 80),
            (3, 256, 256, "420", 95), (3, 203, 157, "422", 80), (3, 203, 157, "444", 30),
            (3, 700, 300, "420", 100), (1, 203, 157, "420", 80), (1, 255, 1, "444", 50)):
        options = ["-quality", str(quality), "-sample", SAMPLING[sampling]]
        if channels == 1:
            options = ["-quality", str(quality), "-grayscale"]
        data = cjpeg(channels, width, height, options)
        yield f"{channels} {width} {height} {sampling} {quality} {len(data)} {digest(data)}"


def oriented():
    for path in sorted(FIXTURES.glob("*.jpg")):
        with Image.open(path) as picture:
            yield f"{path.name} {picture.getexif().get(0x0112, 1)}"


def write(name, lines):
    (FIXTURES / name).write_text("".join(f"{line}\n" for line in lines))


make()
pixels()
write("decoded.txt", decoded())
write("encoded.txt", encoded())
write("oriented.txt", oriented())
