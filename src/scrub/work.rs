//! What a scrubber has done, counted in tests: it must not depend on a value.

use std::sync::{Arc, Mutex};

/// Sums since the scrubber was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Texts, each counted once for every needle that was sought in it.
    pub(crate) needles: usize,
    /// Bytes that were searched.
    pub(crate) bytes: usize,
    pub(crate) allocations: u64,
    pub(crate) allocated_bytes: u64,
}

/// Counts; clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<Mutex<Work>>);

impl Work {
    /// The work since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            needles: self.needles - before.needles,
            bytes: self.bytes - before.bytes,
            allocations: self.allocations - before.allocations,
            allocated_bytes: self.allocated_bytes - before.allocated_bytes,
        }
    }
}

impl Counter {
    pub(super) fn work(&self) -> Work {
        *self.0.lock().unwrap()
    }

    pub(super) fn counted(&self, needles: usize, search: impl FnOnce() -> bool) -> bool {
        let mut found = false;
        let allocated = allocation_counter::measure(|| found = search());
        let mut work = self.0.lock().unwrap();
        work.needles += needles;
        work.allocations += allocated.count_total;
        work.allocated_bytes += allocated.bytes_total;
        found
    }

    pub(super) fn searched(&self, bytes: usize) {
        self.0.lock().unwrap().bytes += bytes;
    }
}
