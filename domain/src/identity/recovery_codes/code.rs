//! The text of a recovery code and its hash.

use scrypt::{Params, scrypt};

use crate::platform::{
    error::{Error, Result},
    secret::PlainToken,
};

/// The alphabet of Crockford's base32, without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The number of random bytes of a code: 80 bits.
const BYTES: usize = 10;
/// The number of characters of a code.
const CHARS: usize = BYTES * 8 / 5;
/// The cost of a hash: N = 2^12. It protects 80 random bits, and not a password.
const LOG_N: u8 = 12;

/// Returns the 16 characters of these random bytes.
pub(super) fn encode(bytes: [u8; BYTES]) -> PlainToken {
    let mut bits = bytes.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut text = [0u8; CHARS];
    for character in text.iter_mut().rev() {
        *character = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    PlainToken::new(text.iter().copied().map(char::from).collect::<String>())
}

/// Returns the code in groups of four characters, as pages show it.
pub(super) fn grouped(code: &PlainToken) -> PlainToken {
    let groups: Vec<_> = code.reveal().as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    PlainToken::new(groups.join("-"))
}

/// Returns the code that a user typed, without separators and with the characters that people confuse replaced, as
/// Crockford's base32 says; `None` if it does not have the form of a code.
pub(super) fn normalize(typed: &PlainToken) -> Option<PlainToken> {
    let mut code = String::with_capacity(CHARS);
    for c in typed.reveal().chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        if code.len() == CHARS || !c.is_ascii() || !ALPHABET.contains(&(c as u8)) {
            return None;
        }
        code.push(c);
    }
    (code.len() == CHARS).then(|| PlainToken::new(code))
}

/// Returns the scrypt hashes (RFC 7914) of the codes under `salt`, in hexadecimal. Runs on a thread for blocking work.
///
/// # Errors
/// `internal` if the work is cancelled because the process stops.
pub(super) async fn hash_all(salt: String, codes: Vec<PlainToken>) -> Result<Vec<String>> {
    let hashed = tokio::task::spawn_blocking(move || codes.iter().map(|code| hash(&salt, code)).collect());
    hashed.await.map_err(|error| Error::Internal(format!("hashing recovery codes: {error}")))?
}

fn hash(salt: &str, code: &PlainToken) -> Result<String> {
    let failed = || Error::Internal("scrypt refuses the parameters of recovery codes".into());
    let params = Params::new(LOG_N, 8, 1).map_err(|_| failed())?;
    let mut hash = [0; 32];
    scrypt(code.reveal().as_bytes(), salt.as_bytes(), &params, &mut hash).map_err(|_| failed())?;
    Ok(hex::encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mfa_07_codes_have_80_bits_and_are_read_as_people_type_them() {
        let code = encode([0xff, 0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0]);
        assert_eq!(code.reveal(), "ZW014D2PF2DBSQQG");
        assert_eq!(grouped(&code).reveal(), "ZW01-4D2P-F2DB-SQQG");
        for typed in ["ZW01-4D2P-F2DB-SQQG", "zw0l 4d2p f2db sqqg", " ZWOI4D2PF2DBSQQG\n", "z-w-0-1-4d2pf2dbsqqg"] {
            assert_eq!(normalize(&PlainToken::new(typed)).unwrap().reveal(), code.reveal(), "{typed}");
        }
        for typed in ["", "ZW01-4D2P-F2DB-SQQ", "ZW01-4D2P-F2DB-SQQGG", "UW01-4D2P-F2DB-SQQG", "ZW01-4D2P-F2DB-SQQÄ"] {
            assert!(normalize(&PlainToken::new(typed)).is_none(), "{typed}");
        }
    }

    #[tokio::test]
    async fn mfa_07_hash_depends_on_the_salt() {
        let codes = vec![encode([1; 10]), encode([2; 10])];
        let first = hash_all("a".into(), codes.clone()).await.unwrap();
        assert_eq!(first, hash_all("a".into(), codes.clone()).await.unwrap());
        assert_ne!(first, hash_all("b".into(), codes).await.unwrap());
        assert_ne!(first[0], first[1]);
    }
}
