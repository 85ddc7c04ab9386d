//! A listening socket and its connections, in the hands of the test.

use std::sync::{Arc, Mutex};

use oxidis::options::{ClientOptions, Endpoint};
use oxidis::resp::encode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::patiently;

/// The answer to `HELLO 3`.
const HELLO_OK: &str = "%1\r\n+proto\r\n:3\r\n";

/// A port of 127.0.0.1.
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

    /// Options that lead here, with a handshake of nothing but `HELLO 3`.
    pub fn options(&self) -> ClientOptions {
        ClientOptions {
            endpoint: Endpoint::tcp("127.0.0.1", self.port),
            client_info: None,
            ..Default::default()
        }
    }

    /// The next connection, as it comes.
    pub async fn accept_raw(&self) -> Wire {
        let (socket, _) = patiently("a connection", self.listener.accept()).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Wire { socket, unheard: Vec::new() }
    }

    /// The next connection, however long it takes, once it has shaken hands; None if it has not.
    pub async fn accept_when(&self) -> Option<Wire> {
        let (socket, _) = self.listener.accept().await.ok()?;
        socket.set_nodelay(true).ok()?;
        let mut wire = Wire { socket, unheard: Vec::new() };
        wire.hear().await.filter(|command| command == "HELLO 3")?;
        wire.say(HELLO_OK).await;
        Some(wire)
    }

    /// Whether nobody else has connected so far.
    pub async fn has_no_other(&self) -> bool {
        // One that has is found by the first look.
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(self.listener.poll_accept(context).is_pending())
        })
        .await
    }

    /// The next connection, once it has shaken hands.
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
    /// The next command, its arguments separated by spaces; None at the end of the stream.
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

    /// The next command has to be this one.
    pub async fn expect(&mut self, command: &str) {
        assert_eq!(self.hear().await.as_deref(), Some(command));
    }

    /// The client has to close the connection without another word.
    pub async fn expect_end(&mut self) {
        assert_eq!(self.hear().await, None);
    }

    pub async fn say(&mut self, bytes: &str) {
        patiently("room for a reply", self.socket.write_all(bytes.as_bytes())).await.unwrap();
    }

    /// Says what the socket takes at once, without giving anybody else a turn.
    pub fn say_now(&self, bytes: &str) {
        assert_eq!(self.socket.try_write(bytes.as_bytes()).unwrap(), bytes.len());
    }

    /// Closes the connection by RST.
    pub fn reset(self) {
        self.socket.set_zero_linger().unwrap();
    }

    /// Answers every command with its last argument until the client closes; returns what was
    /// asked.
    pub async fn echo(self) -> Vec<String> {
        let heard = Arc::default();
        self.echo_into(Arc::clone(&heard)).await;
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        heard
    }

    /// The same; what was asked goes into `heard` as it comes.
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
