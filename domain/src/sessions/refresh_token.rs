//! Refresh tokens: `sid.generation.mac`, derived from the session's row, so that nothing is stored that could be used.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portico_entity::{SessionId, session};
use uuid::Uuid;

use crate::{app::App, error::Result, keys::KeyUse, secret::PlainToken};

/// What a refresh token claims to be.
pub(super) struct ParsedRefreshToken {
    pub(super) session: SessionId,
    pub(super) generation: i32,
    mac: Vec<u8>,
}

/// The refresh token of the session's present generation.
pub(super) fn make(app: &App, session: &session::Model) -> Result<PlainToken> {
    let (sid, generation) = (session.id.0, session.generation);
    let mac = app.keys().newest().mac(KeyUse::Refresh, &parts(session, generation).each_ref().map(Vec::as_slice));
    Ok(PlainToken::new(write(sid, generation, &mac)))
}

fn write(sid: Uuid, generation: i32, mac: &[u8]) -> String {
    format!("{}.{generation}.{}", sid.simple(), BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// Reads a refresh token, in the one way that it is written; whether it is real [`is_authentic`] tells.
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
    pub(super) fn encode(&self) -> String {
        write(self.session.0, self.generation, &self.mac)
    }
}

/// Whether a refresh token was made by us for this session, at the generation that it names.
pub(super) fn is_authentic(app: &App, parsed: &ParsedRefreshToken, session: &session::Model) -> bool {
    let parts = parts(session, parsed.generation);
    app.keys().verify(KeyUse::Refresh, &parts.each_ref().map(Vec::as_slice), &parsed.mac)
}

fn parts(session: &session::Model, generation: i32) -> [Vec<u8>; 3] {
    [session.id.0.as_bytes().to_vec(), generation.to_be_bytes().to_vec(), session.nonce.clone().into_bytes()]
}
