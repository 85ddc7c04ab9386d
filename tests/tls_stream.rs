//! TLS: which servers are trusted, with which code others are refused, and that all bytes arrive.

mod tls_server;

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use bytes::BytesMut;
use oxidis::connection::{Connection, Credentials};
use oxidis::error::{Error, ErrorClass};
use oxidis::options::{ClientOptions, Endpoint, Secret, TlsOptions, TlsVersion};
use oxidis::stream::{self, Progress, Stream};
use rustls::version::{TLS12, TLS13};
use tls_server::{Authority, Server, Wanted};

fn trusting(authority: &Authority) -> TlsOptions {
    TlsOptions { ca: vec![authority.pem()], ..Default::default() }
}

fn options(server: &Server, host: &str, tls: TlsOptions) -> ClientOptions {
    let endpoint = Endpoint::tcp(host, server.port());
    ClientOptions { endpoint, tls: Some(tls), client_info: None, ..Default::default() }
}

async fn open(options: &ClientOptions) -> Result<Connection, Error> {
    let config = stream::tls_config(options.tls.as_ref().unwrap())?;
    Connection::open(options, Some(&config), Credentials::default()).await
}

/// Connects to `localhost` of a server with this certificate, and expects a refusal.
async fn refusal(wanted: Wanted, change: impl FnOnce(&mut TlsOptions)) -> Error {
    let authority = Authority::new();
    let server = Server::redis(&authority, wanted);
    let mut tls = trusting(&authority);
    change(&mut tls);
    let error = open(&options(&server, "localhost", tls)).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorClass::Connection, "{error:?}");
    error
}

#[tokio::test]
async fn a_trusted_server_is_spoken_to_in_either_version() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let server =
            Server::redis(&authority, Wanted { versions: vec![version], ..Default::default() });
        for host in ["localhost", "127.0.0.1"] {
            let options = options(&server, host, trusting(&authority));
            let mut connection = open(&options).await.unwrap();
            assert!(connection.stream.is_encrypted());
            assert_eq!(connection.info.proto, 3);
            connection.ping(options.socket.connect_timeout).await.unwrap();
        }
    }
}

#[tokio::test]
async fn roots_that_node_passes_are_trusted_when_no_ca_is_given() {
    let authority = Authority::new();
    let server = Server::redis(&authority, Wanted::default());
    let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    let roots = vec![junk, authority.pem()];
    let tls = TlsOptions { roots, system_roots: false, ..Default::default() };
    open(&options(&server, "localhost", tls.clone())).await.unwrap();

    let ca = vec![Authority::new().pem()];
    let error = open(&options(&server, "localhost", TlsOptions { ca, ..tls })).await.unwrap_err();
    assert_eq!(error.code(), "TLS_UNKNOWN_CA", "a given ca replaces the roots");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_fatal() {
    let wanted = Wanted { names: vec!["db.example"], ..Default::default() };
    let error = refusal(wanted, |_| {}).await;
    assert_eq!((error.code(), error.is_fatal()), ("TLS_HOSTNAME_MISMATCH", true));
    assert!(error.message().contains("not for localhost"), "{error}");
}

#[tokio::test]
async fn the_servername_option_is_the_name_that_is_verified() {
    let authority = Authority::new();
    let wanted = Wanted { names: vec!["db.example"], ..Default::default() };
    let server = Server::redis(&authority, wanted);
    let mut tls = trusting(&authority);
    tls.servername = Some("db.example".into());
    open(&options(&server, "127.0.0.1", tls)).await.unwrap();
}

#[tokio::test]
async fn an_unknown_authority_is_fatal() {
    let error = refusal(Wanted::default(), |tls| tls.ca = vec![Authority::new().pem()]).await;
    assert_eq!((error.code(), error.is_fatal()), ("TLS_UNKNOWN_CA", true));
    let error = refusal(Wanted::default(), |tls| tls.ca.clear()).await;
    assert_eq!(error.code(), "TLS_UNKNOWN_CA", "the system does not know it either");
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_fatal() {
    let expired = Wanted { years: (2000, 2001), ..Default::default() };
    let error = refusal(expired, |_| {}).await;
    assert_eq!((error.code(), error.is_fatal()), ("TLS_CERT_EXPIRED", true));
    let early = Wanted { years: (4000, 4001), ..Default::default() };
    let error = refusal(early, |_| {}).await;
    assert_eq!((error.code(), error.is_fatal()), ("TLS_CERT_NOT_YET_VALID", true));
}

#[tokio::test]
async fn a_missing_client_certificate_is_fatal_in_either_version() {
    for version in [&TLS12, &TLS13] {
        let wanted = Wanted { versions: vec![version], client_auth: true, ..Default::default() };
        let error = refusal(wanted, |_| {}).await;
        assert_eq!((error.code(), error.is_fatal()), ("TLS_CERT_REQUIRED", true), "{error:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let authority = Authority::new();
    let wanted = Wanted { client_auth: true, ..Default::default() };
    let server = Server::redis(&authority, wanted);
    let (cert, key) = authority.issue(&["client"], (2000, 4000));
    let mut tls = trusting(&authority);
    tls.cert = Some(cert.into_bytes());
    tls.key = Some(Secret::new(key));
    open(&options(&server, "localhost", tls)).await.unwrap();

    // A certificate that the server's authority has not signed.
    let (cert, key) = Authority::new().issue(&["client"], (2000, 4000));
    let mut tls = trusting(&authority);
    tls.cert = Some(cert.into_bytes());
    tls.key = Some(Secret::new(key));
    let error = open(&options(&server, "localhost", tls)).await.unwrap_err();
    assert!(error.code().starts_with("TLS_CERT_"), "{error:?}");
    assert!(error.is_fatal());
}

#[tokio::test]
async fn without_verification_any_certificate_will_do() {
    let authority = Authority::new();
    let wanted = Wanted { names: vec!["db.example"], years: (2000, 2001), ..Default::default() };
    let server = Server::redis(&authority, wanted);
    let tls = TlsOptions { verify: false, ..Default::default() };
    open(&options(&server, "localhost", tls)).await.unwrap();
}

#[tokio::test]
async fn a_version_below_the_lowest_is_fatal() {
    let wanted = Wanted { versions: vec![&TLS12], ..Default::default() };
    let error = refusal(wanted, |tls| tls.min_version = TlsVersion::V13).await;
    assert_eq!((error.code(), error.is_fatal()), ("TLS_VERSION", true), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_never_spoken_to_in_the_clear() {
    let server = Server::plain(|mut socket| {
        let mut first = [0; 1];
        socket.read_exact(&mut first).unwrap();
        assert_eq!(first, [0x16], "the first byte is not a tls handshake's");
        let _ = socket.write_all(b"-ERR unknown command\r\n");
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let tls = TlsOptions { verify: false, ..Default::default() };
    let error = open(&options(&server, "localhost", tls)).await.unwrap_err();
    assert_eq!((error.code(), error.is_fatal()), ("TLS_HANDSHAKE", false));
    assert!(error.message().contains("did not answer in tls"), "{error}");
    server.finish();
}

#[tokio::test]
async fn a_cut_in_the_tls_handshake_may_be_tried_again() {
    let server = Server::plain(drop);
    let tls = TlsOptions { verify: false, ..Default::default() };
    let error = open(&options(&server, "localhost", tls)).await.unwrap_err();
    assert_eq!(error.code(), "TLS_HANDSHAKE");
    assert!(error.is_retryable() && !error.is_fatal());
    assert!(error.cause().is_some());
}

async fn raw(authority: &Authority, server: &Server) -> Stream {
    let options = options(server, "localhost", trusting(authority));
    let config = stream::tls_config(options.tls.as_ref().unwrap()).unwrap();
    let progress = Progress::default();
    let addresses = Stream::addresses(&options, &progress).await.unwrap();
    Stream::connect(&options, Some(&config), addresses[0], &progress).await.unwrap()
}

async fn read(stream: &Stream, buf: &mut BytesMut) -> std::io::Result<usize> {
    loop {
        match stream.try_read(buf, usize::MAX) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.readable().await?,
            outcome => return outcome,
        }
    }
}

#[tokio::test]
async fn an_end_without_goodbye_is_an_error_and_one_with_it_is_not() {
    let authority = Authority::new();
    for says_goodbye in [true, false] {
        let server = Server::tls(&authority, Wanted::default(), move |mut tls| {
            tls.write_all(b"last words").unwrap();
            if says_goodbye {
                tls.conn.send_close_notify();
            }
            tls.flush().unwrap();
        });
        let stream = raw(&authority, &server).await;
        let mut buf = BytesMut::with_capacity(1024);
        assert_eq!(read(&stream, &mut buf).await.unwrap(), 10);
        for _ in 0..2 {
            match read(&stream, &mut buf).await {
                Ok(length) => assert!(says_goodbye && length == 0),
                Err(error) => {
                    assert!(!says_goodbye && error.kind() == ErrorKind::UnexpectedEof, "{error}");
                }
            }
        }
        assert_eq!(&buf[..], b"last words");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_stops_the_writer_and_nothing_is_lost() {
    let authority = Authority::new();
    let (start, started) = std::sync::mpsc::channel::<()>();
    let server = Server::tls(&authority, Wanted::default(), move |mut tls| {
        // The handshake completes on the first read; until then the client could not connect.
        tls.conn.complete_io(&mut tls.sock).unwrap();
        started.recv().unwrap();
        let mut byte = 0_u8;
        let mut buf = vec![0; 100_000];
        let mut total = 0;
        while total < SIZE {
            let length = tls.read(&mut buf).unwrap();
            for found in &buf[..length] {
                assert_eq!(*found, byte);
                byte = byte.wrapping_add(1);
            }
            total += length;
        }
        tls.write_all(b"all of it").unwrap();
    });
    let stream = raw(&authority, &server).await;
    let bytes: Vec<u8> = (0..SIZE).map(|at| at as u8).collect();
    let mut rest = bytes.as_slice();
    let mut start = Some(start);
    while !rest.is_empty() {
        match stream.try_write(rest) {
            Ok(taken) => rest = &rest[taken..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // Only now does the server begin to read.
                if let Some(start) = start.take() {
                    start.send(()).unwrap();
                }
                stream.writable().await.unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(start.is_none(), "the writer was never stopped");
    while !stream.try_flush().unwrap() {
        stream.writable().await.unwrap();
    }
    let mut buf = BytesMut::new();
    while buf.len() < 9 {
        assert!(read(&stream, &mut buf).await.unwrap() > 0);
    }
    assert_eq!(&buf[..], b"all of it");
    server.finish();
}

#[tokio::test]
async fn one_thread_writes_while_another_reads() {
    let authority = Authority::new();
    let server = Server::tls(&authority, Wanted::default(), |mut tls| {
        let mut buf = vec![0; 30_000];
        while let Ok(length @ 1..) = tls.read(&mut buf) {
            tls.write_all(&buf[..length]).unwrap();
        }
    });
    let stream = Arc::new(raw(&authority, &server).await);
    let writer = Arc::clone(&stream);
    // Node's thread writes like this: outside of the runtime, without waiting.
    let writing = std::thread::spawn(move || {
        for _ in 0..1000 {
            let mut rest: &[u8] = &[b'x'; 300];
            while !rest.is_empty() {
                match writer.try_write(rest) {
                    Ok(taken) => rest = &rest[taken..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        std::thread::yield_now();
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        while !writer.try_flush().unwrap() {
            std::thread::yield_now();
        }
    });
    let mut buf = BytesMut::with_capacity(64);
    let mut total = 0;
    while total < 300_000 {
        let length = read(&stream, &mut buf).await.unwrap();
        assert!(length > 0);
        assert!(buf.iter().all(|byte| *byte == b'x'));
        total += length;
        buf.clear();
    }
    assert_eq!(total, 300_000);
    writing.join().unwrap();
}

#[tokio::test]
async fn closing_says_goodbye_and_may_be_done_twice() {
    let authority = Authority::new();
    let server = Server::tls(&authority, Wanted::default(), |mut tls| {
        // `read` would fail with `UnexpectedEof` without a `close_notify`.
        assert_eq!(tls.read(&mut [0; 10]).unwrap(), 0);
    });
    let stream = raw(&authority, &server).await;
    stream.close();
    stream.close();
    assert!(stream.try_write(b"x").is_err());
    server.finish();
}

/// More than the socket buffers of both sides and the stream's own hold.
const SIZE: usize = 32 * 1024 * 1024;
