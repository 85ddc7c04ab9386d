//! The certificate and the key by which a client proves who it is.
//!
//! Owns the reading of keys, and the check that a key fits its certificate. The certificate may be
//! of version 1: what it says is the server's business.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};

use super::certificate::Certificate;
use super::p521;
use crate::error::{Error, Result};

/// What shows `chain` to a server that asks, and signs with `key`, a PEM text.
pub(super) fn resolver(
    chain: Vec<CertificateDer<'static>>,
    key: &str,
) -> Result<Arc<dyn ResolvesClientCert>> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
        Error::usage("socket.tls.key holds no private key in pem that is not encrypted")
    })?;
    let key = signing_key(key)?;
    let own = chain.first().map(|own| Certificate::read(own)).transpose();
    let Ok(Some(own)) = own else {
        return Err(Error::usage("socket.tls.cert holds a certificate that cannot be read"));
    };
    if key.public_key().is_some_and(|public| public != own.key()) {
        return Err(Error::usage("socket.tls.key does not fit socket.tls.cert"));
    }
    Ok(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))))
}

/// A key that can sign handshakes.
///
/// # Errors
///
/// `USAGE` if it is of a kind that is not supported.
pub(super) fn signing_key(key: PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>> {
    rustls::crypto::ring::sign::any_supported_type(&key)
        .ok()
        .or_else(|| p521::signing_key(&key))
        .ok_or_else(|| {
            Error::usage(
                "socket.tls.key is of a kind that is not supported: it has to be RSA of 2048 to \
                 8192 bits, P-256, P-384, P-521 or Ed25519",
            )
        })
}

/// A key in PKCS#8.
pub(super) fn pkcs8(der: &[u8]) -> PrivateKeyDer<'_> {
    PrivatePkcs8KeyDer::from(der).into()
}
