//! Stored secrets that Portico must be able to read again, such as the secret of an authenticator app.
//!
//! A sealed secret is encrypted by an entry of `PORTICO_SECRET`, so the database alone does not contain it. Other
//! secrets are not stored: they are derived again when they are needed, or only their hash is stored.

mod reseal;

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::platform::{
    app::App,
    error::{Error, Result},
    keys::{Key, KeyUse},
};

pub use reseal::{ResealSecrets, SealedTables, count_without_key, reseal};

/// The number of bytes of a nonce of XChaCha20-Poly1305.
const NONCE_BYTES: usize = 24;

/// A sealed secret, as two columns store it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// The nonce and the ciphertext with its tag, in base64 (RFC 4648 §4) without padding.
    pub(crate) text: String,
    /// The fingerprint of the entry of `PORTICO_SECRET` that sealed the secret.
    pub(crate) key_fingerprint: String,
}

/// The row that a sealed secret belongs to. In another row, or in another table, the secret cannot be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedRow {
    /// The name of the table.
    pub(crate) table: &'static str,
    /// The primary key.
    pub(crate) id: Uuid,
}

impl SealedRow {
    /// The bytes to which the ciphertext is bound.
    fn associated_data(self) -> Vec<u8> {
        [self.table.as_bytes(), b"\0", self.id.as_bytes()].concat()
    }
}

/// Seals `secret` for `row` by the first entry of `PORTICO_SECRET`, with XChaCha20-Poly1305 and a random nonce.
///
/// # Errors
/// `internal` if the secret is too long for the cipher, which no secret of Portico is.
pub(crate) fn seal(app: &App, row: SealedRow, secret: &[u8]) -> Result<Sealed> {
    let key = app.keys().newest();
    let nonce = app.random().bytes::<NONCE_BYTES>();
    let payload = Payload { msg: secret, aad: &row.associated_data() };
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::Internal("a secret is too long to be sealed".into()))?;
    let text = BASE64_STANDARD_NO_PAD.encode([&nonce[..], &ciphertext].concat());
    Ok(Sealed { text, key_fingerprint: key.fingerprint().into() })
}

/// Opens the sealed secret of `row`.
///
/// # Errors
/// `internal` if the entry that sealed it is not in `PORTICO_SECRET` any more, or if the text was changed or belongs to
/// another row.
pub(crate) fn open(app: &App, row: SealedRow, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |why| Error::Internal(format!("the secret of the row {} in {} {why}", row.id, row.table));
    let key = app.keys().by_fingerprint(&sealed.key_fingerprint);
    let key = key.ok_or_else(|| failed("was sealed by an entry that is not in PORTICO_SECRET"))?;
    let bytes = BASE64_STANDARD_NO_PAD.decode(&sealed.text).map_err(|_| failed("is not base64"))?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| failed("is too short"))?;
    let payload = Payload { msg: ciphertext, aad: &row.associated_data() };
    let opened = cipher(key).decrypt(&XNonce::from(*nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| failed("was changed or belongs to another row"))
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.derive::<32>(KeyUse::Sealed)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[tokio::test]
    async fn sealed_secret_opens_only_in_its_row_and_with_its_entry() {
        let app = testing::app().await;
        let row = SealedRow { table: "totp_secrets", id: app.new_id() };
        let sealed = seal(&app, row, b"secret").unwrap();
        assert_eq!(*open(&app, row, &sealed).unwrap(), b"secret");
        assert_ne!(sealed, seal(&app, row, b"secret").unwrap(), "the nonce is random");
        assert!(!format!("{sealed:?}").contains("secret"));

        assert!(open(&app, SealedRow { id: app.new_id(), ..row }, &sealed).is_err());
        assert!(open(&app, SealedRow { table: "other", ..row }, &sealed).is_err());
        assert!(open(&app.with_secret(OTHER), row, &sealed).is_err());
        let appended = app.with_secret(&format!("{OTHER},{}", testing::SECRET));
        assert_eq!(*open(&appended, row, &sealed).unwrap(), b"secret");
        for position in 0..sealed.text.len() {
            let mut text = sealed.text.clone();
            let replacement = if &text[position..=position] == "A" { "B" } else { "A" };
            text.replace_range(position..=position, replacement);
            assert!(open(&app, row, &Sealed { text, ..sealed.clone() }).is_err(), "{position}");
        }
        for text in ["", "AAAA", "ü", &sealed.text[..20]] {
            assert!(open(&app, row, &Sealed { text: text.into(), ..sealed.clone() }).is_err(), "{text}");
        }
    }
}
