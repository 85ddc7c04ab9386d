//! The `rustls` configuration that TLS options describe.
//!
//! Owns what is trusted, and what is refused because its PEM text is wrong. Pure: the system's
//! certificates come in as an argument.
//!
//! Invariant: the server's certificate chain and host name are verified unless `verify` is off, and
//! TLS below 1.2 is never spoken.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{ring, SupportedKxGroup};
use rustls::pki_types::CertificateDer;
use rustls::{
    CipherSuite, ClientConfig, NamedGroup, SupportedCipherSuite, SupportedProtocolVersion,
};

use super::algorithms::ALGORITHMS;
use super::identity;
use super::p521::P521;
use super::trust::{certificates, Trust};
use super::verifier::{DangerAcceptAny, Verifier};
use super::{TlsOptions, TlsVersion};
use crate::error::{Error, Result};

/// Builds the configuration of a client. `system` are the operating system's authorities.
///
/// # Errors
///
/// `USAGE`; the message names the option that is wrong.
pub fn client_config(
    options: &TlsOptions,
    system: Vec<CertificateDer<'static>>,
) -> Result<Arc<ClientConfig>> {
    let mut provider = ring::default_provider();
    provider.signature_verification_algorithms = ALGORITHMS;
    provider.cipher_suites = suites(&options.ciphers, &provider.cipher_suites)?;
    provider.kx_groups.push(P521);
    provider.kx_groups = groups(&options.groups, &provider.kx_groups)?;
    let versions = versions(options.min_version, options.max_version)?;
    let unfit = |_| {
        Error::usage(
            "socket.tls.ciphers has none for the versions that socket.tls.minVersion and \
             maxVersion leave",
        )
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)
        .map_err(unfit)?;
    let verifier: Arc<dyn ServerCertVerifier> = match options.verify {
        true => {
            let trust = Trust::of(options, system)?;
            Arc::new(Verifier { trust, checks_name: options.ask_identity.is_none() })
        }
        false => Arc::new(DangerAcceptAny),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let resolver = identity::resolver(certificates("cert", cert)?, key.expose())?;
            builder.with_client_cert_resolver(resolver)
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(Error::usage("socket.tls.cert and socket.tls.key must be given together")),
    };
    config.alpn_protocols.clone_from(&options.alpn);
    Ok(Arc::new(config))
}

/// The versions from `min` to `max`.
fn versions(min: TlsVersion, max: TlsVersion) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let all =
        [(TlsVersion::V12, &rustls::version::TLS12), (TlsVersion::V13, &rustls::version::TLS13)];
    let wanted = all.into_iter().filter(|(version, _)| (min..=max).contains(version));
    let versions: Vec<_> = wanted.map(|(_, version)| version).collect();
    match versions.is_empty() {
        true => Err(Error::usage("socket.tls.minVersion must not be above socket.tls.maxVersion")),
        false => Ok(versions),
    }
}

/// Those of `all` that OpenSSL has under these names, in their order.
fn suites(names: &[String], all: &[SupportedCipherSuite]) -> Result<Vec<SupportedCipherSuite>> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    let named = |name: &String| {
        let (_, wanted) = SUITES.iter().find(|(known, _)| known == name)?;
        all.iter().find(|suite| suite.suite() == *wanted).copied()
    };
    let missing = || Error::usage("socket.tls.ciphers has a name that is not known");
    names.iter().map(|name| named(name).ok_or_else(missing)).collect()
}

/// Those of `all` that OpenSSL has under these names, in their order.
fn groups(
    names: &[String],
    all: &[&'static dyn SupportedKxGroup],
) -> Result<Vec<&'static dyn SupportedKxGroup>> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    let named = |name: &String| {
        let (_, wanted) = GROUPS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        all.iter().find(|group| group.name() == *wanted).copied()
    };
    let found: Vec<_> = names.iter().filter_map(named).collect();
    match found.is_empty() {
        true => Err(Error::usage(
            "socket.tls.ecdhCurve has none of the curves that are supported: X25519, P-256, P-384, \
             P-521",
        )),
        false => Ok(found),
    }
}

/// The cipher suites by OpenSSL's names.
const SUITES: [(&str, CipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// The groups of the key exchange by OpenSSL's names.
const GROUPS: [(&str, NamedGroup); 8] = [
    ("X25519", NamedGroup::X25519),
    ("P-256", NamedGroup::secp256r1),
    ("prime256v1", NamedGroup::secp256r1),
    ("secp256r1", NamedGroup::secp256r1),
    ("P-384", NamedGroup::secp384r1),
    ("secp384r1", NamedGroup::secp384r1),
    ("P-521", NamedGroup::secp521r1),
    ("secp521r1", NamedGroup::secp521r1),
];

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
