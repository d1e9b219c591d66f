#!/bin/sh
# Makes fixtures/jp2's generated files and expected.txt: what OpenJPEG's own program decodes.
#
# Needs opj_compress and opj_decompress (libopenjp2-tools), ojph_compress (openjph-tools), vips
# (libvips-tools) and python3. Run from the repository's root.
#
# Every file that is decoded for its components is cut down to its code stream first, so that the
# program converts no colours. file9.jp2's palette and file3.jp2's YCC are applied by the program.
set -eu
here=fixtures/jp2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A picture with edges and gradients, 613 × 577, from the validator's own.
opj_decompress -i $here/validator.jp2 -o "$work/validator.ppm" >/dev/null
vips crop "$work/validator.ppm" "$work/part.ppm" 190 210 613 577

# Offsets of image and tiles, tile-parts by resolution, their lengths in both kinds of marker.
opj_compress -i "$work/part.ppm" -o $here/offsets-97.j2k -I -n 5 -t 200,150 -d 37,21 -T 11,7 \
    -r 30 -p RPCL -TP R -TLM -PLT >/dev/null
opj_compress -i "$work/part.ppm" -o "$work/small.j2k" -n 4 -t 96,96 -d 3,5 -r 12 -p LRCP >/dev/null
cp "$work/small.j2k" $here/offsets-53.j2k
# One tile: windows of it are decoded in part.
opj_compress -i "$work/part.ppm" -o $here/untiled-97.j2k -I -n 6 -r 40 -b 32,32 >/dev/null
opj_compress -i "$work/part.ppm" -o $here/untiled-53.jp2 -n 6 -r 25 -c '[128,128]' -b 32,32 >/dev/null
# The high-throughput block coder.
vips crop "$work/part.ppm" "$work/tiny.ppm" 100 100 200 160
ojph_compress -i "$work/tiny.ppm" -o $here/high-throughput.j2c -reversible true -num_decomps 3 \
    -tile_size '{128,96}' >/dev/null

python3 tests/tools/jp2_expectations.py $here "$work" >"$work/expected.txt"
cp "$work/expected.txt" $here/expected.txt

# YCC: a small reduction as the program converts it, compared with a tolerance.
opj_decompress -i $here/file3.jp2 -r 3 -o "$work/ycc.ppm" >/dev/null
cp "$work/ycc.ppm" $here/file3-eighth.ppm
