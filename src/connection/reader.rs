//! The receiving side of a connection: bytes of a stream to frames.
//!
//! Owns the receive buffer and the decoder's partial state. It never waits, and never decides what
//! a frame means.
//!
//! Invariant: the memory that is reserved never exceeds the bytes received by more than
//! [`HEADROOM`], whatever size the peer announces.

use std::io;

use bytes::BytesMut;

use super::budget::Budget;
use crate::error::Result;
use crate::resp::{Decoder, Frames, Limits};
use crate::stream::Stream;

/// The receiving side of one connection.
pub struct Reader {
    buf: BytesMut,
    decoder: Decoder,
    /// How much to ask the socket for, between `least` and [`MAX_CHUNK`].
    chunk: usize,
    /// [`FIRST_CHUNK`] until several replies have come at once, then [`MIN_CHUNK`].
    least: usize,
    /// Whether the latest read has filled its room.
    is_full: bool,
    /// Bytes of the latest read.
    latest: usize,
    /// Values that were decoded since then.
    values: usize,
    /// Whether the buffer has grown for a large reply.
    is_grown: bool,
}

impl Reader {
    /// A reader at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        let decoder = Decoder::new(limits);
        Self {
            buf: BytesMut::new(),
            decoder,
            chunk: FIRST_CHUNK,
            least: FIRST_CHUNK,
            is_full: false,
            latest: 0,
            values: 0,
            is_grown: false,
        }
    }

    /// Reads once, without waiting, and returns the number of bytes, at most [`MAX_CHUNK`]; 0 is the
    /// end of the stream. Call it until it returns `WouldBlock`, and only then await
    /// [`Stream::readable`].
    pub fn fill(&mut self, stream: &Stream) -> io::Result<usize> {
        self.make_room();
        // A buffer that grows has more room than a single read should fill.
        let spare = (self.buf.capacity() - self.buf.len()).min(MAX_CHUNK);
        let length = stream.try_read(&mut self.buf, spare)?;
        (self.latest, self.values) = (length, 0);
        self.is_full = length == spare;
        if self.is_full {
            self.chunk = (self.chunk * 2).min(MAX_CHUNK);
        } else if length < self.chunk / 2 {
            self.chunk = (self.chunk / 2).max(self.least);
        }
        Ok(length)
    }

    /// All values that are complete now; `None` if there are none until more bytes have come.
    ///
    /// # Errors
    ///
    /// Class `Protocol`, after the values before the offence were returned.
    pub fn decode(&mut self) -> Result<Option<Frames>> {
        let decoded = self.decoder.decode(&mut self.buf);
        self.values += self.decoder.latest();
        decoded
    }

    /// Takes from `budget` what the latest read and the decoding of its bytes have cost.
    pub fn charge(&self, budget: &mut Budget) {
        budget.spend(self.latest, self.values);
    }

    /// Whether the end of the stream now would cut a value in two.
    pub fn is_mid_value(&self) -> bool {
        self.decoder.is_mid_value()
    }

    /// Whether bytes of an unfinished value have come that is no push. If no reply is due, nobody has
    /// asked for it, and the next reply would become a part of it.
    pub fn is_mid_reply(&self) -> bool {
        self.is_mid_value() && self.buf.first() != Some(&PUSH)
    }

    /// How many bytes the unfinished value still needs, as far as the server has announced it; 0 if
    /// that is not known.
    pub fn wanted(&self) -> usize {
        self.decoder.wanted()
    }

    /// Reserves memory for the next read, if the rest is too small for one. So small replies share a
    /// chunk. A buffer that grows takes twice its size; growing it late keeps that within the bytes
    /// received and [`HEADROOM`].
    fn make_room(&mut self) {
        self.is_grown |= self.buf.len() > LARGE;
        if self.is_grown && self.buf.len() < MIN_CHUNK {
            // The memory of the large reply would stay with the connection.
            self.buf = BytesMut::from(self.buf.as_ref());
            self.is_grown = false;
        }
        if self.is_full && self.decoder.wanted() == 0 {
            // Many replies, not one that is large: more will come so.
            self.least = MIN_CHUNK;
            self.chunk = self.chunk.max(MIN_CHUNK);
        }
        let spare = self.buf.capacity() - self.buf.len();
        let needed = self.decoder.wanted().clamp(MIN_SPARE.min(self.chunk / 2), MIN_CHUNK);
        if spare < needed {
            let size = self.chunk.max(self.decoder.wanted().min(MAX_CHUNK));
            self.buf.reserve(size.min(self.allowance()));
        }
    }

    /// The most that may be reserved now.
    fn allowance(&self) -> usize {
        self.buf.len().max(self.latest) + HEADROOM
    }
}

/// Of a connection that has not received more than this at once, as one that is idle, or is asked for
/// one thing at a time. A process may have thousands of these.
const FIRST_CHUNK: usize = 2 * 1024;
/// Holds a hundred small replies. A connection in use should cost no more memory.
const MIN_CHUNK: usize = 16 * 1024;
/// About as much as a kernel's socket buffer holds on loopback; larger reads gain nothing.
const MAX_CHUNK: usize = 256 * 1024;
/// A buffer that has held more than this is given back once the reply has gone: four of the largest
/// reads, which only a reply of that size fills.
const LARGE: usize = 4 * MAX_CHUNK;
/// The type byte of a push.
const PUSH: u8 = b'>';
/// A read into less room than this is not worth its system call.
const MIN_SPARE: usize = 4 * 1024;
/// How much more may be reserved than was received: 64 KiB, so that a server that announces large
/// values and does not send them costs little (`SECURITY.md`).
const HEADROOM: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::options::{ClientOptions, Endpoint};
    use crate::stream::{Progress, ServerAddress};

    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint::tcp("127.0.0.1", port);
        let options = ClientOptions { endpoint, ..Default::default() };
        let (progress, address) =
            (Progress::default(), ServerAddress::Tcp(listener.local_addr().unwrap()));
        let stream = Stream::connect(&options, None, address, &progress).await.unwrap();
        (stream, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_read_is_bounded_and_the_room_of_a_large_reply_is_given_back() {
        let (stream, mut peer) = pair().await;
        let size = 8 << 20;
        let writer = tokio::task::spawn(async move {
            peer.write_all(format!("${size}\r\n").as_bytes()).await.unwrap();
            peer.write_all(&vec![b'x'; size]).await.unwrap();
            peer.write_all(b"\r\n").await.unwrap();
            peer
        });
        let mut reader = Reader::new(Limits::default());
        let next = async |reader: &mut Reader| loop {
            stream.readable().await.unwrap();
            // The peer fills the socket, so that a read could take as much as there is room for.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            match reader.fill(&stream) {
                Ok(length) => assert!(length <= MAX_CHUNK, "{length} bytes in one read"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            if let Some(frames) = reader.decode().unwrap() {
                break frames;
            }
        };
        assert_eq!(next(&mut reader).await.bytes.len(), size + 12);
        let mut peer = writer.await.unwrap();
        peer.write_all(b"+OK\r\n").await.unwrap();
        drop(next(&mut reader).await);
        assert!(reader.buf.capacity() <= MAX_CHUNK, "{} bytes kept", reader.buf.capacity());
    }

    #[tokio::test]
    async fn a_connection_that_gets_one_small_reply_at_a_time_keeps_a_small_buffer() {
        let (stream, mut peer) = pair().await;
        let mut reader = Reader::new(Limits::default());
        for (replies, most) in [(1, FIRST_CHUNK), (1000, MAX_CHUNK)] {
            for _ in 0..5 {
                peer.write_all("$5\r\nvalue\r\n".repeat(replies).as_bytes()).await.unwrap();
                let mut found = 0;
                while found < replies {
                    stream.readable().await.unwrap();
                    match reader.fill(&stream) {
                        Ok(_) => {}
                        Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                    }
                    found += reader.decode().unwrap().map_or(0, |frames| frames.replies.len());
                }
            }
            let capacity = reader.buf.capacity();
            assert!(capacity <= most, "{capacity} bytes for {replies} replies at once");
        }
        // Many replies at once get the room that they need.
        assert!(reader.chunk >= MIN_CHUNK, "{} bytes", reader.chunk);
    }

    #[tokio::test]
    async fn room_follows_the_bytes_received_not_the_announced_size() {
        let (stream, mut peer) = pair().await;
        let size = 3_000_000;
        let writer = tokio::spawn(async move {
            peer.write_all(format!("${size}\r\n").as_bytes()).await.unwrap();
            peer.write_all(&vec![b'x'; size]).await.unwrap();
            peer.write_all(b"\r\n").await.unwrap();
            peer
        });
        let mut reader = Reader::new(Limits::default());
        let mut received = 0;
        let frames = loop {
            stream.readable().await.unwrap();
            match reader.fill(&stream) {
                Ok(0) => panic!("the stream ended"),
                Ok(length) => received += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            }
            let unused = reader.buf.capacity() - reader.buf.len();
            assert!(unused <= received + HEADROOM, "{unused} unused after {received}");
            match reader.decode().unwrap() {
                Some(frames) => break frames,
                None => assert!(reader.is_mid_value()),
            }
        };
        assert_eq!(frames.text(&frames.tape[0]).len(), size);
        drop(writer.await.unwrap());
    }
}
