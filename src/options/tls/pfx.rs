//! What stands in a PKCS#12 file: a key, its certificate, and those of authorities.
//!
//! Owns the reading of such files. No message shows a passphrase or a key.

use p12_keystore::error::Error as P12;
use p12_keystore::Pkcs12Archive;

use super::certificate::{is_self_issued, Certificate};
use super::identity;
use crate::error::{Error, Result};
use crate::options::Secret;

/// The contents of a PKCS#12 file.
pub struct Pfx {
    /// The private key, PKCS#8 in DER.
    pub key: zeroize::Zeroizing<Vec<u8>>,
    /// The certificate of the key, DER, and then those that its server may need to verify it.
    pub chain: Vec<Vec<u8>>,
}

impl Pfx {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// `USAGE`; the message names `socket.tls.pfx` or `socket.tls.passphrase`.
    pub fn read(file: &[u8], passphrase: &Secret) -> Result<Self> {
        let archive = Pkcs12Archive::from_pkcs12(file, passphrase.expose()).map_err(refusal)?;
        let Some(key) = archive.keys.into_iter().next() else {
            return Err(Error::usage("socket.tls.pfx holds no private key"));
        };
        let key = zeroize::Zeroizing::new(key.key.as_der().to_vec());
        let mut chain: Vec<Vec<u8>> =
            archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
        let public = identity::signing_key(identity::pkcs8(&key))?;
        let fits = |der: &Vec<u8>| {
            Certificate::read(der).is_ok_and(|found| Some(found.key()) == public.public_key())
        };
        let Some(own) = chain.iter().position(fits) else {
            return Err(Error::usage("socket.tls.pfx holds no certificate that fits its key"));
        };
        chain.swap(0, own);
        Ok(Self { key, chain })
    }

    /// The authorities' certificates of the file, which are trusted as well, as Node does.
    pub fn authorities(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.chain.iter().skip(1)
    }

    /// The certificates that are shown to the server: a root is known there, or is of no use.
    pub fn shown(&self) -> impl Iterator<Item = &Vec<u8>> {
        let root = |der: &&Vec<u8>| is_self_issued(&der.as_slice().into());
        self.chain.iter().take(1).chain(self.chain.iter().skip(1).filter(move |der| !root(der)))
    }
}

fn refusal(error: P12) -> Error {
    Error::usage(match error {
        P12::MacError(_) | P12::UnpadError | P12::Pkcs5Error(_) => {
            "socket.tls.passphrase does not open socket.tls.pfx, or the file is damaged"
        }
        P12::UnsupportedEncryptionScheme | P12::UnsupportedMacAlgorithm => {
            "socket.tls.pfx is encrypted in a way that is not supported: export it with AES-256"
        }
        _ => "socket.tls.pfx is no PKCS#12 file, as a Buffer",
    })
}
