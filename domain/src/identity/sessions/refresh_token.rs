//! Refresh tokens: their text form and their authentication.
//!
//! A refresh token is `sid.generation.mac`. `mac` is an HMAC of the session's id, the generation and the session's
//! nonce under the server key. So the database holds no refresh token.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portico_entity::{SessionId, session};
use uuid::Uuid;

use crate::platform::{app::App, error::Result, keys::KeyUse, secret::PlainToken};

/// The parts of a text that has the form of a refresh token. Nothing in it is verified.
pub(super) struct ParsedRefreshToken {
    /// The id of the session that the token names.
    pub(super) session: SessionId,
    /// The generation that the token names; 0 or more.
    pub(super) generation: i32,
    /// The MAC, which [`is_authentic`] verifies.
    mac: Vec<u8>,
}

/// Returns the refresh token of the session's current generation, derived from the newest server key.
pub(super) fn make(app: &App, session: &session::Model) -> Result<PlainToken> {
    let (sid, generation) = (session.id.0, session.generation);
    let mac = app.keys().newest().mac(KeyUse::Refresh, &parts(session, generation).each_ref().map(Vec::as_slice));
    Ok(PlainToken::new(write(sid, generation, &mac)))
}

fn write(sid: Uuid, generation: i32, mac: &[u8]) -> String {
    format!("{}.{generation}.{}", sid.simple(), BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// Parses a refresh token. Returns `None` when `token` is not exactly the text that [`make`] would write for its
/// parts.
///
/// The result is not verified; [`is_authentic`] does that.
pub(super) fn parse(token: &PlainToken) -> Option<ParsedRefreshToken> {
    let mut parts = token.reveal().split('.');
    let (sid, generation, mac) = (parts.next()?, parts.next()?, parts.next()?);
    let parsed = ParsedRefreshToken {
        session: SessionId(Uuid::try_parse(sid).ok()?),
        generation: generation.parse().ok()?,
        mac: BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?,
    };
    Some(parsed).filter(|parsed| parsed.generation >= 0 && token.reveal() == parsed.encode())
}

impl ParsedRefreshToken {
    /// Returns the token's text.
    pub(super) fn encode(&self) -> String {
        write(self.session.0, self.generation, &self.mac)
    }
}

/// Returns whether the token was made for `session` with one of the server keys, at the generation that the token
/// names. The comparison takes constant time.
pub(super) fn is_authentic(app: &App, parsed: &ParsedRefreshToken, session: &session::Model) -> bool {
    let parts = parts(session, parsed.generation);
    app.keys().verify(KeyUse::Refresh, &parts.each_ref().map(Vec::as_slice), &parsed.mac)
}

/// The values that the MAC covers: session id, generation as 4 bytes big-endian, and the session's nonce.
fn parts(session: &session::Model, generation: i32) -> [Vec<u8>; 3] {
    [session.id.0.as_bytes().to_vec(), generation.to_be_bytes().to_vec(), session.nonce.clone().into_bytes()]
}
