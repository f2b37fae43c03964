//! Replies of an SMTP server (RFC 5321 §4.2), read as bytes. Only the code of a reply has a meaning. The text may be
//! empty and in any encoding.

use std::{fmt, io};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The maximum length of one line of a reply, in bytes. RFC 5321 §4.5.3.1.5 allows 512; some servers send more.
const MAX_LINE_BYTES: u64 = 8_192;
/// The maximum number of lines of one reply.
const MAX_LINES: usize = 128;
/// The maximum length of the text that [`Reply`] displays, in characters.
const MAX_TEXT_CHARS: usize = 300;

/// A reply of an SMTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The reply code, 100 to 999.
    pub(crate) code: u16,
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
    /// byte, or none, ends the reply.
    ///
    /// # Errors
    /// [`ReplyError::Closed`] if the stream ends before the reply does, and [`ReplyError::Unparsable`] if a line does
    /// not start with a code, or if the reply is too long.
    pub(crate) async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Self, ReplyError> {
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            let mut line = Vec::new();
            (&mut *stream).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await.map_err(ReplyError::Closed)?;
            if line.last() != Some(&b'\n') {
                let is_too_long = line.len() as u64 == MAX_LINE_BYTES;
                let end = io::ErrorKind::UnexpectedEof;
                return Err(if is_too_long { ReplyError::Unparsable } else { ReplyError::Closed(end.into()) });
            }
            let (code, is_last, text) = parse_line(&line).ok_or(ReplyError::Unparsable)?;
            lines.push(text);
            if is_last {
                return Ok(Self { code, lines });
            }
        }
        Err(ReplyError::Unparsable)
    }

    /// Returns the enhanced status code at the start of the text, if there is one.
    pub(crate) fn enhanced_code(&self) -> Option<EnhancedCode> {
        EnhancedCode::parse(self.lines.first()?.split_whitespace().next()?)
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
        let repeated = self.enhanced_code().and_then(|_| self.lines.first()?.split_whitespace().next());
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
        let bytes: [(&[u8], &str); 9] = [
            (b"250\r\n", "250"),
            (b"250 \r\n", "250"),
            (b"250 OK\n", "250 OK"),
            (b"250\t2.0.0\r\r\n", "250 2.0.0"),
            (b"250 \xb2\xe2\xca\xd4\r\n", "250 \u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"220 M\xfcller ESMTP\r\n", "220 M\u{fffd}ller ESMTP"),
            (b"250 a\0b\x1b[31m\r\n", "250 ab[31m"),
            (b"250-\r\n250\r\n", "250"),
            (b"550-5.1.1 No such\r\n550 5.1.1 user\r\n", "550 5.1.1 No such user"),
        ];
        for (bytes, shown) in bytes {
            assert_eq!(read(bytes).await.unwrap().to_string(), shown, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_a_reply_is_an_error() {
        let long = [b"250 ".as_slice(), &[b'x'; 10_000], b"\r\n"].concat();
        let endless = b"250-x\r\n".repeat(200);
        for bytes in [b"".as_slice(), b"25", b"250 OK", b"250-more\r\n"] {
            assert!(matches!(read(bytes).await, Err(ReplyError::Closed(_))), "{bytes:?}");
        }
        for bytes in
            [b"\r\n".as_slice(), b"OK\r\n", b"2x0 OK\r\n", b"\x16\x03\x01\n", b"250-a\r\nb\r\n", &long, &endless]
        {
            assert!(matches!(read(bytes).await, Err(ReplyError::Unparsable)), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn enhanced_code_is_read_from_the_start_of_the_text() {
        for (text, expected) in [
            ("550 5.7.501 no\r\n", Some((5, 7, 501))),
            ("550-4.2.1 a\r\n550 b\r\n", Some((4, 2, 1))),
            ("550 5.1.1\r\n", Some((5, 1, 1))),
            ("550 <5.1.1> no\r\n", None),
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
