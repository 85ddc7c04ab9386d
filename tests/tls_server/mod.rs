//! A TLS server with certificates that the test makes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{
    date_time_ymd, BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

/// A certificate authority that nobody else knows.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // With one name for all, authorities could be told apart by their signatures only.
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name.push(DnType::CommonName, format!("test authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub fn pem(&self) -> Vec<u8> {
        self.certificate.pem().into_bytes()
    }

    /// A certificate for `names`, valid within `years`, and its key; both PEM.
    pub fn issue(&self, names: &[&str], years: (i32, i32)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// What the server's certificate says, and what the server asks for.
pub struct Wanted {
    pub names: Vec<&'static str>,
    pub years: (i32, i32),
    pub versions: Vec<&'static SupportedProtocolVersion>,
    pub client_auth: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            names: vec!["localhost", "127.0.0.1"],
            years: (2000, 4000),
            versions: rustls::ALL_VERSIONS.to_vec(),
            client_auth: false,
        }
    }
}

pub type TlsSocket = StreamOwned<ServerConnection, TcpStream>;

/// A listening server with a thread that serves one connection after the other.
pub struct Server {
    address: SocketAddr,
    is_stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Calls `serve` with each TCP connection.
    pub fn plain(mut serve: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&is_stopping);
        let thread = std::thread::spawn(move || loop {
            let (socket, _) = listener.accept().unwrap();
            if stopping.load(Ordering::Acquire) {
                return;
            }
            serve(socket);
        });
        Self { address, is_stopping, thread: Some(thread) }
    }

    /// Calls `serve` with each connection, before its TLS handshake.
    pub fn tls(
        authority: &Authority,
        wanted: Wanted,
        mut serve: impl FnMut(TlsSocket) + Send + 'static,
    ) -> Self {
        let config = config(authority, &wanted);
        Self::plain(move |socket| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(StreamOwned::new(session, socket));
        })
    }

    /// A server that answers the handshake and PINGs.
    pub fn redis(authority: &Authority, wanted: Wanted) -> Self {
        Self::tls(authority, wanted, |mut tls| {
            let mut buf = [0; 1024];
            while let Ok(length @ 1..) = tls.read(&mut buf) {
                let is_hello = buf[..length].windows(5).any(|word| word == b"HELLO");
                let reply: &[u8] = if is_hello { b"%1\r\n+proto\r\n:3\r\n" } else { b"+PONG\r\n" };
                if tls.write_all(reply).is_err() {
                    return;
                }
            }
        })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Stops, and fails the test if serving failed.
    pub fn finish(mut self) {
        self.stop().unwrap();
    }

    fn stop(&mut self) -> std::thread::Result<()> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        self.is_stopping.store(true, Ordering::Release);
        // Wakes `accept`; a thread that has failed no longer listens.
        let _ = TcpStream::connect(self.address);
        thread.join()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn config(authority: &Authority, wanted: &Wanted) -> Arc<ServerConfig> {
    let (cert, key) = authority.issue(&wanted.names, wanted.years);
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&wanted.versions)
        .unwrap();
    let builder = if wanted.client_auth {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

static AUTHORITIES: AtomicUsize = AtomicUsize::new(0);
