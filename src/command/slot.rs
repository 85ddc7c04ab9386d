//! Hash slots: which part of a cluster a key belongs to.
//!
//! The rule of the cluster specification
//! (<https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>): CRC16 of the
//! key, or of its hash tag, modulo the number of slots. Pure, no allocation.

/// How many slots every cluster has: fixed by its specification.
pub const SLOTS: u16 = 16384;

/// The slot of a key.
pub fn of(key: &[u8]) -> u16 {
    crc16(tag(key)) % SLOTS
}

/// The part of a key that decides about its slot: the text between its first `{` and the next `}`.
/// Without such a text, or if it is empty, that is the whole key.
fn tag(key: &[u8]) -> &[u8] {
    let inner = || {
        let open = memchr::memchr(b'{', key)?;
        let rest = key.get(open + 1..)?;
        let close = memchr::memchr(b'}', rest)?;
        rest.get(..close).filter(|tag| !tag.is_empty())
    };
    inner().unwrap_or(key)
}

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let at = (crc >> 8) as u8 ^ byte;
        // A byte is never out of bounds: the table has 256 entries.
        (crc << 8) ^ TABLE.get(usize::from(at)).copied().unwrap_or_default()
    })
}

/// The remainder of each byte, computed by the compiler, which refuses an index out of bounds.
#[allow(clippy::indexing_slicing)]
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b""), 0);
    }

    /// What `CLUSTER KEYSLOT` of a Redis server answers.
    #[test]
    fn slots_are_those_of_a_server() {
        for (key, slot) in [
            (&b"foo"[..], 12182),
            (b"bar", 5061),
            (b"hello", 866),
            (b"somekey", 11058),
            (b"123456789", 12739),
            (b"", 0),
            (b"user:1000", 1649),
        ] {
            assert_eq!(of(key), slot, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn a_hash_tag_stands_for_its_key() {
        for (key, same) in [
            (&b"{user1000}.following"[..], &b"user1000"[..]),
            (b"a{b}c", b"b"),
            (b"foo{bar}{zap}", b"bar"),
            (b"foo{{bar}}zap", b"{bar"),
            (b"}a{b}", b"b"),
        ] {
            assert_eq!(tag(key), same);
            assert_eq!(of(key), of(same));
        }
        for whole in [&b"foo{}{bar}"[..], b"{", b"}", b"{}", b"a{b", b"a}b", b"}{", b""] {
            assert_eq!(tag(whole), whole);
        }
    }
}
