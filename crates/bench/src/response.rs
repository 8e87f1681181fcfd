//! Reads one HTTP/1.1 response out of the bytes that have arrived (RFC 9112).
//!
//! A pure function over the bytes: it either finds the whole response, or asks for more, or refuses. It
//! begins anew with every read; a response nearly always comes in one.

use std::ops::Range;

/// A longer head than this is no answer of an API.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// A longer body than this is no answer to what we ask.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why bytes are no HTTP response. The text goes into the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    StatusLine,
    Header,
    HeadTooLong,
    Length,
    BodyTooLong,
    Encoding,
    Chunk,
}

impl Malformed {
    /// What is wrong, in words.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::StatusLine => "no HTTP/1.1 status line",
            Self::Header => "a header line without a colon",
            Self::HeadTooLong => "a head of more than 32 KiB",
            Self::Length => "a content length that is no number",
            Self::BodyTooLong => "a body of more than 8 MiB",
            Self::Encoding => "a transfer encoding other than chunked",
            Self::Chunk => "a broken chunk",
        }
    }
}

/// Where a whole response lies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) status: u16,
    /// Whether the server keeps the connection open after this answer.
    pub(crate) keep_alive: bool,
    /// The body's place in the input; `None` when it was chunked and lies in the buffer for decoded
    /// bodies.
    pub(crate) body: Option<Range<usize>>,
    /// Where the response ends in the input.
    pub(crate) end: usize,
}

/// What the head says about itself and its body.
struct Head {
    status: u16,
    keep_alive: bool,
    content_length: Option<usize>,
    chunked: bool,
}

/// The response at the start of `input`, `None` while bytes are missing. `ended` says that no more will
/// come. A chunked body is put together in `decoded`.
pub(crate) fn frame(input: &[u8], ended: bool, decoded: &mut Vec<u8>) -> Result<Option<Frame>, Malformed> {
    let mut rest = input;
    let head = loop {
        let before = rest;
        let Some(head) = read_head(&mut rest)? else {
            return if before.len() > HEAD_BYTES_MAX { Err(Malformed::HeadTooLong) } else { Ok(None) };
        };
        // Interim answers (100, 103) come before the real one and have no body.
        if head.status >= 200 {
            break head;
        }
    };
    let body = input.len() - rest.len();
    let frame = |keep_alive, body, end| Ok(Some(Frame { status: head.status, keep_alive, body, end }));
    if matches!(head.status, 204 | 304) {
        return frame(head.keep_alive, Some(body..body), body);
    }
    if head.chunked {
        decoded.clear();
        return match read_chunks(rest, decoded)? {
            Some(length) => frame(head.keep_alive, None, body + length),
            None => Ok(None),
        };
    }
    match head.content_length {
        Some(length) if length > BODY_BYTES_MAX => Err(Malformed::BodyTooLong),
        Some(length) if rest.len() >= length => {
            frame(head.keep_alive, Some(body..body + length), body + length)
        }
        None if rest.len() > BODY_BYTES_MAX => Err(Malformed::BodyTooLong),
        // Without a length the body lasts until the server closes.
        None if ended => frame(false, Some(body..input.len()), input.len()),
        Some(_) | None => Ok(None),
    }
}

/// Takes one line off the front, without its line ending.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = (rest.get(..end)?, rest.get(end + 1..)?);
    *rest = after;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Takes a head with its empty line off the front.
fn read_head(rest: &mut &[u8]) -> Result<Option<Head>, Malformed> {
    let Some(line) = take_line(rest) else { return Ok(None) };
    let mut head = read_status_line(line).ok_or(Malformed::StatusLine)?;
    loop {
        let Some(line) = take_line(rest) else { return Ok(None) };
        if line.is_empty() {
            return Ok(Some(head));
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Malformed::Header)?;
        let name = line.get(..colon).unwrap_or_default();
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            head.content_length = Some(number(value, 10).ok_or(Malformed::Length)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed::Encoding);
            }
            head.chunked = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            if value.eq_ignore_ascii_case(b"close") {
                head.keep_alive = false;
            } else if value.eq_ignore_ascii_case(b"keep-alive") {
                head.keep_alive = true;
            }
        }
    }
}

/// `HTTP/1.1 201 Created`; HTTP/1.0 closes unless it says otherwise.
fn read_status_line(line: &[u8]) -> Option<Head> {
    let (minor, rest) = line.strip_prefix(b"HTTP/1.")?.split_first()?;
    let rest = rest.strip_prefix(b" ")?;
    let digits = rest.get(..3)?;
    if !matches!(rest.get(3), None | Some(b' ')) {
        return None;
    }
    let status = u16::try_from(number(digits, 10)?).ok()?;
    (status >= 100).then_some(Head {
        status,
        keep_alive: *minor == b'1',
        content_length: None,
        chunked: false,
    })
}

/// Puts the chunks together; the length of all of it when the last chunk and its trailers are there.
fn read_chunks(input: &[u8], decoded: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
    let mut rest = input;
    loop {
        let Some(line) = take_line(&mut rest) else { return Ok(None) };
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let size = number(size, 16).ok_or(Malformed::Chunk)?;
        if size == 0 {
            break;
        }
        if decoded.len().saturating_add(size) > BODY_BYTES_MAX {
            return Err(Malformed::BodyTooLong);
        }
        let (Some(data), Some(after)) = (rest.get(..size), rest.get(size..)) else { return Ok(None) };
        decoded.extend_from_slice(data);
        rest = after;
        match take_line(&mut rest) {
            Some([]) => {}
            Some(_) => return Err(Malformed::Chunk),
            None => return Ok(None),
        }
    }
    loop {
        match take_line(&mut rest) {
            Some([]) => return Ok(Some(input.len() - rest.len())),
            Some(_) => {}
            None => return Ok(None),
        }
    }
}

/// Digits of a base, nothing else and no overflow.
fn number(digits: &[u8], base: u32) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |sum, byte| {
        let digit = char::from(*byte).to_digit(base)?;
        sum.checked_mul(base as usize)?.checked_add(digit as usize)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use super::*;

    /// Status, whether the connection stays, body and leftover bytes of a whole response.
    type Whole = (u16, bool, Vec<u8>, usize);

    fn read(input: &[u8], ended: bool) -> Result<Option<Whole>, Malformed> {
        let mut decoded = b"left from the answer before".to_vec();
        Ok(frame(input, ended, &mut decoded)?.map(|frame| {
            let body = frame.body.map_or(decoded, |range| input[range].to_vec());
            (frame.status, frame.keep_alive, body, input.len() - frame.end)
        }))
    }

    /// Every way to cut the input in two: before the end there is never an answer, and never another
    /// one.
    fn read_in_pieces(input: &[u8], expected: (u16, bool, &[u8])) {
        for cut in 0..input.len() {
            assert_eq!(read(&input[..cut], false), Ok(None), "cut at {cut}");
        }
        let (status, keep_alive, body) = expected;
        assert_eq!(read(input, false), Ok(Some((status, keep_alive, body.to_vec(), 0))));
    }

    #[test]
    fn a_body_with_a_length() {
        read_in_pieces(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\ncontent-LENGTH: 5\r\n\r\nhello",
            (201, true, b"hello"),
        );
        read_in_pieces(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", (200, true, b""));
        read_in_pieces(b"HTTP/1.1 204 No Content\r\n\r\n", (204, true, b""));
    }

    #[test]
    fn a_chunked_body() {
        read_in_pieces(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
              4;name=value\r\nwi\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            (200, true, b"wi\r\n0123456789"),
        );
    }

    #[test]
    fn whether_the_connection_stays() {
        for (head, stays) in [
            ("HTTP/1.1 200 OK", true),
            ("HTTP/1.1 200 OK\r\nConnection: close", false),
            ("HTTP/1.1 200 OK\r\nconnection: Close", false),
            ("HTTP/1.0 200 OK", false),
            ("HTTP/1.0 200 OK\r\nConnection: keep-alive", true),
        ] {
            read_in_pieces(format!("{head}\r\nContent-Length: 2\r\n\r\nok").as_bytes(), (200, stays, b"ok"));
        }
    }

    #[test]
    fn a_body_until_the_end() {
        let input = b"HTTP/1.1 200 OK\r\n\r\nall of it";
        assert_eq!(read(input, false), Ok(None));
        assert_eq!(read(input, true), Ok(Some((200, false, b"all of it".to_vec(), 0))));
        // A body with a length that ends too early is no answer.
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of", true), Ok(None));
    }

    #[test]
    fn interim_answers_are_passed_over_and_more_than_asked_is_seen() {
        let input = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP";
        assert_eq!(read(input, false).unwrap(), Some((200, true, b"ok".to_vec(), 4)));
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for (input, reason) in [
            ("SSH-2.0-OpenSSH\r\n", Malformed::StatusLine),
            ("HTTP/2 200\r\n", Malformed::StatusLine),
            ("HTTP/1.1 20 OK\r\n", Malformed::StatusLine),
            ("HTTP/1.1 2000\r\n", Malformed::StatusLine),
            ("HTTP/1.1 099 Low\r\n", Malformed::StatusLine),
            ("HTTP/1.1 200 OK\r\nno colon\r\n", Malformed::Header),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", Malformed::Length),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", Malformed::Length),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Malformed::BodyTooLong),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", Malformed::Encoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", Malformed::Chunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", Malformed::Chunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n", Malformed::BodyTooLong),
        ] {
            assert_eq!(read(input.as_bytes(), false), Err(reason), "{input}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'x'; HEAD_BYTES_MAX]].concat();
        assert_eq!(read(&endless, false), Err(Malformed::HeadTooLong));
    }
}
