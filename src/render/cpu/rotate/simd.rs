//! The same samples by vectors of 256 bits, where the processor has them; bit for bit what
//! [`Picture::sample`] gives.
//!
//! A vector holds two rows of neighbours. A shuffle lays two of a channel's four side by side, so that
//! one multiplication adds them; the sums of two rows, 16 bits each, are laid side by side in turn.

pub(super) use imp::Vectors;

#[cfg(target_arch = "x86_64")]
mod imp {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_packs_epi32, _mm_packus_epi16,
        _mm_set1_epi32, _mm_srai_epi32, _mm256_add_epi32, _mm256_blend_epi16,
        _mm256_broadcastsi128_si256, _mm256_castsi256_si128, _mm256_extracti128_si256,
        _mm256_madd_epi16, _mm256_set_m128i, _mm256_set1_epi32, _mm256_shuffle_epi8,
        _mm256_slli_epi32, _mm256_srai_epi32,
    };
    use std::array;

    use super::super::PHASES;
    use super::super::line::Line;
    use super::super::picture::{Picture, divided, split};

    /// Bytes of a load: four pixels, and what follows them.
    const LOAD: usize = 16;

    /// The processor's vectors of 256 bits.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Vectors(());

    impl Vectors {
        /// Those of this processor.
        pub(in super::super) fn found() -> Option<Self> {
            is_x86_feature_detected!("avx2").then_some(Self(()))
        }

        /// Samples along a line whose positions all have their neighbours inside.
        #[inline]
        #[expect(unsafe_code, reason = "calls code for a processor that was asked for")]
        #[expect(clippy::unused_self, reason = "a proof that the processor was asked")]
        pub(in super::super) fn row<const N: usize>(
            self,
            picture: &Picture<'_, N>,
            row: &mut [[u8; N]],
            line: Line,
        ) {
            // SAFETY: a value of this type exists only where AVX2 was found.
            unsafe { sampled(picture, row, line) }
        }
    }

    #[target_feature(enable = "avx2")]
    fn sampled<const N: usize>(picture: &Picture<'_, N>, row: &mut [[u8; N]], line: Line) {
        let phases = &*PHASES;
        let samples = picture.samples();
        let stride = picture.stride();
        let reach = 3 * stride + LOAD;
        let (left, right) = (taps::<N>(0), taps::<N>(2));
        let (mut at_right, mut at_down) = (line.right, line.down);
        for (index, pixel) in row.iter_mut().enumerate() {
            let ((x, across), (y, down)) = (split(at_right), split(at_down));
            let first = picture.first_neighbour(x, y);
            *pixel = match samples.get(first..first.saturating_add(reach)) {
                Some(window) => {
                    let row = |index: usize| loaded(&window[index * stride..]);
                    let even = weighed_rows(row(0), row(2), phases[across], left, right);
                    let odd = weighed_rows(row(1), row(3), phases[across], left, right);
                    weighed(even, odd, phases[down])
                }
                None => in_the_last_row(picture, line.after(index)),
            };
            at_right += line.right_step;
            at_down += line.down_step;
        }
    }

    /// A pixel for which a load would reach past the picture's end.
    #[cold]
    fn in_the_last_row<const N: usize>(picture: &Picture<'_, N>, at: Line) -> [u8; N] {
        picture.sample(at)
    }

    /// The first bytes.
    #[inline]
    fn loaded(samples: &[u8]) -> __m128i {
        bytemuck::pod_read_unaligned(&samples[..LOAD])
    }

    /// Where neighbours `first` and `first + 1` stand in a load, as pairs of 16 bits, one pair a channel.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn taps<const N: usize>(first: u8) -> __m256i {
        const NONE: u8 = 0x80;
        let channels = u8::try_from(N).unwrap_or(4);
        let place = |channel: u8, tap: u8| {
            if channel < channels {
                (first + tap) * channels + channel
            } else {
                NONE
            }
        };
        let bytes: [u8; LOAD] = array::from_fn(|index| {
            let [channel, ..] = (index / 4).to_le_bytes();
            match index % 4 {
                0 => place(channel, 0),
                2 => place(channel, 1),
                _ => NONE,
            }
        });
        _mm256_broadcastsi128_si256(bytemuck::cast(bytes))
    }

    /// Two rows of neighbours, to two fractional bits: channels of the upper, then of the lower.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn weighed_rows(
        upper: __m128i,
        lower: __m128i,
        weights: [i16; 4],
        left: __m256i,
        right: __m256i,
    ) -> __m256i {
        let rows = _mm256_set_m128i(lower, upper);
        let [first, second]: [i32; 2] = bytemuck::cast(weights);
        let first = _mm256_madd_epi16(_mm256_shuffle_epi8(rows, left), _mm256_set1_epi32(first));
        let second = _mm256_madd_epi16(_mm256_shuffle_epi8(rows, right), _mm256_set1_epi32(second));
        let sums = _mm256_add_epi32(first, second);
        _mm256_srai_epi32::<10>(_mm256_add_epi32(sums, _mm256_set1_epi32(512)))
    }

    /// Rows 0 and 2, rows 1 and 3, to a pixel.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn weighed<const N: usize>(even: __m256i, odd: __m256i, weights: [i16; 4]) -> [u8; N] {
        let pairs = _mm256_blend_epi16::<0b1010_1010>(even, _mm256_slli_epi32::<16>(odd));
        let [first, second]: [i32; 2] = bytemuck::cast(weights);
        let weights = _mm256_set_m128i(_mm_set1_epi32(second), _mm_set1_epi32(first));
        let products = _mm256_madd_epi16(pairs, weights);
        let sums = _mm_add_epi32(
            _mm256_castsi256_si128(products),
            _mm256_extracti128_si256::<1>(products),
        );
        if N.is_multiple_of(2) {
            let sums: [i32; 4] = bytemuck::cast(sums);
            return divided(array::from_fn(|channel| sums[channel]));
        }
        let levels = _mm_srai_epi32::<14>(_mm_add_epi32(sums, _mm_set1_epi32(8192)));
        let words = _mm_packs_epi32(levels, levels);
        let pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes();
        array::from_fn(|channel| pixel[channel])
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    use super::super::line::Line;
    use super::super::picture::Picture;

    /// Vectors that this processor's portable code stands for.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) enum Vectors {}

    impl Vectors {
        /// None.
        pub(in super::super) fn found() -> Option<Self> {
            None
        }

        /// Never called.
        pub(in super::super) fn row<const N: usize>(
            self,
            _picture: &Picture<'_, N>,
            _row: &mut [[u8; N]],
            _line: Line,
        ) {
            match self {}
        }
    }
}
