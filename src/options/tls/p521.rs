//! The curve P-521, which ring does not have: signatures, and the key exchange.
//!
//! Slow beside ring's curves, so the exchange is offered last. It has to be offered, because in TLS
//! 1.2 the list of curves bounds those of certificates too (RFC 8422, section 5.1.1).

use std::sync::Arc;

use p521::ecdh::diffie_hellman;
use p521::ecdsa::signature::hazmat::PrehashVerifier;
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, Signature, VerifyingKey};
use p521::elliptic_curve::sec1::ToSec1Point;
use p521::pkcs8::DecodePrivateKey;
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::pki_types::{
    alg_id, AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm,
    SubjectPublicKeyInfoDer,
};
use rustls::sign::{public_key_to_spki, Signer, SigningKey};
use rustls::{Error, NamedGroup, PeerMisbehaved, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// P-521 with SHA-256, which OpenSSL signs certificates with unless it is told otherwise.
pub(super) static ECDSA_P521_SHA256: &dyn SignatureVerificationAlgorithm =
    &EcdsaP521 { id: alg_id::ECDSA_SHA256, hash: |message| Sha256::digest(message).to_vec() };
/// P-521 with SHA-384.
pub(super) static ECDSA_P521_SHA384: &dyn SignatureVerificationAlgorithm =
    &EcdsaP521 { id: alg_id::ECDSA_SHA384, hash: |message| Sha384::digest(message).to_vec() };
/// P-521 with SHA-512, as handshakes have it.
pub(super) static ECDSA_P521_SHA512: &dyn SignatureVerificationAlgorithm =
    &EcdsaP521 { id: alg_id::ECDSA_SHA512, hash: |message| Sha512::digest(message).to_vec() };

/// ECDSA with P-521 and one hash.
#[derive(Debug)]
struct EcdsaP521 {
    id: AlgorithmIdentifier,
    hash: fn(&[u8]) -> Vec<u8>,
}

impl SignatureVerificationAlgorithm for EcdsaP521 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify_prehash(&(self.hash)(message), &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.id
    }
}

/// The P-521 key in `key`, if it is one.
pub(super) fn signing_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn SigningKey>> {
    let key = match key {
        PrivateKeyDer::Pkcs8(key) => {
            p521::SecretKey::from_pkcs8_der(key.secret_pkcs8_der()).ok()?
        }
        PrivateKeyDer::Sec1(key) => p521::SecretKey::from_sec1_der(key.secret_sec1_der()).ok()?,
        _ => return None,
    };
    Some(Arc::new(P521Key(Arc::new(key.into()))))
}

/// A client's key.
struct P521Key(Arc<p521::ecdsa::SigningKey>);

impl std::fmt::Debug for P521Key {
    /// Shows nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("P521Key(***)")
    }
}

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(Self(Arc::clone(&self.0))) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let point = self.0.verifying_key().to_sec1_point(false);
        Some(public_key_to_spki(&alg_id::ECDSA_P521, point.as_bytes()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: DerSignature = self
            .0
            .try_sign(message)
            .map_err(|_| Error::General("the client's key could not sign".into()))?;
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

/// The key exchange with this curve.
pub(super) static P521: &dyn SupportedKxGroup = &KeyExchange;

#[derive(Debug)]
struct KeyExchange;

impl SupportedKxGroup for KeyExchange {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let random = rustls::crypto::ring::default_provider().secure_random;
        let mut bytes = zeroize::Zeroizing::new([0; SCALAR]);
        loop {
            random.fill(&mut *bytes)?;
            bytes[0] &= TOP_BIT;
            // Nearly every number of 521 bits is below the order of the curve.
            if let Ok(secret) = p521::SecretKey::from_slice(&*bytes) {
                let public = secret.public_key().to_sec1_point(false).as_bytes().to_vec();
                return Ok(Box::new(Exchange { secret, public }));
            }
        }
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

/// A key exchange that waits for the server's part.
struct Exchange {
    secret: p521::SecretKey,
    public: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let invalid = |_| Error::from(PeerMisbehaved::InvalidKeyShare);
        // A compressed point is allowed in neither version.
        if peer.first() != Some(&UNCOMPRESSED) {
            return Err(PeerMisbehaved::InvalidKeyShare.into());
        }
        let peer = p521::PublicKey::from_sec1_bytes(peer).map_err(invalid)?;
        let shared = diffie_hellman(self.secret.to_nonzero_scalar(), peer.as_affine());
        Ok(SharedSecret::from(&shared.raw_secret_bytes()[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

/// The bytes of 521 bits, and the bits of the first one.
const SCALAR: usize = 66;
const TOP_BIT: u8 = 1;
/// The first byte of a point that has both coordinates (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;
