//! A real server on a Unix socket in a temporary folder, asked one question at a time.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use oxidis::resp::encode;

/// Stopped, and its folder removed, when dropped.
pub struct Server {
    folder: PathBuf,
    process: Child,
    socket: Option<UnixStream>,
}

/// A reply to a question of these tests.
pub enum Reply {
    /// An array of strings.
    List(Vec<Vec<u8>>),
    /// The line of any other reply.
    Error(String),
}

impl Server {
    /// `None`, with the reason printed, where no `redis-server` is installed. The environment
    /// variable `OXIDIS_TEST_SERVER` names another program, as in the JavaScript tests.
    ///
    /// A server whose port somebody else has taken meanwhile ends at once. It is started again, with
    /// what `settings` says then.
    pub fn start(settings: impl Fn() -> Vec<String>) -> Option<Self> {
        for _ in 0..STARTS {
            let server = match Self::try_start(&settings()) {
                Ok(server) => server,
                Err(error) => {
                    println!("skipped: redis-server cannot be started: {error}");
                    return None;
                }
            };
            if let Some(server) = server.connected() {
                return Some(server);
            }
        }
        panic!("the server has ended {STARTS} times before it took a connection");
    }

    fn try_start(settings: &[String]) -> std::io::Result<Self> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("oxidis-keys-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        let program = std::env::var_os("OXIDIS_TEST_SERVER").unwrap_or("redis-server".into());
        let process = Command::new(program)
            .args(["--unixsocket", "s", "--save", "", "--bind", "127.0.0.1", "--dir"])
            .arg(&folder)
            .args(settings)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn();
        match process {
            Ok(process) => Ok(Self { folder, process, socket: None }),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// `None` if the process has ended by itself.
    fn connected(mut self) -> Option<Self> {
        let started = Instant::now();
        let socket = loop {
            if let Ok(socket) = UnixStream::connect(self.folder.join("s")) {
                break socket;
            }
            if self.process.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "the server is up");
            std::thread::sleep(Duration::from_millis(10));
        };
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        self.socket = Some(socket);
        Some(self)
    }

    pub fn ask(&mut self, args: &[&[u8]]) -> Reply {
        let socket = self.socket.as_mut().unwrap();
        let mut command = Vec::new();
        encode::command(&mut command, args);
        socket.write_all(&command).unwrap();
        let (mut heard, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let length = socket.read(&mut part).expect("an answer");
            assert!(length > 0, "the server is still there");
            heard.extend_from_slice(&part[..length]);
            if heard == b"*0\r\n" {
                return Reply::List(Vec::new());
            }
            if heard[0] != b'*' && heard.ends_with(b"\r\n") {
                return Reply::Error(String::from_utf8_lossy(&heard).trim_end().to_owned());
            }
            // A list of strings has the form of a command.
            if encode::command_len(&heard) == Some(heard.len()) {
                return Reply::List(encode::args(&heard).map(<[u8]>::to_vec).collect());
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How often a server is started whose port is taken.
const STARTS: usize = 10;

static STARTED: AtomicUsize = AtomicUsize::new(0);
