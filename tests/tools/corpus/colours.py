"""Samples of any decoder → sRGB by LittleCMS, and how far two colours are apart.

Conversion is relative colorimetric with black-point compensation, as the server's default is; LittleCMS
calculates it here, so that no code of the server's is trusted.
"""
import imagecodecs
import numpy as np
import pyvips

RELATIVE, BLACK_POINT, NO_PRECALC = 1, 0x2000, 0x0100
SRGB = imagecodecs.cms_profile("srgb")
#: What libvips takes inks for that have no profile: "Chemical proof", public domain.
INKS = bytes(pyvips.Image.profile_load("cmyk"))
WHITE = np.array([0.9642, 1.0, 0.8249])


def encoded(linear):
    """Linear light as sRGB's curve has it (IEC 61966-2-1)."""
    linear = np.clip(np.nan_to_num(linear, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def decoded(curve):
    """The other way."""
    return np.where(curve <= 0.04045, curve / 12.92, ((curve + 0.055) / 1.055) ** 2.4)


def by_profile(samples, space, profile):
    """`samples`, whole numbers, as sRGB from 0 to 1; gray stays gray. None where the profile is for others."""
    kind = profile[16:20]
    wanted = {"gray": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}[space]
    if kind != wanted or not has_colours(profile):
        return None
    out = imagecodecs.cms_transform(
        np.ascontiguousarray(samples[..., 0] if space == "gray" else samples), profile, SRGB,
        colorspace={"gray": "gray", "rgb": "rgb", "cmyk": "cmyk"}[space], outcolorspace="rgb",
        outdtype="uint16", intent=RELATIVE, flags=BLACK_POINT | NO_PRECALC)
    return out.astype(np.float64) / 65535


def has_colours(profile):
    """Whether none of the primaries, where the profile has some, is nothing at all."""
    for at in range(int.from_bytes(profile[128:132], "big")):
        entry = profile[132 + 12 * at:144 + 12 * at]
        start = int.from_bytes(entry[4:8], "big")
        if entry[:4] in (b"rXYZ", b"gXYZ", b"bXYZ") and not any(profile[start + 8:start + 20]):
            return False
    return True


def of_lab(lab):
    """CIE L*a*b* relative to D50 as sRGB from 0 to 1, not clipped before the curve."""
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    f = (light + 16) / 116
    f = np.stack([f + a / 500, f, f - b / 200], -1)
    xyz = np.where(f > 6 / 29, f ** 3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * WHITE
    matrix = np.array([[3.1341359, -1.6173863, -0.4906619], [-0.9787955, 1.9161415, 0.0334540], [0.0719533, -0.2289914, 1.4052427]])
    return encoded(xyz @ matrix.T)


def as_lab(rgb):
    """sRGB from 0 to 1 as CIE L*a*b*."""
    matrix = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])
    xyz = decoded(rgb) @ matrix.T / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def delta_e(one, two):
    """CIEDE2000 of every pixel of two sRGB pictures from 0 to 1 (ISO/CIE 11664-6)."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(as_lab(rgb), -1, 0) for rgb in (one, two))
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean ** 7 / (mean ** 7 + 25.0 ** 7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    turn = np.where(c1 * c2 == 0, 0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)
    l, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = np.where(c1 * c2 == 0, h1 + h2, h1 + turn / 2)
    t = (1 - 0.17 * np.cos(h - np.pi / 6) + 0.24 * np.cos(2 * h) + 0.32 * np.cos(3 * h + np.pi / 30)
         - 0.20 * np.cos(4 * h - np.radians(63)))
    sl = 1 + 0.015 * (l - 50) ** 2 / np.sqrt(20 + (l - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    spread = np.radians(30) * np.exp(-(((np.degrees(h) % 360) - 275) / 25) ** 2)
    rotation = -2 * np.sqrt(c ** 7 / (c ** 7 + 25.0 ** 7)) * np.sin(2 * spread)
    dl, dc, dh = dl / sl, dc / sc, dh / sh
    return np.sqrt(np.maximum(0, dl ** 2 + dc ** 2 + dh ** 2 + rotation * dc * dh))
