//! `portico remote logout`: ends the stored login.

use clap::Args;

use super::{
    api_client::Credentials,
    api_request::ApiRequest,
    context::Context,
    failure::{Failure, FailureKind, Result},
    output, staff_session,
};

const AFTER_HELP: &str = "\
A token that login has created is revoked. A token that was pasted stays valid, because other programs may use it.

Examples:
  portico remote logout
  portico remote logout --profile staging
  portico remote logout --revoke
  portico remote logout --local";

/// The arguments of `portico remote logout`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Only deletes the file on this machine. The token stays valid until it expires or is revoked.
    #[arg(long)]
    local: bool,
    /// Revokes the token also if it was pasted. Other programs may use it.
    #[arg(long, conflicts_with = "local")]
    revoke: bool,
}

/// Runs `portico remote logout`.
///
/// # Errors
/// As for [`Context::stored_login`]. If the server cannot be reached, the login stays stored.
pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<()> {
    if context.environment.token.is_some() {
        return Err(Failure::usage("PORTICO_REMOTE_TOKEN is set and is not changed by logout; unset it"));
    }
    let file = context.profile_file()?;
    if arguments.local {
        return match file.delete()? {
            true => output::write_lines("Deleted the stored login. Its token is still valid."),
            false => output::write_lines("No login was stored."),
        };
    }
    let (file, profile) = context.stored_login()?;
    let client = context.client("the URL of the profile", &profile.url)?;
    if let Some(session) = &profile.session {
        staff_session::sign_out(&client, session).await.map_err(keep)?;
    }
    if !profile.is_created_by_login && !arguments.revoke {
        file.delete()?;
        return output::write_lines("Deleted the stored login. Its API token was pasted and is still valid.");
    }
    let revoked = client.send(&ApiRequest::delete("/api/v1/token"), Credentials::bearer(&profile.token)).await;
    let sentence = match revoked {
        Ok(_) => "Revoked the API token and deleted the stored login.",
        Err(failure) if failure.is_unauthenticated() => {
            "Deleted the stored login. Its API token was not valid any more."
        }
        Err(failure) => return Err(keep(failure)),
    };
    file.delete()?;
    output::write_lines(sentence)
}

/// Says that the login is still stored.
fn keep(failure: Failure) -> Failure {
    let advice = match failure.kind() {
        FailureKind::Unreachable => {
            "The login is still stored, because its token could not be revoked. To delete the file only, add --local."
        }
        _ => "The login is still stored. To delete the file only, add --local.",
    };
    failure.with_advice(advice)
}
