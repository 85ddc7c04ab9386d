//! A server that plays a script, byte for byte.
//!
//! Each accepted connection plays the next script, beside those before it. A script ends by closing
//! its connection, unless it ends in [`Act::Hold`].

// Every test file compiles its own copy and uses a part of it.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::Arc;

use oxidis::options::{ClientOptions, Endpoint};
use oxidis::resp::encode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, Notify};
use tokio::task::{JoinHandle, JoinSet};

/// One step of a script.
pub enum Act {
    /// Reads commands until it has heard exactly these, separated by ` | `.
    Hear(&'static str),
    /// Writes these bytes.
    Say(&'static str),
    /// Writes these bytes, one at a time.
    Trickle(&'static str),
    /// Ends [`Peer::signalled`].
    Signal,
    /// Waits for [`Peer::go_on`].
    Pause,
    /// Keeps the connection open, silently, until the client closes it.
    Hold,
}

/// A server that listens on 127.0.0.1. It stops when dropped.
pub struct Peer {
    pub address: SocketAddr,
    signals: mpsc::UnboundedReceiver<()>,
    resume: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Peer {
    pub async fn play(scripts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (signal, signals) = mpsc::unbounded_channel();
        let resume = Arc::new(Notify::new());
        let resumed = Arc::clone(&resume);
        let task = tokio::spawn(async move {
            let mut playing = JoinSet::new();
            for script in scripts {
                let mut socket = loop {
                    tokio::select! {
                        accepted = listener.accept() => break accepted.unwrap().0,
                        Some(played) = playing.join_next() => played.unwrap(),
                    }
                };
                socket.set_nodelay(true).unwrap();
                let (signal, resumed) = (signal.clone(), Arc::clone(&resumed));
                playing.spawn(async move {
                    for act in script {
                        perform(&mut socket, act, &signal, &resumed).await;
                    }
                });
            }
            drop(listener);
            while let Some(played) = playing.join_next().await {
                played.unwrap();
            }
        });
        Self { address, signals, resume, task }
    }

    /// Options of a client of this peer, whose handshake is `HELLO 3` and nothing else.
    pub fn options(&self) -> ClientOptions {
        ClientOptions {
            endpoint: Endpoint::tcp(self.address.ip().to_string(), self.address.port()),
            client_info: None,
            ..Default::default()
        }
    }

    /// Waits for the script's next [`Act::Signal`].
    pub async fn signalled(&mut self) {
        self.signals.recv().await.expect("the script ended before its signal");
    }

    /// Ends the script's next [`Act::Pause`].
    pub fn go_on(&self) {
        self.resume.notify_one();
    }

    /// Waits until every script was played to its end. Panics if a script heard something else.
    pub async fn done(mut self) {
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn perform(
    socket: &mut TcpStream,
    act: Act,
    signal: &mpsc::UnboundedSender<()>,
    resumed: &Notify,
) {
    match act {
        Act::Hear(expected) => {
            assert_eq!(hear(socket, expected.split(" | ").count()).await, expected)
        }
        Act::Say(bytes) => socket.write_all(bytes.as_bytes()).await.unwrap(),
        Act::Trickle(bytes) => {
            for byte in bytes.bytes() {
                socket.write_all(&[byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
        Act::Pause => resumed.notified().await,
        Act::Signal => signal.send(()).unwrap(),
        Act::Hold => while socket.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {},
    }
}

async fn hear(socket: &mut TcpStream, commands: usize) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut heard = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some(length) = encode::command_len(rest) {
            let args: Vec<_> = encode::args(rest).map(String::from_utf8_lossy).collect();
            heard.push(args.join(" "));
            rest = &rest[length..];
        }
        if heard.len() >= commands {
            return heard.join(" | ");
        }
        if socket.read_buf(&mut bytes).await.unwrap() == 0 {
            return format!("{} | end of stream", heard.join(" | "));
        }
    }
}
