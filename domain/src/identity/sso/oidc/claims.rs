//! The claims that ID tokens and logout tokens have in common (RFC 7519 §4.1).

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::{failure::OidcError, jwks::Key};
use crate::{identity::sso::provider::Provider, platform::clock::Time};

/// How much the clock of a provider may differ from ours.
pub(super) const CLOCK_LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How old a token may be.
pub(super) const MAX_TOKEN_AGE: TimeDelta = TimeDelta::minutes(10);
/// The longest subject, session id and token id, in bytes (OpenID Connect Core §2).
const MAX_ID_BYTES: usize = 255;

/// The claims of a token whose signature was verified.
pub(super) struct Claims(pub(super) Map<String, Value>);

impl Claims {
    /// Returns the text `name`; `None` if the claim is absent or not a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Returns the identifier `name`.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if it is present, but empty, longer than 255 bytes or not a text.
    pub(super) fn id(&self, name: &str, wrong: &'static str) -> Result<Option<String>, OidcError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(id)) if (1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains(char::is_control) => {
                Ok(Some(id.clone()))
            }
            Some(_) => Err(OidcError::Refused(wrong)),
        }
    }

    /// Returns the time `name`, in whole seconds.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if it is present, but not a whole number of seconds that a clock can show.
    pub(super) fn time(&self, name: &str) -> Result<Option<Time>, OidcError> {
        let wrong = OidcError::Refused("a time in the token is malformed");
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => {
                let seconds = value.as_i64().filter(|seconds| (0..=i64::from(u32::MAX)).contains(seconds));
                let time = seconds.and_then(|seconds| Time::from_timestamp(seconds, 0));
                time.map(Some).ok_or(wrong)
            }
        }
    }

    /// Checks that the provider issued the token for us and recently, with a key that may sign for this issuer.
    /// Returns the issuer and the time of issue and of expiry.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if one of the claims `iss`, `aud`, `exp`, `iat` and `nbf` is missing or wrong.
    pub(super) fn check(&self, provider: &Provider, key: &Key, now: Time) -> Result<Checked, OidcError> {
        let issuer = self.text("iss").and_then(|issuer| provider.issuer.of_token(issuer, self.text("tid")));
        let issuer = issuer.ok_or(OidcError::Refused("the token has another issuer"))?;
        if key.issuer.as_ref().is_some_and(|of_key| !provider.issuer.may_sign(of_key, &issuer)) {
            return Err(OidcError::Refused("the key of the token belongs to another issuer"));
        }
        if !self.audiences().contains(&&*provider.client_id) {
            return Err(OidcError::Refused("the token is for another audience"));
        }
        let expires_at = self.time("exp")?.ok_or(OidcError::Refused("the token has no time of expiry"))?;
        if expires_at <= now - CLOCK_LEEWAY {
            return Err(OidcError::Refused("the token has expired"));
        }
        let issued_at = self.time("iat")?.ok_or(OidcError::Refused("the token has no time of issue"))?;
        if issued_at > now + CLOCK_LEEWAY || issued_at < now - MAX_TOKEN_AGE - CLOCK_LEEWAY {
            return Err(OidcError::Refused("the token was not issued recently"));
        }
        if self.time("nbf")?.is_some_and(|not_before| not_before > now + CLOCK_LEEWAY) {
            return Err(OidcError::Refused("the token is not valid yet"));
        }
        Ok(Checked { issuer, issued_at, expires_at })
    }

    /// Returns the audiences. None if the claim is neither a text nor an array of texts.
    pub(super) fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(audiences)) => {
                audiences.iter().map(Value::as_str).collect::<Option<_>>().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

/// What [`Claims::check`] found.
pub(super) struct Checked {
    /// The issuer as it is stored.
    pub(super) issuer: String,
    /// When the token was issued.
    pub(super) issued_at: Time,
    /// When the token expires.
    pub(super) expires_at: Time,
}
