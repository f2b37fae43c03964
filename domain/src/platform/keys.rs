//! The server keys (`PORTICO_SECRET`) and the keys that are derived from them.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::platform::random::Random;

/// The purpose of a derived key. Each purpose has its own HKDF label, so a value that was derived for one purpose is
/// not valid for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// The secrets of mailed links.
    Link,
    /// Six-digit sign-in codes.
    Code,
    /// The keyed hashes of codes, which the database stores.
    CodeHash,
    /// The refresh tokens.
    Refresh,
    /// The cookie that marks a known device in the portal.
    Device,
    /// The cookie that marks a known device of a staff user.
    StaffDevice,
    /// The keyed hashes of addresses whose devices were forgotten, so that `device_cutoffs` contains no addresses.
    DeviceCutoff,
    /// The keyed hashes of the subjects of rate limits, so that `rate_limits` contains no addresses.
    RateLimit,
    /// The seeds of the signing keys of access tokens.
    Signing,
    /// The keyed hashes of mail servers, so that `mail_holds` contains no password.
    MailServer,
    /// The MACs of the events of the audit log.
    AuditSeal,
    /// The MACs of the heads and anchors of the chains of the audit log.
    AuditAnchor,
    /// The keys that seal stored secrets.
    Sealed,
    /// The fingerprint of a server key.
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
            Self::DeviceCutoff => b"portico device cutoff v1",
            Self::RateLimit => b"portico rate limit v1",
            Self::Signing => b"portico signing v1",
            Self::MailServer => b"portico mail server v1",
            Self::AuditSeal => b"portico audit seal v1",
            Self::AuditAnchor => b"portico audit anchor v1",
            Self::Sealed => b"portico sealed v1",
            Self::Fingerprint => b"portico fingerprint v1",
        }
    }
}

/// A server key: one entry of `PORTICO_SECRET`.
#[derive(Clone)]
pub struct Key {
    material: Zeroizing<Vec<u8>>,
    fingerprint: String,
}

impl Key {
    /// Creates a key from its material, which must be at least 32 random bytes.
    fn new(material: Vec<u8>) -> Self {
        let mut key = Self { material: Zeroizing::new(material), fingerprint: String::new() };
        key.fingerprint = hex::encode(&key.mac(KeyUse::Fingerprint, &[])[..8]);
        key
    }

    /// Returns the fingerprint of the key: 16 hexadecimal digits. A row stores it to identify the key that its secret
    /// was derived from. The key cannot be computed from the fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the HMAC-SHA-256 (RFC 2104) of `parts` under the key that HKDF-SHA-256 (RFC 5869) derives for `purpose`.
    /// Each part is preceded by its length in bytes, so two different lists of parts are never hashed as the same
    /// bytes.
    pub fn mac(&self, purpose: KeyUse, parts: &[&[u8]]) -> [u8; 32] {
        let derived = self.derive::<64>(purpose);
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*derived).into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Returns the key of `N` bytes that HKDF-SHA-256 (RFC 5869) derives for `purpose`.
    pub(super) fn derive<const N: usize>(&self, purpose: KeyUse) -> Zeroizing<[u8; N]> {
        const { assert!(N <= 8160, "HKDF-SHA-256 gives at most 8160 bytes") };
        let mut derived = Zeroizing::new([0; N]);
        #[expect(clippy::expect_used, reason = "the length is checked at compile time")]
        Hkdf::<Sha256>::new(None, &self.material)
            .expand(purpose.label(), &mut derived[..])
            .expect("a valid HKDF output length");
        derived
    }
}

/// The list of server keys. The newest key derives new values; every key of the list verifies values. The `Debug`
/// output contains only the number of keys.
#[derive(Clone)]
pub struct ServerKeys {
    newest: Key,
    older: Vec<Key>,
}

impl ServerKeys {
    /// Parses a comma-separated list of keys in base64 (RFC 4648 §4), each of at least 32 bytes, the newest first.
    ///
    /// # Errors
    /// A clause that says which entry is wrong and why. It does not contain the entry.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut keys = list.split(',').enumerate().map(|(index, entry)| parse_entry(index + 1, entry.trim()));
        let newest = keys.next().unwrap_or_else(|| Err("is empty".into()))?;
        Ok(Self { newest, older: keys.collect::<Result<_, _>>()? })
    }

    /// Returns the text of a list with one new random key of 32 bytes, in the form that [`parse`](Self::parse) reads.
    pub fn generate(random: Random) -> String {
        BASE64_STANDARD.encode(random.bytes::<32>())
    }

    /// Returns the key that derives new values.
    pub fn newest(&self) -> &Key {
        &self.newest
    }

    /// Returns the key with this fingerprint; `None` if it is not, or no longer, in the list.
    pub fn by_fingerprint(&self, fingerprint: &str) -> Option<&Key> {
        self.all().find(|key| key.fingerprint == fingerprint)
    }

    /// Returns the fingerprints of all keys of the list.
    pub fn fingerprints(&self) -> impl Iterator<Item = &str> {
        self.all().map(Key::fingerprint)
    }

    /// Returns whether `mac` is the result of [`Key::mac`] for `purpose` and `parts` under any key of the list. Each
    /// comparison takes constant time.
    pub fn verify(&self, purpose: KeyUse, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.all().any(|key| bool::from(key.mac(purpose, parts).ct_eq(mac)))
    }

    /// Returns every key of the list, the newest first.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

fn parse_entry(number: usize, entry: &str) -> Result<Key, String> {
    let bytes = BASE64_STANDARD.decode(entry).map_err(|_| format!("entry {number} is not base64"))?;
    if bytes.len() < 32 {
        return Err(format!("entry {number} has {} bytes; the minimum is 32", bytes.len()));
    }
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(format!("entry {number} is not random: it repeats one byte"));
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
    fn newest_key_derives_and_every_key_verifies() {
        let old = ServerKeys::parse(&list(&[1])).unwrap();
        let both = ServerKeys::parse(&list(&[2, 1])).unwrap();
        let mac = old.newest().mac(KeyUse::Refresh, &[b"a"]);
        assert!(both.verify(KeyUse::Refresh, &[b"a"], &mac));
        assert!(!both.verify(KeyUse::Device, &[b"a"], &mac), "each purpose has its own key");
        assert!(!both.verify(KeyUse::Refresh, &[b"", b"a"], &mac), "parts are separated");
        assert_ne!(both.newest().mac(KeyUse::Refresh, &[b"a"]), mac);
        assert!(both.by_fingerprint(old.newest().fingerprint()).is_some());
        assert!(old.by_fingerprint(both.newest().fingerprint()).is_none());
    }

    #[test]
    fn weak_keys_are_refused_and_not_shown_in_the_error() {
        for (weak, why) in
            [("", "32"), ("c2hvcnQ=", "32"), ("!!", "base64"), (&BASE64_STANDARD.encode([7; 32]), "random")]
        {
            let error = ServerKeys::parse(weak).unwrap_err();
            assert!(error.contains(why) && (weak.is_empty() || !error.contains(weak)), "{error}");
        }
    }
}
