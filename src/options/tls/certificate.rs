//! One certificate, as OpenSSL would read it: also of version 1, and also one of an authority that
//! serves as a server's.
//!
//! Owns the checks of a certificate alone: its time, its uses, and whether it may sign others. Who
//! has signed it is not its business. Pure: the time comes in as an argument.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::CertificateError;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate, X509Version};

use super::refusal::CertificateRefusal as Refusal;

/// A certificate that was read.
pub(super) struct Certificate<'a> {
    pub(super) x509: X509Certificate<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads `der`, all of it.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Refusal> {
        match X509Certificate::from_der(der) {
            Ok(([], x509)) => Ok(Self { x509 }),
            _ => Err(Refusal::Encoding),
        }
    }

    /// The public key, with its algorithm.
    pub(super) fn key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.x509.tbs_certificate.subject_pki.raw.into()
    }

    pub(super) fn subject(&self) -> &[u8] {
        self.x509.tbs_certificate.subject.as_raw()
    }

    pub(super) fn issuer(&self) -> &[u8] {
        self.x509.tbs_certificate.issuer.as_raw()
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    /// Refuses it before and after its time.
    pub(super) fn check_time(&self, now: UnixTime) -> Result<(), CertificateError> {
        let validity = self.x509.validity();
        let (not_before, not_after) = (instant(validity.not_before), instant(validity.not_after));
        if now < not_before {
            return Err(CertificateError::NotValidYetContext { time: now, not_before });
        }
        if now > not_after {
            return Err(CertificateError::ExpiredContext { time: now, not_after });
        }
        Ok(())
    }

    /// As [`Certificate::check_time`], of an authority's certificate.
    pub(super) fn check_authority_time(&self, now: UnixTime) -> Result<(), Refusal> {
        self.check_time(now).map_err(|error| match error {
            CertificateError::NotValidYetContext { .. } => Refusal::AuthorityNotYetValid,
            _ => Refusal::AuthorityExpired,
        })
    }

    /// Refuses critical extensions that nobody here looks at, and those that cannot be read.
    pub(super) fn check_extensions(&self) -> Result<(), Refusal> {
        for extension in self.x509.iter_extensions() {
            match extension.parsed_extension() {
                ParsedExtension::KeyUsage(_)
                | ParsedExtension::BasicConstraints(_)
                | ParsedExtension::SubjectAlternativeName(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::NameConstraints(_) => {}
                ParsedExtension::ParseError { .. } => return Err(Refusal::Encoding),
                _ if extension.critical => return Err(Refusal::CriticalExtension),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether it may prove who a server is.
    pub(super) fn check_server(&self) -> Result<(), Refusal> {
        self.check_purpose()?;
        // OpenSSL is content with an encryption key as well. There is no key exchange here that
        // would use one, but old certificates are often marked so.
        match self.x509.key_usage() {
            Ok(None) => Ok(()),
            Ok(Some(usage))
                if usage.value.digital_signature()
                    || usage.value.key_encipherment()
                    || usage.value.key_agreement() =>
            {
                Ok(())
            }
            Ok(Some(_)) => Err(Refusal::KeyUsage),
            Err(_) => Err(Refusal::Encoding),
        }
    }

    /// Refuses it if it has purposes, and serving is none of them.
    pub(super) fn check_purpose(&self) -> Result<(), Refusal> {
        match self.x509.extended_key_usage() {
            Ok(None) => Ok(()),
            Ok(Some(usage)) if usage.value.server_auth || usage.value.any => Ok(()),
            Ok(Some(_)) => Err(Refusal::Purpose),
            Err(_) => Err(Refusal::Encoding),
        }
    }

    /// Refuses it as the issuer of a certificate with this number of authorities between the two. A
    /// certificate of version 1 is an authority's only if the caller trusts it, as `is_trusted`
    /// says: it cannot tell itself.
    pub(super) fn check_authority(&self, between: usize, is_trusted: bool) -> Result<(), Refusal> {
        let usage = self.x509.key_usage().map_err(|_| Refusal::Encoding)?;
        let may_sign = usage.map(|usage| usage.value.key_cert_sign());
        let constraints = self.x509.basic_constraints().map_err(|_| Refusal::Encoding)?;
        let Some(constraints) = constraints else {
            let is_old = self.x509.version() == X509Version::V1;
            return match is_trusted && self.is_self_issued() && (is_old || may_sign == Some(true)) {
                true => Ok(()),
                false => Err(Refusal::NotAnAuthority),
            };
        };
        if !constraints.value.ca || may_sign == Some(false) {
            return Err(Refusal::NotAnAuthority);
        }
        match constraints.value.path_len_constraint {
            Some(most) if between > most as usize => Err(Refusal::PathLength),
            _ => Ok(()),
        }
    }

    /// Whether it says for which names its holder may sign.
    pub(super) fn constrains_names(&self) -> bool {
        !matches!(self.x509.name_constraints(), Ok(None))
    }
}

/// The time in whole seconds; what lies before 1970 counts as its beginning.
fn instant(time: ASN1Time) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(time.timestamp().try_into().unwrap_or(0)))
}

/// Whether `der` is a certificate that names itself as its issuer.
pub(super) fn is_self_issued(der: &CertificateDer<'_>) -> bool {
    Certificate::read(der).is_ok_and(|certificate| certificate.is_self_issued())
}
