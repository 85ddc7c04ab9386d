//! A server whose connections the test serves by hand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use oxidis::options::{ClientOptions, Endpoint};
use oxidis::resp::encode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::patiently;

/// The answer to `HELLO 3`.
const HELLO_OK: &str = "%1\r\n+proto\r\n:3\r\n";

/// A server that listens on a free port of 127.0.0.1.
pub struct Server {
    listener: TcpListener,
    port: u16,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    /// Options of a client of this server, whose handshake is `HELLO 3` and nothing else.
    pub fn options(&self) -> ClientOptions {
        ClientOptions {
            endpoint: Endpoint::tcp("127.0.0.1", self.port),
            client_info: None,
            ..Default::default()
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection, before its handshake.
    pub async fn accept_raw(&self) -> Wire {
        let (socket, _) = patiently("a connection", self.listener.accept()).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Wire { socket, unheard: Vec::new() }
    }

    /// The next connection after its handshake, however long that takes; `None` if the handshake
    /// fails.
    pub async fn accept_when(&self) -> Option<Wire> {
        let (socket, _) = self.listener.accept().await.ok()?;
        socket.set_nodelay(true).ok()?;
        let mut wire = Wire { socket, unheard: Vec::new() };
        wire.hear().await.filter(|command| command == "HELLO 3")?;
        wire.say(HELLO_OK).await;
        Some(wire)
    }

    /// Whether no further connection waits to be accepted.
    pub async fn has_no_other(&self) -> bool {
        // One poll is enough to find a connection that waits.
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(self.listener.poll_accept(context).is_pending())
        })
        .await
    }

    /// The next connection, after its handshake.
    pub async fn accept(&self) -> Wire {
        let mut wire = self.accept_raw().await;
        wire.expect("HELLO 3").await;
        wire.say(HELLO_OK).await;
        wire
    }
}

/// One connection, seen from the server.
pub struct Wire {
    socket: TcpStream,
    unheard: Vec<u8>,
}

impl Wire {
    /// The next command, its arguments separated by spaces; `None` at the end of the stream.
    pub async fn hear(&mut self) -> Option<String> {
        loop {
            if let Some(length) = encode::command_len(&self.unheard) {
                let args: Vec<_> =
                    encode::args(&self.unheard).map(String::from_utf8_lossy).collect();
                let command = args.join(" ");
                self.unheard.drain(..length);
                return Some(command);
            }
            let read = self.socket.read_buf(&mut self.unheard);
            match patiently("a command", read).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Waits for the next command, which has to be this one.
    pub async fn expect(&mut self, command: &str) {
        assert_eq!(self.hear().await.as_deref(), Some(command));
    }

    /// Waits until the client closes the connection, which has to happen before another command.
    pub async fn expect_end(&mut self) {
        assert_eq!(self.hear().await, None);
    }

    /// Whether a command has come that was not heard yet.
    pub async fn has_said(&mut self) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(self.socket.poll_read_ready(context).is_ready())
        })
        .await
            || !self.unheard.is_empty()
    }

    pub async fn say(&mut self, bytes: &str) {
        patiently("room for a reply", self.socket.write_all(bytes.as_bytes())).await.unwrap();
    }

    /// Writes all of `bytes` at once, without yielding to other tasks.
    pub fn say_now(&self, bytes: &str) {
        assert_eq!(self.socket.try_write(bytes.as_bytes()).unwrap(), bytes.len());
    }

    /// Closes the connection by RST.
    pub fn reset(self) {
        self.socket.set_zero_linger().unwrap();
    }

    /// Answers every command with its last argument until the client closes. Returns the commands.
    pub async fn echo(self) -> Vec<String> {
        let heard = Arc::default();
        self.echo_into(Arc::clone(&heard)).await;
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        heard
    }

    /// Answers every command with its last argument until the client closes. Each command goes into
    /// `heard` when it comes.
    pub async fn echo_into(mut self, heard: Arc<Mutex<Vec<String>>>) {
        while let Some(command) = self.hear().await {
            let last = command.rsplit(' ').next().unwrap_or_default();
            let reply = format!("+{last}\r\n");
            heard.lock().unwrap().push(command);
            if self.socket.write_all(reply.as_bytes()).await.is_err() {
                break;
            }
        }
    }
}
