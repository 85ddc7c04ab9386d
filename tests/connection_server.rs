//! Handshakes with a real server: `redis-server` on a Unix socket in a temporary folder.

#![cfg(unix)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oxidis::connection::{Connection, Credentials};
use oxidis::error::{Error, ErrorClass};
use oxidis::options::{ClientOptions, Endpoint, Protocol, Secret};
use oxidis::resp::encode;

/// A server that is stopped, and whose folder is removed, when dropped.
struct Server {
    folder: PathBuf,
    process: Child,
}

impl Server {
    /// `None`, with the reason printed, where no `redis-server` is installed.
    async fn start(settings: &[&str]) -> Option<Self> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("oxidis-connection-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let process = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "s", "--save", "", "--dir"])
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
        let server = Self { folder, process };
        let attempts = async {
            while tokio::net::UnixStream::connect(server.folder.join("s")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), attempts).await.expect("the server is up");
        Some(server)
    }

    fn options(&self) -> ClientOptions {
        let endpoint = Endpoint::unix(self.folder.join("s").to_str().unwrap());
        ClientOptions { endpoint, ..Default::default() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn open(options: &ClientOptions) -> Result<Connection, Error> {
    Connection::open(options, None, Credentials::from(options)).await
}

async fn ask(connection: &mut Connection, args: &[&str]) -> String {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut command = Vec::new();
    encode::command(&mut command, &args);
    let frames = connection.request(&command).await.unwrap();
    let node = &frames.tape[frames.replies[0] as usize];
    String::from_utf8_lossy(frames.text(node)).into_owned()
}

#[tokio::test]
async fn a_real_server_sees_what_the_options_say() {
    let Some(server) = Server::start(&["--requirepass", "secret"]).await else { return };
    for (protocol, proto) in [(Protocol::Resp3, 3), (Protocol::Resp2, 2)] {
        let options = ClientOptions {
            protocol,
            password: Some(Secret::new("secret")),
            name: Some("the-name".into()),
            database: 7,
            readonly: true,
            ..server.options()
        };
        let mut connection = open(&options).await.unwrap();
        assert_eq!(connection.info.proto, proto);
        if protocol == Protocol::Resp3 {
            assert_eq!(connection.info.server.as_deref(), Some("redis"));
            assert_eq!(connection.info.role.as_deref(), Some("master"));
            assert!(connection.info.id.is_some() && connection.info.version.is_some());
        }
        let info = ask(&mut connection, &["CLIENT", "LIST"]).await;
        assert!(info.contains(" name=the-name ") && info.contains(" db=7 "), "{info}");
        connection.ping(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn a_real_server_refuses_in_the_codes_we_know() {
    let Some(server) = Server::start(&["--requirepass", "secret"]).await else { return };
    for protocol in [Protocol::Resp3, Protocol::Resp2] {
        let options = ClientOptions { protocol, ..server.options() };
        for password in [None, Some("wrong")] {
            let options = ClientOptions { password: password.map(Secret::new), ..options.clone() };
            let error = open(&options).await.unwrap_err();
            assert_eq!((error.code(), error.is_fatal()), ("AUTH", true), "{error:?}");
        }
        let password = Some(Secret::new("secret"));
        let error = open(&ClientOptions { password, database: 99, ..options }).await.unwrap_err();
        assert_eq!((error.code(), error.is_fatal()), ("SELECT", true), "{error:?}");
    }
}

#[tokio::test]
async fn a_real_server_that_is_full_says_so() {
    let Some(server) = Server::start(&["--maxclients", "1"]).await else { return };
    // The connection by which the start-up was awaited may still be open for a moment, and the
    // server takes one only.
    let _first = loop {
        match open(&server.options()).await {
            Ok(connection) => break connection,
            Err(error) => assert_eq!(error.code(), "MAX_CLIENTS", "{error:?}"),
        }
    };
    let error = open(&server.options()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorClass::Connection, "MAX_CLIENTS"), "{error:?}");
    assert!(error.is_retryable());
}

static STARTED: AtomicUsize = AtomicUsize::new(0);
