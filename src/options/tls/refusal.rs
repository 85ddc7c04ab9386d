//! Why a server's certificate is refused, in words.
//!
//! Owns the rules that have no error of their own in `rustls`, and the translation of webpki's
//! errors. The words name the rule that is broken and what to do, and show nothing of the
//! certificate.

use std::fmt;
use std::sync::Arc;

use rustls::{CertificateError, OtherError};
use webpki::Error as W;

/// A rule that a server's certificate, or one of its chain, breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateRefusal {
    /// It is not encoded as a certificate has to be.
    Encoding,
    /// The certificate of an authority in the chain has expired.
    AuthorityExpired,
    /// The certificate of an authority in the chain is not valid yet.
    AuthorityNotYetValid,
    /// It has a critical extension that nobody here understands.
    CriticalExtension,
    /// It is not for servers.
    Purpose,
    /// Its key is not for signing.
    KeyUsage,
    /// One of its issuers is no authority.
    NotAnAuthority,
    /// The chain ends in a certificate of `ca` that somebody else has signed.
    Unfinished,
    /// An authority in the chain may not have so many authorities under it.
    PathLength,
    /// An authority in the chain may not sign for this name.
    NameConstraints,
    /// An authority in the chain constrains names, which certificates of version 1 cannot be held
    /// to.
    NameConstraintsUnread,
    /// The signature of an issuer does not fit.
    Signature,
    /// A key or signature is of a kind that is not supported.
    Algorithm,
    /// The chain is too long, or there are too many ways to build one.
    Chain,
}

impl CertificateRefusal {
    /// The refusal that `error` is made of, if it is one.
    pub fn of(error: &CertificateError) -> Option<Self> {
        use CertificateError as C;
        #[allow(deprecated)]
        match error {
            C::BadEncoding => Some(Self::Encoding),
            C::UnhandledCriticalExtension => Some(Self::CriticalExtension),
            C::BadSignature => Some(Self::Signature),
            C::InvalidPurpose | C::InvalidPurposeContext { .. } => Some(Self::Purpose),
            C::UnsupportedSignatureAlgorithm
            | C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Some(Self::Algorithm),
            C::Other(OtherError(other)) => other.downcast_ref().copied(),
            _ => None,
        }
    }

    /// The code of the error.
    pub fn code(self) -> &'static str {
        match self {
            Self::AuthorityExpired => "TLS_CERT_EXPIRED",
            Self::AuthorityNotYetValid => "TLS_CERT_NOT_YET_VALID",
            Self::Unfinished => "TLS_UNKNOWN_CA",
            _ => "TLS_CERT_INVALID",
        }
    }
}

impl fmt::Display for CertificateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => {
                "the server's certificate is not encoded as X.509 asks: it has to be made anew"
            }
            Self::AuthorityExpired => {
                "the certificate of an authority above the server's certificate has expired \
                 (see socket.tls.ca)"
            }
            Self::AuthorityNotYetValid => {
                "the certificate of an authority above the server's certificate is not valid yet \
                 (is this machine's clock right?)"
            }
            Self::CriticalExtension => {
                "the server's certificate, or one above it, has a critical extension that is not \
                 known here: it has to be made anew without that"
            }
            Self::Purpose => {
                "the server's certificate is not for servers: its extended key usage needs \
                 serverAuth, and so does that of each authority above it which has one"
            }
            Self::KeyUsage => {
                "the server's certificate is not for servers: its key usage needs digitalSignature"
            }
            Self::NotAnAuthority => {
                "the server's certificate is signed by a certificate that is no authority's: that \
                 one needs the basic constraint CA:TRUE and the key usage keyCertSign"
            }
            Self::Unfinished => {
                "the server's certificate leads to one of socket.tls.ca that another authority has \
                 signed: add that one's certificate, or set socket.tls.allowPartialTrustChain"
            }
            Self::PathLength => {
                "an authority above the server's certificate may not have so many authorities under \
                 it (pathlen)"
            }
            Self::NameConstraints => {
                "an authority above the server's certificate may not sign for this name (name \
                 constraints)"
            }
            Self::NameConstraintsUnread => {
                "an authority above the server's certificate constrains names, and this certificate \
                 cannot be held to that: it has to be of version 3 with CA:FALSE and a subject \
                 alternative name"
            }
            Self::Signature => {
                "the server's certificate is not signed by the authority that it names (is one of \
                 the same name with another key trusted here, by socket.tls.ca or this system?)"
            }
            Self::Algorithm => {
                "the server's certificate, or one above it, has a key or a signature of a kind that \
                 is not supported: it needs RSA of 2048 to 8192 bits, P-256, P-384, P-521 or \
                 Ed25519, signed with SHA-256 or better"
            }
            Self::Chain => "the chain above the server's certificate is too long or too tangled",
        })
    }
}

impl std::error::Error for CertificateRefusal {}

impl From<CertificateRefusal> for CertificateError {
    fn from(refusal: CertificateRefusal) -> Self {
        match refusal {
            // These have an alert of their own.
            CertificateRefusal::Encoding => Self::BadEncoding,
            CertificateRefusal::CriticalExtension => Self::UnhandledCriticalExtension,
            CertificateRefusal::Signature => Self::BadSignature,
            other => Self::Other(OtherError(Arc::new(other))),
        }
    }
}

/// What webpki has found wrong with a chain. The server's own certificate was found to be in its
/// time before.
pub(super) fn of_webpki(error: &W) -> CertificateError {
    use CertificateRefusal as R;
    #[allow(deprecated)]
    let refusal = match error {
        W::UnknownIssuer => return CertificateError::UnknownIssuer,
        W::CertRevoked | W::CertDistrusted => return CertificateError::Revoked,
        W::CertExpired { .. } | W::InvalidCertValidity => R::AuthorityExpired,
        W::CertNotValidYet { .. } => R::AuthorityNotYetValid,
        W::UnsupportedCriticalExtension => R::CriticalExtension,
        W::RequiredEkuNotFound | W::RequiredEkuNotFoundContext(_) | W::EmptyEkuExtension => {
            R::Purpose
        }
        W::EndEntityUsedAsCa | W::CaUsedAsEndEntity => R::NotAnAuthority,
        W::PathLenConstraintViolated => R::PathLength,
        W::NameConstraintViolation => R::NameConstraints,
        W::InvalidSignatureForPublicKey | W::SignatureAlgorithmMismatch => R::Signature,
        W::UnsupportedSignatureAlgorithm
        | W::UnsupportedSignatureAlgorithmContext(_)
        | W::UnsupportedSignatureAlgorithmForPublicKey
        | W::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => R::Algorithm,
        W::MaximumPathBuildCallsExceeded
        | W::MaximumPathDepthExceeded
        | W::MaximumSignatureChecksExceeded
        | W::MaximumNameConstraintComparisonsExceeded => R::Chain,
        _ => R::Encoding,
    };
    refusal.into()
}
