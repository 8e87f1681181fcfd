//! The fakes on ports of their own, for whoever judges them from outside: the providers' own libraries, and
//! Florin itself. `scripts/providers` runs it; as a test it is ignored.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use kernel::{Header, Method, Reply, Timestamp};

/// A request as it came in.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// With its query.
    pub(crate) path: String,
    /// Lower-case names.
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
pub(crate) struct Given {
    pub(crate) reply: Reply,
}

impl Given {
    pub(crate) const fn of(reply: Reply) -> Self {
        Self { reply }
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let all = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    let word = words.next()?;
    let method = all.into_iter().find(|method| method.as_str() == word)?;
    let path = words.next()?.to_owned();
    let header = |line: &str| {
        line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<Header> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {} Answered\r\ncontent-length: {}\r\n", reply.status, reply.body.len())?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body)
}

/// Serves for ever, on threads of its own; answers the address.
fn serve(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static, listener: TcpListener) {
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                while let Some(asked) = read(&mut stream) {
                    if write(&mut stream, &answer(&asked)).is_err() {
                        break;
                    }
                }
            });
        }
    });
}

fn listening() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

#[expect(clippy::disallowed_methods, reason = "whoever talks to it lives in real time")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

/// Writes `name address` for each fake into the file that `FLORIN_FAKES` names, and serves until it is
/// killed or its standard input ends.
#[test]
#[ignore = "a server for scripts, not a test"]
fn serve_fakes() {
    let file = std::env::var("FLORIN_FAKES").expect("FLORIN_FAKES names a file");
    let (listener, address) = listening();
    let paypal = Mutex::new(crate::paypal::State::new(&address));
    serve(move |asked| paypal.lock().unwrap().served(asked, now()).reply, listener);
    let (listener, razorpay_address) = listening();
    let razorpay = Mutex::new(crate::razorpay::State::new(&razorpay_address));
    serve(move |asked| razorpay.lock().unwrap().served(asked, now()), listener);
    std::fs::write(file, format!("paypal {address}\nrazorpay {razorpay_address}\n")).unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
