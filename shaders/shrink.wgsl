// Twin: src/render/cpu/shrink.rs. Halves both sides by 2×2 boxes, once.
//
// Bindings of group 0: 0 records, 1 map, 2 tables (not used), 3 arena. Workgroup: 8 × 8, four pixels of
// the result for each invocation.
#import arena
#import pixels

struct Halving {
  from_offset: u32,
  from_stride: u32,
  from_width: u32,
  from_height: u32,
  to_offset: u32,
  to_stride: u32,
  to_width: u32,
  to_height: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> records: array<Halving>;
@group(0) @binding(1) var<storage, read> map: array<Entry>;

// The mean of a box; colours count by their opacity.
fn mean(a: vec4<i32>, b: vec4<i32>, c: vec4<i32>, d: vec4<i32>) -> vec4<i32> {
  let plain = (a + b + c + d + 2) >> vec4<u32>(2u);
  let opacity = a.w + b.w + c.w + d.w;
  if opacity == 4 * 255 {
    return plain;
  }
  if opacity == 0 {
    return vec4<i32>(0);
  }
  let sum = a.xyz * a.w + b.xyz * b.w + c.xyz * c.w + d.xyz * d.w;
  return vec4<i32>((sum + opacity / 2) / opacity, plain.w);
}

// The pixel at `x`, `y` of the result; beyond its right edge, the last.
fn halved(record: Halving, x: u32, y: u32) -> vec4<i32> {
  let column = min(x, record.to_width - 1u) * 2u;
  let next = min(column + 1u, record.from_width - 1u);
  let upper = record.from_offset + y * 2u * record.from_stride;
  let lower = record.from_offset + min(y * 2u + 1u, record.from_height - 1u) * record.from_stride;
  let n = record.channels;
  return mean(load(upper, n, column), load(upper, n, next), load(lower, n, column), load(lower, n, next));
}

@compute @workgroup_size(8, 8)
fn shrink(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let at = place(workgroup, workgroups);
  if at >= arrayLength(&map) {
    return;
  }
  let record = records[map[at].record];
  let tile = tile_of(map[at].tile);
  let group = tile.x * 8u + local.x;
  let y = tile.y * 8u + local.y;
  if group * 4u >= record.to_width || y >= record.to_height {
    return;
  }
  let x = group * 4u;
  store(
    record.to_offset + y * record.to_stride + group * record.channels,
    record.channels,
    halved(record, x, y),
    halved(record, x + 1u, y),
    halved(record, x + 2u, y),
    halved(record, x + 3u, y),
  );
}
