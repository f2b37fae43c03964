//! The text of an API token: `pat_`, 40 random characters and a checksum of 6 characters.
//!
//! The random characters and the checksum are digits in base 62 (`0-9A-Za-z`, in this order of values). The checksum is
//! the CRC-32 (ISO-HDLC, as in zlib and PNG) of the 44 characters before it, in base 62, with leading zeros. A secret
//! scanner finds tokens by `pat_[0-9A-Za-z]{46}` and the checksum. The checksum is no protection: anyone can compute
//! it.

use crate::platform::{random::Random, secret::PlainToken};

/// How every token begins.
pub const PREFIX: &str = "pat_";
/// The digits in base 62.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of random characters: 238 bits.
const RANDOM_CHARS: usize = 40;
/// The number of characters of the checksum. 62⁶ is more than 2³².
const CHECKSUM_CHARS: usize = 6;
/// The number of characters by which people recognise a token. They are stored and shown.
const SHOWN_CHARS: usize = 12;

/// Returns a new token.
pub(super) fn generate(random: Random) -> PlainToken {
    let mut text = String::from(PREFIX);
    while text.len() < PREFIX.len() + RANDOM_CHARS {
        // 248 is the largest multiple of 62 in a byte. Larger values would make some digits more likely.
        let bytes = random.bytes::<64>();
        let digits = bytes.iter().filter(|byte| **byte < 248).map(|byte| digit(u32::from(*byte)));
        text.extend(digits.take(PREFIX.len() + RANDOM_CHARS - text.len()));
    }
    let checksum = checksum(&text);
    PlainToken::new(text + &checksum)
}

/// Returns the beginning of a token, by which people recognise it. The rest has 190 random bits.
pub(super) fn shown_prefix(token: &PlainToken) -> String {
    token.reveal().chars().take(SHOWN_CHARS).collect()
}

/// Returns whether the text is a token with the right checksum. Such a token may be unknown.
pub fn is_well_formed(token: &PlainToken) -> bool {
    let text = token.reveal();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let parts = text.strip_prefix(PREFIX).filter(|rest| is_digits(rest)).and_then(|rest| {
        let is_complete = rest.len() == RANDOM_CHARS + CHECKSUM_CHARS;
        if is_complete { text.split_at_checked(text.len() - CHECKSUM_CHARS) } else { None }
    });
    parts.is_some_and(|(body, given)| checksum(body) == given)
}

/// Returns the checksum of the text.
fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [char::from(ALPHABET[0]); CHECKSUM_CHARS];
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        rest /= 62;
    }
    digits.iter().collect()
}

/// Returns the last digit of a number in base 62.
fn digit(number: u32) -> char {
    // The remainder is below 62.
    ALPHABET.get((number % 62) as usize).map_or('0', |digit| char::from(*digit))
}

/// Returns the CRC-32 (ISO-HDLC): polynomial 0x04C11DB7 reflected, start and final XOR 0xFFFFFFFF.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn crc32_is_that_of_zlib() {
        // The check value of the algorithm, and zlib.crc32(b"") of Python.
        assert_eq!((crc32(b"123456789"), crc32(b"")), (0xCBF4_3926, 0));
    }

    #[test]
    fn checksum_has_six_digits_with_leading_zeros() {
        let body = "pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd";
        // Computed by Python: zlib.crc32(body), written in base 62.
        assert_eq!(checksum(body), "4GadE1");
        assert!((0..1_000).all(|n| checksum(&n.to_string()).len() == CHECKSUM_CHARS));
    }

    #[test]
    fn pat_01_a_token_has_its_form_and_every_change_breaks_the_checksum() {
        let (mut seen, mut characters) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..1_000 {
            let token = generate(Random);
            assert!(is_well_formed(&token) && token.reveal().len() == 50);
            assert!(seen.insert(token.reveal().to_owned()));
            characters.extend(token.reveal()[PREFIX.len()..44].chars());
        }
        assert_eq!(characters.len(), 62, "every digit occurs");
        let token = generate(Random).reveal().to_owned();
        let is_good = |text: String| is_well_formed(&PlainToken::new(text));
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
            assert!(!is_good(String::from_utf8(changed).unwrap()), "place {place}");
            assert!(!is_good(token[..place].to_owned()), "cut off at {place}");
        }
        for changed in [format!("{token}0"), format!(" {token}"), token.to_uppercase(), token.replace("pat_", "pat-")] {
            assert!(!is_good(changed));
        }
        assert!(!is_good(format!("pat_{}", "é".repeat(23))) && !is_good(String::new()));
    }
}
