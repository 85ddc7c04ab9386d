//! Socket and TLS failures as errors with a code and a text.
//!
//! Owns which failures are fatal, because another attempt cannot succeed. Its texts name host names
//! and certificate names, and nothing secret.

use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::error::Error;
use crate::options::Endpoint;

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
pub(super) fn unreachable(endpoint: &Endpoint, cause: Error) -> Error {
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

/// The error of a TLS handshake that failed.
pub(super) fn handshake(endpoint: &Endpoint, error: io::Error) -> Error {
    let diagnosis = match tls_failure(&error) {
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
        E::PeerIncompatible(_) => Diagnosis::fatal(
            "TLS_VERSION",
            "the server and this client share no tls version or cipher (1.2 is the lowest)",
        ),
        E::InvalidMessage(_) => Diagnosis::passing(
            "TLS_HANDSHAKE",
            "the server did not answer in tls (is this its port without tls?)",
        ),
        other => Diagnosis::passing("TLS_HANDSHAKE", other.to_string().to_lowercase()),
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
        C::NotValidForNameContext { expected, .. } => Diagnosis::fatal(
            "TLS_HOSTNAME_MISMATCH",
            format!("the server's certificate is not for {}", expected.to_str()),
        ),
        C::NotValidForName => Diagnosis::fatal(
            "TLS_HOSTNAME_MISMATCH",
            "the server's certificate is for another host name",
        ),
        C::UnknownIssuer => Diagnosis::fatal(
            "TLS_UNKNOWN_CA",
            "the server's certificate is signed by no trusted authority (see socket.tls.ca)",
        ),
        other => Diagnosis::fatal(
            "TLS_CERT_INVALID",
            format!("the server's certificate is not valid: {}", other.to_string().to_lowercase()),
        ),
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
        A::ProtocolVersion | A::InsufficientSecurity => Diagnosis::fatal(
            "TLS_VERSION",
            "the server speaks no tls version that this client does",
        ),
        other => Diagnosis::passing(
            "TLS_HANDSHAKE",
            format!("the server ended the tls session with alert {}", u8::from(other)),
        ),
    }
}

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
        let failed = handshake(&endpoint, io::ErrorKind::ConnectionReset.into());
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
