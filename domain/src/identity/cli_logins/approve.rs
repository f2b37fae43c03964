//! Approving a login of the command line.

use portico_entity::{CliLoginId, cli_login};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;
use url::Url;

use super::{CODE_TTL, CodeChallenge, LoginState};
use crate::{
    platform::{
        actor::{FreshStaffUser, Scopes, TokenOwner},
        app::App,
        audit,
        error::{Error, Result},
        name::Name,
        secret::PlainToken,
    },
    tenancy::api_tokens,
};

/// The address to which the browser takes the code. It is always this literal address, which no name server and no
/// hosts file can send elsewhere.
const REDIRECT: &str = "http://127.0.0.1/callback";

/// The input of [`approve`].
pub struct CliLogin {
    /// The port of the machine of the browser on which the program listens: 1024 to 65535.
    pub port: u16,
    /// What the program recognises the answer by.
    pub state: LoginState,
    /// The hash of the program's secret.
    pub challenge: CodeChallenge,
    /// The name of the token.
    pub name: Name,
    /// The permissions that the token may use.
    pub scopes: Scopes,
}

/// Approves a login, and returns the URL to which the browser goes. It carries a code that can be exchanged once within
/// a minute. There is no token yet.
///
/// # Errors
/// - `validation_failed` at `/scopes` with the field code `scope_not_allowed`: the role of the caller does not give one
///   of the scopes, or there is none.
/// - `unavailable` or `internal`: a database query failed.
pub async fn approve(app: &App, caller: &FreshStaffUser, login: CliLogin) -> Result<Url> {
    api_tokens::check_scopes(&login.scopes, &TokenOwner::StaffUser(caller.user.clone()))?;
    let (id, now) = (CliLoginId(app.new_id()), app.now());
    let code = PlainToken::from_bytes(&app.random().bytes());
    let scopes = login.scopes.to_text();
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let row = cli_login::ActiveModel {
        id: Set(id),
        session_id: Set(caller.session.id),
        code_hash: Set(code.hashed().0),
        code_challenge: Set(login.challenge.as_str().into()),
        name: Set(login.name.to_string()),
        scopes: Set(scopes.clone()),
        created_at: Set(now),
        expires_at: Set(now + CODE_TTL),
        used_at: Set(None),
    };
    row.insert(tx.db()).await?;
    let event = audit::Event::new("cli_login.approved").target("cli_login", id.0).tenant(caller.tenant.id);
    audit::record(&mut tx, &**caller, event.details(json!({ "scopes": scopes }))).await?;
    tx.commit().await?;
    redirect(login.port, &code, &login.state)
}

/// Returns the URL of the program's port, with the code and the state.
fn redirect(port: u16, code: &PlainToken, state: &LoginState) -> Result<Url> {
    let failed = || Error::Internal("the address of the machine is no URL".into());
    let mut url = Url::parse(REDIRECT).map_err(|_| failed())?;
    url.set_port(Some(port)).map_err(|()| failed())?;
    url.query_pairs_mut().append_pair("code", code.reveal()).append_pair("state", state.as_str());
    Ok(url)
}
