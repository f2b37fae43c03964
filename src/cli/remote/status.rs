//! `portico remote status`: shows the stored login.

use chrono::TimeDelta;
use clap::Args;

use super::{
    api_request::ApiRequest,
    api_token::PresentedToken,
    context::{Context, login_command},
    failure::Result,
    output, terminal,
    time::now,
};
use crate::cli::{output::time, text};

/// `status` warns about a token that expires within this time.
const EXPIRES_SOON: TimeDelta = TimeDelta::days(14);

const AFTER_HELP: &str = "\
Examples:
  portico remote status
  portico remote status --profile staging --json";

/// The arguments of `portico remote status`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {}

/// Runs `portico remote status`.
///
/// # Errors
/// As for [`Context::token_api`] and [`Api::call`](super::context::Api::call).
pub(super) async fn run(context: &Context, _: Arguments) -> Result<()> {
    let api = context.token_api()?;
    let token = PresentedToken::from_answer(api.call(&ApiRequest::get("/api/v1/token")).await?)?;
    if context.output.is_json {
        output::write(&format!("{}\n", token.text))?;
    } else {
        output::write_lines(&describe(context, &api.client.url.to_string(), &token)?)?;
    }
    if token.expires_at - now() < EXPIRES_SOON {
        let command = match context.environment.token {
            Some(_) => "Create another one for PORTICO_REMOTE_TOKEN.".to_owned(),
            None => format!("Run: {}", login_command(&context.profile_file()?)),
        };
        terminal::note(format!("The token expires on {}. {command}", time(token.expires_at)));
    }
    Ok(())
}

/// Returns a line for each fact.
fn describe(context: &Context, url: &str, token: &PresentedToken) -> Result<String> {
    let days = (token.expires_at - now()).num_days();
    let mut facts = vec![("server", url.to_owned())];
    match context.environment.token {
        Some(_) => facts.push(("profile", "none: PORTICO_REMOTE_TOKEN is set".into())),
        None => {
            let (file, profile) = context.stored_login()?;
            facts.push(("profile", file.name));
            facts.extend(profile.email.map(|email| ("address", email)));
        }
    }
    facts.push(("tenant", token.tenant.name.clone()));
    facts.push(("owner", format!("{} ({}, {})", token.owner.name, token.owner.kind, token.role)));
    facts.push(("token", format!("{} ({}…)", token.name, token.prefix)));
    facts.push(("scopes", token.scopes.join(", ")));
    facts.push(("expires", format!("{} (in {days} days)", time(token.expires_at))));
    Ok(facts.iter().map(|(name, value)| format!("{name:8} {}\n", text::clean(value))).collect())
}
