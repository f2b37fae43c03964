//! The server key, `PORTICO_SECRET`, and everything derived from it.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{random::Random, secret::hex};

/// What a derived key is for. Each has an HKDF label of its own, so a value made for one purpose is noise to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Secrets of mailed links.
    Link,
    /// Six-digit codes.
    Code,
    /// What the database holds of a code.
    CodeHash,
    /// Refresh tokens.
    Refresh,
    /// The cookie of a device known in the portal.
    Device,
    /// The cookie of a device known to staff.
    StaffDevice,
    /// Subjects of rate_limits, so that no address stands in that table.
    RateLimit,
    /// Seeds of the keys that sign access tokens.
    Signing,
    /// Which entry of the list a key is.
    Fingerprint,
}

impl KeyUse {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Link => b"portico link v1",
            Self::Code => b"portico code v1",
            Self::CodeHash => b"portico code hash v1",
            Self::Refresh => b"portico refresh v1",
            Self::Device => b"portico device v1",
            Self::StaffDevice => b"portico staff device v1",
            Self::RateLimit => b"portico rate limit v1",
            Self::Signing => b"portico signing v1",
            Self::Fingerprint => b"portico fingerprint v1",
        }
    }
}

/// One entry of `PORTICO_SECRET`.
#[derive(Clone)]
pub struct Key {
    material: Zeroizing<Vec<u8>>,
    fingerprint: String,
}

impl Key {
    /// At least 32 bytes of randomness.
    fn new(material: Vec<u8>) -> Self {
        let mut key = Self { material: Zeroizing::new(material), fingerprint: String::new() };
        key.fingerprint = hex(&key.mac(KeyUse::Fingerprint, &[])[..8]);
        key
    }

    /// 16 characters by which a row remembers which entry its secret came from; says nothing about the key.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// HMAC-SHA-256 (RFC 2104) of `parts`, each preceded by its length, under the key derived for `purpose` by HKDF
    /// (RFC 5869).
    pub fn mac(&self, purpose: KeyUse, parts: &[&[u8]]) -> [u8; 32] {
        let mut derived = Zeroizing::new([0; 64]);
        #[expect(clippy::expect_used, reason = "64 bytes are far below the 8160 that HKDF-SHA-256 can give")]
        Hkdf::<Sha256>::new(None, &self.material).expand(purpose.label(), &mut derived[..]).expect("length");
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*derived).into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The list of keys: the first makes, all verify.
#[derive(Clone)]
pub struct ServerKeys {
    newest: Key,
    older: Vec<Key>,
}

impl ServerKeys {
    /// From a comma list of base64, each 32 bytes or more; the newest first.
    ///
    /// # Errors
    /// A sentence that says which entry is wrong and why, without the entry.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut keys = list.split(',').enumerate().map(|(index, entry)| parse_entry(index + 1, entry.trim()));
        let newest = keys.next().unwrap_or_else(|| Err("is empty".into()))?;
        Ok(Self { newest, older: keys.collect::<Result<_, _>>()? })
    }

    /// The text of a new list of one random key.
    pub fn generate(random: Random) -> String {
        BASE64_STANDARD.encode(random.bytes::<32>())
    }

    /// The key that makes.
    pub fn newest(&self) -> &Key {
        &self.newest
    }

    /// The key of that fingerprint, unless it has been taken from the list.
    pub fn by_fingerprint(&self, fingerprint: &str) -> Option<&Key> {
        self.all().find(|key| key.fingerprint == fingerprint)
    }

    /// Whether any of the keys gives `mac` for `parts`, in constant time.
    pub fn verify(&self, purpose: KeyUse, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.all().any(|key| bool::from(key.mac(purpose, parts).ct_eq(mac)))
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

fn parse_entry(number: usize, entry: &str) -> Result<Key, String> {
    let bytes = BASE64_STANDARD.decode(entry).map_err(|_| format!("entry {number} is not base64"))?;
    if bytes.len() < 32 {
        return Err(format!("entry {number} has {} bytes, and 32 is the least", bytes.len()));
    }
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(format!("entry {number} is one byte over and over, not random"));
    }
    Ok(Key::new(bytes))
}

impl fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKeys({})", 1 + self.older.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[u8]) -> String {
        let entry = |n: &u8| BASE64_STANDARD.encode((0..32).map(|i| i ^ n).collect::<Vec<u8>>());
        entries.iter().map(entry).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn the_first_makes_and_all_verify() {
        let old = ServerKeys::parse(&list(&[1])).unwrap();
        let both = ServerKeys::parse(&list(&[2, 1])).unwrap();
        let mac = old.newest().mac(KeyUse::Refresh, &[b"a"]);
        assert!(both.verify(KeyUse::Refresh, &[b"a"], &mac));
        assert!(!both.verify(KeyUse::Device, &[b"a"], &mac), "each use has its own key");
        assert!(!both.verify(KeyUse::Refresh, &[b"", b"a"], &mac), "parts do not run together");
        assert_ne!(both.newest().mac(KeyUse::Refresh, &[b"a"]), mac);
        assert!(both.by_fingerprint(old.newest().fingerprint()).is_some());
        assert!(old.by_fingerprint(both.newest().fingerprint()).is_none());
    }

    #[test]
    fn weak_keys_are_refused_without_being_shown() {
        for (weak, why) in
            [("", "32"), ("c2hvcnQ=", "32"), ("!!", "base64"), (&BASE64_STANDARD.encode([7; 32]), "random")]
        {
            let error = ServerKeys::parse(weak).unwrap_err();
            assert!(error.contains(why) && (weak.is_empty() || !error.contains(weak)), "{error}");
        }
    }
}
