//! Connection URLs and PKCS#12 files, parsed for JavaScript.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::bridge::usage;
use super::guard;
use crate::options::{parse_url, Pfx, Secret, UrlParts};

/// What a connection URL says.
#[napi(object)]
pub struct UrlOptions {
    /// Host name or address; absent for a Unix socket.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Path of a Unix socket.
    pub path: Option<String>,
    /// Whether to encrypt.
    pub tls: bool,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Database.
    pub database: Option<u32>,
}

impl From<UrlParts> for UrlOptions {
    fn from(parts: UrlParts) -> Self {
        let UrlParts { host, port, path, tls, username, password, database } = parts;
        let password = password.map(|password| password.expose().to_owned());
        Self { host, port, path, tls, username, password, database }
    }
}

/// Parses `redis[s]://`, `valkey[s]://` and `unix://` URLs. The error never shows the URL.
#[napi]
pub fn parse_connection_url(url: String) -> Result<UrlOptions> {
    guard(|| {
        let parts = parse_url(&url).map_err(usage)?;
        Ok(parts.into())
    })
}

/// What a PKCS#12 file holds.
#[napi(object)]
pub struct PfxParts {
    /// The private key, PKCS#8 in DER.
    pub key: Buffer,
    /// Its certificate and those above it, DER.
    pub chain: Vec<Buffer>,
    /// The certificates that it brings of authorities, DER.
    pub authorities: Vec<Buffer>,
}

/// Reads a PKCS#12 file. The error never shows anything of it.
#[napi]
pub fn parse_pfx(file: Buffer, passphrase: String) -> Result<PfxParts> {
    guard(|| {
        let pfx = Pfx::read(&file, &Secret::from(passphrase)).map_err(usage)?;
        let buffer = |der: &Vec<u8>| Buffer::from(der.as_slice());
        let chain = pfx.shown().map(buffer).collect();
        let authorities = pfx.authorities().map(buffer).collect();
        Ok(PfxParts { key: pfx.key.as_slice().into(), chain, authorities })
    })
}
