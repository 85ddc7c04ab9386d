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
    pub fn start(settings: &[&str]) -> Option<Self> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("oxidis-keys-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let program = std::env::var_os("OXIDIS_TEST_SERVER").unwrap_or("redis-server".into());
        let process = Command::new(program)
            .args(["--unixsocket", "s", "--save", "", "--bind", "127.0.0.1", "--dir"])
            .arg(&folder)
            .args(settings)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn();
        let process = match process {
            Ok(process) => process,
            Err(error) => {
                println!("skipped: redis-server cannot be started: {error}");
                let _ = std::fs::remove_dir_all(&folder);
                return None;
            }
        };
        let mut server = Self { folder, process, socket: None };
        let started = Instant::now();
        while server.socket.is_none() {
            assert!(started.elapsed() < Duration::from_secs(20), "the server is up");
            std::thread::sleep(Duration::from_millis(10));
            server.socket = UnixStream::connect(server.folder.join("s")).ok();
        }
        let patience = Some(Duration::from_secs(20));
        server.socket.as_ref().unwrap().set_read_timeout(patience).unwrap();
        Some(server)
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

static STARTED: AtomicUsize = AtomicUsize::new(0);
