//! Socket and TLS failures as errors with a code and a text.
//!
//! Owns which failures are fatal, because another attempt cannot succeed. Its texts name host names
//! and certificate names, and nothing secret.

use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::error::Error;
use crate::options::{CertificateRefusal, Endpoint};

/// The error of a stream that failed after it was connected: `TLS_...`, or the errno's name.
pub fn lost(error: io::Error) -> Error {
    match tls_failure(&error) {
        Some(failure) => {
            let diagnosis = diagnose(failure);
            let message = format!("the tls session failed: {}", diagnosis.reason);
            diagnosis.into_error(message)
        }
        None => {
            let error = Error::from(error);
            if !error.is_of_system() {
                return error;
            }
            // Node's words, which programs compare.
            let message = format!("read {}", error.code());
            Error::connection(error.code(), message).retryable()
        }
    }
}

/// The error of an endpoint that could not be reached (code `CONNECT`).
pub fn unreachable(endpoint: &Endpoint, cause: Error) -> Error {
    // Node's words, which programs compare. The cause has the reason in full.
    let message = match cause.code() {
        code @ ("ENOTFOUND" | "EAI_AGAIN") => {
            let host = endpoint.host().unwrap_or_default();
            format!("getaddrinfo {code} {host}")
        }
        code if cause.is_of_system() => format!("connect {code} {endpoint}"),
        _ => format!("could not connect to {endpoint}: {}", cause.message()),
    };
    Error::connection("CONNECT", message).retryable().with_cause(cause)
}

/// The error of a TLS handshake that failed. `has_agreed` tells whether the server had agreed to a
/// version and a cipher before.
pub(super) fn handshake(endpoint: &Endpoint, error: io::Error, has_agreed: bool) -> Error {
    let diagnosis = match tls_failure(&error) {
        // OpenSSL sends this alert for a missing client certificate as well, but later.
        Some(rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)) => {
            if has_agreed {
                let text = "the server wants a client certificate, or another one than this \
                    (see socket.tls.cert and socket.tls.key)";
                Diagnosis::fatal("TLS_CERT_REQUIRED", text)
            } else {
                Diagnosis::fatal("TLS_VERSION", NOTHING_IN_COMMON)
            }
        }
        Some(failure) => diagnose(failure),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Diagnosis::passing(
            "TLS_HANDSHAKE",
            "the server closed the connection during the tls handshake",
        ),
        None => Diagnosis::passing("TLS_HANDSHAKE", "the tls handshake was cut off"),
    };
    let message = format!("could not connect to {endpoint}: {}", diagnosis.reason);
    let is_tls = tls_failure(&error).is_some();
    let failed = diagnosis.into_error(message);
    if is_tls {
        failed
    } else {
        failed.with_cause(Error::from(error))
    }
}

fn tls_failure(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What a TLS failure means.
struct Diagnosis {
    code: &'static str,
    reason: String,
    fatal: bool,
}

impl Diagnosis {
    fn fatal(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), fatal: true }
    }

    fn passing(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), fatal: false }
    }

    fn into_error(self, message: String) -> Error {
        let error = Error::connection(self.code, message);
        if self.fatal {
            error.fatal()
        } else {
            error.retryable()
        }
    }
}

fn diagnose(failure: &rustls::Error) -> Diagnosis {
    use rustls::Error as E;
    match failure {
        E::InvalidCertificate(reason) => certificate(reason),
        E::NoCertificatesPresented => {
            Diagnosis::fatal("TLS_CERT_INVALID", "the server presented no certificate")
        }
        E::AlertReceived(alert) => refused(*alert),
        E::PeerIncompatible(_) => Diagnosis::fatal("TLS_VERSION", NOTHING_IN_COMMON),
        E::PeerMisbehaved(_) | E::InappropriateMessage { .. } => {
            Diagnosis::passing("TLS_HANDSHAKE", "the server broke the rules of tls")
        }
        E::InappropriateHandshakeMessage { .. } => {
            Diagnosis::passing("TLS_HANDSHAKE", "the server broke the rules of the tls handshake")
        }
        E::DecryptError | E::PeerSentOversizedRecord => Diagnosis::passing(
            "TLS_HANDSHAKE",
            "bytes from the server do not decrypt (something on the way has changed them)",
        ),
        E::NoApplicationProtocol => {
            Diagnosis::fatal("TLS_HANDSHAKE", "the server speaks none of socket.tls.ALPNProtocols")
        }
        E::InvalidMessage(_) => Diagnosis::passing(
            "TLS_HANDSHAKE",
            "the server did not answer in tls (is this its port without tls?)",
        ),
        _ => Diagnosis::passing("TLS_HANDSHAKE", "the tls session cannot be used"),
    }
}

fn certificate(reason: &CertificateError) -> Diagnosis {
    use CertificateError as C;
    match reason {
        C::Expired | C::ExpiredContext { .. } => {
            Diagnosis::fatal("TLS_CERT_EXPIRED", "the server's certificate has expired")
        }
        C::NotValidYet | C::NotValidYetContext { .. } => Diagnosis::fatal(
            "TLS_CERT_NOT_YET_VALID",
            "the server's certificate is not valid yet (is this machine's clock right?)",
        ),
        C::NotValidForNameContext { expected, presented } => Diagnosis::fatal(
            "TLS_HOSTNAME_MISMATCH",
            format!(
                "the server's certificate is not for {}, but for {} (see socket.tls.servername)",
                expected.to_str(),
                shown(presented)
            ),
        ),
        C::NotValidForName => Diagnosis::fatal(
            "TLS_HOSTNAME_MISMATCH",
            "the server's certificate is for another host name",
        ),
        C::UnknownIssuer => Diagnosis::fatal(
            "TLS_UNKNOWN_CA",
            "the server's certificate is signed by no trusted authority (see socket.tls.ca)",
        ),
        C::Revoked => Diagnosis::fatal("TLS_CERT_INVALID", "the server's certificate was revoked"),
        other => match CertificateRefusal::of(other) {
            Some(refusal) => Diagnosis::fatal(refusal.code(), refusal.to_string()),
            None => Diagnosis::fatal("TLS_CERT_INVALID", "the server's certificate is not valid"),
        },
    }
}

/// The names in a certificate, or the first few of many.
fn shown(names: &[String]) -> String {
    match names {
        [] => "no name at all".into(),
        few if few.len() <= SHOWN => few.join(", "),
        many => format!("{} and others", many.get(..SHOWN).unwrap_or_default().join(", ")),
    }
}

/// What it means that the server has ended the TLS session with this alert.
fn refused(alert: AlertDescription) -> Diagnosis {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired => Diagnosis::fatal(
            "TLS_CERT_REQUIRED",
            "the server wants a client certificate (see socket.tls.cert and socket.tls.key)",
        ),
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied => {
            Diagnosis::fatal("TLS_CERT_REFUSED", "the server refused the client certificate")
        }
        A::ProtocolVersion | A::InsufficientSecurity => {
            Diagnosis::fatal("TLS_VERSION", NOTHING_IN_COMMON)
        }
        A::UnrecognisedName => Diagnosis::fatal(
            "TLS_HOSTNAME_MISMATCH",
            "the server does not serve this host name (see socket.tls.servername)",
        ),
        A::NoApplicationProtocol => {
            Diagnosis::fatal("TLS_HANDSHAKE", "the server speaks none of socket.tls.ALPNProtocols")
        }
        other => {
            let name = match other {
                A::IllegalParameter => "illegal_parameter",
                A::DecodeError => "decode_error",
                A::DecryptError => "decrypt_error",
                A::InternalError => "internal_error",
                A::HandshakeFailure => "handshake_failure",
                A::UnexpectedMessage => "unexpected_message",
                A::BadRecordMac => "bad_record_mac",
                _ => "of another kind",
            };
            let number = u8::from(other);
            let text = format!("the server ended the tls session with alert {number}, {name}");
            Diagnosis::passing("TLS_HANDSHAKE", text)
        }
    }
}

/// What a server has to offer. rustls has neither older versions, nor key exchanges without forward
/// secrecy, nor suites that encrypt before they authenticate.
const NOTHING_IN_COMMON: &str = "the server and this client have no tls version or cipher in \
    common: the server has to offer tls 1.3, or tls 1.2 with ecdhe and aes-gcm or \
    chacha20-poly1305 (tls 1.1, rsa or dhe key exchange and cbc are not supported; see also \
    socket.tls.minVersion, maxVersion, ciphers and ecdhCurve)";
/// More names than these tell the reader nothing new.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(failure: rustls::Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, failure)
    }

    #[test]
    fn an_alert_tells_the_code() {
        let cases = [
            (AlertDescription::CertificateRequired, "TLS_CERT_REQUIRED", true),
            (AlertDescription::UnknownCA, "TLS_CERT_REFUSED", true),
            (AlertDescription::ProtocolVersion, "TLS_VERSION", true),
            (AlertDescription::HandshakeFailure, "TLS_HANDSHAKE", false),
        ];
        for (alert, code, fatal) in cases {
            let error = lost(wrapped(rustls::Error::AlertReceived(alert)));
            assert_eq!((error.code(), error.is_fatal()), (code, fatal));
            assert_eq!(error.is_retryable(), !fatal);
        }
    }

    #[test]
    fn a_socket_failure_keeps_its_errno() {
        let error = lost(io::ErrorKind::ConnectionReset.into());
        assert_eq!(error.code(), "ECONNRESET");
        let endpoint = Endpoint::default();
        let failed = handshake(&endpoint, io::ErrorKind::ConnectionReset.into(), false);
        assert_eq!(failed.code(), "TLS_HANDSHAKE");
        assert_eq!(failed.cause().map(Error::code), Some("ECONNRESET"));
    }

    #[test]
    fn a_refused_connection_is_told_in_the_words_of_node() {
        let refused = io::Error::from_raw_os_error(111);
        let error = unreachable(&Endpoint::tcp("::1", 7), Error::from(refused));
        assert_eq!(error.message(), "connect ECONNREFUSED [::1]:7");
        let unknown = Error::connection("ENOTFOUND", "no such name");
        let error = unreachable(&Endpoint::tcp("db", 7), unknown);
        assert_eq!(error.message(), "getaddrinfo ENOTFOUND db");
    }
}
