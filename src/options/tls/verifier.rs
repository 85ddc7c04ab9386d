//! Whether a server is who it says.
//!
//! Owns the one place where certificates are accepted. It is as strict as Node: the chain leads to a
//! trusted authority, all of it is in its time, and the certificate is for servers and for the host.
//! webpki does the work where it can. It refuses certificates of version 1, and authorities'
//! certificates in a server's place, which OpenSSL takes. Those go through [`path`].
//!
//! Invariant: without trust (`rejectUnauthorized: false`) nothing is read and everything accepted.

use std::cell::Cell;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature_with_raw_key;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::algorithms::{self, ALGORITHMS};
use super::certificate::Certificate;
use super::refusal::of_webpki;
use super::trust::Trust;
use super::{names, path};

/// Accepts the servers that `trust` vouches for.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) trust: Trust,
    /// Whether the certificate has to be for the host; otherwise the application decides that.
    pub(super) checks_name: bool,
}

impl Verifier {
    fn check(
        &self,
        der: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        let server = Certificate::read(der)?;
        server.check_time(now)?;
        server.check_server()?;
        if self.trust.is_pinned(der) {
            server.check_extensions()?;
        } else {
            self.check_chain(der, &server, others, now)?;
        }
        match self.checks_name {
            true => names::check(der, &server, host),
            false => Ok(()),
        }
    }

    /// Refuses a certificate from which no way leads to a trusted authority.
    fn check_chain(
        &self,
        der: &CertificateDer<'_>,
        server: &Certificate<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        let mut between = others.to_vec();
        between.extend_from_slice(self.trust.helpers());
        let refused = Cell::new(None);
        let check_path = |path: &VerifiedPath<'_>| {
            self.trust.check_path(path, now).map_err(|refusal| {
                refused.set(Some(refusal));
                webpki::Error::UnknownIssuer
            })
        };
        let verified = EndEntityCert::try_from(der).and_then(|entity| {
            let (usage, anchors) = (KeyUsage::server_auth(), self.trust.anchors());
            let (all, check) = (ALGORITHMS.all, Some(&check_path as _));
            entity.verify_for_usage(all, anchors, &between, now, usage, None, check).map(drop)
        });
        match verified {
            Ok(()) => Ok(()),
            Err(webpki::Error::UnsupportedCertVersion | webpki::Error::CaUsedAsEndEntity) => {
                server.check_extensions()?;
                path::check(server, others, &self.trust, now)
            }
            Err(error) => Err(refused.get().map_or_else(|| of_webpki(&error), Into::into)),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let server = Certificate::read(cert).map_err(CertificateError::from)?;
        let of_scheme = ALGORITHMS.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let algorithms = of_scheme.map_or(&[][..], |(_, algorithms)| *algorithms);
        algorithms::verify(algorithms, &server.key(), message, signed.signature())
            .map_err(|error| of_webpki(&error))?;
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let server = Certificate::read(cert).map_err(CertificateError::from)?;
        verify_tls13_signature_with_raw_key(message, &server.key(), signed, &ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}

/// Accepts whoever answers, with whatever certificate.
#[derive(Debug)]
pub(super) struct DangerAcceptAny;

impl ServerCertVerifier for DangerAcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // The signature would prove that the peer has the certificate's key. Anybody can make a
    // certificate, so it proves nothing as long as that is not verified.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = ALGORITHMS.supported_schemes();
        schemes.extend([SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1_Legacy]);
        schemes
    }
}
