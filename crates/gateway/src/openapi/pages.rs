//! The pages for people: Swagger UI, Redoc and the error reference. Everything comes from the binary.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;

use super::{Fixed, errors, fixed, tag};
use crate::outermost::route_not_found;

/// Scripts and requests go to this server alone. Both viewers write styles into the page, and Redoc
/// searches in a worker of its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One file of a page.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    is_compressed: bool,
}

macro_rules! asset {
    ($name:literal, $media_type:literal) => {
        Asset {
            name: $name,
            media_type: $media_type,
            bytes: include_bytes!(concat!("../../assets/docs/", $name)),
            is_compressed: false,
        }
    };
    ($name:literal, $media_type:literal, compressed) => {
        Asset {
            name: $name,
            media_type: $media_type,
            bytes: include_bytes!(concat!("../../assets/docs/", $name, ".gz")),
            is_compressed: true,
        }
    };
}

static ASSETS: &[Asset] = &[
    asset!("swagger-ui-bundle.js", "text/javascript; charset=utf-8", compressed),
    asset!("swagger-ui.css", "text/css; charset=utf-8", compressed),
    asset!("redoc.standalone.js", "text/javascript; charset=utf-8", compressed),
    asset!("swagger.js", "text/javascript; charset=utf-8"),
    asset!("redoc.js", "text/javascript; charset=utf-8"),
    asset!("docs.css", "text/css; charset=utf-8"),
];

/// `GET /`: where to go from here, as a page for browsers and as JSON for everybody else.
pub(crate) async fn root(headers: HeaderMap) -> Response {
    let accepts = |accept: &HeaderValue| accept.to_str().is_ok_and(|kinds| kinds.contains("text/html"));
    if headers.get_all(ACCEPT).iter().any(accepts) {
        return page(
            "Florin",
            "",
            "<main><h1>Florin</h1><p>This is a payment gateway; its API begins at <code>/api/v1</code>.</p>\
             <ul><li><a href=\"/docs\">Try the API</a></li>\
             <li><a href=\"/redoc\">Read the API reference</a></li>\
             <li><a href=\"/docs/errors\">Look an error up</a></li>\
             <li><a href=\"/openapi.json\">The OpenAPI document</a></li>\
             <li><a href=\"/health\">Health of this server</a></li></ul></main>",
        );
    }
    let places = serde_json::json!({
        "name": "florin",
        "version": env!("CARGO_PKG_VERSION"),
        "api": "/api/v1",
        "docs": "/docs",
        "reference": "/redoc",
        "errors": "/docs/errors",
        "openapi": "/openapi.json",
        "health": "/health",
    });
    let mut response = Response::new(Body::from(places.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `GET /docs`
pub(crate) async fn swagger() -> Response {
    page(
        "Florin API",
        r#"<link rel="stylesheet" href="/docs/assets/swagger-ui.css">"#,
        r#"<div id="docs"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/swagger.js"></script>"#,
    )
}

/// `GET /redoc`
pub(crate) async fn redoc() -> Response {
    page(
        "Florin API",
        "",
        r#"<div id="docs"></div><script src="/docs/assets/redoc.standalone.js"></script>
<script src="/docs/assets/redoc.js"></script>"#,
    )
}

/// `GET /docs/errors`
pub(crate) async fn error_reference() -> Response {
    static HTML: LazyLock<String> = LazyLock::new(errors::html);
    page("Florin API: errors", "", &HTML)
}

/// `GET /docs/assets/{name}`
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    static SERVED: LazyLock<Vec<Fixed>> = LazyLock::new(|| {
        let of = |asset: &Asset| Fixed { bytes: Bytes::from_static(asset.bytes), tag: tag(asset.bytes) };
        ASSETS.iter().map(of).collect()
    });
    let found = ASSETS.iter().zip(SERVED.iter()).find(|(asset, _)| asset.name == name);
    let Some((asset, served)) = found else { return route_not_found().await };
    let mut response = fixed(&headers, &served.bytes, &served.tag, asset.media_type);
    let answer = response.headers_mut();
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if asset.is_compressed {
        // Every browser takes gzip; who does not say so gets it nevertheless, and is told what it is.
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The texts are ours: what needs escaping is escaped where it is made.
fn page(title: &str, head: &str, body: &str) -> Response {
    let document = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/docs/assets/docs.css\">{head}\
         </head><body>{body}</body></html>"
    );
    let mut response = Response::new(Body::from(document));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
