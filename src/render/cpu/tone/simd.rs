//! Luma by vectors of 256 bits, where the processor has them; bit for bit what [`super::luma`] gives.
//!
//! A pixel is two pairs of 16 bits, red with green and green with blue, so that two multiplications that
//! add their pairs give its sum. Green's weight fits 16 bits only by halves.

pub(super) use imp::lumas;

#[cfg(target_arch = "x86_64")]
mod imp {
    use std::arch::x86_64::{
        __m256i, _mm_packus_epi16, _mm256_add_epi32, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_packus_epi32, _mm256_set_m128i,
        _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_srli_epi32,
    };

    /// Pixels that are made at a time.
    const PIXELS: usize = 8;

    /// Bytes that are read for them: two loads, the second from the fifth pixel on.
    const REACH: usize = 12 + 16;

    /// Twice this is the weight 38470.
    const HALF_OF_GREEN: i16 = 19235;

    /// Lumas of the first pixels of `samples`; says of how many.
    #[expect(unsafe_code, reason = "calls code for a processor that was asked for")]
    pub(in super::super) fn lumas(samples: &[u8], grays: &mut [u8]) -> usize {
        if !is_x86_feature_detected!("avx2") {
            return 0;
        }
        // SAFETY: AVX2 has just been found.
        unsafe { with_vectors(samples, grays) }
    }

    #[target_feature(enable = "avx2")]
    fn with_vectors(samples: &[u8], grays: &mut [u8]) -> usize {
        let mut done = 0;
        for eight in grays.as_chunks_mut::<PIXELS>().0 {
            let Some(window) = samples.get(3 * done..3 * done + REACH) else {
                break;
            };
            *eight = eight_lumas(window);
            done += PIXELS;
        }
        done
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn eight_lumas(window: &[u8]) -> [u8; PIXELS] {
        let load = |from: usize| bytemuck::pod_read_unaligned(&window[from..from + 16]);
        let pixels = _mm256_set_m128i(load(12), load(0));
        let red_green = _mm256_shuffle_epi8(pixels, pairs(0));
        let green_blue = _mm256_shuffle_epi8(pixels, pairs(1));
        let sums = _mm256_add_epi32(
            _mm256_madd_epi16(red_green, weights(19595, HALF_OF_GREEN)),
            _mm256_madd_epi16(green_blue, weights(HALF_OF_GREEN, 7471)),
        );
        let lumas = _mm256_srli_epi32::<16>(_mm256_add_epi32(sums, _mm256_set1_epi32(32768)));
        let words = _mm256_packus_epi32(lumas, lumas);
        let low = _mm256_castsi256_si128(words);
        let high = _mm256_extracti128_si256::<1>(words);
        // Each half holds its four twice.
        let bytes = _mm_packus_epi16(low, high);
        let [first, _, second, _]: [[u8; 4]; 4] = bytemuck::cast(bytes);
        bytemuck::cast([first, second])
    }

    /// Where samples `first` and `first + 1` of the four pixels of a load stand, as pairs of 16 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn pairs(first: u8) -> __m256i {
        const NONE: u8 = 0x80;
        let of = |pixel: u8| [3 * pixel + first, NONE, 3 * pixel + first + 1, NONE];
        let all = [of(0), of(1), of(2), of(3), of(0), of(1), of(2), of(3)];
        bytemuck::cast(all)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn weights(first: i16, second: i16) -> __m256i {
        _mm256_set1_epi32(bytemuck::cast([first, second]))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    /// None: portable code makes all.
    pub(in super::super) fn lumas(_samples: &[u8], _grays: &mut [u8]) -> usize {
        0
    }
}
