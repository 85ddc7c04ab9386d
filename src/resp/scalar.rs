//! The text of one RESP line as a number: integers, lengths, doubles, big numbers.
//!
//! Owns the grammar of these texts. It never sees a type byte, and has no limit but that of the
//! number types. `None` means that the text is not a value of the type.

/// A run of digits with its CRLF at the front of `text`: its value, and its length with the CRLF.
///
/// For the hot path. `None` for anything unusual (a sign, more than 18 digits, an unfinished
/// line); the caller then reads the whole line.
#[inline(always)]
pub fn short_number(text: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0u64;
    for (at, byte) in text.iter().take(SHORT).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            let ends = at > 0 && *byte == b'\r' && text.get(at + 1) == Some(&b'\n');
            return ends.then_some((number, at + 2));
        }
        number = number * 10 + u64::from(digit);
    }
    None
}

/// A length or count: digits only. Also `None` for a number beyond `u64`.
pub fn length(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// An integer with an optional sign. Also `None` for a number beyond `i64`, which no server sends
/// as `:`.
pub fn integer(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => 0i64.checked_sub_unsigned(length(digits)?),
        [b'+', digits @ ..] => 0i64.checked_add_unsigned(length(digits)?),
        digits => 0i64.checked_add_unsigned(length(digits)?),
    }
}

/// A double: a decimal number with optional fraction and exponent, or `inf` or `nan`. Each may have
/// a sign: C's `printf` writes `-nan`, and servers before 7.2 sent that.
pub fn double(text: &[u8]) -> Option<f64> {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        rest => rest,
    };
    if unsigned == b"nan" {
        return Some(f64::NAN);
    }
    // Rust's parser would also take `infinity` and capitals, which no server writes.
    let decimal =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    if unsigned != b"inf" && !unsigned.iter().all(decimal) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether `text` is an integer of any size.
pub fn is_big_number(text: &[u8]) -> bool {
    let digits = match text {
        [b'+' | b'-', digits @ ..] => digits,
        digits => digits,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Bytes that [`short_number`] looks at: 18 digits, which fit into an `i64` too, and the CR that
/// ends them.
pub const SHORT: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_need_their_line_end() {
        assert_eq!(short_number(b"12\r\nrest"), Some((12, 4)));
        assert_eq!(short_number(b"999999999999999999\r\n"), Some((999_999_999_999_999_999, 20)));
        for text in [&b"12\r"[..], b"12", b"\r\n", b"-1\r\n", b"1x\r\n", b"1\n", b""] {
            assert_eq!(short_number(text), None, "{}", text.escape_ascii());
        }
        assert_eq!(short_number(b"99999999999999999999\r\n"), None);
    }

    #[test]
    fn lengths_are_digits_within_u64() {
        assert_eq!(length(b"0"), Some(0));
        assert_eq!(length(b"18446744073709551615"), Some(u64::MAX));
        for text in [&b"18446744073709551616"[..], b"", b"-1", b"+1", b" 1", b"1 "] {
            assert_eq!(length(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn integers_reach_both_ends_of_i64() {
        assert_eq!(integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer(b"+5"), Some(5));
        assert_eq!(integer(b"-0"), Some(0));
        for text in [&b"9223372036854775808"[..], b"-9223372036854775809", b"", b"-", b"--1"] {
            assert_eq!(integer(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn doubles_are_what_servers_write() {
        for (text, value) in [("1", 1.0), ("1.5e3", 1500.0), ("-.5", -0.5), ("+2E-1", 0.2)] {
            assert_eq!(double(text.as_bytes()), Some(value), "{text}");
        }
        assert_eq!(double(b"inf"), Some(f64::INFINITY));
        assert_eq!(double(b"-inf"), Some(f64::NEG_INFINITY));
        assert!(double(b"-nan").is_some_and(f64::is_nan));
        assert!(double(b"-0").is_some_and(f64::is_sign_negative));
        for text in ["", "-", "1e", "infinity", "NaN", "0x10", "1_0", "--1", "."] {
            assert_eq!(double(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn big_numbers_are_digits() {
        assert!(is_big_number(b"3492890328409238509324850943850943825024385"));
        assert!(is_big_number(b"-1"));
        for text in [&b""[..], b"-", b"1.0", b"1e5", b"12a"] {
            assert!(!is_big_number(text), "{}", text.escape_ascii());
        }
    }
}
