//! TLS between the caller and a [`Socket`], by `rustls`.
//!
//! Owns the cipher state and the bytes that wait in it. Reading and writing take one short lock, so
//! that one thread may write while another one reads.
//!
//! Invariants: at most [`WRITE_BUFFER`] bytes wait for the socket, so a peer that does not read
//! stops the writer; the end of the stream without a `close_notify` is an error.

use std::io::{self, BufRead, ErrorKind, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::socket::{Socket, Writer};

/// The TLS side of one stream.
#[derive(Debug)]
pub(super) struct Tls {
    session: Mutex<TlsSession>,
}

impl Tls {
    pub(super) fn new(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        let mut cipher = ClientConnection::new(Arc::clone(config), name)?;
        cipher.set_buffer_limit(Some(WRITE_BUFFER));
        let received = vec![0; RECEIVE_BUFFER].into_boxed_slice();
        let session = TlsSession { cipher, received, start: 0, end: 0, failure: None };
        Ok(Self { session: Mutex::new(session) })
    }

    /// Runs the handshake to its end.
    pub(super) async fn handshake(&self, socket: &Socket) -> io::Result<()> {
        loop {
            let next = self.lock().advance(socket)?;
            match next {
                Next::Done => return Ok(()),
                Next::Read => socket.readable().await?,
                Next::Write => socket.writable().await?,
            }
        }
    }

    pub(super) fn try_read(
        &self,
        socket: &Socket,
        buf: &mut BytesMut,
        most: usize,
    ) -> io::Result<usize> {
        self.lock().read(socket, buf, most)
    }

    pub(super) fn try_write(&self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(socket, bytes)
    }

    pub(super) fn try_flush(&self, socket: &Socket) -> io::Result<bool> {
        self.lock().flush(socket)
    }

    /// Tells the peer that nothing more will come, if the socket takes that now.
    pub(super) fn close(&self, socket: &Socket) {
        let mut session = self.lock();
        session.cipher.send_close_notify();
        let _ = session.flush(socket);
    }

    /// The certificates that the server has shown, its own first; DER.
    pub(super) fn peer_certificates(&self) -> Vec<Vec<u8>> {
        let session = self.lock();
        let shown = session.cipher.peer_certificates().unwrap_or_default();
        shown.iter().map(|der| der.to_vec()).collect()
    }

    /// Whether the server has agreed to a version and a cipher.
    pub(super) fn has_agreed(&self) -> bool {
        self.lock().cipher.negotiated_cipher_suite().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, TlsSession> {
        // A panic while the lock was held has ended the connection. Closing must still work.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the handshake waits for.
enum Next {
    Done,
    Read,
    Write,
}

/// What one lock protects.
#[derive(Debug)]
struct TlsSession {
    cipher: ClientConnection,
    /// The buffer of `received[start..end]`, the bytes from the socket that `rustls` has not taken
    /// yet. With its own buffer, `rustls` would read 4 KiB for each system call.
    received: Box<[u8]>,
    start: usize,
    end: usize,
    /// Why the TLS session has ended. Every later call fails with it.
    failure: Option<rustls::Error>,
}

impl TlsSession {
    /// Takes the handshake as far as possible without waiting.
    fn advance(&mut self, socket: &Socket) -> io::Result<Next> {
        loop {
            if !self.flush(socket)? {
                return Ok(Next::Write);
            }
            if !self.cipher.is_handshaking() {
                return Ok(Next::Done);
            }
            match self.receive(socket) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.feed(socket)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Next::Read),
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&mut self, socket: &Socket, buf: &mut BytesMut, most: usize) -> io::Result<usize> {
        if buf.capacity() == buf.len() {
            buf.reserve(MIN_READ);
        }
        let spare = (buf.capacity() - buf.len()).min(most);
        let mut taken = 0;
        // Once something was read, the next call tells what else has happened.
        let outcome = loop {
            match self.cipher.reader().fill_buf() {
                Ok([]) => break Ok(0),
                Ok(chunk) => {
                    let part = &chunk[..chunk.len().min(spare - taken)];
                    let length = part.len();
                    buf.extend_from_slice(part);
                    self.cipher.reader().consume(length);
                    taken += length;
                    if taken == spare {
                        return Ok(taken);
                    }
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => break Err(error),
            }
            if let Some(failure) = &self.failure {
                break Err(wrap(failure.clone()));
            }
            if self.start == self.end && taken > 0 {
                return Ok(taken);
            }
            match self.receive(socket) {
                // `rustls` tells a truncated stream from a closed one when it sees the end.
                Ok(0) => drop(self.cipher.read_tls(&mut io::empty())?),
                Ok(_) => {
                    if let Err(error) = self.feed(socket) {
                        break Err(error);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        if taken > 0 {
            return Ok(taken);
        }
        outcome
    }

    fn write(&mut self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failure {
            return Err(wrap(failure.clone()));
        }
        let mut taken = 0;
        while taken < bytes.len() {
            let length = self.cipher.writer().write(&bytes[taken..])?;
            taken += length;
            if !self.flush(socket)? && length == 0 {
                break;
            }
        }
        if taken == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(taken)
    }

    /// Hands waiting ciphertext to the socket. True when nothing is left.
    fn flush(&mut self, socket: &Socket) -> io::Result<bool> {
        while self.cipher.wants_write() {
            match self.cipher.write_tls(&mut Writer(socket)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads ciphertext, unless some is left from before. 0 means the end of the stream.
    fn receive(&mut self, socket: &Socket) -> io::Result<usize> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = socket.try_read(&mut self.received)?;
        }
        Ok(self.end - self.start)
    }

    /// Lets `rustls` take one portion of the received bytes.
    fn feed(&mut self, socket: &Socket) -> io::Result<()> {
        self.start += self.cipher.read_tls(&mut &self.received[self.start..self.end])?;
        if let Err(failure) = self.cipher.process_new_packets() {
            self.failure = Some(failure.clone());
            // The alert tells the peer the reason. It does not matter whether it arrives.
            let _ = self.flush(socket);
            return Err(wrap(failure));
        }
        // `rustls` may have an answer to a key update.
        self.flush(socket).map(drop)
    }
}

fn wrap(failure: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, failure)
}

/// As much as a kernel's socket buffer takes at once, that is four full TLS records.
const WRITE_BUFFER: usize = 64 * 1024;
/// Two full TLS records, so that one system call brings both. A record has at most 16 KiB, 256 bytes
/// of expansion, and a header of 5 bytes (RFC 8446, section 5.2).
const RECEIVE_BUFFER: usize = 2 * (16 * 1024 + 256 + 5);
/// Room for a small reply, reserved where the caller has left none.
const MIN_READ: usize = 4096;
