//! How a client encrypts: what it trusts, and how it proves its own identity.
//!
//! Owns the TLS options and the name that a certificate must carry. Pure: PEM texts come in as
//! bytes. [`client_config`] makes the configuration of them.

mod algorithms;
mod certificate;
mod config;
mod identity;
mod names;
mod p521;
mod path;
mod pfx;
mod refusal;
mod trust;
mod verifier;

use std::fmt;

use rustls::pki_types::ServerName;

pub use config::client_config;
pub use pfx::Pfx;
pub use refusal::CertificateRefusal;

use super::{Endpoint, Secret};
use crate::error::{Error, Result};

/// The TLS options of one client.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Trusted authorities, PEM. If there are any, no other is trusted. A server's own certificate
    /// is one of them if nobody else has signed it. Default empty.
    pub ca: Vec<Vec<u8>>,
    /// Authorities that are trusted if `ca` is empty, PEM. JavaScript passes those that Node trusts:
    /// its own roots and `NODE_EXTRA_CA_CERTS`. Unreadable ones are skipped.
    pub roots: Vec<Vec<u8>>,
    /// Whether the operating system's authorities are trusted if `ca` is empty; default `true`.
    pub system_roots: bool,
    /// The client's certificate chain, PEM. Default `None`.
    pub cert: Option<Vec<u8>>,
    /// The private key of `cert`, PEM (PKCS#8, PKCS#1 or SEC1, not encrypted). Default `None`.
    pub key: Option<Secret>,
    /// The name that the server's certificate must carry, which is also sent as SNI; default `None`,
    /// which means the host.
    pub servername: Option<String>,
    /// Whether the server's certificate and name are verified (`rejectUnauthorized`); default
    /// `true`. Without it, anybody between client and server can read and change everything.
    pub verify: bool,
    /// The lowest version that is spoken; default TLS 1.2.
    pub min_version: TlsVersion,
    /// The highest version that is spoken; default TLS 1.3.
    pub max_version: TlsVersion,
    /// The cipher suites to offer, by OpenSSL's names, the best one first; empty means all. Default
    /// empty.
    pub ciphers: Vec<String>,
    /// The groups of the key exchange to offer, by OpenSSL's names, the best one first; empty means
    /// all. Default empty.
    pub groups: Vec<String>,
    /// The protocols to offer by ALPN, the best one first. Default empty.
    pub alpn: Vec<Vec<u8>>,
    /// Whether a chain may end in a certificate of `ca` that somebody else has signed; default
    /// `false`.
    pub partial_chain: bool,
    /// The application's function that is asked whether the server's certificate, which has been
    /// verified, is for the host, in place of the rule of this library; default `None`.
    pub ask_identity: Option<u32>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
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
            max_version: TlsVersion::V13,
            ciphers: Vec::new(),
            groups: Vec::new(),
            alpn: Vec::new(),
            partial_chain: false,
            ask_identity: None,
        }
    }
}

impl fmt::Debug for TlsOptions {
    /// Shows no PEM text, only how many there are.
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
            .field("max_version", &self.max_version)
            .field("ciphers", &self.ciphers)
            .field("groups", &self.groups)
            .field("alpn", &self.alpn.len())
            .field("partial_chain", &self.partial_chain)
            .field("ask_identity", &self.ask_identity)
            .finish()
    }
}

impl TlsOptions {
    /// Refuses a server name that no certificate can carry, a client certificate without its key,
    /// and PEM texts that hold no certificate or no key.
    pub fn validate(&self, endpoint: &Endpoint) -> Result<()> {
        if self.cert.is_some() != self.key.is_some() {
            return Err(Error::usage("socket.tls.cert and socket.tls.key must be given together"));
        }
        self.server_name(endpoint)?;
        // Without `ca`, trust depends on the system's certificates, which are not read here. Then
        // only the client certificate is checked.
        let verify = self.verify && !self.ca.is_empty();
        client_config(&TlsOptions { verify, ..self.clone() }, Vec::new()).map(drop)
    }

    /// Whether [`client_config`] uses the operating system's authorities.
    pub fn wants_system_roots(&self) -> bool {
        self.verify && self.system_roots && self.ca.is_empty()
    }

    /// The host that the application's function is told: `servername`, or that of `endpoint`.
    pub fn identity<'a>(&'a self, endpoint: &'a Endpoint) -> &'a str {
        match (&self.servername, endpoint) {
            (Some(name), _) => name,
            (None, Endpoint::Tcp { host, .. }) => host,
            (None, Endpoint::Unix { .. }) => "localhost",
        }
    }

    /// The name that the certificate of the server at `endpoint` must carry.
    pub fn server_name(&self, endpoint: &Endpoint) -> Result<ServerName<'static>> {
        let (option, name) = match (&self.servername, endpoint) {
            (Some(name), _) => ("socket.tls.servername", name.as_str()),
            // No certificate holds a zone (`%eth0`), which has a meaning on this machine only.
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

#[cfg(test)]
mod tests {
    use super::*;

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
