// Twin: src/service/tiles/copy.rs. Puts a window together from tiles that stay on the device.
//
// Bindings of group 0: 0 records, 1 map, 2 tables, 3 arena, 4 slab. Workgroup: 8 × 8, four pixels of the
// window for each invocation. The tables hold two words for each tile: its first word in the slab, and
// its words from row to row.
#import arena
#import pixels

struct Gathering {
  to_offset: u32,
  to_stride: u32,
  to_width: u32,
  to_height: u32,
  channels: u32,
  // Where the window begins in the first tile.
  left: u32,
  top: u32,
  cell_width: u32,
  cell_height: u32,
  columns: u32,
  tiles: u32,
}

@group(0) @binding(0) var<storage, read> records: array<Gathering>;
@group(0) @binding(1) var<storage, read> map: array<Entry>;
@group(0) @binding(4) var<storage, read> slab: array<u32>;

// The byte at place `at` of the row that begins at word `row`.
fn kept(row: u32, at: u32) -> i32 {
  return i32((slab[row + (at >> 2u)] >> ((at & 3u) * 8u)) & 255u);
}

// The first word of the row that holds the pixel, and its column in the tile.
fn find(record: Gathering, x: u32, y: u32) -> vec2<u32> {
  let across = record.left + min(x, record.to_width - 1u);
  let down = record.top + y;
  let column = across / record.cell_width;
  let line = down / record.cell_height;
  let tile = record.tiles + (line * record.columns + column) * 2u;
  let row = tables[tile] + (down - line * record.cell_height) * tables[tile + 1u];
  return vec2<u32>(row, across - column * record.cell_width);
}

fn pixel(record: Gathering, x: u32, y: u32) -> vec4<i32> {
  let found = find(record, x, y);
  let row = found.x;
  let n = record.channels;
  let at = found.y * n;
  switch n {
    case 1u: {
      return vec4<i32>(kept(row, at), 0, 0, 255);
    }
    case 2u: {
      return vec4<i32>(kept(row, at), 0, 0, kept(row, at + 1u));
    }
    case 3u: {
      return vec4<i32>(kept(row, at), kept(row, at + 1u), kept(row, at + 2u), 255);
    }
    default: {
      return bytes(slab[row + found.y]);
    }
  }
}

@compute @workgroup_size(8, 8)
fn gather(
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
  let n = record.channels;
  let to = record.to_offset + y * record.to_stride + group * n;
  let x = group * 4u;
  let start = find(record, x, y);
  let end = find(record, x + 3u, y);
  // Four pixels of one tile that stand in its words as in the window's.
  if (start.y & 3u) == 0u && end.x == start.x && end.y == start.y + 3u {
    for (var word = 0u; word < n; word++) {
      arena[to + word] = slab[start.x + (start.y >> 2u) * n + word];
    }
    return;
  }
  store(to, n, pixel(record, x, y), pixel(record, x + 1u, y), pixel(record, x + 2u, y), pixel(record, x + 3u, y));
}
