//! Memory for large batches, which is used again.
//!
//! Owns the free blocks of the process. A fresh block of a megabyte has 256 pages that the kernel has
//! to find and to clear while the event loop waits; that takes longer than the copy itself. No block
//! is read before it was written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Empty memory for `len` bytes: of a block that has been used before, if there is one that fits.
pub fn take(len: usize) -> Vec<u8> {
    if len < SMALLEST {
        return Vec::with_capacity(len);
    }
    let mut free = lock();
    let fits = |block: &Vec<u8>| block.capacity() >= len && block.capacity() / 2 <= len;
    let found = free.iter().rposition(fits);
    found.map(|at| free.swap_remove(at)).unwrap_or_else(|| {
        drop(free);
        // So that a block fits other batches of about this size too.
        Vec::with_capacity(len.next_multiple_of(SMALLEST))
    })
}

/// The bytes of a batch. Their memory is free again once nobody has them any more.
pub fn bytes(filled: Vec<u8>) -> Bytes {
    if filled.capacity() < SMALLEST {
        return filled.into();
    }
    Bytes::from_owner(Block(filled))
}

struct Block(Vec<u8>);

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut block = std::mem::take(&mut self.0);
        let mut free = lock();
        let kept: usize = free.iter().map(Vec::capacity).sum();
        if kept + block.capacity() <= KEPT {
            block.clear();
            free.push(block);
        }
    }
}

fn lock() -> MutexGuard<'static, Vec<Vec<u8>>> {
    static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    // A panic cannot leave the list half changed.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The smallest block. glibc maps what is larger than 128 KiB anew, and gives it back when it is
/// freed; what is smaller than half of that is cheap in any allocator.
const SMALLEST: usize = 64 << 10;
/// The most bytes in free blocks: room for some values of a megabyte that are on their way at once,
/// and little beside what a process takes that has handled such values.
const KEPT: usize = 8 << 20;
