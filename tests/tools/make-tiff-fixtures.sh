#!/bin/sh
# Makes fixtures/tiff: small TIFFs written by libtiff, libvips and ImageMagick, and their pixels as libvips reads them.
#
# Needs vips, tiffcp, tiffset, convert and python3. The pictures are arithmetic, so that the files are this
# project's own. expected.txt has one line for each level:
#   file page level width height bands bits tolerance pixels
# with level 0 for the full image, samples of 16 bits in little-endian order, the word jpeg as the tolerance of
# pixels that only libjpeg decodes alike, and the pixels' file in raw/.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$here/fixtures/tiff
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out/raw" "$out"/*.tif
mkdir -p "$out/raw"
list=$out/expected.txt
: >"$list"

# A picture of smooth waves, hard edges and seeded noise.
python3 - "$work" <<'PY'
import math, random, sys
folder = sys.argv[1]
def value(x, y, channel, full):
    wave = math.sin(x / (7 + 3 * channel)) * math.cos(y / (11 - 2 * channel))
    edge = 0.3 if (x // 13 + y // 9 + channel) % 2 else -0.3
    grain = noise.uniform(-0.04, 0.04) if (x // 8 + y // 8) % 4 == 0 else 0
    return max(0.0, min(1.0, 0.5 + 0.3 * round(wave, 1) + 0.5 * edge + grain)) * full
def write(name, width, height, bands, full):
    global noise
    noise = random.Random(name)
    size = 2 if full > 255 else 1
    data = bytearray()
    for y in range(height):
        for x in range(width):
            for channel in range(bands):
                data += round(value(x, y, channel, full)).to_bytes(size, "big")
    kind = {1: b"P5", 3: b"P6"}[bands]
    open(f"{folder}/{name}.pnm", "wb").write(b"%s\n%d %d\n%d\n" % (kind, width, height, full) + data)
write("rgb", 83, 61, 3, 255)
write("rgb16", 83, 61, 3, 65535)
write("gray", 83, 61, 1, 255)
write("gray16", 83, 61, 1, 65535)
write("alpha", 83, 61, 1, 255)
write("alpha16", 83, 61, 1, 65535)
write("wide", 131, 97, 3, 255)
write("second", 83, 61, 3, 255)
PY
cd "$work"
for name in rgb rgb16 gray gray16 wide second; do vips copy $name.pnm $name.v; done
vips bandjoin "rgb.pnm alpha.pnm" rgba.v
vips bandjoin "rgb16.pnm alpha16.pnm" rgba16.v
vips bandjoin "gray.pnm alpha.pnm" graya.v
for name in rgb rgb16 gray gray16 wide rgba; do vips tiffsave $name.v $name.tif; done

# expect FILE PAGE LEVEL TOLERANCE LOADED: the pixels of LOADED, a file with libvips' options, are those of the level.
expect() {
    vips copy "$5" read.v
    record "$1" "$2" "$3" "$4" read.v
}
record() {
    vips rawsave "$5" read.raw
    digest=$(sha256sum read.raw | cut -c 1-12)
    cp read.raw "$out/raw/$digest.raw"
    field() { vipsheader -f "$1" "$2"; }
    bits=8
    case $(field format "$5") in *USHORT*) bits=16 ;; esac
    echo "$1 $2 $3 $(field width "$5") $(field height "$5") $(field bands "$5") $bits $4 $digest" >>"$list"
}
plain() { expect "$1" 1 0 "${2:-0}" "$out/$1"; }

# Every compression in strips and tiles.
for way in none lzw lzw:2 zip zip:2 packbits; do
    name=$(echo $way | tr -d :)
    tiffcp -s -r 7 -c $way rgb.tif "$out/rgb-strips-$name.tif"
    tiffcp -t -w 32 -l 16 -c $way rgb.tif "$out/rgb-tiles-$name.tif"
    plain rgb-strips-$name.tif
    plain rgb-tiles-$name.tif
done
for way in lzw:2 zip:2; do
    name=$(echo $way | tr -d :)
    tiffcp -s -r 100 -c $way rgb16.tif "$out/rgb16-strip-$name.tif"
    tiffcp -B -t -w 16 -l 32 -c $way rgb16.tif "$out/rgb16-tiles-big-endian-$name.tif"
    plain rgb16-strip-$name.tif
    plain rgb16-tiles-big-endian-$name.tif
done
python3 - "$out/rgb-strips-zip2.tif" "$out/rgb-strips-old-deflate.tif" <<'PY'
import sys
entry = lambda value: b"\x03\x01\x03\x00\x01\x00\x00\x00" + value.to_bytes(4, "little")
data = open(sys.argv[1], "rb").read()
assert data.count(entry(8)) == 1
open(sys.argv[2], "wb").write(data.replace(entry(8), entry(32946)))
PY
plain rgb-strips-old-deflate.tif
tiffcp -B -s -r 20 -c none gray16.tif "$out/gray16-big-endian-strips.tif"
plain gray16-big-endian-strips.tif

# Planes, byte and bit orders, BigTIFF.
tiffcp -p separate -s -r 9 -c lzw:2 rgb.tif "$out/separate-strips-lzw2.tif"
tiffcp -p separate -t -w 32 -l 32 -c zip rgba.tif "$out/separate-tiles-rgba-zip.tif"
tiffcp -8 -t -w 32 -l 32 -c zip:2 rgb.tif "$out/big-tiles-zip2.tif"
tiffcp -8 -B -s -r 11 -c packbits rgb.tif "$out/big-big-endian-strips-packbits.tif"
tiffcp -f lsb2msb -s -r 16 -c lzw rgb.tif "$out/reversed-bits-lzw.tif"
for name in separate-strips-lzw2 big-tiles-zip2 big-big-endian-strips-packbits reversed-bits-lzw; do
    plain $name.tif
done
# libvips does not read tiles in separate planes; what they were made of is known.
expect separate-tiles-rgba-zip.tif 1 0 0 rgba.v

# Gray of all depths, both ways round, and palettes.
for bits in 1 2 4; do
    vips tiffsave gray.v "$out/gray-$bits-bits.tif" --bitdepth $bits --compression deflate --predictor none
    plain gray-$bits-bits.tif
done
vips tiffsave gray.v "$out/gray-1-bit-white-is-zero.tif" --bitdepth 1 --miniswhite --compression packbits
vips tiffsave gray16.v "$out/gray16.tif" --compression lzw
vips tiffsave gray.v "$out/gray-white-is-zero.tif" --compression lzw --predictor none
tiffset -s 262 0 "$out/gray-white-is-zero.tif"
for name in gray-1-bit-white-is-zero gray16 gray-white-is-zero; do plain $name.tif; done
for colours in 2 4 16 200; do
    convert rgb.pnm -dither None -colors $colours -type Palette -compress Zip "$out/palette-$colours.tif"
    expect palette-$colours.tif 1 0 0 "$out/palette-$colours.tif"
done

# Opacity: straight, multiplied in, unspecified.
vips tiffsave rgba.v "$out/alpha-straight.tif" --compression deflate
vips tiffsave rgba16.v "$out/alpha-straight-16.tif" --compression deflate --tile --tile-width 32 --tile-height 32
vips tiffsave graya.v "$out/alpha-gray.tif" --compression lzw
for name in alpha-straight alpha-straight-16 alpha-gray; do plain $name.tif; done
vips tiffsave rgba.v "$out/alpha-associated.tif" --compression deflate --premultiply
vips tiffsave rgba16.v "$out/alpha-associated-16.tif" --compression deflate --premultiply
for bits in "" -16; do
    # libvips divides too, but cuts off what should be rounded: take the samples as they are stored.
    cp "$out/alpha-associated$bits.tif" stored.tif
    tiffset -s 338 1 2 stored.tif
    vips rawsave stored.tif multiplied.raw
    python3 - "$bits" <<'PY'
import array, sys
kind, full = ("H", 65535) if sys.argv[1] else ("B", 255)
samples = array.array(kind, open("multiplied.raw", "rb").read())
for at in range(0, len(samples), 4):
    alpha = samples[at + 3]
    for sample in range(at, at + 3):
        samples[sample] = min(full, (samples[sample] * full + alpha // 2) // alpha) if alpha else 0
open("straight.raw", "wb").write(samples.tobytes())
PY
    format=uchar
    [ -z "$bits" ] || format=ushort
    vips rawload straight.raw straight.v 83 61 4 --format $format
    record alpha-associated$bits.tif 1 0 0 straight.v
done
cp "$out/alpha-straight.tif" "$out/alpha-unspecified.tif"
tiffset -s 338 1 0 "$out/alpha-unspecified.tif"
expect alpha-unspecified.tif 1 0 0 "$out/rgb-strips-none.tif"

# JPEG: shared tables, subsampled YCbCr and RGB, gray.
vips tiffsave wide.v "$out/jpeg-tiles-ycbcr-420.tif" --tile --tile-width 32 --tile-height 32 --compression jpeg --Q 80
tiffcp -t -w 32 -l 32 -c jpeg:r:90 wide.tif "$out/jpeg-tiles-rgb.tif"
tiffcp -s -r 16 -c jpeg:85 wide.tif "$out/jpeg-strips-ycbcr.tif"
tiffcp -t -w 32 -l 32 -c jpeg:85 gray.tif "$out/jpeg-tiles-gray.tif"
tiffcp -p separate -s -r 24 -c jpeg:r:85 rgb.tif "$out/jpeg-separate-strips-rgb.tif"
for name in jpeg-tiles-ycbcr-420 jpeg-tiles-rgb jpeg-strips-ycbcr jpeg-tiles-gray jpeg-separate-strips-rgb; do
    plain $name.tif jpeg
done

# Pyramids as pages and as SubIFDs; the same without a word in NewSubfileType; pages.
vips tiffsave wide.v "$out/pyramid-pages.tif" --tile --tile-width 32 --tile-height 32 --pyramid --compression jpeg --Q 80
vips tiffsave wide.v "$out/pyramid-subifds.tif" --tile --tile-width 32 --tile-height 32 --pyramid --subifd \
    --compression deflate --predictor horizontal
vips tiffsave wide.v "$out/pyramid-big.tif" --tile --tile-width 32 --tile-height 32 --pyramid --bigtiff --compression lzw
vips tiffsave wide.v bare.tif --tile --tile-width 32 --tile-height 32 --pyramid --compression lzw
for level in 0 1 2; do tiffset -d $level -u 254 bare.tif; done
cp bare.tif "$out/pyramid-bare.tif"
for level in 0 1 2; do
    expect pyramid-pages.tif 1 $level jpeg "$out/pyramid-pages.tif[page=$level]"
    expect pyramid-big.tif 1 $level 0 "$out/pyramid-big.tif[page=$level]"
    expect pyramid-bare.tif 1 $level 0 "$out/pyramid-bare.tif[page=$level]"
    expect pyramid-subifds.tif 1 $level 0 "$out/pyramid-subifds.tif[subifd=$((level - 1))]"
done
vips tiffsave second.v second.tif
vips resize wide.v thumbnail.v 0.3
vips tiffsave thumbnail.v thumbnail.tif
tiffcp -c zip:2 wide.tif second.tif rgb.tif thumbnail.tif "$out/pages.tif"
for page in 0 1 2 3; do expect pages.tif $((page + 1)) 0 0 "$out/pages.tif[page=$page]"; done

# Orientation says nothing about stored pixels.
for orientation in 2 3 4 5 6 7 8; do
    cp "$out/gray-2-bits.tif" "$out/orientation-$orientation.tif"
    tiffset -s 274 $orientation "$out/orientation-$orientation.tif"
    expect orientation-$orientation.tif 1 0 0 "$out/gray-2-bits.tif"
done

# A profile: converted by lcms2.
vips tiffsave rgb.v "$out/profile.tif" --compression deflate --profile "$here/fixtures/icc/adobe.icc"
vips icc_transform "$out/profile.tif" converted.v srgb --embedded --intent relative
record profile.tif 1 0 1 converted.v

# Files of other programs, which are kept, not made.
for file in "$out"/foreign/*.tif; do
    name=foreign/$(basename "$file")
    case $name in
    *rgba*jpeg*) ;; # four samples in a JPEG: refused
    *jpeg*) plain "$name" jpeg ;;
    *) plain "$name" ;;
    esac
done
