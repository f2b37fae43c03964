//! `portico remote login`: stores a login of a server.

use std::{
    fs::DirBuilder,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use clap::Args;
use portico_domain::{entity::staff_user::Role, platform::actor::Permission};
use serde_json::{Value, json};

use super::{
    api_client::{ApiClient, Credentials},
    api_request::ApiRequest,
    api_token::{CreatedToken, PresentedToken},
    browser_login,
    context::Context,
    failure::{Failure, Result},
    output,
    profile::{Profile, ProfileFile},
    staff_session::{self, CodeSignIn},
    terminal, web_browser,
};
use crate::cli::output::time;

/// The lifetime of a token that a login creates.
const TOKEN_DAYS: u16 = 90;
/// The largest size of a profile that a login writes, in bytes.
const MAX_PROFILE_BYTES: usize = 4096;

const AFTER_HELP: &str = "\
The login opens a page of the server in the browser of this machine. You sign in there and approve the login, which then
creates an API token for 90 days that is named after this machine. With --email, no browser is needed: a sign-in code is
sent to the address, and the API token has every scope of your role. With --token, an API token is read from the terminal, which does not show
it, or from a pipe.

Examples:
  portico remote login https://portal.example.com
  portico remote login https://portal.example.com --browser --no-open
  portico remote login https://portal.example.com --email you@example.com
  portico remote login https://portal.example.com --token < token.txt
  portico remote login http://localhost:8080 --email owner@demo.test --profile demo";

/// The arguments of `portico remote login`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// The URL of the server. The default is that of the profile, or PORTICO_REMOTE_URL.
    url: Option<String>,
    /// The address of your staff account, to which a code is sent.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "token")]
    email: Option<String>,
    /// Reads an API token instead. It is never an argument, because other users of this machine can see arguments.
    #[arg(long)]
    token: bool,
    /// Approves the login in a browser on this machine. This is the default at a terminal.
    #[arg(long, conflicts_with_all = ["email", "token"])]
    browser: bool,
    /// Opens no browser. Open the page that is printed yourself.
    #[arg(long, conflicts_with_all = ["email", "token"])]
    no_open: bool,
}

/// Runs `portico remote login`.
///
/// # Errors
/// A failure with the exit code 2 if the URL is missing or wrong, or if a token must be typed without a terminal; as
/// for [`ApiClient::send`] if the server refuses the code or the token; with the exit code 1 if the login cannot be
/// stored.
pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<()> {
    let file = context.profile_file()?;
    // Fails if other users can read the file. The user must correct its permissions before a new login.
    let old = file.read()?;
    let of_profile = old.as_ref().map(|profile| profile.url.clone());
    let url = arguments.url.or_else(|| context.environment.url.clone()).or(of_profile);
    let url = url.ok_or_else(|| Failure::usage("name the URL of the server, e.g. https://portal.example.com"))?;
    let client = context.client("the URL", &url)?;
    check_can_store(&context.environment.profile_folder()?)?;
    let device = old.as_ref().filter(|old| old.url == client.url.to_string()).and_then(|old| old.device.clone());
    let (profile, token) = match (arguments.token, arguments.email) {
        (true, _) => by_token(&client, read_token().await?).await?,
        (false, Some(email)) => by_code(&client, email, device).await?,
        (false, None) if arguments.browser || terminal::is_interactive() => {
            let open = |url: &str| {
                if !arguments.no_open {
                    web_browser::open(&context.environment, url);
                }
            };
            by_browser(&client, device, open).await?
        }
        (false, None) => {
            return Err(Failure::usage(
                "add --token to read an API token from stdin, or --browser to approve the login in a browser on this \
                 machine",
            ));
        }
    };
    if let Err(failure) = file.write(&profile) {
        return Err(give_up(&client, &profile, failure).await);
    }
    if let Some(old) = old {
        end(context, &old, &profile).await;
    }
    report(context, &file, &profile, &token)
}

/// Checks that a login can be stored in `folder`, before the server creates a token for it.
fn check_can_store(folder: &Path) -> Result<()> {
    let failed = |error: io::Error| Failure::failed(format!("cannot store a login in {}: {error}", folder.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".login").tempfile_in(folder).map_err(failed)?;
    file.write_all(&[0; MAX_PROFILE_BYTES]).and_then(|()| file.as_file().sync_all()).map_err(failed)
}

/// Revokes the token of a login that cannot be stored, if the login has created it. Returns the failure.
async fn give_up(client: &ApiClient, profile: &Profile, failure: Failure) -> Failure {
    if !profile.is_created_by_login {
        return failure;
    }
    match revoke(client, &profile.token).await {
        Ok(()) => failure,
        Err(_) => failure.with_advice(&format!(
            "The API token \"{}\" was created and could not be revoked. Revoke it with another login.",
            token_name()
        )),
    }
}

/// Revokes a token with itself.
async fn revoke(client: &ApiClient, token: &str) -> Result<()> {
    client.send(&ApiRequest::delete("/api/v1/token"), Credentials::bearer(token)).await.map(drop)
}

/// Reads an API token from the terminal or from a pipe.
async fn read_token() -> Result<String> {
    let token = if terminal::is_interactive() {
        terminal::ask_secret("API token (not shown): ").await?
    } else {
        terminal::read_line().await?.unwrap_or_default().trim().to_owned()
    };
    match token.is_empty() {
        true => Err(Failure::usage("stdin has no API token")),
        false => Ok(token),
    }
}

/// Checks a token and returns the profile for it.
async fn by_token(client: &ApiClient, token: String) -> Result<(Profile, PresentedToken)> {
    let presented = check(client, &token).await?;
    Ok((Profile { url: client.url.to_string(), token, ..Profile::default() }, presented))
}

/// Asks the server about a token.
async fn check(client: &ApiClient, token: &str) -> Result<PresentedToken> {
    let is_sendable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_sendable {
        return Err(Failure::refused("this is not an API token; one begins with pat_ and has 50 characters"));
    }
    let answer = client.send(&ApiRequest::get("/api/v1/token"), Credentials::bearer(token)).await;
    let advice = "The token was not stored. It has expired, was revoked, or is of another server.";
    PresentedToken::from_answer(answer.map_err(|failure| failure.with_advice_if_unauthenticated(advice))?)
}

/// Signs in with a mailed code, creates a token, and ends the session.
async fn by_code(client: &ApiClient, email: String, device: Option<String>) -> Result<(Profile, PresentedToken)> {
    if !terminal::is_interactive() {
        return Err(Failure::refused("there is no terminal to type the code; create a token and use --token"));
    }
    let code = CodeSignIn { client, email: &email, device: device.clone() };
    let (signed_in, new_device) = code.run(None).await?;
    let session = signed_in.stored();
    let created = create_token(client, &session.access_token, &signed_in.user.role).await;
    // Also if no token was created. The session ends by itself too, so a failure is not reported.
    let _ = staff_session::sign_out(client, &session).await;
    let profile = Profile {
        url: client.url.to_string(),
        token: created?,
        is_created_by_login: true,
        email: Some(signed_in.user.email),
        session: None,
        device: new_device.or(device),
    };
    match check(client, &profile.token).await {
        Ok(presented) => Ok((profile, presented)),
        Err(failure) => Err(give_up(client, &profile, failure).await),
    }
}

/// Lets a staff user approve the login in a browser, on the page that `open` gets.
async fn by_browser(
    client: &ApiClient,
    device: Option<String>,
    open: impl FnOnce(&str),
) -> Result<(Profile, PresentedToken)> {
    let token = browser_login::run(client, &token_name(), open).await?;
    let profile =
        Profile { url: client.url.to_string(), token, is_created_by_login: true, device, ..Profile::default() };
    match check(client, &profile.token).await {
        Ok(presented) => Ok((profile, presented)),
        Err(failure) => Err(give_up(client, &profile, failure).await),
    }
}

/// Creates a token with every scope that the role gives.
async fn create_token(client: &ApiClient, session: &str, role: &str) -> Result<String> {
    let role: Role = serde_json::from_value(Value::from(role))
        .map_err(|_| Failure::failed(format!("this version does not know the role {role}; use --token")))?;
    let scopes = Permission::ALL.into_iter().filter(|scope| scope.is_scope() && scope.is_given_by(role));
    let scopes: Vec<_> = scopes.map(Permission::name).collect();
    let body = json!({ "name": token_name(), "scopes": scopes, "expires_in_days": TOKEN_DAYS });
    let request = ApiRequest::post("/api/staff/tokens").json(&body);
    let created: CreatedToken = client.send(&request, Credentials::bearer(session)).await?.parse()?;
    Ok(created.token)
}

/// Returns the name of a new token. It has the first label of the host name only, because a name must not be a URL.
fn token_name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let label: String = host.split('.').next().unwrap_or_default().chars().take(63).collect();
    let is_good = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_good { format!("portico remote on {label}") } else { "portico remote".into() }
}

/// Ends what an earlier login of the profile has created: its session, and its token if a login created it. The new
/// login is stored already, so a failure is only noted.
async fn end(context: &Context, old: &Profile, new: &Profile) {
    let Ok(client) = context.client("the URL of the profile", &old.url) else { return };
    if let Some(session) = &old.session {
        let _ = staff_session::sign_out(&client, session).await;
    }
    if old.is_created_by_login && old.token != new.token {
        match revoke(&client, &old.token).await {
            Err(failure) if !failure.is_unauthenticated() => {
                terminal::note("The API token of the earlier login could not be revoked and is still valid.");
            }
            _ => {}
        }
    }
}

fn report(context: &Context, file: &ProfileFile, profile: &Profile, token: &PresentedToken) -> Result<()> {
    if context.output.is_json {
        return output::write(&format!("{}\n", token.text));
    }
    output::write_lines(&format!(
        "Logged in to {} as {}. The API token \"{}\" expires on {}.\n\
         The commands staff and tokens ask for a code that is sent by mail.\nNext: {}",
        profile.url,
        profile.email.as_deref().unwrap_or(&token.owner.name),
        token.name,
        time(token.expires_at),
        match file.name.as_str() {
            "default" => "portico remote clients list".into(),
            name => format!("portico remote clients list --profile {name}"),
        },
    ))
}
