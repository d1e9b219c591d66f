//! How many heaps the system's allocator keeps.
//!
//! glibc gives threads heaps of their own, up to eight for each processor. Decoded cells are made on
//! any thread and outlive it; each heap then holds holes between them that the others cannot use. A few
//! heaps for all keep the memory near what is in use.

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
