//! HTTP Message Signatures (RFC 9421) with `hmac-sha256`: what a request was asked to be signed by is bound
//! to its method, its path, its idempotency key and its body, and to the moment of sending.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::http::{self, HeaderName, HeaderValue};
use kernel::{Auth, Credentials, Request, Timestamp};

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Who signs, as the signature says it.
const KEY_ID: &str = "florin";

/// Signs a message if its request asks for it; the error says why that cannot be and quotes no value.
pub(crate) fn sign(
    message: &mut http::Request<Full<Bytes>>,
    request: &Request,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<(), String> {
    let Auth::Signed(name) = request.auth else { return Ok(()) };
    let secret = credentials.get(name).ok_or_else(|| format!("the account has no `{name}`"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let digest = format!("sha-256=:{}:", STANDARD.encode(digest::digest(&digest::SHA256, &request.body)));
    // Unique, for no two sends of one step are made in the same microsecond, and nothing that could be
    // guessed without the secret.
    let drawn = hmac::sign(&key, format!("nonce {} {}", request.key, now.as_micros()).as_bytes());
    let nonce = URL_SAFE_NO_PAD.encode(drawn.as_ref().get(..16).unwrap_or_default());
    let (method, path) = (message.method().as_str(), message.uri().path());
    let covered = [
        ("@method", method),
        ("@path", path),
        ("content-digest", digest.as_str()),
        ("idempotency-key", request.key.as_str()),
    ];
    let parameters =
        format!("created={};nonce=\"{nonce}\";alg=\"hmac-sha256\";keyid=\"{KEY_ID}\"", now.as_seconds());
    let (input, signature) = signed(&key, &covered, &parameters);
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| "a header of the signature is malformed".to_owned())
    };
    let values = [
        (CONTENT_DIGEST, value(&digest)?),
        (HeaderName::from_static("idempotency-key"), value(&request.key)?),
        (SIGNATURE_INPUT, value(&format!("sig={input}"))?),
        (SIGNATURE, value(&format!("sig=:{signature}:"))?),
    ];
    for (name, value) in values {
        message.headers_mut().insert(name, value);
    }
    Ok(())
}

/// The signature's parameters (RFC 9421, section 2.3) and the signature over its base (section 2.5).
fn signed(key: &hmac::Key, covered: &[(&str, &str)], parameters: &str) -> (String, String) {
    let names: Vec<String> = covered.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let input = format!("({});{parameters}", names.join(" "));
    let mut lines: Vec<String> = covered.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    lines.push(format!("\"@signature-params\": {input}"));
    let base = lines.join("\n");
    (input, STANDARD.encode(hmac::sign(key, base.as_bytes())))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    /// RFC 9421, appendix B.2.5, with the key of B.1.5.
    #[test]
    fn the_standards_own_example() {
        let secret =
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).unwrap());
        let covered = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
        ];
        let (input, signature) = signed(&key, &covered, "created=1618884473;keyid=\"test-shared-secret\"");
        assert_eq!(
            input,
            "(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\""
        );
        assert_eq!(signature, "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    }
}
