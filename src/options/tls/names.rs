//! Whether a certificate is for a host, by the rule of Node's `tls.checkServerIdentity`.
//!
//! Owns the rule: the subject alternative names decide. Only a certificate without a DNS name there
//! may have the host in its subject's common name, and never an address.

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::CertificateError;
use webpki::EndEntityCert;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;

use super::certificate::Certificate;

/// Refuses a certificate that is not for `host`.
pub(super) fn check(
    der: &CertificateDer<'_>,
    certificate: &Certificate<'_>,
    host: &ServerName<'_>,
) -> Result<(), CertificateError> {
    let alternatives = alternatives(certificate);
    let has_none = |names: &Vec<String>| !names.iter().any(|name| name.starts_with("DNS:"));
    let is_named = match host {
        ServerName::DnsName(name) if alternatives.as_ref().is_some_and(has_none) => {
            commons(certificate).any(|common| matches(name.as_ref(), common))
        }
        // A certificate that webpki does not read has no alternative name.
        _ => EndEntityCert::try_from(der)
            .is_ok_and(|entity| entity.verify_is_valid_for_subject_name(host).is_ok()),
    };
    if is_named {
        return Ok(());
    }
    let presented = match alternatives {
        Some(names) if !names.is_empty() => names,
        _ => commons(certificate).map(|common| format!("CN={common}")).collect(),
    };
    Err(CertificateError::NotValidForNameContext { expected: host.to_owned(), presented })
}

/// The DNS names and addresses that the certificate is for, with their kind. None if it has some
/// that cannot be read.
fn alternatives(certificate: &Certificate<'_>) -> Option<Vec<String>> {
    let found = certificate.x509.get_extension_unique(&OID_X509_EXT_SUBJECT_ALT_NAME).ok()?;
    let Some(found) = found else {
        return Some(Vec::new());
    };
    let ParsedExtension::SubjectAlternativeName(names) = found.parsed_extension() else {
        return None;
    };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(format!("DNS:{name}")),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| format!("IP:{address}")),
        _ => None,
    };
    Some(names.general_names.iter().filter_map(text).collect())
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(Into::into),
        _ => <[u8; 16]>::try_from(bytes).ok().map(Into::into),
    }
}

fn commons<'a>(certificate: &'a Certificate<'_>) -> impl Iterator<Item = &'a str> {
    certificate.x509.subject().iter_common_name().filter_map(|name| name.as_str().ok())
}

/// Whether `pattern` stands for `host`. A star stands for a part of the first label, if two labels
/// follow at least (RFC 6125, section 6.4.3).
fn matches(host: &str, pattern: &str) -> bool {
    let lower = |name: &str| {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        name.split('.').map(str::to_owned).collect::<Vec<_>>()
    };
    if !pattern.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    let (host, pattern) = (lower(host), lower(pattern));
    let ([first, rest @ ..], [wanted, others @ ..]) = (host.as_slice(), pattern.as_slice()) else {
        return false;
    };
    if rest != others || pattern.iter().any(String::is_empty) {
        return false;
    }
    match wanted.split_once('*') {
        None => first == wanted,
        Some(_) if wanted.contains("xn--") => first == wanted,
        Some((before, after)) => {
            !after.contains('*')
                && others.len() >= 2
                && first.len() >= before.len() + after.len()
                && first.starts_with(before)
                && first.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_part_of_the_first_label_only() {
        for (host, pattern) in [
            ("db.example", "db.example"),
            ("DB.example.", "db.Example"),
            ("a.db.example", "*.db.example"),
            ("redis1.db.example", "redis*.db.example"),
            ("localhost", "localhost"),
        ] {
            assert!(matches(host, pattern), "{host} is {pattern}");
        }
        for (host, pattern) in [
            ("db.example", "*.example"),
            ("db.example", "db"),
            ("db", "*"),
            ("a.b.db.example", "*.db.example"),
            ("a.db.example", "a.*.example"),
            ("abc.db.example", "*b*.db.example"),
            ("db.example", "db..example"),
            ("db.example", ""),
            ("evil.example", "db.example\0.evil.example"),
            ("xn--a.db.example", "xn--*.db.example"),
            ("db.example", "db.exämple"),
        ] {
            assert!(!matches(host, pattern), "{host} is not {pattern}");
        }
    }
}
