// Quantised coefficients → codes. Twin: src/render/cpu/jpeg_huffman.rs. Bindings: shared/jpeg.wgsl.
// Workgroups: `count` and `emit` 64, a block a thread; `scan` 256 for an image; `place` one of 256 for
// the batch. They run in this order: count, scan, place, emit.
#import jpeg

const DC_CODES: u32 = 64u;
const AC_CODES: u32 = 96u;
const END_OF_BLOCK: u32 = 0x00u;
const SIXTEEN_ZEROS: u32 = 0xf0u;

fn coefficient(block: u32, place: u32) -> i32 {
    let word = coefficients[block * 32u + (place >> 1u)];
    return extractBits(bitcast<i32>(word), (place & 1u) * 16u, 16u);
}

fn bits_of(value: i32) -> u32 {
    return 32u - countLeadingZeros(u32(abs(value)));
}

// Whether a block of its image holds colour.
fn is_chroma(image: Image, block: u32) -> bool {
    return image.gray == 0u && block % 6u >= 4u;
}

// The DC less that of the block before it in its component. Nothing is read one by one: each block knows
// where that other one stands.
fn dc_difference(image: Image, block: u32) -> i32 {
    let dc = coefficient(image.first_block + block, 0u);
    var back = 1u;
    if image.gray == 0u {
        let place = block % 6u;
        if place == 0u {
            back = 3u;
        } else if place >= 4u {
            back = 6u;
        }
    }
    if block < back {
        return dc;
    }
    return dc - coefficient(image.first_block + block - back, 0u);
}

fn dc_code(chroma: bool, size: u32) -> u32 {
    return tables[DC_CODES + select(0u, 16u, chroma) + size];
}

fn ac_code(chroma: bool, symbol: u32) -> u32 {
    return tables[AC_CODES + select(0u, 256u, chroma) + symbol];
}

fn bits_of_block(image: Image, block: u32) -> u32 {
    let chroma = is_chroma(image, block);
    let size = bits_of(dc_difference(image, block));
    var total = (dc_code(chroma, size) >> 16u) + size;
    var zeros = 0u;
    for (var place = 1u; place < 64u; place++) {
        let value = coefficient(image.first_block + block, place);
        if value == 0 {
            zeros++;
            continue;
        }
        total += (zeros >> 4u) * (ac_code(chroma, SIXTEEN_ZEROS) >> 16u);
        let size = bits_of(value);
        total += (ac_code(chroma, (zeros & 15u) * 16u + size) >> 16u) + size;
        zeros = 0u;
    }
    if zeros > 0u {
        total += ac_code(chroma, END_OF_BLOCK) >> 16u;
    }
    return total;
}

// Sums up to each thread, twice as far in each round. The threads beyond a workgroup's size have no part.
var<workgroup> sums: array<u32, 256>;

fn sums_up_to(thread: u32, size: u32, value: u32) -> u32 {
    sums[thread] = value;
    for (var reach = 1u; reach < size; reach = reach << 1u) {
        workgroupBarrier();
        var before = 0u;
        if thread >= reach {
            before = sums[thread - reach];
        }
        workgroupBarrier();
        sums[thread] += before;
    }
    workgroupBarrier();
    return sums[thread];
}

// Where the parts of `lengths` begin.
fn starts() -> u32 {
    return batch.images_count;
}

fn group_lengths() -> u32 {
    return 2u * batch.images_count;
}

fn block_lengths() -> u32 {
    return 2u * batch.images_count + batch.block_groups;
}

@compute @workgroup_size(64)
fn count(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) across: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = number_of(id, across);
    if number >= batch.block_groups {
        return;
    }
    let group = groups[batch.fdct_groups + number];
    let image = batch.images[group.image];
    let block = group.first + thread;
    var length = 0u;
    if block < image.blocks {
        length = bits_of_block(image, block);
    }
    let end = sums_up_to(thread, 64u, length);
    if block < image.blocks {
        lengths[block_lengths() + image.first_block + block] = end - length;
    }
    if thread == 63u {
        lengths[group_lengths() + number] = end;
    }
}

@compute @workgroup_size(256)
fn scan(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) across: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = number_of(id, across);
    if number >= batch.images_count {
        return;
    }
    let image = batch.images[number];
    let share = (image.groups + 255u) / 256u;
    let first = group_lengths() + image.first_group + min(thread * share, image.groups);
    let end = group_lengths() + image.first_group + min((thread + 1u) * share, image.groups);
    var own = 0u;
    for (var at = first; at < end; at++) {
        own += lengths[at];
    }
    let total = sums_up_to(thread, 256u, own);
    var before = total - own;
    for (var at = first; at < end; at++) {
        let length = lengths[at];
        lengths[at] = before;
        before += length;
    }
    if thread == 255u {
        lengths[number] = total;
    }
}

@compute @workgroup_size(256)
fn place(@builtin(local_invocation_index) thread: u32) {
    let share = (batch.images_count + 255u) / 256u;
    let first = min(thread * share, batch.images_count);
    let end = min((thread + 1u) * share, batch.images_count);
    var own = 0u;
    for (var at = first; at < end; at++) {
        own += (lengths[at] + 31u) / 32u;
    }
    var before = sums_up_to(thread, 256u, own) - own;
    for (var at = first; at < end; at++) {
        lengths[starts() + at] = before;
        before += (lengths[at] + 31u) / 32u;
    }
}

// The word under construction, how many bits it has, and where it stands.
var<private> word: u32;
var<private> filled: u32;
var<private> position: u32;

// Appends up to 16 bits. Words are shared with the blocks before and behind, which set other bits of them.
fn put(value: u32, count: u32) {
    let room = 32u - filled;
    if count < room {
        word |= value << (room - count);
        filled += count;
        return;
    }
    let left = count - room;
    atomicOr(&bits[position], word | (value >> left));
    position++;
    word = 0u;
    if left > 0u {
        word = value << (32u - left);
    }
    filled = left;
}

fn put_code(code: u32) {
    put(code & 0xffffu, code >> 16u);
}

fn put_value(value: i32, size: u32) {
    let coded = bitcast<u32>(select(value, value - 1, value < 0));
    put(coded & ((1u << size) - 1u), size);
}

fn put_block(image: Image, block: u32) {
    let chroma = is_chroma(image, block);
    let difference = dc_difference(image, block);
    let size = bits_of(difference);
    put_code(dc_code(chroma, size));
    put_value(difference, size);
    var zeros = 0u;
    for (var place = 1u; place < 64u; place++) {
        let value = coefficient(image.first_block + block, place);
        if value == 0 {
            zeros++;
            continue;
        }
        for (; zeros > 15u; zeros -= 16u) {
            put_code(ac_code(chroma, SIXTEEN_ZEROS));
        }
        let size = bits_of(value);
        put_code(ac_code(chroma, zeros * 16u + size));
        put_value(value, size);
        zeros = 0u;
    }
    if zeros > 0u {
        put_code(ac_code(chroma, END_OF_BLOCK));
    }
}

@compute @workgroup_size(64)
fn emit(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) across: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = number_of(id, across);
    if number >= batch.block_groups {
        return;
    }
    let group = groups[batch.fdct_groups + number];
    let image = batch.images[group.image];
    let block = group.first + thread;
    // A file that does not fit is not begun: the host makes it.
    let start = lengths[starts() + group.image];
    let end = start + (lengths[group.image] + 31u) / 32u;
    if block >= image.blocks || end > batch.capacity {
        return;
    }
    let before = lengths[group_lengths() + number]
        + lengths[block_lengths() + image.first_block + block];
    position = start + (before >> 5u);
    filled = before & 31u;
    word = 0u;
    put_block(image, block);
    if block == image.blocks - 1u {
        let fill = (8u - (filled & 7u)) & 7u;
        if fill > 0u {
            put((1u << fill) - 1u, fill);
        }
    }
    if filled > 0u {
        atomicOr(&bits[position], word);
    }
}
