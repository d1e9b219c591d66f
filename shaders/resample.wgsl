// Twin: src/render/cpu/resample.rs, with orient.rs, flatten.rs and tone.rs in the second pass's end.
//
// Bindings of group 0: 0 records, 1 map, 2 tables, 3 arena. `columns` weighs rows of pixels, workgroup
// 16 × 4; `across` weighs pixels of a row and lays, flattens and tones the result, workgroup 8 × 8.
// An invocation makes four pixels of a row.
//
// Weights in the tables: where each sample begins, then for each sample pairs of 16 bits.
#import arena
#import pixels
#import tone

// From `from` to `to`, groups from `group_start` on. `to` has four channels where `from` has three.
struct Columns {
  from_offset: u32,
  from_stride: u32,
  channels: u32,
  group_start: u32,
  to_offset: u32,
  to_stride: u32,
  groups: u32,
  height: u32,
  starts: u32,
  weights: u32,
  taps: u32,
  bits: u32,
  // Whether colours are multiplied by opacity as they are read.
  multiply: u32,
}

@group(0) @binding(0) var<storage, read> column_records: array<Columns>;

const MULTIPLY: u32 = 1u;
const DIVIDE: u32 = 2u;
const FLATTEN: u32 = 4u;
const SPREAD: u32 = 8u;
const MULTIPLY_AFTER: u32 = 16u;
const OPAQUE: u32 = 32u;

// From rows of `from` to a picture of `width` × `height` before it is laid, `to_width` × `to_height`
// after. Without taps the pixels are those from `skip` on.
struct Across {
  from_offset: u32,
  from_stride: u32,
  channels: u32,
  // Columns of the picture that `from` does not have, left of it.
  skip: u32,
  width: u32,
  height: u32,
  starts: u32,
  weights: u32,
  taps: u32,
  bits: u32,
  mirror: u32,
  turns: u32,
  // MULTIPLY, DIVIDE, FLATTEN, SPREAD, MULTIPLY_AFTER, OPAQUE.
  steps: u32,
  tone: u32,
  background: u32,
  to_offset: u32,
  to_stride: u32,
  to_channels: u32,
  to_width: u32,
  to_height: u32,
}

@group(0) @binding(0) var<storage, read> across_records: array<Across>;
@group(0) @binding(1) var<storage, read> map: array<Entry>;

// The weight of an odd or even place in a pair.
fn first(pair: u32) -> i32 {
  return bitcast<i32>(pair << 16u) >> 16u;
}

fn second(pair: u32) -> i32 {
  return bitcast<i32>(pair) >> 16u;
}

fn rounded(sum: vec4<i32>, bits: u32) -> vec4<i32> {
  let half = 1 << (bits - 1u);
  return clamp((sum + half) >> vec4<u32>(bits), vec4<i32>(0), vec4<i32>(255));
}

// Four samples of a word, colours multiplied by opacity if there are `channels` with one.
fn samples(word: u32, channels: u32, multiply: u32) -> vec4<i32> {
  let all = bytes(word);
  if multiply == 0u {
    return all;
  }
  var by = vec4<i32>(all.www, 255);
  if channels == 2u {
    by = vec4<i32>(all.y, 255, all.w, 255);
  }
  return (all * by + 127) / 255;
}

@compute @workgroup_size(16, 4)
fn columns(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let at = place(workgroup, workgroups);
  if at >= arrayLength(&map) {
    return;
  }
  let record = column_records[map[at].record];
  let tile = tile_of(map[at].tile);
  let group = tile.x * 16u + local.x;
  let y = tile.y * 4u + local.y;
  if group >= record.groups || y >= record.height {
    return;
  }
  let n = record.channels;
  let weights = record.weights + y * ((record.taps + 1u) / 2u);
  var row = record.from_offset + tables[record.starts + y] * record.from_stride
    + (record.group_start + group) * n;
  var a = vec4<i32>(0);
  var b = vec4<i32>(0);
  var c = vec4<i32>(0);
  var d = vec4<i32>(0);
  for (var tap = 0u; tap < record.taps; tap++) {
    let pair = tables[weights + (tap >> 1u)];
    let weight = select(first(pair), second(pair), (tap & 1u) == 1u);
    a += weight * samples(arena[row], n, record.multiply);
    if n > 1u {
      b += weight * samples(arena[row + 1u], n, record.multiply);
    }
    if n > 2u {
      c += weight * samples(arena[row + 2u], n, record.multiply);
    }
    if n > 3u {
      d += weight * samples(arena[row + 3u], n, record.multiply);
    }
    row += record.from_stride;
  }
  a = rounded(a, record.bits);
  b = rounded(b, record.bits);
  c = rounded(c, record.bits);
  d = rounded(d, record.bits);
  if n == 3u {
    let to = record.to_offset + y * record.to_stride + group * 4u;
    arena[to] = packed(vec4<i32>(a.xyz, 255));
    arena[to + 1u] = packed(vec4<i32>(a.w, b.xy, 255));
    arena[to + 2u] = packed(vec4<i32>(b.zw, c.x, 255));
    arena[to + 3u] = packed(vec4<i32>(c.yzw, 255));
    return;
  }
  let to = record.to_offset + y * record.to_stride + group * n;
  arena[to] = packed(a);
  if n > 1u {
    arena[to + 1u] = packed(b);
  }
  if n > 3u {
    arena[to + 2u] = packed(c);
    arena[to + 3u] = packed(d);
  }
}

fn source(record: Across, row: u32, x: u32) -> vec4<i32> {
  let pixel = load(row, record.channels, x);
  if (record.steps & MULTIPLY) != 0u {
    return multiplied(pixel);
  }
  return pixel;
}

// The pixel at `x`, `y` of the resampled picture, colours still multiplied.
fn weighed(record: Across, x: u32, y: u32) -> vec4<i32> {
  let row = record.from_offset + y * record.from_stride;
  if record.taps == 0u {
    return source(record, row, x + record.skip);
  }
  let weights = record.weights + x * ((record.taps + 1u) / 2u);
  var at = tables[record.starts + x] - record.skip;
  var sum = vec4<i32>(0);
  for (var tap = 0u; tap < record.taps; tap += 2u) {
    let pair = tables[weights + (tap >> 1u)];
    sum += first(pair) * source(record, row, at);
    sum += second(pair) * source(record, row, at + 1u);
    at += 2u;
  }
  return rounded(sum, record.bits);
}

// Colours divided by opacity, through the reciprocal in 1/256; black where the pixel is clear.
fn divided(pixel: vec4<i32>) -> vec4<i32> {
  if pixel.w == 0 {
    return vec4<i32>(0);
  }
  let reciprocal = (255 * 512 / pixel.w + 1) / 2;
  return vec4<i32>(min((pixel.xyz * reciprocal + 128) / 256, vec3<i32>(255)), pixel.w);
}

// Where the pixel at `x`, `y` of the laid picture is taken from: turned back, then mirrored back.
fn before_laying(record: Across, x: u32, y: u32) -> vec2<u32> {
  var from_place = vec2<u32>(x, y);
  switch record.turns {
    case 1u: {
      from_place = vec2<u32>(y, record.height - 1u - x);
    }
    case 2u: {
      from_place = vec2<u32>(record.width - 1u - x, record.height - 1u - y);
    }
    case 3u: {
      from_place = vec2<u32>(record.width - 1u - y, x);
    }
    default: {}
  }
  if record.mirror != 0u {
    from_place.x = record.width - 1u - from_place.x;
  }
  return from_place;
}

fn finished(record: Across, x: u32, y: u32) -> vec4<i32> {
  let from_place = before_laying(record, min(x, record.to_width - 1u), y);
  var pixel = weighed(record, from_place.x, from_place.y);
  if (record.steps & OPAQUE) != 0u {
    pixel.w = 255;
  }
  if (record.steps & DIVIDE) != 0u {
    pixel = divided(pixel);
  }
  if (record.steps & FLATTEN) != 0u {
    let under = bytes(record.background);
    pixel = vec4<i32>((pixel.xyz * pixel.w + under.xyz * (255 - pixel.w) + 127) / 255, 255);
  }
  pixel = toned(pixel, record.tone);
  if (record.steps & SPREAD) != 0u {
    pixel = vec4<i32>(pixel.xxx, pixel.w);
  }
  if (record.steps & MULTIPLY_AFTER) != 0u {
    pixel = multiplied(pixel);
  }
  return pixel;
}

@compute @workgroup_size(8, 8)
fn across(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let at = place(workgroup, workgroups);
  if at >= arrayLength(&map) {
    return;
  }
  let record = across_records[map[at].record];
  let tile = tile_of(map[at].tile);
  let group = tile.x * 8u + local.x;
  let y = tile.y * 8u + local.y;
  if group * 4u >= record.to_width || y >= record.to_height {
    return;
  }
  let x = group * 4u;
  store(
    record.to_offset + y * record.to_stride + group * record.to_channels,
    record.to_channels,
    finished(record, x, y),
    finished(record, x + 1u, y),
    finished(record, x + 2u, y),
    finished(record, x + 3u, y),
  );
}
