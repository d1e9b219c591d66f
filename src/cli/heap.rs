//! How many heaps the system's allocator keeps, and when it gives back what is free in them.
//!
//! glibc gives threads heaps of their own, up to eight for each processor. Decoded cells are made on
//! any thread and outlive it; each heap then holds holes between them that the others cannot use. A few
//! heaps for all keep the memory near what is in use. What is free below a cell stays with the program for
//! good, unless it is told to give it back.

#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(
        unsafe_code,
        reason = "the allocator's settings have no safe interface"
    )
)]

use std::env;

/// Fewest heaps: measured, two take the time that sixteen do.
const LEAST: usize = 2;

/// Processors that share a heap on a machine with many.
const PROCESSORS_PER_HEAP: usize = 4;

/// What operators set to choose for themselves.
const CHOSEN: [&str; 2] = ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"];

/// Lets all threads share a few heaps; called before there are any. Where that is refused, or the
/// allocator is another one, memory is only more.
pub(super) fn share(processors: usize) {
    if CHOSEN.iter().all(|name| env::var_os(name).is_none()) {
        limit((processors / PROCESSORS_PER_HEAP).max(LEAST));
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn limit(heaps: usize) {
    let Ok(heaps) = libc::c_int::try_from(heaps) else {
        return;
    };
    // SAFETY: takes two numbers and may be called at any time.
    let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, heaps) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn limit(_heaps: usize) {}

/// Gives whole pages that are free in the heaps back to the system. Takes milliseconds, and holds up who
/// allocates meanwhile.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn give_back() {
    // SAFETY: takes a number and may be called at any time, from any thread.
    let _ = unsafe { libc::malloc_trim(0) };
}

/// Other allocators look after that themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back() {}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::fs;

    use super::*;

    fn resident_pages() -> u64 {
        let text = fs::read_to_string("/proc/self/statm").expect("it is Linux");
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        pages.expect("a number")
    }

    #[test]
    fn what_is_free_between_what_is_kept_goes_back() {
        // 256 MiB in small blocks, of which every fiftieth is kept.
        let mut blocks: Vec<_> = (0..16_384).map(|_| Some(vec![1_u8; 16 << 10])).collect();
        for (number, block) in blocks.iter_mut().enumerate() {
            if number % 50 != 0 {
                *block = None;
            }
        }
        let before = resident_pages();
        give_back();
        let after = resident_pages();
        assert!(after + 32_000 < before, "{before} pages, then {after}");
        assert!(blocks.iter().flatten().all(|block| block[0] == 1));
    }
}
