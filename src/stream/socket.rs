//! The plain byte stream below everything: TCP or a Unix domain socket.
//!
//! Owns the system calls, all non-blocking and all through `&self`, so that two threads may read
//! and write at the same time. It never buffers and never waits except for readiness. A detached
//! socket is not watched by tokio: somebody else waits for its readiness.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::{Mutex, PoisonError};

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
    Detached(Detached),
}

/// A socket that tokio does not watch.
#[derive(Debug)]
pub(super) struct Detached {
    kind: Plain,
    /// What a read fills first: tokio reads into spare capacity itself, but the standard library
    /// offers that for initialised memory only.
    scratch: Mutex<Box<[u8]>>,
}

#[derive(Debug)]
enum Plain {
    Tcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

/// The most that one read of a detached socket takes: replies that fit a turn.
pub(super) const SCRATCH: usize = 64 * 1024;

impl Detached {
    fn new(kind: Plain) -> Self {
        Self { kind, scratch: Mutex::new(vec![0; SCRATCH].into_boxed_slice()) }
    }

    fn try_read_buf(&self, buf: &mut BytesMut) -> io::Result<usize> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let length = self.try_read(&mut scratch)?;
        buf.extend_from_slice(scratch.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match &self.kind {
            Plain::Tcp(socket) => (&mut &*socket).read(buf),
            #[cfg(unix)]
            Plain::Unix(socket) => (&mut &*socket).read(buf),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.kind {
            Plain::Tcp(socket) => (&mut &*socket).write(bytes),
            #[cfg(unix)]
            Plain::Unix(socket) => (&mut &*socket).write(bytes),
        }
    }
}

impl Socket {
    /// The same socket, not watched by tokio.
    pub(super) fn detached(&self) -> io::Result<Self> {
        let kind = match self {
            Self::Tcp(socket) => Plain::Tcp(SockRef::from(socket).try_clone()?.into()),
            #[cfg(unix)]
            Self::Unix(socket) => Plain::Unix(SockRef::from(socket).try_clone()?.into()),
            Self::Detached(Detached { kind: Plain::Tcp(socket), .. }) => {
                Plain::Tcp(socket.try_clone()?)
            }
            #[cfg(unix)]
            Self::Detached(Detached { kind: Plain::Unix(socket), .. }) => {
                Plain::Unix(socket.try_clone()?)
            }
        };
        Ok(Self::Detached(Detached::new(kind)))
    }

    /// The same socket, watched by tokio. Must be called inside the runtime.
    pub(super) fn attended(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(socket) => {
                Self::Tcp(TcpStream::from_std(SockRef::from(socket).try_clone()?.into())?)
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                Self::Unix(UnixStream::from_std(SockRef::from(socket).try_clone()?.into())?)
            }
            Self::Detached(Detached { kind: Plain::Tcp(socket), .. }) => {
                Self::Tcp(TcpStream::from_std(socket.try_clone()?)?)
            }
            #[cfg(unix)]
            Self::Detached(Detached { kind: Plain::Unix(socket), .. }) => {
                Self::Unix(UnixStream::from_std(socket.try_clone()?)?)
            }
        })
    }

    pub(super) fn is_detached(&self) -> bool {
        matches!(self, Self::Detached(_))
    }

    /// The file descriptor of a detached socket; none on Windows.
    pub(super) fn descriptor(&self) -> Option<i32> {
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            match self {
                Self::Detached(Detached { kind: Plain::Tcp(s), .. }) => Some(s.as_raw_fd()),
                Self::Detached(Detached { kind: Plain::Unix(s), .. }) => Some(s.as_raw_fd()),
                _ => None,
            }
        }
        #[cfg(not(unix))]
        None
    }

    /// Appends to `buf`, within its spare capacity.
    pub(super) fn try_read_buf(&self, buf: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read_buf(buf),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_read_buf(buf),
            Self::Detached(socket) => socket.try_read_buf(buf),
        }
    }

    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read(buf),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_read(buf),
            Self::Detached(socket) => socket.try_read(buf),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_write(bytes),
            Self::Detached(socket) => socket.try_write(bytes),
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.readable().await,
            #[cfg(unix)]
            Self::Unix(socket) => socket.readable().await,
            Self::Detached(_) => std::future::pending().await,
        }
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.writable().await,
            #[cfg(unix)]
            Self::Unix(socket) => socket.writable().await,
            Self::Detached(_) => std::future::pending().await,
        }
    }

    /// Ends both directions; the peer may have done so before, which is no error.
    pub(super) fn shutdown(&self) {
        let socket = match self {
            Self::Tcp(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Unix(socket) => SockRef::from(socket),
            Self::Detached(Detached { kind: Plain::Tcp(socket), .. }) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Detached(Detached { kind: Plain::Unix(socket), .. }) => SockRef::from(socket),
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
            Socket::Detached(socket) => socket
                .try_write(parts.iter().find(|part| !part.is_empty()).map_or(&[], |part| part)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
