//! A login that a staff user approves in a browser on this machine.

use std::time::Duration;

use portico_domain::{
    identity::cli_logins::{CodeVerifier, LoginState},
    platform::{actor::Permission, random::Random},
};
use serde_json::json;
use tokio::time::timeout;
use url::Url;

use super::{
    api_client::{ApiClient, Credentials},
    api_request::ApiRequest,
    api_token::CreatedToken,
    callback_server::{CallbackServer, Page},
    failure::{Failure, Result},
    terminal,
};

/// The page on which a staff user approves a login.
const APPROVAL_PAGE: &str = "/console/approve-login";
/// How long the command waits for the approval.
const APPROVAL_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Prints the address of the approval page, hands it to `open`, waits for the approval, and returns the API token of
/// the login. The token has the name `token_name`.
///
/// # Errors
/// A failure with the exit code 1 if no port is free, or if the login is denied or is not approved within ten minutes;
/// as for [`ApiClient::send`] if the server does not answer with a token.
pub(super) async fn run(client: &ApiClient, token_name: &str, open: impl FnOnce(&str)) -> Result<String> {
    let (verifier, state) = (CodeVerifier::generate(Random), LoginState::generate(Random));
    let mut server = CallbackServer::start(state.clone()).await?;
    let url = approval_page(client, server.port, &state, &verifier, token_name);
    terminal::note(format!(
        "Approve the login in a browser on this machine:\n{url}\nWaiting for the approval. Without a browser here, stop \
         with Ctrl-C and use --email."
    ));
    open(url.as_str());
    let token = match timeout(APPROVAL_TIMEOUT, wait(client, &mut server, &verifier)).await {
        Ok(token) => token,
        Err(_) => Err(Failure::failed("the login was not approved within 10 minutes")),
    };
    server.close().await;
    token
}

/// Returns the address of the approval page. It asks for every scope; the page leaves out those that the role of the
/// staff user does not give.
fn approval_page(client: &ApiClient, port: u16, state: &LoginState, verifier: &CodeVerifier, name: &str) -> Url {
    let scopes: Vec<_> = Permission::ALL.into_iter().filter(|scope| scope.is_scope()).map(Permission::name).collect();
    let query = [
        ("port", port.to_string()),
        ("state", state.as_str().to_owned()),
        ("code_challenge", verifier.challenge().as_str().to_owned()),
        ("name", name.to_owned()),
        ("scopes", scopes.join(",")),
    ];
    client.url.join(APPROVAL_PAGE, &query)
}

/// Exchanges each code that a browser brings, until the server accepts one or the staff user denies the login.
async fn wait(client: &ApiClient, server: &mut CallbackServer, verifier: &CodeVerifier) -> Result<String> {
    loop {
        let callback = server.next().await?;
        let Some(code) = callback.code else {
            let _ = callback.answer.send(Page::Denied);
            return Err(Failure::failed("the login was denied in the browser"));
        };
        let body = json!({ "code": code, "code_verifier": verifier.reveal() });
        let request = ApiRequest::post("/api/staff/cli-logins/exchange").json(&body);
        let exchanged = client.send(&request, Credentials::default()).await;
        let token = exchanged.and_then(|answer| answer.parse::<CreatedToken>());
        let is_refused = |failure: &Failure| failure.has_code("invalid_code") || failure.has_code("too_many_requests");
        let page = match &token {
            Ok(_) => Page::LoggedIn,
            Err(failure) if is_refused(failure) => Page::Refused,
            Err(_) => Page::Failed,
        };
        // The browser may have closed the connection.
        let _ = callback.answer.send(page);
        if page != Page::Refused {
            return token.map(|created| created.token);
        }
        terminal::note("The server has refused the code. Approve the login again.");
    }
}
