//! One byte stream to a server: TCP, a Unix domain socket, or TLS over either.
//!
//! Owns name resolution, the socket's options, encryption, and the errors of all these. It knows
//! nothing of the protocol inside, and never falls back from TLS to plain bytes.
//!
//! Invariant: every method takes `&self`, because one thread may write to a stream while another one
//! reads from it. At most one thread reads at a time, and at most one writes.

mod address;
mod connect;
mod fault;
mod progress;
mod race;
mod socket;
mod tls;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use rustls::ClientConfig;

pub use address::{AddressBook, ServerAddress};
pub use fault::{lost, unreachable};
pub use progress::{ConnectPhase, Progress};
pub use race::{race, Won};

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

/// What waits to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Nothing.
    Nothing,
    /// Some bytes.
    Some,
}

impl Stream {
    /// The most bytes that one read of a detached stream takes.
    pub const DETACHED_READ: usize = socket::DETACHED_READ;

    /// The addresses of the options' endpoint, in the order in which they are tried; at least one.
    ///
    /// # Errors
    ///
    /// Code `CONNECT` if the name has none, or the resolver does not say.
    pub async fn addresses(
        options: &ClientOptions,
        progress: &Progress,
    ) -> Result<Vec<ServerAddress>> {
        connect::addresses(options, progress).await
    }

    /// Connects to one of these addresses and, with TLS options, encrypts. `tls` comes from
    /// [`tls_config`]. Tells `progress` how far it has come. There is no deadline in here; the
    /// caller has one for the whole attempt.
    ///
    /// # Errors
    ///
    /// Code `CONNECT` or `TLS_...`. Certificate errors are fatal.
    pub async fn connect(
        options: &ClientOptions,
        tls: Option<&Arc<ClientConfig>>,
        address: ServerAddress,
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
        let (socket, peer) = connect::connect(options, address, progress).await?;
        let stream = Stream { socket, tls, peer, closed: AtomicBool::new(false) };
        if let Some(tls) = &stream.tls {
            progress.enter(ConnectPhase::Tls);
            tls.handshake(&stream.socket)
                .await
                .map_err(|error| fault::handshake(&options.endpoint, error, tls.has_agreed()))?;
        }
        Ok(stream)
    }

    /// Reads at most `most` bytes into the spare capacity of `buf`, without waiting. `Ok(0)` is the
    /// end of the stream; after `WouldBlock`, await [`Stream::readable`].
    ///
    /// Call it until it returns `WouldBlock`, because bytes that are decrypted already do not make
    /// the stream readable again.
    pub fn try_read(&self, buf: &mut BytesMut, most: usize) -> io::Result<usize> {
        match &self.tls {
            None => self.socket.try_read_buf(buf, most),
            Some(tls) => tls.try_read(&self.socket, buf, most),
        }
    }

    /// Takes as many of `bytes` as fit now, without waiting, and returns their number. May be called
    /// on any thread. After `WouldBlock` (none did fit), await [`Stream::writable`].
    ///
    /// With TLS, bytes that were taken may still wait in a buffer. The next write moves them on, or
    /// [`Stream::try_flush`], which is to be called until it returns true.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => self.socket.try_write(bytes),
            Some(tls) => tls.try_write(&self.socket, bytes),
        }
    }

    /// Moves bytes that [`Stream::try_write`] has taken on to the socket. True when none are left,
    /// which is always so without TLS. After false, await [`Stream::writable`] and try again.
    pub fn try_flush(&self) -> io::Result<bool> {
        match &self.tls {
            None => Ok(true),
            Some(tls) => tls.try_flush(&self.socket),
        }
    }

    /// What the peer has sent that nobody has read yet, as the kernel knows it now. Neither waits
    /// nor reads. With TLS, the bytes may be its goodbye.
    ///
    /// # Errors
    ///
    /// Code `UNEXPECTED_EOF` if the peer has closed, else the errno's name.
    pub fn look(&self) -> Result<Unread> {
        match self.socket.peek() {
            Ok(true) => Ok(Unread::Some),
            Ok(false) => {
                let text = "the server closed the connection";
                Err(Error::connection("UNEXPECTED_EOF", text).retryable())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Unread::Nothing),
            Err(error) => Err(lost(error)),
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

    /// Ends both directions, which wakes all who wait for the stream. May be called on any thread
    /// and more than once.
    pub fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(tls) = &self.tls {
            tls.close(&self.socket);
        }
        self.socket.shutdown();
    }

    /// A stream over the same socket that tokio does not watch. Its descriptor has to be watched by
    /// other means, since [`Stream::readable`] and [`Stream::writable`] never end. The original
    /// should be dropped. None with TLS, whose buffers may hold bytes that make no socket readable.
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

    /// A stream over the same socket that tokio watches for as long as the result lives. Both streams
    /// may be read and written. None with TLS. Must be called inside of the runtime.
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

    /// The certificates that the server has shown, its own first; DER. None without TLS.
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.tls.as_ref().map(Tls::peer_certificates).unwrap_or_default()
    }

    /// Whether the stream uses TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }
}

/// The TLS configurations of one client, whose nodes share them: reading what the system trusts takes
/// milliseconds, and holding it takes hundreds of kilobytes.
#[derive(Default)]
pub struct TlsConfigs(Mutex<Vec<(TlsOptions, Arc<ClientConfig>)>>);

impl TlsConfigs {
    /// The configuration that `options` describe, made by the first call with such options.
    pub fn of(&self, options: &TlsOptions) -> Result<Arc<ClientConfig>> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = made.iter().find(|(of, _)| of == options) {
            return Ok(Arc::clone(config));
        }
        let config = tls_config(options)?;
        made.push((options.clone(), Arc::clone(&config)));
        Ok(config)
    }
}

/// Builds the TLS configuration of a client. Reads the operating system's trusted certificates if
/// the options want them, and skips those that cannot be read. Call it once for each client.
pub fn tls_config(options: &TlsOptions) -> Result<Arc<ClientConfig>> {
    let system = if options.wants_system_roots() {
        rustls_native_certs::load_native_certs().certs
    } else {
        Vec::new()
    };
    client_config(options, system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_tls_options_share_one_configuration_and_others_have_their_own() {
        let configs = TlsConfigs::default();
        let options = || TlsOptions { system_roots: false, verify: false, ..Default::default() };
        let first = configs.of(&options()).unwrap();
        assert!(Arc::ptr_eq(&first, &configs.of(&options()).unwrap()));
        let other = TlsOptions { verify: true, ..options() };
        let other = configs.of(&TlsOptions { system_roots: true, ..other }).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }
}
