#!/usr/bin/env python3
"""Compares every answer of a server with foreign decoders of the same file.

    compare.py http://HOST:PORT FOLDER --fewest FILES [--list]

Every file of FOLDER, and every page of it, is asked for whole as PNG. Right is: the size, and every pixel
within the tolerance of its class, by each of two or more decoders that read the file in full, or by what it was
made of. What is refused
has to be refused in words, and either no foreign decoder may read it or `known.py` says why. Decoders that
disagree among themselves are named in `known.py` with the reason. Prints a table of classes, then what is
wrong; ends with 1 if anything is. Names in `known.py` may be patterns.
"""
import argparse
import collections
import fnmatch
import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import imagecodecs
import numpy as np
import tifffile

import colours
import decoders
import known

#: Class → unit of difference, largest, 99th percentile, mean, and why so much.
TOLERANCES = {
    "8 bits, lossless": ("level", 0, 0, 0, "the samples themselves"),
    "16 bits, lossless": ("level", 0, 0, 0, "the samples themselves"),
    "JPEG": ("level", 2, 1, 0.25, "an inverse DCT may round either way, then YCbCr"),
    "JPEG 2000, 9-7": ("level", 2, 1, 0.25, "a wavelet of real numbers rounded at its end, then YCC"),
    "JPEG 2000, sYCC": ("level", 2, 2, 1, "YCC to RGB after the wavelet: OpenJPEG cuts off, the server rounds"),
    "JPEG XL": ("level", 2, 1, 0.25, "filters and XYB in real numbers, rounded at the end"),
    "WebP, lossy": ("level", 2, 1, 0.5, "YCbCr by tables of different precision"),
    "AVIF": ("level", 3, 2, 1.1, "YCbCr by different precision, and what lies between its colour differences"),
    "floating point": ("level", 0.06, 0.03, 0.01, "sRGB's curve in 16 bits: 15 of 65535"),
    "by a profile": ("dE00", 1.5, 0.75, 0.4, "grids of tables, and 8 bits on the way"),
    "inks": ("dE00", 2.5, 1.2, 0.5, "grids of the profile's tables, and 8 bits on the way"),
    "inks without a profile": ("dE00", 8, 5, 0.8, "which press is guessed; a grid of 9 knots a side stands for it"),
    "L*a*b*": ("dE00", 1.0, 0.5, 0.2, "8 bits on the way"),
}
MASKED = "BMP, bits under masks"
TOLERANCES[MASKED] = ("level", 1, 1, 1, "5 and 6 bits become 8 by rounding, by cutting off or by repeating bits")
ROUNDED = "opacity multiplied in"
TOLERANCES[ROUNDED] = ("level", 1, 1, 1, "a division that some round and some cut off")


class Answer:
    """What the server says to one request."""

    def __init__(self, address, identifier):
        url = f"{address}/iiif/3/{urllib.parse.quote(identifier, safe='')}/full/max/0/default.png"
        self.words, self.pixels = "", None
        try:
            with urllib.request.urlopen(url, timeout=300) as answer:
                self.status, body = answer.status, answer.read()
                array = imagecodecs.png_decode(body)
                self.pixels = array[..., None] if array.ndim == 2 else array
        except urllib.error.HTTPError as error:
            self.status, body = error.code, error.read()
            self.typed = error.headers.get_content_type() == "application/problem+json"
            try:
                self.words = json.loads(body)["detail"]
            except (ValueError, KeyError):
                self.typed = False

    def shown(self):
        """sRGB and opacity from 0 to 1."""
        array = self.pixels / np.iinfo(self.pixels.dtype).max
        count = 1 if array.shape[-1] < 3 else 3
        rgb = array[..., :count]
        rgb = np.repeat(rgb, 3, -1) if count == 1 else rgb
        return rgb, array[..., count] if array.shape[-1] > count else np.ones(array.shape[:2])


class Found:
    """What came of one page of one file."""

    def __init__(self, name):
        self.name, self.kind, self.faults, self.notes, self.differences = name, None, [], [], {}
        self.references = 0
        #: Whether the server's pixels are those that the file was made of: then a decoder that differs is wrong.
        self.is_known, self.disbelieved = False, []


def kind_of(path, page, how, depth):
    with open(path, "rb") as file:
        data = file.read()
    format_ = decoders.kind_of(data)
    if how == "lab":
        return "L*a*b*"
    if how in ("inks", "inks without a profile"):
        return how
    if how == "profile":
        return "by a profile"
    if how == "linear":
        return "floating point"
    if format_ == "tiff":
        with tifffile.TiffFile(path) as file:
            tags = file.pages[page - 1].tags
            compression = int(tags[259].value) if 259 in tags else 1
            if compression in (6, 7):
                return "JPEG"
            if compression == 50001:
                return "WebP, lossy"
            if 338 in tags and 1 in np.atleast_1d(tags[338].value):
                return ROUNDED
    if format_ == "jp2":
        if re.search(decoders.SYCC, data, re.S):
            return "JPEG 2000, sYCC"
        at = data.index(b"\xff\x52")
        if data[at + 13] == 0:
            return "JPEG 2000, 9-7"
    if format_ == "bmp" and data[14] != 12 and (data[28] == 16 or data[30] in (3, 6)):
        return MASKED
    if format_ == "jpeg":
        return "JPEG"
    if format_ == "webp" and b"VP8 " in data[:4096]:
        return "WebP, lossy"
    if format_ == "jxl":
        return "JPEG XL"
    if format_ == "avif":
        return "AVIF"
    return "16 bits, lossless" if depth > 8 else "8 bits, lossless"


def difference(unit, ours, theirs):
    """Of every pixel; colours under no opacity count for nothing."""
    (rgb, alpha), (their_rgb, their_alpha) = ours, theirs
    seen = (alpha > 0) | (their_alpha > 0)
    if unit == "dE00":
        apart = colours.delta_e(rgb, their_rgb)
    else:
        apart = np.abs(rgb - their_rgb).max(-1) * 255
    return np.maximum(np.where(seen, apart, 0), np.abs(alpha - their_alpha) * 255)


def references(path, page, notes):
    found = {}
    for name in decoders.ALL:
        try:
            found[name] = decoders.apart(name, str(path), page)
        except decoders.Unread as error:
            notes.append(f"{name}: {error}")
    return found


def of_name(entries, name):
    """What is known of a name, or of a pattern that it matches."""
    return next((entry for pattern, entry in entries.items() if fnmatch.fnmatchcase(name, pattern)), None)


def look(address, folder, path, page):
    """The page's outcome, and whether there may be another page."""
    name = path.relative_to(folder).as_posix()
    found = Found(name if page == 1 else f"{name};{page}")
    answer = Answer(address, found.name)
    if page > 1 and answer.status == 404:
        return None
    found.status = answer.status
    same = known.SAME.get(found.name)
    theirs = references(folder / same if same else path, page, found.notes)
    refused = of_name(known.REFUSED, found.name)
    if answer.status != 200:
        found.kind = f"refused, {answer.status}"
        found.words = answer.words
        if not answer.typed or answer.status not in (415, 500, 501):
            found.faults.append(f"{answer.status} is no answer to a file: {answer.words}")
        elif refused is None and theirs:
            found.faults.append(f"{answer.status} \"{answer.words}\", but read by {', '.join(theirs)}")
        elif refused is not None and refused[0] != answer.status:
            found.faults.append(f"{answer.status}, not {refused[0]}: {answer.words}")
        return found
    if refused is not None:
        found.faults.append(f"200, but is to be refused: {refused[1]}")
    ignored = of_name(known.WRONG, found.name) or {}
    alone = of_name(known.ALONE, found.name)
    turn = decoders.orientation(path)
    ours = answer.shown()
    depth = 8 * answer.pixels.dtype.itemsize
    for name, decoded in theirs.items():
        if name in ignored:
            continue
        try:
            rgb, alpha, how = decoded.shown()
        except Exception as error:
            found.notes.append(f"{name}: shown: {error}")
            continue
        rgb, alpha = decoders.upright(rgb, turn), decoders.upright(alpha, turn)
        # One class a page, whatever some decoder takes it for.
        found.kind = kind = found.kind or kind_of(path, page, how, depth)
        found.references += 1
        if alpha.shape != ours[1].shape:
            found.faults.append(f"{ours[1].shape[1]}x{ours[1].shape[0]}, by {name} {alpha.shape[1]}x{alpha.shape[0]}")
            continue
        unit, most, p99, mean, _ = TOLERANCES[kind]
        apart = difference(unit, ours, (rgb, alpha))
        figures = apart.max(), np.percentile(apart, 99), apart.mean()
        found.differences[name] = figures
        if any(figure > limit + 1e-6 for figure, limit in zip(figures, (most, p99, mean))):
            if found.is_known:
                found.disbelieved.append(name)
                del found.differences[name]
                continue
            found.faults.append(f"{kind}: max {figures[0]:.2f}, p99 {figures[1]:.2f}, mean {figures[2]:.3f} {unit} from {name}")
        elif name == "maker":
            found.is_known = True
    if found.references < 2 and alone is None and not found.is_known:
        found.faults.append(f"compared with {found.references} decoders: {'; '.join(found.notes)}")
    found.kind = found.kind or "compared with none"
    return found


def pages(address, folder, path):
    page = 1
    while True:
        found = look(address, folder, path, page)
        if found is None:
            return
        yield found
        if decoders.kind_of(path.read_bytes()[:16]) != "tiff" or found.status != 200:
            return
        page += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--fewest", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    words = parser.parse_args()
    files = sorted(path for path in words.folder.rglob("*") if path.is_file())
    found = [one for path in files for one in pages(words.address, words.folder, path)]
    if words.list:
        for one in found:
            figures = "; ".join(f"{name} {figures[0]:.2f} {figures[1]:.2f} {figures[2]:.3f}" for name, figures in one.differences.items())
            print(f"{one.name}\t{one.kind}\t{figures}\t{getattr(one, 'words', '')}\t{'; '.join(one.notes)}")
    table(found)
    compared = sum(one.references >= 2 or one.is_known for one in found)
    for name in decoders.ALL:
        count = sum(name in one.disbelieved for one in found)
        if count:
            print(f"{name} differs from what is known, and the server does not: {count} pages")
    faults = [f"{one.name}: {fault}" for one in found for fault in one.faults]
    if compared < words.fewest:
        faults.append(f"only {compared} pages were compared with two decoders, at least {words.fewest} are wanted")
    print(f"\n{len(files)} files, {len(found)} pages, {compared} of them compared with two decoders or with what they were made of")
    for fault in faults:
        print(f"wrong: {fault}")
    sys.exit(1 if faults else 0)


def table(found):
    classes = collections.defaultdict(list)
    for one in found:
        classes[one.kind].append(one)
    print(f"{'class':28}{'pages':>6}{'unit':>7}{'max':>8}{'p99':>8}{'mean':>8}   allowed: max, p99, mean, for")
    for kind, ones in sorted(classes.items()):
        figures = [figures for one in ones for figures in one.differences.values()]
        if kind in TOLERANCES and figures:
            unit, *limits, why = TOLERANCES[kind]
            largest = [max(figure[at] for figure in figures) for at in range(3)]
            print(f"{kind:28}{len(ones):>6}{unit:>7}" + "".join(f"{figure:>8.3f}" for figure in largest)
                  + f"   {', '.join(str(limit) for limit in limits)}: {why}")
        else:
            print(f"{kind:28}{len(ones):>6}")


if __name__ == "__main__":
    main()
