//! Who signs the fake's notices: a root, an intermediate, and a certificate in PayPal's name.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_RSA_SHA256, date_time_ymd,
};

pub(crate) struct Signer {
    /// Whom the account must trust (PEM).
    pub(crate) roots: String,
    /// The certificate and its intermediate (PEM).
    pub(crate) chain: String,
    key: RsaKeyPair,
}

impl Signer {
    /// Made once: a key of RSA takes its time.
    pub(crate) fn of_tests() -> Arc<Self> {
        static MADE: OnceLock<Arc<Signer>> = OnceLock::new();
        Arc::clone(MADE.get_or_init(|| Arc::new(Self::made())))
    }

    fn made() -> Self {
        let authority = || {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params, KeyPair::generate().unwrap())
        };
        let ((root_params, root_key), (middle_params, middle_key)) = (authority(), authority());
        let roots = root_params.self_signed(&root_key).unwrap().pem();
        let root = Issuer::new(root_params, root_key);
        let middle = middle_params.signed_by(&middle_key, &root).unwrap();
        let middle_issuer = Issuer::new(middle_params, middle_key);
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let name = "messageverificationcerts.paypal.com";
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2035, 1, 1));
        let own = params.signed_by(&key, &middle_issuer).unwrap();
        let key = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        Self { roots, chain: format!("{}{}", own.pem(), middle.pem()), key }
    }

    /// In base64.
    pub(crate) fn sign(&self, message: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }
}
