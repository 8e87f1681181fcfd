//! The server secret itself: 32 bytes, in the three forms that an operator may write it.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kernel::Random;

use crate::VaultError;

const LENGTH: usize = 32;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The root of all keys of an installation. Never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSecret([u8; LENGTH]);

impl ServerSecret {
    /// From bytes that are a secret already.
    pub const fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; LENGTH];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits, base64 of 32 bytes (either alphabet, padded or not) or 32
    /// printable ASCII characters; their lengths differ, so a text has one meaning. White space
    /// around it is ignored, so that a file's last line break does no harm.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let text = text.trim();
        let bytes = match text.len() {
            32 => text.bytes().all(|byte| (b' '..=b'~').contains(&byte)).then(|| text.as_bytes().to_vec()),
            43 | 44 => BASE64.decode(text.replace('-', "+").replace('_', "/")).ok(),
            64 => from_hex(text),
            _ => None,
        };
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(VaultError::Form)
    }

    /// As 64 hexadecimal digits: for the key file and the store, nowhere else.
    pub(crate) fn to_hex(&self) -> String {
        to_hex(&self.0)
    }

    pub(crate) const fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Bytes of hexadecimal digits; `None` if they are none.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let pairs = digits?.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    Some(pairs)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn the_three_forms_of_one_secret_are_equal() {
        let ascii = "0123456789abcdefghijklmnopqrst?>";
        let secret = ServerSecret::parse(ascii).unwrap();
        assert_eq!(secret.bytes(), ascii.as_bytes());
        let hex = "303132333435363738396162636465666768696a6b6c6d6e6f707172737 43f3e".replace(' ', "");
        for text in [
            hex.to_uppercase(),
            hex,
            "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pz4=".to_owned(),
            "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pz4".to_owned(),
            format!("  {ascii}\n"),
        ] {
            assert_eq!(ServerSecret::parse(&text).unwrap(), secret, "{text}");
        }
        assert_eq!(
            ServerSecret::parse("__-_MzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pz4").unwrap(),
            ServerSecret::parse("//+/MzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pz4=").unwrap()
        );
    }

    #[test]
    fn anything_else_is_refused_without_being_quoted() {
        for text in [
            "",
            "short",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0",
            "0123456789abcdef0123456789abcd\u{e9}",
            "0123456789abcdef\u{7}123456789abcdef",
            "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pz4!",
            // 31 and 33 bytes.
            "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pw==",
            "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0Pz4/",
        ] {
            let error = ServerSecret::parse(text).unwrap_err();
            assert!(matches!(error, VaultError::Form), "{text}");
            assert!(text.is_empty() || text == "short" || !error.to_string().contains(text));
        }
    }

    #[test]
    fn does_not_print() {
        assert_eq!(format!("{:?}", ServerSecret::from_bytes([7; 32])), "[secret]");
    }
}
