"""Draws the pictures that tests/tools/heif.sh codes: waves of colour with hard edges, as PNG."""

import math
import struct
import sys
import zlib


def png(path, width, height, channels, pixel, depth=8):
    """Writes a PNG whose samples are given by pixel(x, y); those of 16 bits byte by byte."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in pixel(x, y)) for y in range(height)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    kind = {1: 0, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head))
        file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def colour(x, y):
    """Waves of three lengths, a dark square and a bright corner."""
    if 20 <= x < 36 and 12 <= y < 30:
        return (30, 60, 200)
    if x >= 70 and y >= 50:
        return (250, 240, 120)

    def wave(a, b, c):
        return round(127.5 + 120 * math.sin(a * x + b * y + c))

    return (wave(0.09, 0.02, 0), wave(-0.03, 0.11, 1), wave(0.05, 0.06, 3))


def main(folder):
    """Writes all of them."""
    png(f"{folder}/picture.png", 93, 71, 3, colour)
    png(f"{folder}/other.png", 93, 71, 3, lambda x, y: colour(y, x))
    png(f"{folder}/opacity.png", 93, 71, 4, lambda x, y: (*colour(x, y), x * 255 // 92))
    png(f"{folder}/gray.png", 93, 71, 1, lambda x, y: colour(x, y)[:1])
    png(f"{folder}/deep.png", 93, 71, 1, lambda x, y: (colour(x, y)[0], 64 * (x & 3)), 16)
    png(f"{folder}/wide.png", 256, 160, 3, lambda x, y: colour(x // 2, y // 2))


main(sys.argv[1])
