//! A kernel request as an HTTP message, with its authentication attached at the last moment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, USER_AGENT};
use hyper::http::{self, HeaderMap, HeaderName, HeaderValue};
use kernel::{Auth, Credentials, Method, Request, Secret};

use crate::target::Target;

/// These are the transport's: a request that sets one itself is a mistake in a provider's mapping.
const RESERVED: [&str; 8] =
    ["authorization", "connection", "content-length", "expect", "host", "te", "transfer-encoding", "upgrade"];

/// The message to send, with `token` where its authentication is by one; the error says why there is none
/// and quotes no value.
pub(crate) fn message(
    request: &Request,
    credentials: &Credentials,
    target: &Target,
    token: Option<&Secret<String>>,
) -> Result<http::Request<Full<Bytes>>, String> {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
    headers.insert(HOST, value("host", &target.authority)?);
    headers.insert(USER_AGENT, HeaderValue::from_static("Florin"));
    for (name, text) in &request.headers {
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("the header `{name}` is set by the transport"));
        }
        let name: HeaderName = name.parse().map_err(|_| "a header's name is malformed".to_owned())?;
        let text = value(name.as_str(), text)?;
        if name == USER_AGENT {
            headers.insert(name, text);
        } else {
            headers.append(name, text);
        }
    }
    if let Some(authorization) = authorization(&request.auth, credentials, token)? {
        headers.insert(AUTHORIZATION, authorization);
    }
    // Of an empty body nothing is said otherwise, and some servers insist.
    if request.body.is_empty() && !matches!(request.method, Method::Get | Method::Delete) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut message = http::Request::new(Full::new(Bytes::from(request.body.clone())));
    *message.method_mut() = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    };
    *message.uri_mut() = target.path.clone();
    *message.headers_mut() = headers;
    Ok(message)
}

fn authorization(
    auth: &Auth,
    credentials: &Credentials,
    token: Option<&Secret<String>>,
) -> Result<Option<HeaderValue>, String> {
    let secret = |name: &str| {
        let secret = credentials.get(name).ok_or_else(|| format!("the account has no `{name}`"))?;
        Ok::<&str, String>(secret.expose())
    };
    let text = match auth {
        // Signed once the message stands.
        Auth::None | Auth::Signed(_) => return Ok(None),
        Auth::Bearer(name) => format!("Bearer {}", secret(name)?),
        Auth::Basic(user, password) => {
            let pair = format!("{}:{}", secret(user)?, secret(password)?);
            format!("Basic {}", STANDARD.encode(pair))
        }
        Auth::OAuth { .. } => format!("Bearer {}", token.ok_or("there is no access token")?.expose()),
    };
    let mut header = value("authorization", &text)?;
    header.set_sensitive(true);
    Ok(Some(header))
}

fn value(name: &str, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| format!("the value of the header `{name}` is malformed"))
}
