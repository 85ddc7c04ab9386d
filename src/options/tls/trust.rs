//! The authorities that a client trusts.
//!
//! Owns the certificates that a chain may end in, and the rules that they have to keep themselves.
//! They are read in full when a chain ends in one of them, because a system trusts 140 and more.
//! Pure: the system's certificates and the time come in as arguments.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{anchor_from_trusted_cert, VerifiedPath};

use super::certificate::{is_self_issued, Certificate};
use super::refusal::CertificateRefusal as Refusal;
use super::TlsOptions;
use crate::error::{Error, Result};

/// What a client trusts.
#[derive(Debug)]
pub(super) struct Trust {
    /// The authorities, and at the same places their certificates.
    anchors: Vec<TrustAnchor<'static>>,
    certificates: Vec<CertificateDer<'static>>,
    /// Certificates of `ca` that somebody else has signed. They help to find a way to an authority.
    helpers: Vec<CertificateDer<'static>>,
    /// Whether those are trusted for themselves.
    is_partial: bool,
}

impl Trust {
    /// What `options` trust. `system` are the operating system's authorities.
    ///
    /// # Errors
    ///
    /// `USAGE` if there is no authority, or one of `ca` cannot be used.
    pub(super) fn of(options: &TlsOptions, system: Vec<CertificateDer<'static>>) -> Result<Self> {
        let mut trust = Self {
            anchors: Vec::new(),
            certificates: Vec::new(),
            helpers: Vec::new(),
            is_partial: options.partial_chain,
        };
        for pem in &options.ca {
            for certificate in certificates("ca", pem)? {
                if !is_self_issued(&certificate) {
                    trust.helpers.push(certificate.clone());
                }
                if !trust.add(certificate) {
                    return Err(Error::usage(
                        "socket.tls.ca holds a certificate that cannot be read",
                    ));
                }
            }
        }
        if options.ca.is_empty() {
            for pem in &options.roots {
                for certificate in CertificateDer::pem_slice_iter(pem).flatten() {
                    trust.add(certificate);
                }
            }
            for certificate in system {
                trust.add(certificate);
            }
        }
        if trust.anchors.is_empty() {
            return Err(Error::usage(
                "no trusted certificate authority was found on this system: pass socket.tls.ca",
            ));
        }
        Ok(trust)
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> bool {
        // Node and the system trust mostly the same ones.
        if self.certificates.contains(&certificate) {
            return true;
        }
        match anchor_from_trusted_cert(&certificate) {
            Ok(anchor) => {
                self.anchors.push(anchor.to_owned());
                self.certificates.push(certificate);
                true
            }
            Err(_) => false,
        }
    }

    /// The authorities, in the form that webpki takes.
    pub(super) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Certificates that may stand between a server's and an authority's.
    pub(super) fn helpers(&self) -> &[CertificateDer<'static>] {
        &self.helpers
    }

    /// Whether this very certificate is trusted, as that of a server which signs for itself.
    pub(super) fn is_pinned(&self, der: &CertificateDer<'_>) -> bool {
        self.certificates.contains(der) && (self.is_partial || is_self_issued(der))
    }

    /// Refuses a way that webpki has found, for what it does not ask of the authority at the end.
    pub(super) fn check_path(
        &self,
        path: &VerifiedPath<'_>,
        now: UnixTime,
    ) -> std::result::Result<(), Refusal> {
        let between = path.intermediate_certificates().count();
        let same = |anchor: &TrustAnchor<'_>| {
            anchor.subject == path.anchor().subject
                && anchor.subject_public_key_info == path.anchor().subject_public_key_info
        };
        // Several certificates may be of the same authority. One of them has to be good.
        let mut refused = Refusal::NotAnAuthority;
        for (anchor, der) in self.anchors.iter().zip(&self.certificates) {
            if same(anchor) {
                match self.check_end(&Certificate::read(der)?, between, now) {
                    Ok(()) => return Ok(()),
                    Err(error) => refused = error,
                }
            }
        }
        Err(refused)
    }

    /// Refuses `end` as the end of a chain with this number of authorities before it.
    pub(super) fn check_end(
        &self,
        end: &Certificate<'_>,
        between: usize,
        now: UnixTime,
    ) -> std::result::Result<(), Refusal> {
        if !self.is_partial && !end.is_self_issued() {
            return Err(Refusal::Unfinished);
        }
        end.check_authority_time(now)?;
        end.check_authority(between, true)
    }

    /// The certificates of authorities whose name ends as `subject` does, which all of this name do.
    pub(super) fn named<'a>(
        &'a self,
        subject: &'a [u8],
    ) -> impl Iterator<Item = &'a CertificateDer<'static>> {
        // The name without the header of its sequence, as anchors have it.
        let is_named = move |anchor: &TrustAnchor<'_>| subject.ends_with(&anchor.subject);
        let all = self.anchors.iter().zip(&self.certificates);
        all.filter(move |(anchor, _)| is_named(anchor)).map(|(_, der)| der)
    }
}

/// The certificates in a PEM text, at least one.
pub(super) fn certificates(option: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Error::usage(format!("socket.tls.{option} holds no certificate in pem"))),
    }
}
