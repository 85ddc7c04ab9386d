//! The way from a server's certificate to a trusted authority, for certificates that webpki does
//! not take: those of version 1, and those of authorities that serve as a server's.
//!
//! Owns that search, which is narrower than webpki's: it refuses whatever it cannot check. Pure.

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::CertificateError;

use super::algorithms::{self, ALGORITHMS};
use super::certificate::Certificate;
use super::refusal::CertificateRefusal as Refusal;
use super::trust::Trust;

/// Refuses a server's certificate from which no way leads to an authority of `trust`. `others` are
/// the certificates that came with it.
pub(super) fn check(
    server: &Certificate<'_>,
    others: &[CertificateDer<'_>],
    trust: &Trust,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let others = others.iter().chain(trust.helpers());
    let others: Vec<_> = others.filter_map(|der| Certificate::read(der).ok()).collect();
    let mut search = Search { others, trust, now, signatures: SIGNATURES, refused: None };
    match search.climb(server, 0) {
        true => Ok(()),
        false => Err(search.refused.map_or(CertificateError::UnknownIssuer, Into::into)),
    }
}

struct Search<'a> {
    others: Vec<Certificate<'a>>,
    trust: &'a Trust,
    now: UnixTime,
    /// How many signatures may still be looked at.
    signatures: usize,
    /// Why the last way that led to an authority is no good.
    refused: Option<Refusal>,
}

impl Search<'_> {
    /// Whether a way leads up from `from`, with this number of authorities below.
    fn climb(&mut self, from: &Certificate<'_>, between: usize) -> bool {
        let trust = self.trust;
        for der in trust.named(from.issuer()) {
            let Ok(end) = Certificate::read(der) else { continue };
            if end.subject() != from.issuer() || !self.is_signed(from, &end) {
                continue;
            }
            match self.check_end(&end, between) {
                Ok(()) => return true,
                Err(refusal) => self.refused = Some(refusal),
            }
        }
        if between == DEEPEST {
            self.refused = Some(Refusal::Chain);
            return false;
        }
        for at in 0..self.others.len() {
            // Taken out meanwhile, so that no way goes in a circle.
            let issuer = self.others.swap_remove(at);
            let leads = issuer.subject() == from.issuer()
                && self.is_signed(from, &issuer)
                && self.check_issuer(&issuer, between)
                && self.climb(&issuer, between + 1);
            self.others.push(issuer);
            let last = self.others.len() - 1;
            self.others.swap(at, last);
            if leads {
                return true;
            }
        }
        false
    }

    fn is_signed(&mut self, signed: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        let Some(left) = self.signatures.checked_sub(1) else {
            self.refused = Some(Refusal::Chain);
            return false;
        };
        self.signatures = left;
        let (x509, all) = (&signed.x509, ALGORITHMS.all);
        let signature = &x509.signature_value.data;
        let verified =
            algorithms::verify(all, &issuer.key(), x509.tbs_certificate.as_ref(), signature);
        if let Err(error) = &verified {
            self.refused = Some(match error {
                webpki::Error::InvalidSignatureForPublicKey => Refusal::Signature,
                _ => Refusal::Algorithm,
            });
        }
        verified.is_ok()
    }

    fn check_end(&self, end: &Certificate<'_>, between: usize) -> Result<(), Refusal> {
        if end.constrains_names() {
            return Err(Refusal::NameConstraintsUnread);
        }
        end.check_extensions()?;
        end.check_purpose()?;
        self.trust.check_end(end, between, self.now)
    }

    fn check_issuer(&mut self, issuer: &Certificate<'_>, between: usize) -> bool {
        let checked = match issuer.constrains_names() {
            true => Err(Refusal::NameConstraintsUnread),
            false => issuer
                .check_authority_time(self.now)
                .and_then(|()| issuer.check_extensions())
                .and_then(|()| issuer.check_purpose())
                .and_then(|()| issuer.check_authority(between, false)),
        };
        self.refused = checked.err().or(self.refused);
        checked.is_ok()
    }
}

/// The most authorities between a server's certificate and a trusted one, as in webpki.
const DEEPEST: usize = 6;
/// The most signatures that are looked at for one certificate, as in webpki. A server could send
/// certificates that all seem to have signed one another.
const SIGNATURES: usize = 100;
