//! `florin probe`: whether the server of this configuration is ready, for health checks of containers
//! that have no other tool.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use node::Config;

use crate::failure::Failure;
use crate::output;

/// How long the server may take.
const WITHIN: Duration = Duration::from_secs(4);

/// Asks `/ready` where the configuration says that the server listens.
pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    let host = match config.server.host.as_str() {
        // Listening everywhere is no address to go to.
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    };
    let status = ask(host, config.server.port)
        .map_err(|error| Failure::Failed(format!("the server does not answer: {error}")))?;
    match status.as_str() {
        "200" => {
            output::line("ready");
            Ok(())
        }
        "503" => Err(Failure::Failed("the server is not ready".to_owned())),
        other => Err(Failure::Failed(format!("the server answered {other:?}"))),
    }
}

fn ask(host: &str, port: u16) -> std::io::Result<String> {
    let address = (host, port).to_socket_addrs()?.next();
    let address = address.ok_or_else(|| std::io::Error::other("the host has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}
