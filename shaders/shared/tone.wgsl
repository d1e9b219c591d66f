// Luma and the threshold between black and white; the twin is src/render/cpu/tone.rs.

// Bits of `tone`.
const GRAY: u32 = 1u;
const BITONAL: u32 = 2u;
// Set where the pixel has luminance alone.
const IS_GRAY: u32 = 4u;

fn luma(colour: vec3<i32>) -> i32 {
  return (19595 * colour.x + 38470 * colour.y + 7471 * colour.z + 32768) >> 16u;
}

fn toned(pixel: vec4<i32>, tone: u32) -> vec4<i32> {
  if (tone & (GRAY | BITONAL)) == 0u {
    return pixel;
  }
  var gray = pixel.x;
  if (tone & IS_GRAY) == 0u {
    gray = luma(pixel.xyz);
  }
  if (tone & BITONAL) != 0u {
    gray = select(0, 255, gray >= 128);
  }
  return vec4<i32>(gray, 0, 0, pixel.w);
}
