//! How much of its thread's time one connection may take before others get their turn.
//!
//! Owns the figures. Bytes and values are counted, since a clock would cost a system call for each
//! read: bytes for copying them, values for decoding them.

/// What is left of one connection's turn.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    bytes: usize,
    values: usize,
}

impl Budget {
    /// A turn on the I/O thread: about a millisecond. A megabyte is copied in 0.2 ms, and 65,536
    /// short strings are decoded in less than one. The last read may exceed it, by 256 KiB.
    pub const DRIVER: Self = Self { bytes: 1 << 20, values: 64 << 10 };
    /// A turn on the caller's thread, which has JavaScript to run: a quarter of the other. A
    /// connection with more to read goes to the driver.
    pub const CALLER: Self = Self { bytes: 256 << 10, values: 16 << 10 };

    /// So many bytes were read, and so many values were decoded.
    pub fn spend(&mut self, bytes: usize, values: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.values = self.values.saturating_sub(values);
    }

    /// Whether the turn is over.
    pub fn is_spent(&self) -> bool {
        self.bytes == 0 || self.values == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_with_its_bytes_or_its_values() {
        let mut budget = Budget::DRIVER;
        budget.spend(Budget::DRIVER.bytes - 1, Budget::DRIVER.values - 1);
        assert!(!budget.is_spent());
        let (mut bytes, mut values) = (budget, budget);
        bytes.spend(1, 0);
        values.spend(0, 2);
        assert!(bytes.is_spent() && values.is_spent());
    }
}
