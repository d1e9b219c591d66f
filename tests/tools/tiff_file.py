"""TIFF files by hand, for what no library writes."""
import struct


def assembled(fields, body):
    """A classic little-endian TIFF of one directory, `body` at offset 8."""
    data = bytearray(b"II*\0" + struct.pack("<I", 0) + body)
    data += bytes(len(data) % 2)
    entries = b""
    for tag, kind, count, value in sorted(fields, key=lambda field: field[0]):
        if isinstance(value, int):
            value = struct.pack("<HH" if kind == 3 else "<I", *((value, 0) if kind == 3 else (value,)))
        elif len(value) > 4:
            data += value + bytes(len(value) % 2)
            value = struct.pack("<I", len(data) - len(value) - len(value) % 2)
        entries += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    data[4:8] = struct.pack("<I", len(data))
    return bytes(data + struct.pack("<H", len(fields)) + entries + bytes(4))
