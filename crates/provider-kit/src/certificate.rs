//! Signatures under a certificate that came with them: the chain to a trusted root, whose it is, and the
//! signature itself (RFC 5280; PKCS #1 v1.5 with SHA-256).

use std::time::Duration;

use kernel::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use thiserror::Error;
use webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Why a signature under a certificate is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// No certificate can be read.
    #[error("no certificate can be read")]
    Unreadable,
    /// Not by a trusted root, or not valid at that time.
    #[error("the certificate is not by a trusted root, or not valid now")]
    Untrusted,
    /// Valid, and somebody else's.
    #[error("the certificate is somebody else's")]
    Name,
    /// The signature is not of this message by this certificate.
    #[error("the signature is not by this certificate")]
    Signature,
}

/// What must hold of a certificate.
pub struct Trust<'a> {
    /// Certificates whose owners are trusted to say who somebody is (PEM).
    pub roots_pem: &'a [u8],
    /// Whose it must be: one of its names ends with this, with a point before it. Empty: anybody's whom the
    /// roots vouch for.
    pub domain: &'a str,
    /// When it must be valid.
    pub at: Timestamp,
}

/// Verifies that `message` was signed with the key of the first certificate of `chain_pem`, which leads by
/// the others to a trusted root.
pub fn verify_rsa_sha256(
    chain_pem: &[u8],
    trust: &Trust<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), CertificateError> {
    let chain = certificates(chain_pem)?;
    let (first, others) = chain.split_first().ok_or(CertificateError::Unreadable)?;
    let own = EndEntityCert::try_from(first).map_err(|_| CertificateError::Unreadable)?;
    let roots = certificates(trust.roots_pem)?;
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let seconds = u64::try_from(trust.at.as_seconds()).map_err(|_| CertificateError::Untrusted)?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    own.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, others, at, KeyUsage::server_auth(), None, None)
        .map_err(|_| CertificateError::Untrusted)?;
    let is_owners = |name: &str| {
        let before = name.to_ascii_lowercase();
        before.strip_suffix(trust.domain).is_some_and(|rest| rest.ends_with('.'))
    };
    if !trust.domain.is_empty() && !own.valid_dns_names().any(is_owners) {
        return Err(CertificateError::Name);
    }
    own.verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature)
        .map_err(|_| CertificateError::Signature)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.map_err(|_| CertificateError::Unreadable)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
        date_time_ymd,
    };

    use super::*;

    struct Signer {
        chain: String,
        key: RsaKeyPair,
    }

    /// A root, and a signer under it by an intermediate.
    fn signed_by(domain: &str, until: i32) -> (String, Signer) {
        let authority = || {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params, KeyPair::generate().unwrap())
        };
        let ((root_params, root_key), (middle_params, middle_key)) = (authority(), authority());
        let root = root_params.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(root_params, root_key);
        let middle = middle_params.signed_by(&middle_key, &root_issuer).unwrap();
        let middle_issuer = Issuer::new(middle_params, middle_key);
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(vec![domain.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let own = params.signed_by(&key, &middle_issuer).unwrap();
        let key = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        (root.pem(), Signer { chain: format!("{}{}", own.pem(), middle.pem()), key })
    }

    fn sign(signer: &Signer, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; signer.key.public_modulus_len()];
        signer.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    #[test]
    fn a_signature_holds_for_its_chain_owner_time_and_message() {
        let (root, signer) = signed_by("notes.paypal.com", 2028);
        let (other_root, other) = signed_by("notes.paypal.com.evil.example", 2028);
        let signature = sign(&signer, b"message");
        let verify = |chain: &str, roots: &str, at: &str, message: &[u8], signature: &[u8]| {
            let at = at.parse().unwrap();
            let trust = Trust { roots_pem: roots.as_bytes(), domain: "paypal.com", at };
            verify_rsa_sha256(chain.as_bytes(), &trust, message, signature)
        };
        let now = "2026-11-21T10:00:00Z";
        assert_eq!(verify(&signer.chain, &root, now, b"message", &signature), Ok(()));
        let both = format!("{other_root}{root}");
        assert_eq!(verify(&signer.chain, &both, now, b"message", &signature), Ok(()), "two roots");
        let refused = |chain: &str, roots: &str, at, message: &[u8]| {
            verify(chain, roots, at, message, &signature).unwrap_err()
        };
        assert_eq!(refused(&signer.chain, &root, now, b"Message"), CertificateError::Signature);
        assert_eq!(refused(&signer.chain, &other_root, now, b"message"), CertificateError::Untrusted);
        for at in ["2024-12-31T00:00:00Z", "2028-01-02T00:00:00Z"] {
            assert_eq!(refused(&signer.chain, &root, at, b"message"), CertificateError::Untrusted, "{at}");
        }
        let alone = signer.chain.split_inclusive("-----END CERTIFICATE-----").next().unwrap();
        assert_eq!(refused(alone, &root, now, b"message"), CertificateError::Untrusted, "no chain");
        assert_eq!(refused("", &root, now, b"message"), CertificateError::Unreadable);
        assert_eq!(refused("<html>", &root, now, b"message"), CertificateError::Unreadable);
        assert_eq!(refused(&other.chain, &other_root, now, b"message"), CertificateError::Name);
        let (root_of_namesake, namesake) = signed_by("evilpaypal.com", 2028);
        assert_eq!(refused(&namesake.chain, &root_of_namesake, now, b"message"), CertificateError::Name);
    }
}
