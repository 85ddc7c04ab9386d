//! The plain byte stream below everything: TCP or a Unix domain socket.
//!
//! Owns the system calls, all non-blocking and all through `&self`, so that two threads may read
//! and write at the same time. It never buffers and never waits except for readiness.

use std::io::{self, IoSlice, Write};
use std::net::Shutdown;

use bytes::BytesMut;
use socket2::SockRef;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A connected socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Appends to `buf`, within its spare capacity.
    pub(super) fn try_read_buf(&self, buf: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read_buf(buf),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_read_buf(buf),
        }
    }

    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read(buf),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_read(buf),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_write(bytes),
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.readable().await,
            #[cfg(unix)]
            Self::Unix(socket) => socket.readable().await,
        }
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.writable().await,
            #[cfg(unix)]
            Self::Unix(socket) => socket.writable().await,
        }
    }

    /// Ends both directions; the peer may have done so before, which is no error.
    pub(super) fn shutdown(&self) {
        let socket = match self {
            Self::Tcp(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Unix(socket) => SockRef::from(socket),
        };
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// The writing side as `rustls` wants to see it.
pub(super) struct Writer<'a>(pub(super) &'a Socket);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0 {
            Socket::Tcp(socket) => socket.try_write_vectored(parts),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.try_write_vectored(parts),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
