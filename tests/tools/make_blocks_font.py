#!/usr/bin/env python3
"""Writes fixtures/overlay/blocks.ttf: a font of blocks, so that tests know every pixel of a text.

A is a full square, B its left half, the space is half as wide; there are no other letters.
Run: python3 tests/tools/make_blocks_font.py
"""

import pathlib
import struct

EM = 1000


def glyph(width):
    """A rectangle from the base line to the top; clockwise, all points on the curve."""
    head = struct.pack(">hhhhh", 1, 0, 0, width, EM)
    ends = struct.pack(">HH", 3, 0)
    flags = bytes([1, 1, 1, 1])
    across = struct.pack(">hhhh", 0, 0, width, 0)
    down = struct.pack(">hhhh", 0, EM, 0, -EM)
    data = head + ends + flags + across + down
    return data + b"\0" * (-len(data) % 4)


def cmap(pairs):
    """Format 4, a segment for each letter."""
    pairs = sorted(pairs) + [(0xFFFF, 0)]
    count = len(pairs)
    codes = [code for code, _ in pairs]
    deltas = [(number - code) & 0xFFFF for code, number in pairs[:-1]] + [1]
    body = struct.pack(f">{count}H", *codes) + b"\0\0"
    body += struct.pack(f">{count}H", *codes)
    body += struct.pack(f">{count}H", *deltas) + struct.pack(f">{count}H", *[0] * count)
    power = 1 << (count.bit_length() - 1)
    search = (2 * power, power.bit_length() - 1, 2 * count - 2 * power)
    table = struct.pack(">HHHHHHH", 4, 14 + len(body), 0, 2 * count, *search) + body
    return struct.pack(">HHHHI", 0, 1, 3, 1, 12) + table


def font():
    glyphs = [b"", b"", glyph(EM), glyph(EM // 2)]
    advances = [EM, EM // 2, EM, EM]
    offsets = [0]
    for data in glyphs:
        offsets.append(offsets[-1] + len(data))
    tables = {
        b"cmap": cmap([(ord(" "), 1), (ord("A"), 2), (ord("B"), 3)]),
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            0x10000, 0x10000, 0, 0x5F0F3CF5, 0, EM, 0, 0, 0, 0, EM, EM, 0, 8, 2, 1, 0,
        ),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, EM, 0, 0, EM, 0, 0, EM, *[0] * 8, len(glyphs)),
        b"hmtx": b"".join(struct.pack(">Hh", advance, 0) for advance in advances),
        b"loca": struct.pack(f">{len(offsets)}I", *offsets),
        b"maxp": struct.pack(">IH", 0x10000, len(glyphs)) + struct.pack(">13H", 4, 1, *[0] * 11),
    }
    count = len(tables)
    head = struct.pack(">IHHHH", 0x10000, count, 64, 2, 16 * count - 64)
    offset = len(head) + 16 * count
    entries, body = b"", b""
    for tag, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        entries += struct.pack(">4sIII", tag, total, offset + len(body), len(data))
        body += padded
    return head + entries + body


if __name__ == "__main__":
    path = pathlib.Path(__file__).parents[2] / "fixtures/overlay/blocks.ttf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(font())
