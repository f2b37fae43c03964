//! `portico remote invite`: invites people to a client.

use std::path::PathBuf;

use clap::Args;
use portico_domain::entity::membership::Role;
use serde_json::{json, value::RawValue};
use tokio_util::sync::CancellationToken;

use super::{
    api_request::ApiRequest,
    bulk::{self, BulkOptions},
    context::Context,
    failure::{Failure, FailureKind, Result},
    find::{self, FoundClient},
    invitations::Sent,
    output, stopped, terminal,
};
use crate::cli::{arguments::one_of, output::time};

const AFTER_HELP: &str = "\
A CSV file has a first line with the names of its columns: email and, in any order, name, role and locale. The separator
is a comma, a semicolon or a tab. The command shows what will happen and asks before it invites anyone. If it is
interrupted, run it again: no person is invited twice. It exits with 1 if a row is wrong or over a rate limit.

Examples:
  portico remote invite --client 'Acme Ltd' ann@example.com --name 'Ann Baker' --role admin
  portico remote invite --client 'Acme Ltd' ann@example.com bob@example.com
  portico remote invite --client K-1042 --csv people.csv --dry-run
  portico remote invite --client K-1042 --csv people.csv --yes";

/// The arguments of `portico remote invite`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// The client: its id, its reference or its name.
    #[arg(long)]
    client: String,
    /// The addresses of the people.
    #[arg(required_unless_present = "csv", conflicts_with = "csv")]
    emails: Vec<String>,
    /// The name of the person. Only with one address.
    #[arg(long, conflicts_with = "csv")]
    name: Option<String>,
    /// The role at the client. The default is member.
    #[arg(long, conflicts_with = "csv", value_parser = one_of::<Role>())]
    role: Option<String>,
    /// The language of the mails: en, de, fr or es.
    #[arg(long, conflicts_with = "csv")]
    locale: Option<String>,
    /// Invites the people of a CSV file; - is stdin.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Only shows what would happen.
    #[arg(long, requires = "csv")]
    dry_run: bool,
    /// Asks no question.
    #[arg(long, requires = "csv")]
    yes: bool,
}

/// Runs `portico remote invite`.
///
/// # Errors
/// As for [`bulk::run`], and for [`find::client`] and [`Api::call`](super::context::Api::call).
pub(super) async fn run(context: &Context, arguments: Arguments, stop: &CancellationToken) -> Result<()> {
    if let Some(file) = &arguments.csv {
        let options = BulkOptions { is_dry_run: arguments.dry_run, yes: arguments.yes };
        return bulk::run(context, &arguments.client, file, &options, stop).await;
    }
    if arguments.name.is_some() && arguments.emails.len() > 1 {
        return Err(Failure::usage("--name is the name of one person; invite the others by another command"));
    }
    stop.run_until_cancelled(invite_each(context, &arguments)).await.unwrap_or_else(|| Err(stopped()))
}

/// Invites each person with a request of its own. A person who cannot be invited does not stop the others.
async fn invite_each(context: &Context, arguments: &Arguments) -> Result<()> {
    let api = context.token_api()?;
    let client = find::client(&api, &arguments.client).await?;
    let (mut answers, mut failures) = (Vec::new(), 0);
    for email in &arguments.emails {
        match api.call(&request(&client, email, arguments)).await {
            Ok(answer) if context.output.is_json => answers.push(answer.text),
            Ok(answer) => {
                let Sent { invitation } = answer.parse()?;
                let (email, expires) = (invitation.email, time(invitation.expires_at));
                output::write_lines(&format!("Invited {email} to {}. It expires on {expires}.", client.name))?;
            }
            Err(failure) if concerns_one_person(&failure) && arguments.emails.len() > 1 => {
                failures += 1;
                terminal::note(format!("{email}: {failure}"));
            }
            Err(failure) => return Err(failure),
        }
    }
    if context.output.is_json {
        print_json(context, answers, arguments.emails.len() == 1)?;
    }
    match failures {
        0 => Ok(()),
        count => Err(Failure::failed(format!("{count} of {} people were not invited", arguments.emails.len()))),
    }
}

/// Returns whether the others can still be invited.
fn concerns_one_person(failure: &Failure) -> bool {
    [FailureKind::Failed, FailureKind::Usage].contains(&failure.kind()) && !failure.has_code("client_suspended")
}

fn request(client: &FoundClient, email: &str, arguments: &Arguments) -> ApiRequest {
    let Arguments { name, role, locale, .. } = arguments;
    let mut body = json!({ "email": email, "name": name, "locale": locale });
    if let Some(role) = role {
        body["role"] = role.as_str().into();
    }
    ApiRequest::post(client.path("/portal-user")).json(&body)
}

/// Prints one answer as an object, and several as an array.
fn print_json(context: &Context, answers: Vec<String>, is_single: bool) -> Result<()> {
    match answers.first().filter(|_| is_single) {
        Some(answer) => output::write(&format!("{answer}\n")),
        None => {
            let answers = answers.into_iter().map(RawValue::from_string).collect::<Result<Vec<_>, _>>();
            context.output.array(&answers.map_err(|error| Failure::failed(error.to_string()))?)
        }
    }
}
