//! Replies of an SMTP server (RFC 5321 §4.2), read as bytes. Only the code of a reply has a meaning. The text may be
//! empty and in any encoding.

use std::{fmt, io, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    time::timeout,
};

/// How much of a line of a reply is kept, in bytes. RFC 5321 §4.5.3.1.5 allows 512; some servers send more.
const MAX_LINE_BYTES: usize = 8_192;
/// How many lines of a reply are kept.
const MAX_LINES: usize = 1_000;
/// How much of one reply is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// How long the lines after the first one may take. The code is known by then.
const REST_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum length of the text that [`Reply`] displays, in characters.
const MAX_TEXT_CHARS: usize = 300;

/// A reply of an SMTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The reply code, 100 to 999.
    pub(crate) code: u16,
    /// Whether the end of the reply was read. If not, the code is valid, but no other reply can be read.
    pub(super) is_complete: bool,
    /// The text of each line. Bytes that are not UTF-8 are replaced.
    lines: Vec<String>,
}

/// An enhanced status code (RFC 3463), such as 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EnhancedCode {
    /// 2, 4 or 5.
    pub(crate) class: u16,
    /// What the code is about, for example 1 for an address.
    pub(crate) subject: u16,
    /// The condition within the subject.
    pub(crate) detail: u16,
}

/// Why a reply could not be read.
#[derive(Debug)]
pub(crate) enum ReplyError {
    /// The connection was closed or failed.
    Closed(io::Error),
    /// The server sent something that is not a reply.
    Unparsable,
}

impl Reply {
    /// Reads one reply from `stream`.
    ///
    /// The first three bytes of a line are the code. A hyphen after the code means that another line follows. Any other
    /// byte, or none, ends the reply. Once the first line has given the code, no defect of the rest is an error: the
    /// reply is then not complete.
    ///
    /// # Errors
    /// [`ReplyError::Closed`] if the stream ends before there is a code, and [`ReplyError::Unparsable`] if the first
    /// line does not start with a code.
    pub(crate) async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Self, ReplyError> {
        let mut reply = Self::read_first_line(stream).await?;
        reply.read_rest(stream).await;
        Ok(reply)
    }

    /// Reads the first line of a reply, which has the code. To be followed by [`read_rest`](Self::read_rest).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) async fn read_first_line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Self, ReplyError> {
        let mut left = MAX_BYTES;
        let first = Line::read(stream, &mut left).await;
        match parse_line(&first.bytes) {
            Some((code, is_last, text)) => {
                Ok(Self { code, is_complete: is_last && first.end.is_ok(), lines: vec![text] })
            }
            None => Err(first.end.map_or_else(ReplyError::Closed, |()| ReplyError::Unparsable)),
        }
    }

    /// Reads the lines after the first one, for at most 30 seconds.
    pub(super) async fn read_rest(&mut self, stream: &mut (impl AsyncBufRead + Unpin)) {
        let mut left = MAX_BYTES;
        let rest = async {
            while !self.is_complete {
                let line = Line::read(stream, &mut left).await;
                // Any other line is text: some servers break a long text into lines without a code.
                let (is_last, text) = match parse_line(&line.bytes) {
                    Some((code, is_last, text)) if code == self.code => (is_last, text),
                    _ => (false, String::from_utf8_lossy(&line.bytes).into_owned()),
                };
                if self.lines.len() < MAX_LINES {
                    self.lines.push(text);
                }
                if line.end.is_err() {
                    return;
                }
                self.is_complete = is_last;
            }
        };
        // What is missing is text.
        let _ = timeout(REST_TIMEOUT, rest).await;
    }

    /// Returns the enhanced status code (RFC 2034): the first one at the start of a line, or else one in parentheses,
    /// as qmail writes it: `sorry, no mailbox here by that name (#5.1.1)`.
    pub(crate) fn enhanced_code(&self) -> Option<EnhancedCode> {
        let first_words = self.lines.iter().filter_map(|line| line.split_whitespace().next());
        let at_start = first_words.filter_map(|word| EnhancedCode::parse(trim_punctuation(word))).next();
        let in_text = || {
            let words = self.lines.iter().flat_map(|line| line.split_whitespace());
            words.filter_map(|word| EnhancedCode::parse(trim_punctuation(word.strip_prefix("(#")?))).next()
        };
        at_start.or_else(in_text)
    }

    /// Returns whether the reply is about the state of the mail server, and not about a recipient or a text: the
    /// subject of the enhanced status code is the mail system (RFC 3463 §3.4), or the code says so without one.
    pub(crate) fn is_about_the_server(&self) -> bool {
        match self.enhanced_code() {
            Some(enhanced) => enhanced.subject == 3,
            None => [421, 452].contains(&self.code),
        }
    }

    /// Returns the reply code and the enhanced status code, without the text.
    pub(crate) fn codes(&self) -> String {
        match self.enhanced_code() {
            Some(code) => format!("{} {}.{}.{}", self.code, code.class, code.subject, code.detail),
            None => self.code.to_string(),
        }
    }

    /// Returns the lines of the text.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Returns whether the text contains `words`, without regard to case.
    pub(crate) fn contains(&self, words: &str) -> bool {
        let words = words.to_ascii_lowercase();
        self.lines.iter().any(|line| line.to_ascii_lowercase().contains(&words))
    }
}

/// The code and the text in one line, at most [`MAX_TEXT_CHARS`] characters. An enhanced status code that is repeated
/// in each line appears once.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first_word = self.lines.first().and_then(|line| line.split_whitespace().next());
        let repeated = first_word.filter(|word| EnhancedCode::parse(word).is_some());
        let mut text = self.code.to_string();
        for (index, line) in self.lines.iter().enumerate() {
            let rest = repeated.filter(|_| index > 0).and_then(|code| line.trim_start().strip_prefix(code));
            let line = rest.unwrap_or(line).trim();
            if !line.is_empty() {
                text.push(' ');
                text.push_str(line);
            }
        }
        let cut: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect();
        f.write_str(&cut)
    }
}

impl EnhancedCode {
    /// Parses `5.1.1`. Returns `None` for any other text.
    fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split('.').map(|part| {
            let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| is_number)
        });
        let code = Self { class: parts.next()??, subject: parts.next()??, detail: parts.next()?? };
        (parts.next().is_none() && [2, 4, 5].contains(&code.class)).then_some(code)
    }
}

/// Returns `word` without the punctuation around it, as in `#5.1.1` and `5.1.1:`.
fn trim_punctuation(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_ascii_punctuation())
}

/// A line as it was received.
struct Line {
    /// The start of the line, with its end if that is within [`MAX_LINE_BYTES`].
    bytes: Vec<u8>,
    /// The error if the line has no end: the stream has ended, or the line is too long.
    end: io::Result<()>,
}

impl Line {
    /// Reads a line. Takes its length from `left`, and reads at most as much.
    async fn read(stream: &mut (impl AsyncBufRead + Unpin), left: &mut usize) -> Self {
        let mut bytes = Vec::new();
        let end = loop {
            let received = match stream.fill_buf().await {
                Ok([]) => break Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(received) => received,
                Err(error) => break Err(error),
            };
            let newline = received.iter().position(|byte| *byte == b'\n');
            let length = newline.map_or(received.len(), |newline| newline + 1);
            let kept = length.min(MAX_LINE_BYTES.saturating_sub(bytes.len()));
            bytes.extend_from_slice(&received[..kept]);
            stream.consume(length);
            *left = left.saturating_sub(length);
            if newline.is_some() {
                break Ok(());
            }
            if *left == 0 {
                break Err(io::Error::new(io::ErrorKind::InvalidData, "the reply is too long"));
            }
        };
        Self { bytes, end }
    }
}

/// Returns the code of a line, whether the line is the last one, and its text.
fn parse_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let (code, rest) = line[..end].split_at_checked(3)?;
    if !code.iter().all(u8::is_ascii_digit) || code[0] == b'0' {
        return None;
    }
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let is_last = rest.first() != Some(&b'-');
    let text = rest.strip_prefix(b"-").or(rest.strip_prefix(b" ")).unwrap_or(rest);
    Some((code, is_last, String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Reply, ReplyError> {
        Reply::read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn code_decides_and_the_text_may_be_anything() {
        let bytes: [(&[u8], &str); 10] = [
            (b"250\r\n", "250"),
            (b"250 \r\n", "250"),
            (b"250 OK\n", "250 OK"),
            (b"250\t2.0.0\r\r\n", "250 2.0.0"),
            (b"250 \xb2\xe2\xca\xd4\r\n", "250 \u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"220 M\xfcller ESMTP\r\n", "220 M\u{fffd}ller ESMTP"),
            (b"250 a\0b\x1b[31m\r\n", "250 ab[31m"),
            (b"250-\r\n250\r\n", "250"),
            (b"550-5.1.1 No such\r\n550 5.1.1 user\r\n", "550 5.1.1 No such user"),
            (b"250-queued\r\n id=77\r\n250 bye\r\n", "250 queued id=77 bye"),
        ];
        for (bytes, shown) in bytes {
            assert_eq!(read(bytes).await.unwrap().to_string(), shown, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn what_has_no_code_is_an_error() {
        for bytes in [b"".as_slice(), b"25", b"OK"] {
            assert!(matches!(read(bytes).await, Err(ReplyError::Closed(_))), "{bytes:?}");
        }
        for bytes in [b"\r\n".as_slice(), b"OK\r\n", b"2x0 OK\r\n", b"\x16\x03\x01\n", b"025 OK\r\n"] {
            assert!(matches!(read(bytes).await, Err(ReplyError::Unparsable)), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_is_long_or_breaks_off_has_its_code() {
        let long = [b"250 ".as_slice(), &[b'x'; 100_000], b"\r\n"].concat();
        let many = [b"250-x\r\n".repeat(2_000), b"250 end\r\n".to_vec()].concat();
        let text = b"250-a\r\nb\r\n250 c\r\n".to_vec();
        let other_codes = b"250-queued\r\n450 bytes\r\n123456 bytes\r\n550 x\r\n250 ok\r\n".to_vec();
        for bytes in [long, many, text, other_codes] {
            let reply = read(&bytes).await.unwrap();
            assert_eq!((reply.code, reply.is_complete), (250, true));
        }
        let endless = [b"250 ".as_slice(), &vec![b'x'; 2 * MAX_BYTES]].concat();
        let without_end = b"250-x\r\n".repeat(MAX_BYTES / 5);
        for bytes in [b"250".as_slice(), b"250 OK", b"250-more\r\n", b"250-more\r\n id=1", &endless, &without_end] {
            let reply = read(bytes).await.unwrap();
            assert_eq!((reply.code, reply.is_complete), (250, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_whose_rest_does_not_come_has_its_code() {
        let (client, mut server) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut server, b"250-queued\r\n").await.unwrap();
        let reply = Reply::read(&mut tokio::io::BufReader::new(client)).await.unwrap();
        assert_eq!((reply.code, reply.is_complete), (250, false));
    }

    #[tokio::test]
    async fn enhanced_code_is_read_from_the_start_of_the_text() {
        for (text, expected) in [
            ("550 5.7.501 no\r\n", Some((5, 7, 501))),
            ("550-4.2.1 a\r\n550 b\r\n", Some((4, 2, 1))),
            ("550 5.1.1\r\n", Some((5, 1, 1))),
            ("550-No such\r\n550 5.1.1\r\n", Some((5, 1, 1))),
            ("550 5.1.1: no\r\n", Some((5, 1, 1))),
            ("550 #5.1.1 no\r\n", Some((5, 1, 1))),
            ("550 <5.1.1> no\r\n", Some((5, 1, 1))),
            ("550 sorry, no mailbox here by that name. (#5.1.1)\r\n", Some((5, 1, 1))),
            ("550 version 5.1.1 is too old\r\n", None),
            ("550 5.1.1111 no\r\n", None),
            ("550 3.1.1 no\r\n", None),
            ("550 5.1.1.1 no\r\n", None),
            ("550\r\n", None),
        ] {
            let code = read(text.as_bytes()).await.unwrap().enhanced_code();
            assert_eq!(code.map(|code| (code.class, code.subject, code.detail)), expected, "{text}");
        }
    }
}
