#!/bin/sh
# Makes fixtures/avif and fixtures/heic, and what a foreign decoder shows of them beside each as .expected.png.
# Needs avifenc and avifdec (libavif-bin 0.11), heif-enc and heif-convert (libheif-examples 1.15), python3.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 tests/tools/heif_source.py "$work"
avif=fixtures/avif heic=fixtures/heic icc=fixtures/icc
mkdir -p "$avif" "$heic"

# name, depth of the PNG, options: coded, then shown by libavif as it is stored.
avif() {
    name=$1 of_png=$2 source=$3
    shift 3
    avifenc -s 6 --min 8 --max 24 "$@" "$work/$source.png" "$avif/$name.avif" >/dev/null
    avifdec -d "$of_png" -u bilinear "$avif/$name.avif" "$avif/$name.expected.png" >/dev/null
}
for bits in 8 10 12; do
    for chroma in 400 420 422 444; do
        shown=16
        [ "$bits" = 8 ] && shown=8
        avif "$bits-$chroma" "$shown" picture -d "$bits" -y "$chroma"
    done
done
avif limited-420 8 picture -r limited -y 420
avif limited-10-444 16 picture -r limited -d 10 -y 444
# Of 8 bits libavif 0.11 shows such gray as if all values were used.
avif limited-10-400 16 picture -r limited -d 10 -y 400
avif identity 8 picture -y 444 --cicp 1/13/0
avif matrix-1 8 picture -y 444 --cicp 1/13/1
avif matrix-8 8 picture -y 444 --cicp 1/13/8
avif matrix-9 8 picture -y 420 --cicp 1/13/9
avif opacity 8 opacity -y 420 --minalpha 5 --maxalpha 10
avif opacity-400 8 opacity -y 400 --minalpha 5 --maxalpha 10
avif multiplied 8 opacity -y 444 -p --minalpha 0 --maxalpha 0
avif grid 8 wide -y 420 -g 2x2
avif grain 8 picture -y 420 -a film-grain-test=1
# How a picture is laid is none of libavif's decoder's business.
avif turned 8 picture -y 444 --irot 1
avif upside-down 8 picture -y 444 --imir 0
avif mirrored 8 picture -y 444 --irot 3 --imir 1
rm "$avif/turned.expected.png" "$avif/upside-down.expected.png" "$avif/mirrored.expected.png"
avif cropped 8 picture -y 420 --crop 10,20,42,30 --irot 1
avif profile 8 picture -y 444 --icc "$icc/p3.icc"
avif wide-gamut 8 picture -y 444 --cicp 12/13/6
avifenc -s 6 -y 420 "$work/picture.png" "$work/opacity.png" "$avif/sequence.avif" >/dev/null 2>&1 ||
    avifenc -s 6 -y 420 "$work/picture.png" "$work/other.png" "$avif/sequence.avif" >/dev/null
avifdec -d 8 -u bilinear "$avif/sequence.avif" "$avif/sequence.expected.png" >/dev/null

# libheif repeats samples of chroma: colours are compared as planes.
heic() {
    name=$1 source=$2 shown=$3
    shift 3
    heif-enc "$@" "$work/$source.png" -o "$heic/$name.heic" >/dev/null 2>&1
    heif-convert "$heic/$name.heic" "$heic/$name.expected.$shown" >/dev/null 2>&1
}
heic 8-420 picture y4m -q 80
heic lossless picture y4m -L
heic opacity opacity png -q 80
heic gray gray png -q 80
heic gray-10 deep png -q 80 -b 10
heic half-chroma picture png -q 80 -p chroma=422
heic full-chroma picture png -q 80 -p chroma=444
rm "$heic/half-chroma.expected.png" "$heic/full-chroma.expected.png"

# Files of others: libavif 0.11 does not see the opacity of the parts of a grid, libheif does.
avifdec --no-strict -d 8 "$avif/opacity-without-size.avif" "$avif/opacity-without-size.expected.png" >/dev/null
vips copy "$avif/parts-with-opacity.avif" "$avif/parts-with-opacity.expected.png[strip]" 2>/dev/null
