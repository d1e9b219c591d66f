//! Records, maps and tables one behind another in one buffer, each where a binding may begin.

use std::ops::Range;

use bytemuck::Pod;

use super::{Dispatch, Kernel};

/// Words between places where a binding may begin: 256 bytes, which no device asks to exceed.
///
/// Source: WebGPU §3.6.2, `minStorageBufferOffsetAlignment`.
const ALIGNMENT: usize = 64;

/// The sections so far.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) words: Vec<u32>,
    pub(super) dispatches: Vec<Dispatch>,
}

impl Sections {
    /// A kernel's records and map; nothing where no job wants it.
    pub(super) fn add<R: Pod, E: Pod>(
        &mut self,
        kernel: Kernel,
        records: &[R],
        map: &[E],
    ) -> Option<()> {
        if map.is_empty() {
            return Some(());
        }
        let dispatch = Dispatch {
            kernel,
            records: self.put(records),
            map: self.put(map),
            workgroups: u32::try_from(map.len()).ok()?,
        };
        self.dispatches.push(dispatch);
        Some(())
    }

    /// Puts `items` behind what is there, and says where.
    pub(super) fn put<T: Pod>(&mut self, items: &[T]) -> Range<usize> {
        let start = self.words.len().next_multiple_of(ALIGNMENT);
        self.words.resize(start, 0);
        self.words.extend_from_slice(bytemuck::cast_slice(items));
        start..self.words.len()
    }
}
