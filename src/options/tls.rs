//! What TLS trusts, and how the client proves itself.
//!
//! Owns the TLS options and their translation into a `rustls` configuration. Pure: PEM texts and
//! the system's certificates come in as bytes ([`crate::stream::tls_config`] loads the latter).
//!
//! Invariant: the chain and the host name are verified unless `verify` is off, and TLS below 1.2
//! is never spoken.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};

use super::{Endpoint, Secret};
use crate::error::{Error, Result};

/// TLS of one client.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Trusted authorities, PEM; when given, nothing else is trusted. Default empty.
    pub ca: Vec<Vec<u8>>,
    /// More trusted authorities, PEM, used while `ca` is empty: the face passes what Node trusts
    /// (its own roots, `NODE_EXTRA_CA_CERTS`). Unreadable ones among them are passed over.
    pub roots: Vec<Vec<u8>>,
    /// Whether the operating system's authorities are trusted while `ca` is empty; default
    /// `true`.
    pub system_roots: bool,
    /// The client's certificate chain, PEM. Default `None`.
    pub cert: Option<Vec<u8>>,
    /// The private key of `cert`, PEM (PKCS#8, PKCS#1 or SEC1, not encrypted). Default `None`.
    pub key: Option<Secret>,
    /// The name the server's certificate must carry, also sent as SNI; default: the host.
    pub servername: Option<String>,
    /// Whether the server's certificate and name are verified (`rejectUnauthorized`); default
    /// `true`. Without it anybody on the way can read and change everything.
    pub verify: bool,
    /// The lowest version spoken; default TLS 1.2.
    pub min_version: TlsVersion,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V12,
    /// TLS 1.3.
    V13,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            ca: Vec::new(),
            roots: Vec::new(),
            system_roots: true,
            cert: None,
            key: None,
            servername: None,
            verify: true,
            min_version: TlsVersion::V12,
        }
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca.len())
            .field("roots", &self.roots.len())
            .field("system_roots", &self.system_roots)
            .field("cert", &self.cert.is_some())
            .field("key", &self.key)
            .field("servername", &self.servername)
            .field("verify", &self.verify)
            .field("min_version", &self.min_version)
            .finish()
    }
}

impl TlsOptions {
    /// Refuses a server name that no certificate can carry, a client certificate without its key,
    /// and PEM texts that do not hold what they should.
    pub fn validate(&self, endpoint: &Endpoint) -> Result<()> {
        if self.cert.is_some() != self.key.is_some() {
            return Err(Error::usage("socket.tls.cert and socket.tls.key must be given together"));
        }
        self.server_name(endpoint)?;
        // Without authorities of its own the options' trust depends on the system: not read here.
        let verify = self.verify && !self.ca.is_empty();
        client_config(&TlsOptions { verify, ..self.clone() }, Vec::new()).map(drop)
    }

    /// Whether [`client_config`] has a use for the operating system's authorities.
    pub fn wants_system_roots(&self) -> bool {
        self.verify && self.system_roots && self.ca.is_empty()
    }

    /// The name that the certificate of the server at `endpoint` must carry.
    pub fn server_name(&self, endpoint: &Endpoint) -> Result<ServerName<'static>> {
        let (option, name) = match (&self.servername, endpoint) {
            (Some(name), _) => ("socket.tls.servername", name.as_str()),
            // A zone (`%eth0`) is meaningful to this machine only, no certificate holds one.
            (None, Endpoint::Tcp { host, .. }) => {
                ("socket.host", host.split('%').next().unwrap_or(host))
            }
            (None, Endpoint::Unix { .. }) => {
                let reason = "socket.tls.servername must be given with socket.path";
                return Err(Error::usage(reason));
            }
        };
        ServerName::try_from(name.to_owned())
            .map_err(|_| Error::usage(format!("{option} is not a name that tls can verify")))
    }
}

/// Builds the configuration once per client; `system` are the operating system's authorities.
/// Fails with a `USAGE` error that names the option whose PEM text is wrong.
pub fn client_config(
    options: &TlsOptions,
    system: Vec<CertificateDer<'static>>,
) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(options.min_version))
        .map_err(|error| Error::usage(format!("tls cannot be set up: {error}")))?;
    let builder = if options.verify {
        builder.with_root_certificates(trusted(options, system)?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(DangerAcceptAny(provider)))
    };
    let config = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| {
                Error::usage(
                    "socket.tls.key holds no private key in pem (encrypted ones are not supported)",
                )
            })?;
            let refused =
                |_| Error::usage("socket.tls.key is not supported or does not fit socket.tls.cert");
            builder.with_client_auth_cert(certificates("cert", cert)?, key).map_err(refused)?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(Error::usage("socket.tls.cert and socket.tls.key must be given together")),
    };
    Ok(Arc::new(config))
}

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    match min {
        TlsVersion::V12 => rustls::ALL_VERSIONS,
        TlsVersion::V13 => ONLY_TLS13,
    }
}

static ONLY_TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn trusted(options: &TlsOptions, system: Vec<CertificateDer<'static>>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for pem in &options.ca {
        for certificate in certificates("ca", pem)? {
            store
                .add(certificate)
                .map_err(|_| Error::usage("socket.tls.ca holds a certificate that is not valid"))?;
        }
    }
    if options.ca.is_empty() {
        for pem in &options.roots {
            store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
        }
        store.add_parsable_certificates(system);
    }
    if store.is_empty() {
        return Err(Error::usage(
            "no trusted certificate authority was found on this system: pass socket.tls.ca",
        ));
    }
    Ok(store)
}

fn certificates(option: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Error::usage(format!("socket.tls.{option} holds no certificate in pem"))),
    }
}

/// Takes any certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct DangerAcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for DangerAcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(options: TlsOptions) -> String {
        client_config(&options, Vec::new()).expect_err("refused").message().to_owned()
    }

    #[test]
    fn bad_pem_names_the_option_and_shows_nothing_of_it() {
        let pem = b"-----BEGIN CANARY-----\n".to_vec();
        let ca = message(TlsOptions { ca: vec![pem.clone()], ..Default::default() });
        assert!(ca.contains("socket.tls.ca"), "{ca}");

        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let base = TlsOptions { verify: false, ..Default::default() };
        let key = TlsOptions {
            cert: Some(signed.cert.pem().into_bytes()),
            key: Some(Secret::new("CANARY")),
            ..base.clone()
        };
        let key = message(key);
        assert!(key.contains("socket.tls.key") && !key.contains("CANARY"), "{key}");

        let cert = TlsOptions {
            cert: Some(pem),
            key: Some(Secret::new(signed.signing_key.serialize_pem())),
            ..base.clone()
        };
        let cert = message(cert);
        assert!(cert.contains("socket.tls.cert"), "{cert}");

        let other = rcgen::KeyPair::generate().unwrap();
        let pair = TlsOptions {
            cert: Some(signed.cert.pem().into_bytes()),
            key: Some(Secret::new(other.serialize_pem())),
            ..base
        };
        assert!(message(pair).contains("does not fit"));
    }

    #[test]
    fn without_any_authority_the_caller_is_told_to_pass_one() {
        assert!(message(TlsOptions::default()).contains("socket.tls.ca"));
    }

    #[test]
    fn a_given_ca_replaces_all_others() {
        assert!(TlsOptions::default().wants_system_roots());
        assert!(!TlsOptions { ca: vec![vec![]], ..Default::default() }.wants_system_roots());
        assert!(!TlsOptions { verify: false, ..Default::default() }.wants_system_roots());
    }

    #[test]
    fn the_name_to_verify_is_the_servername_or_the_host() {
        let host = Endpoint::tcp("fe80::1%lo", 1);
        let plain = TlsOptions::default().server_name(&host).unwrap();
        assert_eq!(plain.to_str(), "fe80::1");
        let named = TlsOptions { servername: Some("db.example".into()), ..Default::default() };
        assert_eq!(named.server_name(&Endpoint::unix("/s")).unwrap().to_str(), "db.example");
    }
}
