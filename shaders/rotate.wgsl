// Twin: src/render/cpu/rotate.rs, with tone.rs in its end. Turns by any angle, in integers of 32 bits.
//
// Bindings of group 0: 0 records, 1 map, 2 tables, 3 arena. A workgroup of 8 × 8 makes one tile of
// 32 × 8 pixels; where its first pixel lies in the picture stands in the map, computed by the host.
// The source has four channels, colours multiplied by opacity.
#import arena
#import pixels
#import tone

struct Turned {
  record: u32,
  tile: u32,
  // Of the tile's first pixel, with 16 fractional bits.
  right: u32,
  down: u32,
}

struct Rotation {
  from_offset: u32,
  from_stride: u32,
  from_width: u32,
  from_height: u32,
  to_offset: u32,
  to_stride: u32,
  to_channels: u32,
  to_width: u32,
  to_height: u32,
  // With 16 fractional bits.
  cos: u32,
  sin: u32,
  // What lies around the picture, in the channels of the source.
  outside: u32,
  // Whether the result has opacity.
  alpha: u32,
  tone: u32,
  // Where the weights of the phases stand in the tables: two words of two weights for each.
  phases: u32,
}

@group(0) @binding(0) var<storage, read> records: array<Rotation>;
@group(0) @binding(1) var<storage, read> map: array<Turned>;

fn weights(record: Rotation, position: i32) -> vec4<i32> {
  let at = record.phases + (u32(position >> 8u) & 255u) * 2u;
  let pairs = vec4<u32>(tables[at] << 16u, tables[at], tables[at + 1u] << 16u, tables[at + 1u]);
  return bitcast<vec4<i32>>(pairs) >> vec4<u32>(16u);
}

fn neighbour(record: Rotation, x: i32, y: i32) -> vec4<i32> {
  if x < 0 || y < 0 || x >= i32(record.from_width) || y >= i32(record.from_height) {
    return bytes(record.outside);
  }
  return bytes(arena[record.from_offset + u32(y) * record.from_stride + u32(x)]);
}

// Four pixels of a row, to two fractional bits.
fn row(record: Rotation, x: i32, y: i32, by: vec4<i32>) -> vec4<i32> {
  var sum = vec4<i32>(512);
  sum += by.x * neighbour(record, x - 1, y);
  sum += by.y * neighbour(record, x, y);
  sum += by.z * neighbour(record, x + 1, y);
  sum += by.w * neighbour(record, x + 2, y);
  return sum >> vec4<u32>(10u);
}

fn level(value: vec4<i32>) -> vec4<i32> {
  return clamp(value, vec4<i32>(0), vec4<i32>(255));
}

fn sample(record: Rotation, right: i32, down: i32) -> vec4<i32> {
  let x = right >> 16u;
  let y = down >> 16u;
  let along = weights(record, right);
  let by = weights(record, down);
  var sum = by.x * row(record, x, y - 1, along);
  sum += by.y * row(record, x, y, along);
  sum += by.z * row(record, x, y + 1, along);
  sum += by.w * row(record, x, y + 2, along);
  let plain = level((sum + 8192) >> vec4<u32>(14u));
  if record.alpha == 0u {
    return vec4<i32>(plain.xyz, 255);
  }
  if plain.w == 0 {
    return vec4<i32>(0);
  }
  let colours = (sum * 255 + sum.w / 2) / sum.w;
  return vec4<i32>(level(colours).xyz, plain.w);
}

fn turned(record: Rotation, start: Turned, dx: u32, dy: u32) -> vec4<i32> {
  let cos = bitcast<i32>(record.cos);
  let sin = bitcast<i32>(record.sin);
  let right = bitcast<i32>(start.right) + i32(dx) * cos + i32(dy) * sin;
  let down = bitcast<i32>(start.down) - i32(dx) * sin + i32(dy) * cos;
  return toned(sample(record, right, down), record.tone);
}

@compute @workgroup_size(8, 8)
fn rotate(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let at = place(workgroup, workgroups);
  if at >= arrayLength(&map) {
    return;
  }
  let start = map[at];
  let record = records[start.record];
  let tile = tile_of(start.tile);
  let group = tile.x * 8u + local.x;
  let y = tile.y * 8u + local.y;
  if group * 4u >= record.to_width || y >= record.to_height {
    return;
  }
  let x = local.x * 4u;
  store(
    record.to_offset + y * record.to_stride + group * record.to_channels,
    record.to_channels,
    turned(record, start, x, local.y),
    turned(record, start, x + 1u, local.y),
    turned(record, start, x + 2u, local.y),
    turned(record, start, x + 3u, local.y),
  );
}
