// Pixels → quantised coefficients. Twin: src/render/cpu/jpeg_fdct.rs. Bindings: shared/jpeg.wgsl.
// Workgroup: 64, for one unit of six blocks, or for four blocks of a gray image.
#import jpeg

// Samples less 128, then the transform's values; 64 a block, row by row.
var<workgroup> values: array<i32, 384>;

fn byte_of(word: u32, at: u32) -> i32 {
    return i32((word >> ((at & 3u) * 8u)) & 255u);
}

// Luma and colour of the pixel that is nearest to (x, y) in the image.
fn ycc_at(image: Image, x: u32, y: u32) -> vec3<i32> {
    let at = min(x, image.width - 1u) * 3u;
    let row = image.pixels + min(y, image.height - 1u) * image.stride;
    let low = pixels[row + (at >> 2u)];
    let high = pixels[row + ((at + 2u) >> 2u)];
    let r = byte_of(low, at);
    let g = byte_of(select(high, low, ((at + 1u) >> 2u) == (at >> 2u)), at + 1u);
    let b = byte_of(high, at + 2u);
    return vec3<i32>(
        (19595 * r + 38470 * g + 7471 * b + 32768) >> 16u,
        (-11059 * r - 21709 * g + 32768 * b + 8421375) >> 16u,
        (32768 * r - 27439 * g - 5329 * b + 8421375) >> 16u,
    );
}

// Two by two pixels a thread: four samples of luma and the sums of both colours.
fn load_unit(image: Image, unit: vec2<u32>, thread: u32) {
    let quad = vec2<u32>(thread & 7u, thread >> 3u);
    let last_row = (image.height + 1u) / 2u - 1u;
    let row = unit.y * 8u + quad.y;
    var sum = vec3<i32>(0);
    for (var k = 0u; k < 4u; k++) {
        let x = quad.x * 2u + (k & 1u);
        let y = quad.y * 2u + (k >> 1u);
        let colour = ycc_at(image, unit.x * 16u + x, unit.y * 16u + y);
        let block = (y >> 3u) * 2u + (x >> 3u);
        values[block * 64u + (y & 7u) * 8u + (x & 7u)] = colour.x - 128;
        sum += colour;
    }
    if row > last_row {
        sum = vec3<i32>(0);
        for (var k = 0u; k < 4u; k++) {
            let x = unit.x * 16u + quad.x * 2u + (k & 1u);
            sum += ycc_at(image, x, last_row * 2u + (k >> 1u));
        }
    }
    let bias = 1 + i32(quad.x & 1u);
    values[256u + thread] = ((sum.y + bias) >> 2u) - 128;
    values[320u + thread] = ((sum.z + bias) >> 2u) - 128;
}

// Four samples of one of four blocks a thread.
fn load_gray(image: Image, first: u32, thread: u32) {
    let block = first + (thread >> 4u);
    if block >= image.blocks {
        return;
    }
    let x = (block % image.across) * 8u + (thread & 1u) * 4u;
    let v = (thread >> 1u) & 7u;
    let y = min((block / image.across) * 8u + v, image.height - 1u);
    for (var k = 0u; k < 4u; k++) {
        let at = min(x + k, image.width - 1u);
        let sample = byte_of(pixels[image.pixels + y * image.stride + (at >> 2u)], at);
        values[(thread >> 4u) * 64u + v * 8u + (thread & 1u) * 4u + k] = sample - 128;
    }
}

// Eight values that stand `step` apart, in place. Two bits of fraction come with the rows and go with the
// columns; the constants have 13.
fn transform(first: u32, step: u32, columns: bool) {
    let d0 = values[first];
    let d1 = values[first + step];
    let d2 = values[first + 2u * step];
    let d3 = values[first + 3u * step];
    let d4 = values[first + 4u * step];
    let d5 = values[first + 5u * step];
    let d6 = values[first + 6u * step];
    let d7 = values[first + 7u * step];
    let t10 = d0 + d7 + d3 + d4;
    let t13 = d0 + d7 - d3 - d4;
    let t11 = d1 + d6 + d2 + d5;
    let t12 = d1 + d6 - d2 - d5;
    let t4 = d3 - d4;
    let t5 = d2 - d5;
    let t6 = d1 - d6;
    let t7 = d0 - d7;

    let shift = select(11u, 15u, columns);
    let half = 1 << (shift - 1u);
    if columns {
        values[first] = (t10 + t11 + 2) >> 2u;
        values[first + 4u * step] = (t10 - t11 + 2) >> 2u;
    } else {
        values[first] = (t10 + t11) << 2u;
        values[first + 4u * step] = (t10 - t11) << 2u;
    }
    let z = (t12 + t13) * 4433 + half;
    values[first + 2u * step] = (z + t13 * 6270) >> shift;
    values[first + 6u * step] = (z - t12 * 15137) >> shift;

    let z5 = (t4 + t6 + t5 + t7) * 9633 + half;
    let z1 = (t4 + t7) * -7373;
    let z2 = (t5 + t6) * -20995;
    let z3 = (t4 + t6) * -16069 + z5;
    let z4 = (t5 + t7) * -3196 + z5;
    values[first + step] = (t7 * 12299 + z1 + z4) >> shift;
    values[first + 3u * step] = (t6 * 25172 + z2 + z3) >> shift;
    values[first + 5u * step] = (t5 * 16819 + z2 + z4) >> shift;
    values[first + 7u * step] = (t4 * 2446 + z1 + z3) >> shift;
}

// The coefficient at a place in the order of coding, in the lower half of a word.
fn quantised(block: u32, place: u32, quantisers: u32) -> u32 {
    let value = values[block * 64u + tables[place]];
    let divisor = tables[quantisers + place] << 3u;
    let size = i32((u32(abs(value)) + (divisor >> 1u)) / divisor);
    return u32(select(size, -size, value < 0)) & 0xffffu;
}

fn pair(block: u32, place: u32, quantisers: u32) -> u32 {
    return quantised(block, place, quantisers) | (quantised(block, place + 1u, quantisers) << 16u);
}

// The block of luma that a unit's block takes its DC from: itself where any of it is in the image. `outside`:
// whether the right column and the lower row are not.
fn origin_of(block: u32, outside: vec2<bool>) -> u32 {
    let right = select(1u, 0u, outside.x);
    if (block >> 1u) == 1u && outside.y {
        return right;
    }
    return select(block, (block & 2u), outside.x);
}

fn store_unit(image: Image, unit: u32, at: vec2<u32>, thread: u32) {
    let outside = at * 16u + 8u >= vec2<u32>(image.width, image.height);
    let first = (image.first_block + unit * 6u) * 32u;
    for (var word = thread; word < 192u; word += 64u) {
        let block = word >> 5u;
        let place = (word & 31u) * 2u;
        var stored = 0u;
        if block >= 4u {
            stored = pair(block, place, image.quantisers + CHROMA_QUANTISERS);
        } else {
            let origin = origin_of(block, outside);
            if origin == block {
                stored = pair(block, place, image.quantisers);
            } else if place == 0u {
                stored = quantised(origin, 0u, image.quantisers);
            }
        }
        coefficients[first + word] = stored;
    }
}

fn store_gray(image: Image, first: u32, thread: u32) {
    for (var word = thread; word < 128u; word += 64u) {
        let block = first + (word >> 5u);
        if block < image.blocks {
            let stored = pair(word >> 5u, (word & 31u) * 2u, image.quantisers);
            coefficients[(image.first_block + block) * 32u + (word & 31u)] = stored;
        }
    }
}

@compute @workgroup_size(64)
fn fdct(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) across: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = number_of(id, across);
    if number >= batch.fdct_groups {
        return;
    }
    let group = groups[number];
    let image = batch.images[group.image];
    let gray = image.gray == 1u;
    let unit = vec2<u32>(group.first % image.across, group.first / image.across);
    if gray {
        load_gray(image, group.first, thread);
    } else {
        load_unit(image, unit, thread);
    }
    let lines = select(48u, 32u, gray);
    workgroupBarrier();
    if thread < lines {
        transform(thread * 8u, 1u, false);
    }
    workgroupBarrier();
    if thread < lines {
        transform((thread >> 3u) * 64u + (thread & 7u), 8u, true);
    }
    workgroupBarrier();
    if gray {
        store_gray(image, group.first, thread);
    } else {
        store_unit(image, group.first, unit, thread);
    }
}
