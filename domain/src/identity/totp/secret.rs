//! The secret of an authenticator app.

use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::platform::{
    app::App,
    clock::Time,
    error::{Error, Result},
    secret::PlainToken,
};

/// The number of bytes of a secret: 160 bits, as RFC 4226 §4 recommends.
const SECRET_BYTES: usize = 20;
/// The length of a time step in seconds.
const STEP_SECONDS: u64 = 30;
/// How many steps before and after the current one are accepted.
const SKEW: u16 = 1;
/// The longest name in an `otpauth` URI, in characters. Apps show one line.
const MAX_LABEL_CHARS: usize = 60;

/// A secret of 160 bits. Its memory is overwritten when it is dropped. It has no `Debug`.
pub(super) struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// Returns a new random secret.
    pub(super) fn generate(app: &App) -> Self {
        Self(Zeroizing::new(app.random().bytes()))
    }

    /// Returns the secret with these bytes.
    ///
    /// # Errors
    /// `internal` if the length is wrong.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| Error::Internal("a TOTP secret has a wrong length".into()))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// Returns the bytes, to be sealed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// Returns the secret in base32 (RFC 4648 §6), for apps into which it is typed.
    pub(super) fn base32(&self) -> PlainToken {
        PlainToken::new(Secret::new_stack(*self.0).to_base32())
    }

    /// Returns the `otpauth` URI of the secret, which the QR code contains: the key URI format of Google Authenticator.
    ///
    /// `issuer` and `account` are what the app shows. Colons, which separate both in the label, are left out.
    ///
    /// # Errors
    /// `internal` if the library refuses the values.
    pub(super) fn uri(&self, issuer: &str, account: &str) -> Result<PlainToken> {
        let uri = self.totp(&label(issuer), &label(account))?.to_url();
        uri.map(PlainToken::new).map_err(|error| Error::Internal(format!("otpauth URI: {error}")))
    }

    /// Returns the step of which `code` is the code, among the steps that are accepted at the time `now`.
    pub(super) fn matching_step(&self, code: &PlainToken, now: Time) -> Option<i64> {
        let seconds = u64::try_from(now.timestamp()).ok()?;
        let step = self.totp("", "user").ok()?.check(code.reveal(), seconds)?;
        i64::try_from(step).ok()
    }

    fn totp(&self, issuer: &str, account: &str) -> Result<Totp> {
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(SKEW)
            .with_step_duration(STEP_SECONDS)
            .with_secret(Secret::new_stack(*self.0))
            .with_issuer((!issuer.is_empty()).then_some(issuer))
            .with_account_name(account);
        builder.build().map_err(|error| Error::Internal(format!("TOTP: {error}")))
    }
}

/// Returns a name without control characters and colons, at most [`MAX_LABEL_CHARS`] long, and never empty.
fn label(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control() && *c != ':').take(MAX_LABEL_CHARS).collect();
    let clean = clean.trim();
    if clean.is_empty() { "Portico".into() } else { clean.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn step(code: &str, seconds: i64) -> Option<i64> {
        secret().matching_step(&PlainToken::new(code), Time::from_timestamp(seconds, 0).unwrap())
    }

    #[test]
    fn mfa_08_codes_are_those_of_the_rfc_and_of_three_steps() {
        let codes = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, code) in codes {
            let expected = seconds / 30;
            for offset in [-30, 0, 30] {
                assert_eq!(step(code, seconds + offset), Some(expected), "{code} {offset}");
            }
            for offset in [-90, -60, 60, 90] {
                assert_eq!(step(code, seconds + offset), None, "{code} {offset}");
            }
        }
        for wrong in ["", "28708", "2870822", "287083", "２８７０８２", "28 70", "-87082", "1e5"] {
            assert_eq!(step(wrong, 59), None, "{wrong}");
        }
    }

    #[test]
    fn mfa_10_names_add_nothing_to_the_uri() {
        let names = [
            "Demo",
            "A: B?secret=AAAA&issuer=Evil",
            "https://evil.test/?secret=A#x",
            "\r\nSet-Cookie: a=b",
            "Ümlaut & Söhne 🦀",
            ":::",
            "",
            "%3Fsecret%3DAAAA",
            &"x".repeat(500),
        ];
        for name in names {
            let uri = secret().uri(name, "ann+test@x.test").unwrap();
            let parsed = url::Url::parse(uri.reveal()).unwrap();
            let values = |key: &str| {
                let pairs = parsed.query_pairs().filter(|(name, _)| name == key);
                pairs.map(|(_, value)| value.into_owned()).collect::<Vec<_>>()
            };
            assert_eq!(values("secret"), ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "{name}");
            assert_eq!(values("issuer"), [label(name)], "{name}");
            assert!(uri.reveal().is_ascii() && parsed.fragment().is_none(), "{name}");
            assert!(uri.reveal().len() < 1_000, "{name}");
        }
    }
}
