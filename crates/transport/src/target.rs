//! Where a request goes.

use std::fmt;

use hyper::http::Uri;

/// A host and how to talk to it: what a connection is pooled by and a breaker counts for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Host {
    pub(crate) tls: bool,
    /// A name or an address; IPv6 without its brackets. Lower case.
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.name, self.port)
    }
}

/// An absolute URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    /// The `Host` header: the port only if it is not the scheme's own.
    pub(crate) authority: String,
    /// Path and query, as on the request line.
    pub(crate) path: Uri,
}

impl Target {
    /// Takes an absolute `http` or `https` URL apart; the error says what is wrong and quotes nothing.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| "the URL cannot be read".to_owned())?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("the URL is neither http nor https".to_owned()),
        };
        let authority = uri.authority().ok_or("the URL has no host")?;
        if authority.as_str().contains('@') {
            return Err("a URL may carry no user or password".to_owned());
        }
        let standard = if tls { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(standard);
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if name.is_empty() || port == 0 {
            return Err("the URL has no host".to_owned());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('?') { format!("/{path}") } else { path.to_owned() };
        let path = path.parse().map_err(|_| "the URL's path cannot be read".to_owned())?;
        let shown = if name.contains(':') { format!("[{name}]") } else { name.clone() };
        let authority = if port == standard { shown } else { format!("{shown}:{port}") };
        Ok(Self { host: Host { tls, name, port }, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, host, authority, path) in [
            (
                "https://API.example.com/v1/x?y=1#z",
                "https://api.example.com:443",
                "api.example.com",
                "/v1/x?y=1",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080", "/"),
            ("https://[::1]:443/", "https://::1:443", "[::1]", "/"),
            ("http://[::1]:81?q", "http://::1:81", "[::1]:81", "/?q"),
        ] {
            let target = Target::parse(url);
            let found = target.map(|t| (t.host.to_string(), t.authority, t.path.to_string()));
            assert_eq!(found, Ok((host.to_owned(), authority.to_owned(), path.to_owned())), "{url}");
        }
    }

    #[test]
    fn what_is_no_absolute_http_url_is_refused() {
        let urls = [
            "",
            "/v1",
            "ftp://a/",
            "file:///etc/passwd",
            "http://",
            "http:///x",
            "http://u:p@a/",
            "a b",
            "http://a:0/",
        ];
        for url in urls {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
