//! One byte stream to a server: TCP, a Unix domain socket, or TLS over either.
//!
//! Owns name resolution, the socket's options, encryption and the words for what fails there.
//! It knows nothing of the protocol inside, and it never falls back from TLS to plain bytes.
//!
//! Invariant: every method takes `&self`, because Node's thread writes to a stream while its
//! driver reads from it. One thread may read and one may write at a time.

mod connect;
mod fault;
mod socket;
mod tls;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use bytes::BytesMut;
use rustls::ClientConfig;

pub use connect::{Progress, Step};
pub use fault::lost;

use self::socket::Socket;
use self::tls::Tls;
use crate::error::{Error, Result};
use crate::options::{client_config, ClientOptions, TlsOptions};

/// A connected byte stream.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    tls: Option<Tls>,
    peer: String,
    closed: AtomicBool,
}

impl Stream {
    /// The most that one read of a detached stream takes.
    pub const DETACHED_READ: usize = socket::SCRATCH;

    /// Resolves, connects and, with TLS options, encrypts. `tls` comes from [`tls_config`].
    /// There is no deadline in here: the caller wraps its budget around.
    ///
    /// Fails with code `CONNECT` or `TLS_...`; certificate errors are fatal.
    pub async fn connect(
        options: &ClientOptions,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Stream> {
        Self::connect_tracked(options, tls, &Progress::default()).await
    }

    /// The same, telling `progress` how far it came.
    pub async fn connect_tracked(
        options: &ClientOptions,
        tls: Option<&Arc<ClientConfig>>,
        progress: &Progress,
    ) -> Result<Stream> {
        let tls = match (&options.tls, tls) {
            (None, _) => None,
            (Some(wanted), Some(config)) => {
                let name = wanted.server_name(&options.endpoint)?;
                let refused = |error| Error::usage(format!("tls cannot be set up: {error}"));
                Some(Tls::new(config, name).map_err(refused)?)
            }
            (Some(_), None) => return Err(Error::usage("tls was asked for but not set up")),
        };
        let (socket, peer) = connect::connect(options, progress).await?;
        let stream = Stream { socket, tls, peer, closed: AtomicBool::new(false) };
        if let Some(tls) = &stream.tls {
            progress.enter(Step::Tls);
            tls.handshake(&stream.socket)
                .await
                .map_err(|error| fault::handshake(&options.endpoint, error))?;
        }
        Ok(stream)
    }

    /// Reads into the spare capacity of `buf`, without waiting. `Ok(0)` is the end of the
    /// stream; `WouldBlock` means await [`Stream::readable`].
    ///
    /// Call it until it says `WouldBlock`: bytes that are decrypted already do not make the
    /// stream readable again.
    pub fn try_read(&self, buf: &mut BytesMut) -> io::Result<usize> {
        match &self.tls {
            None => self.socket.try_read_buf(buf),
            Some(tls) => tls.try_read(&self.socket, buf),
        }
    }

    /// Takes as many of `bytes` as fit now, without waiting; callable from any thread.
    /// `WouldBlock` means none did: await [`Stream::writable`].
    ///
    /// With TLS, bytes that were taken may still wait here: call [`Stream::try_flush`] until it
    /// says true, or the next write.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => self.socket.try_write(bytes),
            Some(tls) => tls.try_write(&self.socket, bytes),
        }
    }

    /// Moves bytes that [`Stream::try_write`] took on to the socket; true when none are left
    /// (always, without TLS). False means await [`Stream::writable`] and try again.
    pub fn try_flush(&self) -> io::Result<bool> {
        match &self.tls {
            None => Ok(true),
            Some(tls) => tls.try_flush(&self.socket),
        }
    }

    /// Waits until the socket may have bytes to read, or has ended.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Waits until the socket may take bytes, or has ended.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Ends both directions, which wakes whoever waits; from any thread, any number of times.
    pub fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(tls) = &self.tls {
            tls.close(&self.socket);
        }
        self.socket.shutdown();
    }

    /// The same stream, not watched by tokio: somebody else watches its descriptor, and
    /// [`Stream::readable`] and [`Stream::writable`] never end. None with TLS, whose buffers hide
    /// bytes from a watcher. The original should be dropped.
    pub fn detached(&self) -> io::Result<Option<Stream>> {
        if self.tls.is_some() {
            return Ok(None);
        }
        let (socket, peer) = (self.socket.detached()?, self.peer.clone());
        Ok(Some(Stream { socket, tls: None, peer, closed: AtomicBool::new(false) }))
    }

    /// Whether tokio does not watch this stream.
    pub fn is_detached(&self) -> bool {
        self.socket.is_detached()
    }

    /// The same stream, watched by tokio for as long as the result lives; both may be read and
    /// written. None with TLS. Must be called inside the runtime.
    pub fn attended(&self) -> io::Result<Option<Stream>> {
        if self.tls.is_some() {
            return Ok(None);
        }
        let (socket, peer) = (self.socket.attended()?, self.peer.clone());
        Ok(Some(Stream { socket, tls: None, peer, closed: AtomicBool::new(false) }))
    }

    /// The file descriptor of a detached stream; none on Windows.
    pub fn descriptor(&self) -> Option<i32> {
        self.socket.descriptor()
    }

    /// The peer's address, or the path of its socket.
    pub fn peer(&self) -> String {
        self.peer.clone()
    }

    /// Whether the bytes are encrypted on their way.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }
}

/// Builds the TLS configuration of a client, once. Reads the operating system's trusted
/// certificates if the options want them; those that cannot be read are passed over.
pub fn tls_config(options: &TlsOptions) -> Result<Arc<ClientConfig>> {
    let system = if options.wants_system_roots() {
        rustls_native_certs::load_native_certs().certs
    } else {
        Vec::new()
    };
    client_config(options, system)
}
