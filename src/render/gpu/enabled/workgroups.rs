//! Workgroups of a dispatch in two directions.

/// Workgroups that a dispatch has in one direction at most, by WebGPU's default limits.
///
/// Source: WebGPU §3.6.2, `maxComputeWorkgroupsPerDimension`.
pub(super) const MOST: u32 = 65_535;

/// Workgroups in two directions, at least `count` in all, each within the limit.
pub(super) fn folded(count: u32) -> (u32, u32) {
    let down = count.div_ceil(MOST).max(1);
    (count.div_ceil(down), down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_fold_within_the_limit() {
        assert_eq!(folded(0), (0, 1));
        assert_eq!(folded(65_535), (65_535, 1));
        assert_eq!(folded(65_536), (32_768, 2));
        for count in [70_001, 393_216, 10_000_019_u32] {
            let (across, down) = folded(count);
            assert!(across <= 65_535 && down <= 65_535);
            let all = u64::from(across) * u64::from(down);
            assert!((u64::from(count)..u64::from(count) + u64::from(down)).contains(&all));
        }
    }
}
