//! A plain byte stream: TCP or a Unix domain socket.
//!
//! Owns the system calls. All of them are non-blocking and take `&self`, so one thread may read
//! while another one writes. It never buffers, and waits for readiness only. tokio does not watch a
//! detached socket, whose readiness has to be found by other means.

use std::cell::RefCell;
use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;

use bytes::{BufMut, BytesMut};
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
    Detached(Plain),
}

/// A socket that tokio does not watch: one of the standard library.
#[derive(Debug)]
pub(super) enum Plain {
    Tcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

thread_local! {
    /// The memory that a read fills before the bytes are copied to the caller's buffer. The standard
    /// library reads into initialised memory only, and spare capacity is not initialised. All
    /// sockets that a thread reads share it, since a process may have thousands that are idle.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; DETACHED_READ].into_boxed_slice());
}

impl Plain {
    fn try_read_buf(&self, buf: &mut BytesMut, most: usize) -> io::Result<usize> {
        SCRATCH.with_borrow_mut(|scratch| {
            let room = most.min(scratch.len());
            let length = self.try_read(scratch.get_mut(..room).unwrap_or_default())?;
            buf.extend_from_slice(scratch.get(..length).unwrap_or_default());
            Ok(length)
        })
    }

    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => (&mut &*socket).read(buf),
            #[cfg(unix)]
            Self::Unix(socket) => (&mut &*socket).read(buf),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => (&mut &*socket).write(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => (&mut &*socket).write(bytes),
        }
    }
}

impl Socket {
    /// A second handle of the socket that tokio does not watch.
    pub(super) fn detached(&self) -> io::Result<Self> {
        let kind = match self {
            Self::Tcp(socket) => Plain::Tcp(SockRef::from(socket).try_clone()?.into()),
            #[cfg(unix)]
            Self::Unix(socket) => Plain::Unix(SockRef::from(socket).try_clone()?.into()),
            Self::Detached(Plain::Tcp(socket)) => Plain::Tcp(socket.try_clone()?),
            #[cfg(unix)]
            Self::Detached(Plain::Unix(socket)) => Plain::Unix(socket.try_clone()?),
        };
        Ok(Self::Detached(kind))
    }

    /// A second handle of the socket that tokio watches. Must be called inside of the runtime.
    pub(super) fn attended(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(socket) => {
                Self::Tcp(TcpStream::from_std(SockRef::from(socket).try_clone()?.into())?)
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                Self::Unix(UnixStream::from_std(SockRef::from(socket).try_clone()?.into())?)
            }
            Self::Detached(Plain::Tcp(socket)) => {
                Self::Tcp(TcpStream::from_std(socket.try_clone()?)?)
            }
            #[cfg(unix)]
            Self::Detached(Plain::Unix(socket)) => {
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
                Self::Detached(Plain::Tcp(s)) => Some(s.as_raw_fd()),
                Self::Detached(Plain::Unix(s)) => Some(s.as_raw_fd()),
                _ => None,
            }
        }
        #[cfg(not(unix))]
        None
    }

    /// Reads what is there, `most` bytes of it at most, and appends it to `buf`.
    pub(super) fn try_read_buf(&self, buf: &mut BytesMut, most: usize) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read_buf(&mut buf.limit(most)),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_read_buf(&mut buf.limit(most)),
            Self::Detached(socket) => socket.try_read_buf(buf, most),
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

    /// Whether bytes wait to be read, without waiting and without taking them: `Ok(false)` at the
    /// end of the stream. Asks the kernel itself, which knows more than the runtime after a pause
    /// of the whole process.
    pub(super) fn peek(&self) -> io::Result<bool> {
        let socket = match self {
            Self::Tcp(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Unix(socket) => SockRef::from(socket),
            Self::Detached(Plain::Tcp(socket)) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Detached(Plain::Unix(socket)) => SockRef::from(socket),
        };
        socket.peek(&mut [MaybeUninit::uninit()]).map(|length| length > 0)
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

    /// Ends both directions. It is no error if the peer has done so before.
    pub(super) fn shutdown(&self) {
        let socket = match self {
            Self::Tcp(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Unix(socket) => SockRef::from(socket),
            Self::Detached(Plain::Tcp(socket)) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Detached(Plain::Unix(socket)) => SockRef::from(socket),
        };
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// The writing side of a socket, in the form that `rustls` needs.
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

/// The most bytes that one read of a detached socket takes: enough for all replies to the commands
/// of an ordinary turn of the event loop.
pub(super) const DETACHED_READ: usize = 64 * 1024;
