//! Stands between the store and PostgreSQL and loses answers.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct Mode {
    /// Cut the connection that sends this next, after passing it on; empty for anything at all.
    cut_on: Option<Vec<u8>>,
    refuses: bool,
}

/// Forwards connections until told otherwise.
pub(crate) struct Proxy {
    mode: Arc<Mutex<Mode>>,
    pub(crate) url: String,
}

impl Proxy {
    /// Before the server of this URL.
    pub(crate) async fn before(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let tokio_postgres::config::Host::Tcp(host) = config.get_hosts()[0].clone() else {
            panic!("the test server is reached over TCP");
        };
        let server = (host, config.get_ports().first().copied().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode: Arc<Mutex<Mode>> = Arc::default();
        let user = config.get_user().unwrap_or("postgres");
        let password = config.get_password().map(|password| String::from_utf8(password.to_vec()).unwrap());
        let password = password.map_or_else(String::new, |password| format!(":{password}"));
        let database = config.get_dbname().unwrap();
        let url = format!("postgres://{user}{password}@127.0.0.1:{port}/{database}");
        tokio::spawn({
            let mode = Arc::clone(&mode);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    if mode.lock().refuses {
                        continue;
                    }
                    let server = TcpStream::connect((server.0.as_str(), server.1)).await.unwrap();
                    tokio::spawn(forward(client, server, Arc::clone(&mode)));
                }
            }
        });
        Self { mode, url }
    }

    /// The next message that contains `text` reaches the server; nothing comes back.
    pub(crate) fn cut_on(&self, text: &str) {
        self.mode.lock().cut_on = Some(text.as_bytes().to_vec());
    }

    /// Whether what was to be cut came by.
    pub(crate) fn has_cut(&self) -> bool {
        self.mode.lock().cut_on.is_none()
    }

    /// Whether new connections are refused.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.mode.lock().refuses = refuses;
    }
}

async fn forward(client: TcpStream, server: TcpStream, mode: Arc<Mutex<Mode>>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let back = tokio::spawn(async move {
        drop(tokio::io::copy(&mut from_server, &mut to_client).await);
        from_server
    });
    let mut buffer = vec![0; 65536];
    while let Ok(length) = from_client.read(&mut buffer).await {
        if length == 0 {
            break;
        }
        let sent = &buffer[..length];
        let cuts = {
            let mut mode = mode.lock();
            let cuts = mode.cut_on.as_ref().is_some_and(|text| {
                text.is_empty() || sent.windows(text.len()).any(|window| window == text.as_slice())
            });
            if cuts {
                mode.cut_on = None;
            }
            cuts
        };
        if cuts {
            // First nothing can come back any more, then the message goes through.
            back.abort();
            drop(from_client);
            to_server.write_all(sent).await.unwrap();
            // The server keeps its end for as long as the test runs: it does not notice.
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            return;
        }
        if to_server.write_all(sent).await.is_err() {
            break;
        }
    }
}
