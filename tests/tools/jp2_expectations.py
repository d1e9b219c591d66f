"""Decodes JPEG 2000 fixtures with opj_decompress at every reduction; prints a digest of each.

Columns: file, divisor, width, height, channels, bits, CRC-32 of the samples. Samples are scaled to
the full range of 8 or 16 bits (rounded to nearest), interleaved, two bytes each, lowest first.
"""

import pathlib
import struct
import subprocess
import sys
import zlib

# File, and whether the program gets its boxes too.
FILES = [
    ("p0_01.j2k", False), ("p0_02.j2k", False), ("p0_03.j2k", False), ("p0_09.j2k", False),
    ("p0_10.j2k", False), ("p0_11.j2k", False), ("p0_12.j2k", False), ("p0_14.j2k", False),
    ("p0_16.j2k", False), ("p1_01.j2k", False), ("p1_06.j2k", False),
    ("validator.jp2", False), ("file9.jp2", True),
    ("jp2-5res-rgb-64x56x8-monotiled-lossy.jp2", False),
    ("jp2-6res-rgb-64x56x16-multitiled-lossy.jp2", False),
    ("jp2-6res-rgb-64x56x16-multitiled-reversible.jp2", False),
    ("jp2-6res-rgb-64x56x8-multitiled-lossy.jp2", False),
    ("jp2-6res-rgba-64x56x8-multitiled-reversible.jp2", False),
    ("jp2-6res-rgba-64x56x16-monotiled-lossy.jp2", False),
    ("offsets-97.j2k", False), ("offsets-53.j2k", False), ("untiled-97.j2k", False),
    ("untiled-53.jp2", False), ("high-throughput.j2c", False),
]


def codestream(data):
    """The contents of the code stream box, or the data itself."""
    if data[:2] == b"\xff\x4f":
        return data
    position = 0
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        header = 8
        if length == 1:
            length, header = struct.unpack(">Q", data[position + 8:position + 16])[0], 16
        if length == 0:
            length = len(data) - position
        if kind == b"jp2c":
            return data[position + header:position + length]
        position += length
    raise ValueError("no code stream")


def components(stream):
    """Bits and sign of each component, from SIZ."""
    count = struct.unpack(">H", stream[40:42])[0]
    depths = stream[42:42 + 3 * count:3]
    return [((depth & 0x7F) + 1, bool(depth & 0x80)) for depth in depths]


def planes(file, reduction, work, count):
    """One PGX file for each component, parsed: width, height, bits, samples from 0 up."""
    for old in pathlib.Path(work).glob("out*"):
        old.unlink()
    done = subprocess.run(
        ["opj_decompress", "-i", file, "-r", str(reduction), "-o", f"{work}/out.pgx"],
        capture_output=True, check=False)
    if done.returncode != 0:
        return None
    return [pgx(pathlib.Path(f"{work}/out_{index}.pgx").read_bytes()) for index in range(count)]


def pgx(data):
    head, body = data.split(b"\n", 1)
    _, order, *numbers = head.replace(b"+", b"+ ").replace(b"-", b"- ").split()
    sign, bits, width, height = numbers[0], *map(int, numbers[1:])
    signed = sign == b"-"
    size = 1 if bits <= 8 else 2
    code = (">" if order == b"ML" else "<") + str(width * height)
    code += ("b" if signed else "B") if size == 1 else ("h" if signed else "H")
    samples = struct.unpack(code, body[:width * height * size])
    lowest = -(1 << (bits - 1)) if signed else 0
    return width, height, bits, [sample - lowest for sample in samples]


def digest(parts, full):
    scaled = []
    for _, _, bits, samples in parts:
        highest = (1 << bits) - 1
        scaled.append([(sample * full + highest // 2) // highest for sample in samples])
    interleaved = [sample for pixel in zip(*scaled) for sample in pixel]
    return zlib.crc32(struct.pack(f"<{len(interleaved)}H", *interleaved))


def main(folder, work):
    print("# file divisor width height channels bits crc32; see tests/tools/jp2_expectations.py")
    for name, with_boxes in FILES:
        data = pathlib.Path(folder, name).read_bytes()
        stream = codestream(data)
        count = 3 if with_boxes else len(components(stream))
        file = str(pathlib.Path(folder, name))
        if not with_boxes:
            file = f"{work}/stream.j2k"
            pathlib.Path(file).write_bytes(stream)
        for reduction in range(1 if with_boxes else 33):
            parts = planes(file, reduction, work, count)
            if parts is None:
                break
            width, height, _, _ = parts[0]
            bits = max(part[2] for part in parts)
            full = 255 if bits <= 8 else 65535
            print(name, 1 << reduction, width, height, count, bits, f"{digest(parts, full):08x}")


main(*sys.argv[1:])
