// What every pass binds: who it works for, where, with which tables, and the pixels.
//
// Bindings of group 0: 0 records (each shader's own type), 1 map (each shader's own type), 2 tables,
// 3 arena. An entry of the map is one workgroup's work: a record and a tile of its result.

struct Entry {
  record: u32,
  // From left to right in the lower half, from top to bottom in the upper.
  tile: u32,
}

@group(0) @binding(2) var<storage, read> tables: array<u32>;
@group(0) @binding(3) var<storage, read_write> arena: array<u32>;

// The place of a workgroup in the map: dispatches above 65535 workgroups are folded.
fn place(workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
  return workgroup.y * workgroups.x + workgroup.x;
}

fn tile_of(tile: u32) -> vec2<u32> {
  return vec2<u32>(tile & 0xffffu, tile >> 16u);
}
