// Pixels in words. A row holds ceil(width / 4) groups of four pixels, a group as many words as a pixel
// has channels, bytes in the order of memory.
//
// In registers a pixel has four channels: gray stands in the first, opacity in the last, which is 255
// where there is none.

fn bytes(word: u32) -> vec4<i32> {
  return vec4<i32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

fn packed(level: vec4<i32>) -> u32 {
  let b = vec4<u32>(level);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

// The pixel at `x` of the row that begins at word `row`.
fn load(row: u32, channels: u32, x: u32) -> vec4<i32> {
  switch channels {
    case 1u: {
      let gray = (arena[row + (x >> 2u)] >> ((x & 3u) * 8u)) & 255u;
      return vec4<i32>(i32(gray), 0, 0, 255);
    }
    case 2u: {
      let both = arena[row + (x >> 1u)] >> ((x & 1u) * 16u);
      return vec4<i32>(i32(both & 255u), 0, 0, i32((both >> 8u) & 255u));
    }
    case 3u: {
      let first = x * 3u;
      let shift = (first & 3u) * 8u;
      var three = arena[row + (first >> 2u)] >> shift;
      if shift > 8u {
        three |= arena[row + (first >> 2u) + 1u] << (32u - shift);
      }
      return vec4<i32>(bytes(three).xyz, 255);
    }
    default: {
      return bytes(arena[row + x]);
    }
  }
}

// Writes a group of four pixels to the word `at`.
fn store(at: u32, channels: u32, a: vec4<i32>, b: vec4<i32>, c: vec4<i32>, d: vec4<i32>) {
  switch channels {
    case 1u: {
      arena[at] = packed(vec4<i32>(a.x, b.x, c.x, d.x));
    }
    case 2u: {
      arena[at] = packed(vec4<i32>(a.x, a.w, b.x, b.w));
      arena[at + 1u] = packed(vec4<i32>(c.x, c.w, d.x, d.w));
    }
    case 3u: {
      arena[at] = packed(vec4<i32>(a.xyz, b.x));
      arena[at + 1u] = packed(vec4<i32>(b.yz, c.xy));
      arena[at + 2u] = packed(vec4<i32>(c.z, d.xyz));
    }
    default: {
      arena[at] = packed(a);
      arena[at + 1u] = packed(b);
      arena[at + 2u] = packed(c);
      arena[at + 3u] = packed(d);
    }
  }
}

// Colours times opacity, to the nearest.
fn multiplied(pixel: vec4<i32>) -> vec4<i32> {
  return vec4<i32>((pixel.xyz * pixel.w + 127) / 255, pixel.w);
}
