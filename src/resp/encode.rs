//! Commands as bytes: writing them, and finding their bounds in an encoded batch.
//!
//! Owns the one form in which a client speaks, an array of bulk strings with lengths in bytes.
//! Reading takes exactly that form and stops at anything else. It guesses nothing, copies nothing,
//! and trusts no length beyond the bytes that are there.

use crate::resp::scalar;

/// Appends the command made of `args` (its name first) to `out`.
pub fn command(out: &mut Vec<u8>, args: &[&[u8]]) {
    let size: usize = args.iter().map(|arg| arg.len() + HEADER + 2).sum();
    out.reserve(size + HEADER);
    header(out, b'*', args.len());
    for arg in args {
        header(out, b'$', arg.len());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

/// The arguments of the first command in `command`, its name first. The iterator ends early where
/// the bytes are malformed or cut.
pub fn args(command: &[u8]) -> Args<'_> {
    match prefixed(command, b'*') {
        Some((left, rest)) => Args { rest, left },
        None => Args { rest: &[], left: 0 },
    }
}

/// The length in bytes of the first command of `batch`; `None` if it is cut, malformed, or empty.
/// An empty one (`*0`) is refused because a server skips it without a reply, and all later replies
/// would go to the wrong commands.
pub fn command_len(batch: &[u8]) -> Option<usize> {
    let mut args = args(batch);
    if args.left == 0 {
        return None;
    }
    while args.left > 0 {
        args.next()?;
    }
    Some(batch.len() - args.rest.len())
}

/// Iterates over the arguments of one command; made by [`args`].
#[derive(Clone, Debug)]
pub struct Args<'a> {
    rest: &'a [u8],
    left: u64,
}

impl Args<'_> {
    /// How many arguments are left, by the command's own header. A cut or malformed command has
    /// fewer.
    pub fn len(&self) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Args<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let left = self.left.checked_sub(1)?;
        // What failed once fails for good.
        self.left = 0;
        let (arg, rest) = bulk(self.rest)?;
        self.rest = rest;
        self.left = left;
        Some(arg)
    }
}

/// The bulk string at the front of `text`, and what is behind it.
#[inline]
fn bulk(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = prefixed(text, b'$')?;
    let (arg, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    Some((arg, rest.strip_prefix(b"\r\n")?))
}

/// The number in the line at the front of `text`, if it begins with `type_byte`, and what is behind
/// that line.
#[inline]
fn prefixed(text: &[u8], type_byte: u8) -> Option<(u64, &[u8])> {
    let (first, after) = text.split_first()?;
    if *first != type_byte {
        return None;
    }
    let (number, used) = scalar::short_number(after)?;
    Some((number, after.get(used..)?))
}

/// Appends the line of a type byte and a length.
fn header(out: &mut Vec<u8>, type_byte: u8, mut number: usize) {
    let mut line = [type_byte; HEADER];
    let mut used = 0;
    for (target, byte) in line.iter_mut().rev().zip(*b"\n\r") {
        *target = byte;
        used += 1;
    }
    for target in line.iter_mut().rev().skip(used) {
        *target = b'0' + (number % 10) as u8;
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
    }
    // The byte before the digits is still the type byte.
    out.extend_from_slice(line.get(HEADER - used - 1..).unwrap_or_default());
}

/// The longest header: a type byte, the 20 digits of a `u64`, CRLF.
const HEADER: usize = 23;

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(args: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        command(&mut out, args);
        out
    }

    #[test]
    fn lengths_count_bytes() {
        assert_eq!(
            encoded(&[b"SET", "k\u{f6}".as_bytes(), b""]),
            b"*3\r\n$3\r\nSET\r\n$3\r\nk\xc3\xb6\r\n$0\r\n\r\n"
        );
    }

    #[test]
    fn headers_hold_any_length() {
        for number in [0, 9, 10, 99, 100, 65_535, usize::MAX] {
            let mut out = Vec::new();
            header(&mut out, b'*', number);
            assert_eq!(out, format!("*{number}\r\n").into_bytes());
        }
    }

    #[test]
    fn commands_are_appended_and_found_again() {
        let mut batch = encoded(&[b"GET", b"a\r\nb"]);
        let first = batch.len();
        command(&mut batch, &[b"PING"]);
        assert_eq!(command_len(&batch), Some(first));
        assert_eq!(args(&batch).collect::<Vec<_>>(), [&b"GET"[..], b"a\r\nb"]);
        assert_eq!(command_len(&batch[first..]), Some(batch.len() - first));
    }

    #[test]
    fn a_cut_command_has_no_length_and_only_its_whole_arguments() {
        let whole = encoded(&[b"GET", b"key"]);
        for cut in 0..whole.len() {
            assert_eq!(command_len(&whole[..cut]), None, "cut at {cut}");
            assert!(args(&whole[..cut]).count() < 2, "cut at {cut}");
        }
    }

    #[test]
    fn malformed_commands_have_no_length() {
        for batch in [
            &b"*0\r\n"[..],
            b"*-1\r\n",
            b"$1\r\na\r\n",
            b"*1\r\n$2\r\nabc\r\n",
            b"*1\r\n:1\r\n",
            b"*1\n$1\na\n",
            b"*1\r\n$99999999999999999999\r\na\r\n",
            b"*999999999999999999\r\n$1\r\na\r\n",
            b"PING\r\n",
        ] {
            assert_eq!(command_len(batch), None, "{}", batch.escape_ascii());
        }
    }

    #[test]
    fn arguments_end_for_good_at_the_first_malformed_one() {
        let mut args = args(b"*3\r\n$1\r\na\r\n$x\r\n$1\r\nb\r\n");
        assert_eq!(args.next(), Some(&b"a"[..]));
        assert_eq!(args.next(), None);
        assert_eq!(args.next(), None);
    }
}
