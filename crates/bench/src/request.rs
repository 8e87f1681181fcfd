//! The bytes of the requests, prepared once; a request is three or four copies into a buffer.

use crate::options::{Method, Options, Target};
use crate::payments::refund_amount;

/// The prepared pieces of all requests to one target. It holds the API key and therefore does not print.
pub(crate) struct Script {
    create: [Vec<u8>; 2],
    authorize: [Vec<u8>; 2],
    get: [Vec<u8>; 2],
    refund: [Vec<u8>; 3],
    capture: [Vec<u8>; 3],
    void: [Vec<u8>; 3],
}

impl Script {
    pub(crate) fn new(target: &Target, options: &Options) -> Self {
        let path = format!("{}/api/v1/payments", target.prefix());
        let headers = format!(
            "Host: {}\r\nUser-Agent: florin-bench\r\nAuthorization: Bearer {}\r\n",
            target.authority(),
            options.api_key.expose(),
        );
        let posting = |body: &str| {
            format!(
                "{headers}Content-Type: application/json\r\nContent-Length: {}\r\nIdempotency-Key: ",
                body.len()
            )
        };
        let making = |body: &str| {
            [
                format!("POST {path} HTTP/1.1\r\n{}", posting(body)).into_bytes(),
                format!("\r\n\r\n{body}").into_bytes(),
            ]
        };
        let asking = |verb: &str, body: &str| {
            [
                format!("POST {path}/").into_bytes(),
                format!("/{verb} HTTP/1.1\r\n{}", posting(body)).into_bytes(),
                format!("\r\n\r\n{body}").into_bytes(),
            ]
        };
        Self {
            create: making(&create_body(options.method, options.amount_minor)),
            authorize: making(&card_body(options.amount_minor, r#""capture_method":"manual","#)),
            get: [format!("GET {path}/").into_bytes(), format!(" HTTP/1.1\r\n{headers}\r\n").into_bytes()],
            refund: asking("refund", &format!(r#"{{"amount":{}}}"#, refund_amount(options.amount_minor))),
            capture: asking("capture", "{}"),
            void: asking("cancel", "{}"),
        }
    }

    pub(crate) fn create(&self, request: &mut Vec<u8>, key: &str) {
        let [head, body] = &self.create;
        fill(request, &[head, key.as_bytes(), body]);
    }

    pub(crate) fn authorize(&self, request: &mut Vec<u8>, key: &str) {
        let [head, body] = &self.authorize;
        fill(request, &[head, key.as_bytes(), body]);
    }

    pub(crate) fn get(&self, request: &mut Vec<u8>, id: &[u8]) {
        let [path, headers] = &self.get;
        fill(request, &[path, id, headers]);
    }

    pub(crate) fn refund(&self, request: &mut Vec<u8>, id: &[u8], key: &str) {
        ask(&self.refund, request, id, key);
    }

    pub(crate) fn capture(&self, request: &mut Vec<u8>, id: &[u8], key: &str) {
        ask(&self.capture, request, id, key);
    }

    pub(crate) fn void(&self, request: &mut Vec<u8>, id: &[u8], key: &str) {
        ask(&self.void, request, id, key);
    }
}

fn ask([path, head, body]: &[Vec<u8>; 3], request: &mut Vec<u8>, id: &[u8], key: &str) {
    fill(request, &[path, id, head, key.as_bytes(), body]);
}

fn fill(request: &mut Vec<u8>, pieces: &[&[u8]]) {
    request.clear();
    for piece in pieces {
        request.extend_from_slice(piece);
    }
}

fn create_body(method: Method, amount_minor: u64) -> String {
    match method {
        Method::Card => card_body(amount_minor, ""),
        Method::Upi => format!(
            concat!(
                r#"{{"amount_paisa":{},"payment_method":"UPI","#,
                r#""payment_details":{{"vpa":"success@sandbox"}},"metadata":{{"source":"florin bench"}}}}"#,
            ),
            amount_minor,
        ),
    }
}

/// `more` is further fields, each followed by a comma.
fn card_body(amount_minor: u64, more: &str) -> String {
    format!(
        concat!(
            r#"{{"amount":{},"currency":"USD",{}"payment_method":{{"type":"card","#,
            r#""card_number":"4242424242424242","exp_month":12,"exp_year":2030,"cvc":"123"}},"#,
            r#""metadata":{{"source":"florin bench"}}}}"#,
        ),
        amount_minor, more,
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::ApiKey;

    fn text(write: impl FnOnce(&Script, &mut Vec<u8>), method: Method) -> String {
        let target: Target = "http://127.0.0.1:8000/base".parse().unwrap();
        let mut options = Options::new(vec![target.clone()], ApiKey::new("sk_test_1"));
        options.method = method;
        let mut request = b"the request before".to_vec();
        write(&Script::new(&target, &options), &mut request);
        String::from_utf8(request).unwrap()
    }

    #[test]
    fn a_get_is_its_path_and_the_key() {
        assert_eq!(
            text(|script, request| script.get(request, b"pay_1"), Method::Card),
            "GET /base/api/v1/payments/pay_1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: florin-bench\r\n\
             Authorization: Bearer sk_test_1\r\n\r\n",
        );
    }

    #[test]
    fn a_refund_names_its_payment_and_amount() {
        assert_eq!(
            text(|script, request| script.refund(request, b"pay_1", "key-7"), Method::Card),
            "POST /base/api/v1/payments/pay_1/refund HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\
             User-Agent: florin-bench\r\nAuthorization: Bearer sk_test_1\r\n\
             Content-Type: application/json\r\nContent-Length: 14\r\nIdempotency-Key: key-7\r\n\r\n\
             {\"amount\":100}",
        );
    }

    #[test]
    fn captures_and_voids_take_all() {
        for (request, verb) in [
            (text(|script, request| script.capture(request, b"pay_1", "key-7"), Method::Card), "capture"),
            (text(|script, request| script.void(request, b"pay_1", "key-7"), Method::Card), "cancel"),
        ] {
            let line = format!("POST /base/api/v1/payments/pay_1/{verb} HTTP/1.1\r\n");
            assert!(request.starts_with(&line) && request.ends_with("key-7\r\n\r\n{}"), "{request}");
        }
    }

    #[test]
    fn the_length_of_a_create_is_its_bodys_and_the_body_is_json() {
        let authorize = text(|script, request| script.authorize(request, "key-7"), Method::Card);
        assert!(authorize.contains(r#""capture_method":"manual","#), "{authorize}");
        let create = |method| text(|script, request| script.create(request, "key-7"), method);
        for request in [create(Method::Card), create(Method::Upi), authorize] {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("POST /base/api/v1/payments HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("\r\nIdempotency-Key: key-7"), "{head}");
            assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body.pointer("/metadata/source").unwrap(), "florin bench");
        }
    }
}
