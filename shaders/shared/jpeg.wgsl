// What the JPEG passes share: bindings, records, coefficients. Twins: see the file that follows.
//
// Group 0: 0 batch (ro), 1 groups (ro), 2 pixels (ro), 3 tables (ro), 4 coefficients, 5 lengths, 6 bits.
// Workgroups of a pass are a list in `groups`, whatever the number of images: first those of `fdct`,
// then those of `count` and `emit`.

// One file of the batch. Words are of 32 bits.
struct Image {
    // Of the pixels: the first word, and the words of a row.
    pixels: u32,
    stride: u32,
    width: u32,
    height: u32,
    // Units of 16 × 16 pixels, or of one block where gray, from left to right.
    across: u32,
    gray: u32,
    // Blocks, and the first of them among the batch's.
    blocks: u32,
    first_block: u32,
    // Groups of 64 blocks, and the first of them among the batch's.
    groups: u32,
    first_group: u32,
    // The first word of its quantisers in `tables`.
    quantisers: u32,
}

struct Batch {
    fdct_groups: u32,
    block_groups: u32,
    images_count: u32,
    // Words that `bits` has room for.
    capacity: u32,
    images: array<Image>,
}

// The number of an image, and the first unit or block of a workgroup in it.
struct Group {
    image: u32,
    first: u32,
}

@group(0) @binding(0) var<storage, read> batch: Batch;
@group(0) @binding(1) var<storage, read> groups: array<Group>;
// Rows of 3 or 1 bytes a pixel, each row padded to whole words of 4 pixels.
@group(0) @binding(2) var<storage, read> pixels: array<u32>;
// The order of coding, codes, quantisers: see the host's `tables`.
@group(0) @binding(3) var<storage, read> tables: array<u32>;
// 32 words a block: pairs in the order of coding, the first in the lower half.
@group(0) @binding(4) var<storage, read_write> coefficients: array<u32>;
// Bits of each image; the word at which each begins; bits before each group of 64 blocks in its image;
// bits before each block in its group.
@group(0) @binding(5) var<storage, read_write> lengths: array<u32>;
// The batch's codes, image after image, first bit uppermost.
@group(0) @binding(6) var<storage, read_write> bits: array<atomic<u32>>;

const CHROMA_QUANTISERS: u32 = 64u;

// The number of this workgroup, folded in two dimensions.
fn number_of(group: vec3<u32>, groups_across: vec3<u32>) -> u32 {
    return group.y * groups_across.x + group.x;
}
