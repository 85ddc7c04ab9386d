//! The `rustls` configuration that TLS options describe.
//!
//! Owns what is trusted, and what is refused because its PEM text is wrong. Pure: the system's
//! certificates come in as an argument.
//!
//! Invariant: the server's certificate chain and host name are verified unless `verify` is off, and
//! TLS below 1.2 is never spoken.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};

use super::{TlsOptions, TlsVersion};
use crate::error::{Error, Result};

/// Builds the configuration of a client. `system` are the operating system's authorities.
///
/// # Errors
///
/// `USAGE`; the message names the option whose PEM text is wrong.
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

/// The versions that are not below `min`.
fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    match min {
        TlsVersion::V12 => rustls::ALL_VERSIONS,
        TlsVersion::V13 => ONLY_TLS13,
    }
}

static ONLY_TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// The authorities that are trusted.
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

/// The certificates in a PEM text, at least one.
fn certificates(option: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Error::usage(format!("socket.tls.{option} holds no certificate in pem"))),
    }
}

/// Accepts any certificate, but still checks that the peer holds its key.
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
    use crate::options::Secret;

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
}
