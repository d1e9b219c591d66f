"""Foreign decoders: a file and a page → samples and what they mean.

None of them shares code with the server but the C libraries that everybody uses for JPEG. Colours are left as
they are stored; `Decoded.shown` makes sRGB of them. A decoder raises where it does not read a file.
"""
import dataclasses
import io
import multiprocessing
import pathlib
import re
import struct
import subprocess
import tempfile

import av
import imagecodecs
import numpy as np
import PIL.Image
import PIL.ImageOps
import pyvips
import tifffile

import colours

PIL.Image.MAX_IMAGE_PIXELS = None


class Unread(Exception):
    """The decoder does not read this file, or not in full."""


@dataclasses.dataclass
class Decoded:
    """Rows × columns × samples as whole numbers of 8 or 16 bits, or L*a*b* and linear light as numbers."""

    samples: np.ndarray
    space: str  # gray rgb cmyk lab linear
    alpha: np.ndarray | None = None  # 0 to 1, straight
    profile: bytes | None = None

    def shown(self):
        """sRGB and opacity from 0 to 1, and how the colours were made: stored, profile, inks, lab or linear."""
        rgb, how = self._rgb()
        if rgb.shape[-1] == 1:
            rgb = np.repeat(rgb, 3, -1)
        alpha = np.ones(rgb.shape[:2]) if self.alpha is None else self.alpha
        return rgb, alpha, how

    def _rgb(self):
        if self.space == "lab":
            return colours.of_lab(self.samples), "lab"
        if self.space == "linear":
            return colours.encoded(self.samples.astype(np.float64)), "linear"
        profile = self.profile
        if self.space == "cmyk":
            if profile and profile[16:20] == b"CMYK":
                return colours.by_profile(self.samples, "cmyk", profile), "inks"
            return colours.by_profile(self.samples, "cmyk", colours.INKS), "inks without a profile"
        plain = self.samples / np.iinfo(self.samples.dtype).max
        if not profile or len(profile) < 128:
            return plain, "stored"
        try:
            rgb = colours.by_profile(self.samples, self.space, profile)
        except Exception:  # a damaged profile counts as none
            rgb = None
        if rgb is None or np.abs(rgb - plain).max() <= 1.01 / 255:
            return plain, "stored"
        return rgb, "profile"


def made(samples, space, alpha=None, profile=None):
    samples = samples[..., None] if samples.ndim == 2 else samples
    if alpha is not None and alpha.dtype.kind == "u":
        alpha = alpha / np.iinfo(alpha.dtype).max
    return Decoded(samples, space, alpha, profile)


def with_alpha(samples, colours_, space, profile=None):
    """The samples of a pixel as colours and, where there is one more, opacity."""
    samples = samples[..., None] if samples.ndim == 2 else samples
    alpha = samples[..., colours_] if samples.shape[-1] > colours_ else None
    return made(np.ascontiguousarray(samples[..., :colours_]), space, alpha, profile)


# --- Pillow

def pillow(path, page):
    image = PIL.Image.open(path)
    if page > 1:
        image.seek(page - 1)
    if image.format == "PNG" and depth_of_png(path) == 16 and image.mode != "I;16":
        raise Unread("Pillow cuts these 16 bits to 8")
    if image.format == "PNG" and image.mode == "L" and "transparency" in image.info and depth_of_png(path) < 8:
        raise Unread("Pillow does not scale the transparent gray")
    if image.format == "JPEG2000":
        with open(path, "rb") as file:
            check_pillow_jp2(file.read())
    if image.format == "TIFF":
        check_pillow_tiff(image)
        if image.tag_v2.get(274, 1) != 1:
            raise Unread("Pillow turns it")
    if image.format == "AVIF":
        image = PIL.ImageOps.exif_transpose(image)  # that is how it hands over turns
    image.load()
    profile = image.info.get("icc_profile") or own_profile(path)
    # TIFF with associated opacity leaves Pillow multiplied with it.
    mode = image.mode
    if mode == "P" or mode == "PA":
        image = image.convert("RGBA" if mode == "PA" or "transparency" in image.info else "RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode in ("L", "RGB", "I;16") and "transparency" in image.info and image.format == "PNG":
        image = image.convert({"L": "LA", "RGB": "RGBA", "I;16": "LA"}[mode])
    elif mode in ("RGBa", "La"):
        image = image.convert("RGBA" if mode == "RGBa" else "LA")
    elif mode == "YCbCr":
        image = image.convert("RGB")
    array, mode = np.array(image), image.mode
    if mode in ("I;16", "I;16B", "I;16L"):
        return made(array.astype(np.uint16), "gray", profile=profile)
    if mode in ("L", "LA"):
        return with_alpha(array, 1, "gray", profile)
    if mode in ("RGB", "RGBA", "RGBX"):
        return with_alpha(array[..., :3] if mode == "RGBX" else array, 3, "rgb", profile)
    if mode == "CMYK":
        return made(array, "cmyk", profile=profile)
    if mode == "LAB":
        lab = array.astype(np.float64)
        return made(np.dstack([lab[..., 0] * 100 / 255, *(np.where(lab[..., at] > 127, lab[..., at] - 256, lab[..., at]) for at in (1, 2))]), "lab")
    if mode == "F":
        return made(array, "linear")
    raise Unread(f"Pillow's {mode}")


def check_pillow_tiff(image):
    tags = image.tag_v2
    bits = tags.get(258, (1,))
    bits = bits if isinstance(bits, tuple) else (bits,)
    kinds = tags.get(339, (1,))
    kind = kinds[0] if isinstance(kinds, tuple) else kinds
    if image.mode in ("I", "I;16S") or kind == 2 or bits[0] not in (1, 2, 4, 8, 16, 32) or (bits[0] == 32 and kind != 3):
        raise Unread("Pillow's whole numbers are not scaled")
    if image.mode == "F" and bits[0] != 32:
        raise Unread("Pillow's numbers are not floating-point ones here")
    if 1 in np.atleast_1d(tags.get(338, ())) and image.mode not in ("RGBa", "La"):
        raise Unread("Pillow takes multiplied colours for straight ones")


def check_pillow_jp2(data):
    if set(bits_of_jp2(data)) != {8}:
        raise Unread("Pillow does not scale these bits")
    if any(step != 1 for step in steps_of_jp2(data)) or re.search(SYCC, data, re.S):
        raise Unread("Pillow does not spread colour differences")


def depth_of_png(path):
    with open(path, "rb") as file:
        return file.read(26)[24]


# --- libvips

def vips(path, page):
    options = {"access": "random", "fail_on": "warning"}
    loader = pyvips.vips_lib.vips_foreign_find_load(str(path).encode())
    loader = pyvips.ffi.string(loader).decode() if loader != pyvips.ffi.NULL else "Magick"
    if "Magick" in loader:
        raise Unread("libvips has no decoder of its own")
    if page > 1:
        options["page"] = page - 1
    image = pyvips.Image.new_from_file(str(path), **options)
    if "Tiff" in loader:
        check_vips_tiff(path, page)
    if "Jp2k" in loader:
        with open(path, "rb") as file:
            data = file.read()
        if any(step != 1 for step in steps_of_jp2(data)) or re.search(SYCC, data, re.S):
            raise Unread("libvips does not spread colour differences")
    profile = image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None
    profile = bytes(profile) if profile else own_profile(path)
    interpretation, bands = image.interpretation, image.bands
    if interpretation == "labq" or interpretation == "labs" or interpretation == "lab":
        lab = image.colourspace("lab") if interpretation != "lab" else image
        return made(array_of(lab)[..., :3].astype(np.float64), "lab")
    array = array_of(image)
    if array.dtype == np.uint8 or array.dtype == np.uint16:
        cmyk = interpretation == "cmyk"
        count = 4 if cmyk else 1 if bands < 3 else 3
        space = "cmyk" if cmyk else "gray" if bands < 3 else "rgb"
        if bands > count + 1:
            raise Unread("more bands than colours and opacity")
        return with_alpha(array, count, space, profile)
    if array.dtype.kind == "f" and not profile:
        return with_alpha(array, 3 if bands > 2 else 1, "linear")
    raise Unread(f"libvips' {image.format}")


def array_of(image):
    return np.ndarray(buffer=image.write_to_memory(), shape=(image.height, image.width, image.bands),
                      dtype={"uchar": "u1", "char": "i1", "ushort": "<u2", "short": "<i2", "uint": "<u4", "int": "<i4",
                             "float": "<f4", "double": "<f8"}[image.format])


def check_vips_tiff(path, page):
    with tifffile.TiffFile(path) as file:
        tags = file.pages[page - 1].tags
        value = lambda tag, default: tags[tag].value if tag in tags else default
        bits, kind = first(value(258, 1)), first(value(339, 1))
        if 0 in np.atleast_1d(value(338, ())):
            raise Unread("libvips takes an unnamed sample for opacity")
        if bits not in (1, 2, 4, 8, 16) and kind != 3:
            raise Unread("libvips does not scale these bits")


def first(value):
    return np.atleast_1d(value)[0]


# --- tifffile with imagecodecs: what the samples mean is worked out here

def tiff(path, page):
    with tifffile.TiffFile(path) as file:
        return tiff_page(file, file.pages[page - 1])


def tiff_page(file, page):
    tags = page.tags
    value = lambda tag, default=None: tags[tag].value if tag in tags else default
    photometric, samples = int(value(262, 1)), int(value(277, 1))
    compression, bits, kind = int(value(259, 1)), int(first(value(258, 1))), int(first(value(339, 1)))
    extras = [int(extra) for extra in np.atleast_1d(value(338, ()))]
    if photometric == 6 and compression not in (6, 7):
        raise Unread("tifffile reads no YCbCr but JPEG's")
    array = page.asarray()
    array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if samples == 1:
        array = array.reshape(page.imagelength, page.imagewidth, 1)
    elif int(value(284, 1)) == 2:
        array = np.moveaxis(array.reshape(samples, page.imagelength, page.imagewidth), 0, -1)
    else:
        array = array.reshape(page.imagelength, page.imagewidth, samples)
    profile = value(34675)
    profile = bytes(profile) if profile is not None else None
    count = {5: 4, 2: 3, 6: 3, 8: 3, 9: 3, 10: 3}.get(photometric, 1)
    colours_, alpha = array[..., :count], None
    place = next((at for at, extra in enumerate(extras) if extra in (1, 2)), None)
    if place is not None:
        alpha = array[..., count + place]
    if kind == 3:
        linear = colours_.astype(np.float64)
        return made(linear, "linear", None if alpha is None else alpha.astype(np.float64))
    if photometric == 3:
        table = np.asarray(value(320)).reshape(3, -1).T
        table = (table if table.max() < 256 else table >> 8).astype(np.uint8)
        return made(table[colours_[..., 0]], "rgb", None if alpha is None else alpha / (2 ** bits - 1), profile)
    if photometric in (8, 9):
        if bits not in (8, 16):
            raise Unread("L*a*b* of other bits")
        wide = colours_.astype(np.float64)
        one = 256.0 if bits == 16 else 1.0
        unsigned = colours_.view(np.uint16 if bits == 16 else np.uint8).astype(np.float64)
        if photometric == 8:
            half = 2 ** (bits - 1)
            signed = np.where(unsigned >= half, unsigned - 2 * half, unsigned) / one
            light = unsigned[..., 0] * 100 / (2 ** bits - 1)
        else:
            signed = unsigned / one - 128
            light = unsigned[..., 0] * 100 / (65280 if bits == 16 else 255)
        return made(np.dstack([light, signed[..., 1], signed[..., 2]]), "lab")
    if photometric == 10:
        raise Unread("ITU L*a*b*")
    if kind == 2:
        colours_ = colours_.astype(np.int64) + 2 ** (bits - 1)
        alpha = None if alpha is None else alpha.astype(np.int64) + 2 ** (bits - 1)
    full = 255 if bits <= 8 else 65535
    scale = lambda array: np.floor(array.astype(np.float64) * full / (2 ** bits - 1) + 0.5).astype(np.uint8 if full == 255 else np.uint16)
    colours_ = scale(colours_) if bits not in (8, 16) or kind == 2 else colours_
    if photometric == 0:
        colours_ = full - colours_
    if alpha is not None:
        alpha = scale(alpha) / full
        if extras[place] == 1:
            over = np.maximum(alpha, 1e-9)[..., None]
            divided = np.floor(np.minimum(colours_ / over, full) + 0.5)
            colours_ = np.where(alpha[..., None] > 0, divided, 0).astype(colours_.dtype)
    space = {0: "gray", 1: "gray", 5: "cmyk"}.get(photometric, "rgb")
    if photometric not in (0, 1, 2, 5, 6):
        raise Unread(f"photometric {photometric}")
    return made(np.ascontiguousarray(colours_), space, alpha, profile)


# --- the formats' own libraries, newest releases, through imagecodecs

def codec(path, page):
    if page > 1:
        raise Unread("one page")
    with open(path, "rb") as file:
        data = file.read()
    kind = kind_of(data)
    if kind == "png":
        array = imagecodecs.png_decode(data)
    elif kind == "jp2":
        return openjpeg(data)
    elif kind == "jxl":
        array = imagecodecs.jpegxl_decode(data)
        while array.ndim > 3:
            array = array[0]
        raise Unread("animation or colours") if array.dtype.kind == "f" else None
    elif kind == "webp":
        array = imagecodecs.webp_decode(data)
    elif kind == "gif":
        array = imagecodecs.gif_decode(data, index=0)
    elif kind == "bmp":
        array = imagecodecs.bmp_decode(data)
    elif kind == "avif":
        if b"irot" in data or b"imir" in data or b"clap" in data:
            raise Unread("libavif leaves turns to others")
        array = imagecodecs.avif_decode(data)
        while array.ndim > 3:
            array = array[0]
    elif kind == "jpeg":
        array = imagecodecs.jpeg8_decode(data)
        if array.ndim == 3 and array.shape[-1] == 4:
            raise Unread("inks")
        if array.dtype == np.uint16:
            array = np.floor(array * (65535 / 4095) + 0.5).astype(np.uint16)
    else:
        raise Unread("no library")
    array = array[..., None] if array.ndim == 2 else array
    count = 1 if array.shape[-1] < 3 else 3
    return with_alpha(array, count, "gray" if count == 1 else "rgb", profile_of(path))


# --- ImageMagick, for BMP, which libvips has no decoder for

def magick(path, page):
    with open(path, "rb") as file:
        data = file.read()
    if kind_of(data) == "tiff":
        return magick_tiff(path, page)
    if kind_of(data) != "bmp":
        raise Unread("asked for BMP and TIFF alone")
    if data[14] >= 108 and data[30] == 3 and max(bits_of_masks(data)) > 8:
        raise Unread("ImageMagick shifts these bits")
    array = array_of(pyvips.Image.magickload(str(path)))
    return with_alpha(array, 1 if array.shape[-1] < 3 else 3, "gray" if array.shape[-1] < 3 else "rgb", own_profile(path))


def bits_of_masks(data):
    return [mask.bit_count() for mask in struct.unpack("<3I", data[54:66])]


def magick_tiff(path, page):
    """Bits that others do not read."""
    with tifffile.TiffFile(path) as file:
        tags = file.pages[page - 1].tags
        bits = int(first(tags[258].value)) if 258 in tags else 1
        if bits not in (2, 3, 5, 6, 7) or page > 1 or 338 in tags or int(tags[262].value) not in (1, 2):
            raise Unread("others read it")
        count = 3 if int(tags[262].value) == 2 else 1
    array = array_of(pyvips.Image.magickload(str(path)))
    if array.dtype == np.uint16:
        array = np.floor(array / 257 + 0.5).astype(np.uint8)
    return with_alpha(array[..., :count], count, "gray" if count == 1 else "rgb")


# --- djxl, the JPEG XL reference

def djxl(path, page):
    with open(path, "rb") as file:
        if kind_of(file.read(16)) != "jxl":
            raise Unread("not its format")
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out.png"
        run = subprocess.run(["djxl", path, out], capture_output=True, timeout=100)
        if run.returncode != 0:
            raise Unread(run.stderr.decode(errors="replace").strip().splitlines()[-1])
        with open(out, "rb") as file:
            array = imagecodecs.png_decode(file.read())
        profile = PIL.Image.open(out).info.get("icc_profile")
    array = array[..., None] if array.ndim == 2 else array
    count = 1 if array.shape[-1] < 3 else 3
    return with_alpha(array, count, "gray" if count == 1 else "rgb", profile)


# --- FFmpeg's own decoders, through PyAV

def ffmpeg(path, page):
    with open(path, "rb") as file:
        kind = kind_of(file.read(16))
    if kind not in ("jp2", "bmp", "gif", "png", "tiff") or page > 1:
        raise Unread("asked for other formats")
    with open(path, "rb") as file:
        data = file.read()
    if kind == "png" and b"acTL" in data:
        raise Unread("FFmpeg begins with the animation")
    if kind == "jp2" and set(bits_of_jp2(data)) not in ({8}, {16}):
        raise Unread("FFmpeg shifts these bits")
    if kind == "tiff":
        check_ffmpeg_tiff(path)
    with av.open(path, options={"ignore_loop": "1"} if kind == "gif" else {}) as container:
        frame = next(container.decode(video=0))
    name = frame.format.name
    profile = profile_of(path)
    if name.startswith("yuv") and name.endswith("p") and kind == "jp2":
        return made(of_ycc(frame), "rgb")
    if name in ("gray", "gray16le", "gray16be"):
        return made(native(frame.to_ndarray()), "gray", profile=profile)
    if name in ("rgb48le", "rgb48be", "rgba64le", "rgba64be"):
        return with_alpha(native(frame.to_ndarray()), 3, "rgb", profile)
    if name in ("pal8", "bgr24", "rgb24", "rgba", "bgra"):
        array = frame.reformat(format="rgba").to_ndarray()
        return with_alpha(array if name in ("pal8", "rgba", "bgra") else array[..., :3], 3, "rgb", profile)
    raise Unread(f"FFmpeg's {name}")


def check_ffmpeg_tiff(path):
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        value = lambda tag, default: tags[tag].value if tag in tags else default
        if int(value(259, 1)) in (6, 7) or 1 in np.atleast_1d(value(338, ())):
            raise Unread("FFmpeg takes colours as they are stored")


def native(array):
    return array.astype(array.dtype.newbyteorder("="))


def of_ycc(frame):
    """Every colour difference counts for all pixels that it stands for."""
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, :plane.width].astype(np.float64)
        down, across = -(-frame.height // plane.height), -(-frame.width // plane.width)
        planes.append(np.repeat(np.repeat(rows, down, 0), across, 1)[:frame.height, :frame.width])
    luma, blue, red = planes[0], planes[1] - 128, planes[2] - 128
    rgb = np.dstack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue])
    return np.floor(np.clip(rgb, 0, 255) + 0.5).astype(np.uint8)


def openjpeg(data):
    if profile_of_jp2(data):
        raise Unread("imagecodecs converts by the profile in 8 bits")
    array = imagecodecs.jpeg2k_decode(data)
    array = array[..., None] if array.ndim == 2 else array
    if array.shape[-1] > 4:
        raise Unread("more components than colours and opacity")
    bits = bits_of_jp2(data)
    if len(set(bits)) != 1:
        raise Unread("components of several depths")
    bits = bits[0]
    full = 255 if bits <= 8 else 65535
    array = array.astype(np.int64)
    if b"pclr" in data[:4096]:
        bits, full = 8, 255
    if bits not in (8, 16):
        array = np.floor(array * full / (2 ** bits - 1) + 0.5)
    array = array.astype(np.uint8 if full == 255 else np.uint16)
    count = 1 if array.shape[-1] < 3 else 3
    return with_alpha(array, count, "gray" if count == 1 else "rgb")


#: A colour specification box that says sYCC.
SYCC = rb"colr\x01..\0\0\0\x12"


def steps_of_jp2(data):
    """Pixels of the reference grid that a component's sample stands for, across and down, of all components."""
    at = data.index(b"\xff\x4f\xff\x51") + 4
    count = struct.unpack(">H", data[at + 36:at + 38])[0]
    return [step for part in range(count) for step in data[at + 39 + 3 * part:at + 41 + 3 * part]]


def bits_of_jp2(data):
    at = data.index(b"\xff\x4f\xff\x51") + 4
    count = struct.unpack(">H", data[at + 36:at + 38])[0]
    signed = [data[at + 38 + 3 * part] >> 7 for part in range(count)]
    if any(signed):
        raise Unread("signed components")
    return [(data[at + 38 + 3 * part] & 0x7F) + 1 for part in range(count)]


def profile_of(path):
    try:
        return PIL.Image.open(path).info.get("icc_profile") or own_profile(path)
    except Exception:
        return own_profile(path)


def own_profile(path):
    """The profile of a BMP or JPEG 2000, which Pillow does not look for."""
    with open(path, "rb") as file:
        data = file.read()
    kind = kind_of(data)
    if kind == "jp2":
        return profile_of_jp2(data)
    if kind == "bmp" and data[14] == 124 and data[70:74] == b"DEBM":
        start, length = struct.unpack("<II", data[126:134])
        return data[14 + start:14 + start + length]
    return None


def profile_of_jp2(data):
    at = data.find(b"colr\x02")
    return data[at + 7:at + 7 + struct.unpack(">I", data[at + 7:at + 11])[0]] if at >= 0 else None


def kind_of(data):
    for kind, magic in (("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff"), ("gif", b"GIF8"), ("bmp", b"BM"), ("jp2", b"\0\0\0\x0cjP"),
                        ("jp2", b"\xff\x4f\xff\x51"), ("jxl", b"\xff\x0a"), ("jxl", b"\0\0\0\x0cJXL"), ("tiff", b"II*\0"),
                        ("tiff", b"MM\0*"), ("tiff", b"II+\0"), ("tiff", b"MM\0+")):
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return "avif" if data[8:12] in (b"avif", b"avis") else "heif"
    return "unknown"


# --- what `make.py` knows of its own files

def maker(path, page):
    path = pathlib.Path(path)
    truth = path.parents[1] / "truth" / f"{path.name}.npz"
    if not truth.exists():
        raise Unread("another's file")
    known = np.load(truth)
    return made(known["samples"], str(known["space"]), known["alpha"] if "alpha" in known else None)


ALL = {"maker": maker, "libvips": vips, "Pillow": pillow, "tifffile": tiff, "imagecodecs": codec, "ImageMagick": magick, "djxl": djxl, "FFmpeg": ffmpeg}


def orientation(path):
    """1 to 8, from EXIF or the directory, else XMP."""
    with open(path, "rb") as file:
        data = file.read()
    kind = kind_of(data)
    if kind in ("jxl", "avif", "heif"):
        return 1  # their decoders turn
    value = None
    try:
        if kind == "tiff":
            with tifffile.TiffFile(path) as file:
                tags = file.pages[0].tags
                value = int(tags[274].value) if 274 in tags else None
        elif kind == "jp2":
            at = data.find(b"JpgTiffExif->JP2")
            if at >= 0:
                exif = PIL.Image.Exif()
                exif.load(data[at + 16:])
                value = exif.get(274)
        else:
            value = PIL.Image.open(io.BytesIO(data)).getexif().get(274)
    except Exception:
        value = None
    if value is None:
        found = re.search(rb'tiff:Orientation(?:="|>)\s*([1-8])', data)
        value = int(found[1]) if found else 1
    return value if value in range(1, 9) else 1


def upright(array, turn):
    """Rows and columns as they are shown."""
    if turn >= 5:
        array = np.swapaxes(array, 0, 1)
    if turn in (3, 4, 7, 8):
        array = array[::-1]
    if turn in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def apart(name, path, page):
    """What a decoder makes of a page, in a process of its own: libraries may fall over damaged files."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_decode, args=(theirs, name, path, page))
    child.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(120) else Unread("hangs")
    except EOFError:
        answer = Unread("falls over it")
    child.kill() if isinstance(answer, Unread) else None
    child.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _decode(pipe, name, path, page):
    try:
        pipe.send(ALL[name](path, page))
    except Exception as error:
        pipe.send(Unread(f"{type(error).__name__} {str(error)[:120]}".replace("\n", " ")))
