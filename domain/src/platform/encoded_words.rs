//! Encoded words (RFC 2047): texts in other character sets within a header of a mail, such as
//! `=?utf-8?q?Z=C3=BCrich?=`.
//!
//! Names that contain them are checked as a mail program may show them. Mail programs decode more than the standard
//! allows, each in its own way, so this decoder is lenient: words may stand in other words and next to each other, have
//! a language (RFC 2231 §5), and contain what is not base64.

use std::mem::take;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use charset::Charset;

/// How many times decoded text is decoded again.
const MAX_DEPTH: usize = 5;
/// Base64 as a lenient program reads it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Returns `text` with every encoded word decoded.
///
/// Returns `None` if a mail program may show something that cannot be told: a character set is unknown, or decoded
/// words contain words again and again.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..MAX_DEPTH {
        match decode_once(&text)? {
            Some(decoded) => text = decoded,
            None => return Some(text),
        }
    }
    None
}

/// Returns `text` with its encoded words decoded; `Some(None)` if it has none.
fn decode_once(text: &str) -> Option<Option<String>> {
    let (mut decoded, mut rest, mut word_count) = (String::new(), text, 0);
    // The bytes of adjacent words of one character set, which may divide a character between them.
    let mut pending: Option<(Charset, Vec<u8>)> = None;
    while let Some(start) = rest.find("=?") {
        let Some(word) = Word::parse(&rest[start..]) else {
            decoded.push_str(&flush(&mut pending));
            decoded.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        let (between, charset) = (&rest[..start], Charset::for_label_no_replacement(word.charset.as_bytes())?);
        let is_adjacent = pending.is_some() && between.trim().is_empty();
        if !is_adjacent || pending.as_ref().is_some_and(|(previous, _)| *previous != charset) {
            decoded.push_str(&flush(&mut pending));
        }
        if !is_adjacent {
            decoded.push_str(between);
        }
        pending.get_or_insert((charset, Vec::new())).1.extend(word.bytes());
        rest = &rest[start + word.length..];
        word_count += 1;
    }
    decoded.push_str(&flush(&mut pending));
    decoded.push_str(rest);
    Some((word_count > 0).then_some(decoded))
}

fn flush(pending: &mut Option<(Charset, Vec<u8>)>) -> String {
    let Some((charset, bytes)) = take(pending) else { return String::new() };
    // A byte order mark is text here, as most mail programs take it.
    charset.decode_without_bom_handling(&bytes).0.into_owned()
}

/// An encoded word: `=?charset*language?encoding?content?=`.
struct Word<'a> {
    charset: &'a str,
    is_base64: bool,
    content: &'a str,
    /// The length of the word, in bytes.
    length: usize,
}

impl<'a> Word<'a> {
    /// Parses the word at the start of `text`.
    fn parse(text: &'a str) -> Option<Self> {
        let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let (content, rest) = rest.split_once("?=")?;
        let is_base64 = match encoding {
            "b" | "B" => true,
            "q" | "Q" => false,
            _ => return None,
        };
        let charset = label.split('*').next().filter(|charset| !charset.is_empty() && !charset.contains(' '))?;
        Some(Self { charset, is_base64, content, length: text.len() - rest.len() })
    }

    fn bytes(&self) -> Vec<u8> {
        if self.is_base64 {
            let mut digits: Vec<u8> = self
                .content
                .bytes()
                .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
                .collect();
            // A single digit at the end has too few bits for a byte.
            if digits.len() % 4 == 1 {
                digits.pop();
            }
            return BASE64.decode(digits).unwrap_or_default();
        }
        let (mut bytes, mut rest) = (Vec::new(), self.content.as_bytes());
        while let Some((first, tail)) = rest.split_first() {
            let hexadecimal = tail.get(..2).and_then(|digits| hex::decode(digits).ok());
            match (first, hexadecimal) {
                (b'=', Some(byte)) => {
                    bytes.extend(byte);
                    rest = &tail[2..];
                }
                (b'_', _) => {
                    bytes.push(b' ');
                    rest = tail;
                }
                _ => {
                    bytes.push(*first);
                    rest = tail;
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_as_a_lenient_mail_program_does() {
        for (text, shown) in [
            ("Acme", "Acme"),
            ("What =? Ltd", "What =? Ltd"),
            ("=?x?=", "=?x?="),
            ("=?utf-8?q?Z=C3=BCrich_AG?=", "Zürich AG"),
            ("=?UTF-8?B?WsO8cmljaA==?=", "Zürich"),
            ("=?iso-8859-1?Q?Z=FCrich?=", "Zürich"),
            ("=?utf-8*en?q?a?= =?utf-8?q?b?= c", "ab c"),
            ("=?utf-8?b?WsM=?= =?utf-8?b?vHJpY2g?=", "Zürich"),
            ("a=?utf-8?q?b?=c=?utf-8?q?d?=", "abcd"),
            ("=?utf-8?b?Y Q=!=?=", "a"),
            ("=?utf-8?q?=2Ex?=", ".x"),
            ("=?utf-8?q??=", ""),
            ("=?utf-8?b?PT91dGYtOD9xP2E/PQ==?=", "a"),
            ("=?utf-8?q?=?=", "="),
        ] {
            assert_eq!(decode(text).as_deref(), Some(shown), "{text}");
        }
        for unknown in ["=?x-unknown?q?a?=", "=?cp037?q?a?=", "=?iso-2022-kr?q?a?=", "=?hz-gb-2312?q?a?="] {
            assert_eq!(decode(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn words_in_words_end() {
        let nested = (0..9)
            .fold("a".to_owned(), |inner, _| format!("=?utf-8?b?{}?=", base64::prelude::BASE64_STANDARD.encode(inner)));
        assert_eq!(decode(&nested), None);
    }
}
