//! The way to a bank in the same process: requests become calls, silences become "maybe sent".

use std::sync::Arc;

use kernel::{Auth, BoxFuture, Clock, Credentials, Deadline, Exchange, Exchanged, Header, Request};

use crate::bank::Bank;
use crate::reply::{BankReply, BankRequest};

/// The setting `base_url` of an account whose bank is in this process.
pub const IN_PROCESS_URL: &str = "http://sandbox.invalid";

/// Sends requests to a bank in this process. Any host will do; what follows it, but for a leading
/// `/sandbox`, is the bank's path.
///
/// A silence is answered at once: whoever waits for a real time-out waits over HTTP.
pub struct InProcess {
    bank: Arc<Bank>,
    clock: Arc<dyn Clock>,
}

impl InProcess {
    /// The way to this bank.
    pub const fn new(bank: Arc<Bank>, clock: Arc<dyn Clock>) -> Self {
        Self { bank, clock }
    }

    async fn send(&self, request: &Request, credentials: &Credentials, deadline: Deadline) -> Exchanged {
        let authorization = match authorization(&request.auth, credentials) {
            Ok(authorization) => authorization,
            Err(reason) => return Exchanged::NotSent(reason.to_owned()),
        };
        let Some(path) = path_of(&request.url) else {
            return Exchanged::NotSent("the URL has no path".to_owned());
        };
        let mut headers = Vec::with_capacity(request.headers.len() + 1);
        headers.extend_from_slice(&request.headers);
        headers.extend(authorization);
        let (method, body) = (request.method, request.body.clone());
        let asked = BankRequest { method, path: path.to_owned(), headers, body };
        // The last moment before the bank can do anything.
        let now = self.clock.now();
        if self.clock.monotonic() >= deadline.monotonic || now >= deadline.wall {
            return Exchanged::NotSent("past the deadline".to_owned());
        }
        match self.bank.handle(&asked, now).await {
            BankReply::Silence(_) => Exchanged::MaybeSent("no answer within the time-out".to_owned()),
            BankReply::Answer { after, reply } => {
                if !after.is_zero() {
                    self.clock.sleep(after.min(deadline.reply_within)).await;
                }
                if after > deadline.reply_within {
                    return Exchanged::MaybeSent("no answer within the time-out".to_owned());
                }
                Exchanged::Replied(reply)
            }
        }
    }
}

impl Exchange for InProcess {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(self.send(request, credentials, deadline))
    }
}

/// The header that proves who calls. The bank knows bearer keys alone, so that any other proof reaches
/// it as none.
fn authorization(auth: &Auth, credentials: &Credentials) -> Result<Option<Header>, &'static str> {
    let Auth::Bearer(name) = auth else { return Ok(None) };
    let secret = credentials.get(name).ok_or("the account lacks the secret that the request names")?;
    Ok(Some(("authorization".to_owned(), format!("Bearer {}", secret.expose()))))
}

fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?;
    Some(path.strip_prefix("/sandbox").filter(|below| below.starts_with('/')).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn finds_the_path_below_the_banks_root() {
        assert_eq!(path_of("http://sandbox.invalid/v1/charges"), Some("/v1/charges"));
        assert_eq!(path_of("http://127.0.0.1:1/sandbox/v1/a?b=c"), Some("/v1/a?b=c"));
        assert_eq!(path_of("http://h/sandboxes/v1"), Some("/sandboxes/v1"));
        assert_eq!(path_of("http://h"), None);
        assert_eq!(path_of("/v1"), None);
    }
}
