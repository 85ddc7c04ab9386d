//! TLS without I/O of its own: a `rustls` connection between the caller and a [`Socket`].
//!
//! Owns the cipher state and the bytes on their way through it. Reading and writing take one
//! short lock, so that Node's thread may write while the driver reads.
//!
//! Invariants: at most [`WRITE_BUFFER`] bytes wait for the socket, so that a peer who does not
//! read stops the writer; the end of the stream without a `close_notify` is an error.

use std::io::{self, BufRead, ErrorKind, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::socket::{Socket, Writer};

/// The cipher state of one connection.
#[derive(Debug)]
pub(super) struct Tls {
    state: Mutex<State>,
}

impl Tls {
    pub(super) fn new(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        let mut session = ClientConnection::new(Arc::clone(config), name)?;
        session.set_buffer_limit(Some(WRITE_BUFFER));
        let received = vec![0; RECEIVE_BUFFER].into_boxed_slice();
        let state = State { session, received, start: 0, end: 0, failure: None };
        Ok(Self { state: Mutex::new(state) })
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

    pub(super) fn try_read(&self, socket: &Socket, buf: &mut BytesMut) -> io::Result<usize> {
        self.lock().read(socket, buf)
    }

    pub(super) fn try_write(&self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(socket, bytes)
    }

    pub(super) fn try_flush(&self, socket: &Socket) -> io::Result<bool> {
        self.lock().flush(socket)
    }

    /// Tells the peer that nothing more will come, as far as the socket takes it now.
    pub(super) fn close(&self, socket: &Socket) {
        let mut state = self.lock();
        state.session.send_close_notify();
        let _ = state.flush(socket);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held has ended its connection; closing must still work.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the handshake waits for.
enum Next {
    Done,
    Read,
    Write,
}

#[derive(Debug)]
struct State {
    session: ClientConnection,
    /// Bytes from the socket that `rustls` has not taken yet: `received[start..end]`. Its own
    /// buffer would ask for 4 KiB per system call.
    received: Box<[u8]>,
    start: usize,
    end: usize,
    /// Why the session ended; every later call fails with it.
    failure: Option<rustls::Error>,
}

impl State {
    fn advance(&mut self, socket: &Socket) -> io::Result<Next> {
        loop {
            if !self.flush(socket)? {
                return Ok(Next::Write);
            }
            if !self.session.is_handshaking() {
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

    fn read(&mut self, socket: &Socket, buf: &mut BytesMut) -> io::Result<usize> {
        if buf.capacity() == buf.len() {
            buf.reserve(MIN_READ);
        }
        let spare = buf.capacity() - buf.len();
        let mut taken = 0;
        // Once something was read, what else happens is told by the next call.
        let outcome = loop {
            match self.session.reader().fill_buf() {
                Ok([]) => break Ok(0),
                Ok(chunk) => {
                    let part = &chunk[..chunk.len().min(spare - taken)];
                    let length = part.len();
                    buf.extend_from_slice(part);
                    self.session.reader().consume(length);
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
                // `rustls` has to see the end to tell a truncated stream from a closed one.
                Ok(0) => drop(self.session.read_tls(&mut io::empty())?),
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
            let length = self.session.writer().write(&bytes[taken..])?;
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

    /// Hands waiting ciphertext to the socket; true when nothing is left.
    fn flush(&mut self, socket: &Socket) -> io::Result<bool> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Writer(socket)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads ciphertext unless some is left from before; 0 means the end of the stream.
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
        self.start += self.session.read_tls(&mut &self.received[self.start..self.end])?;
        if let Err(failure) = self.session.process_new_packets() {
            self.failure = Some(failure.clone());
            // The alert tells the peer why; whether it arrives does not matter.
            let _ = self.flush(socket);
            return Err(wrap(failure));
        }
        // Answers to key updates.
        self.flush(socket).map(drop)
    }
}

fn wrap(failure: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, failure)
}

/// As much as a kernel's socket buffer takes at once, and four records of TLS.
const WRITE_BUFFER: usize = 64 * 1024;
/// Two full records (16 KiB and a header each), so that one system call feeds two.
const RECEIVE_BUFFER: usize = 2 * (16 * 1024 + 256 + 5);
/// Room for a small reply, when the caller has left none.
const MIN_READ: usize = 4096;
