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
