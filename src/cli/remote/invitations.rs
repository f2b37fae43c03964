//! `portico remote invitations` and `portico remote resend`: invitations that were sent.

use clap::{Args, Subcommand};
use portico_domain::{
    entity::{email, invitation},
    platform::clock::Time,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::Answer,
    api_request::ApiRequest,
    clients::ClientName,
    context::{Api, Context},
    failure::{Failure, FailureKind, Result},
    find::{self, AddressList, FoundClient},
    output::Row,
    pages::{self, Limit},
};
use crate::cli::{arguments::one_of, output::time, text};

/// The commands of `portico remote invitations`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists invitations, newest first.
    List(List),
    /// Cancels an invitation: its links do not work any more.
    Cancel(Cancel),
    /// Cancels an invitation and sends it to another address.
    Correct(Correct),
}

/// Which invitations to list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote invitations list --status pending
  portico remote invitations list --client 'Acme Ltd' --delivery failed --json")]
pub(super) struct List {
    /// Only invitations to this client: its id, its reference or its name.
    #[arg(long)]
    client: Option<String>,
    /// Only people whose address, or a word of whose name, begins with this text: 2 characters or more.
    #[arg(long, alias = "q", value_name = "TEXT")]
    search: Option<String>,
    /// Only invitations with this status.
    #[arg(long, value_parser = one_of::<invitation::Status>())]
    status: Option<String>,
    /// Only invitations whose last mail has this status.
    #[arg(long, value_parser = one_of::<email::Status>())]
    delivery: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

/// An invitation to cancel.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote invitations cancel --client 'Acme Ltd' ann@example.com")]
pub(super) struct Cancel {
    /// The client: its id, its reference or its name.
    #[arg(long)]
    client: String,
    /// The invitation: its id, or the address of the person.
    invitation: String,
}

/// An invitation to correct.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote invitations correct --client 'Acme Ltd' anm@example.com ann@example.com
  portico remote invitations correct --client 'Acme Ltd' anm@example.com ann@example.com --name 'Ann Baker'")]
pub(super) struct Correct {
    /// The client: its id, its reference or its name.
    #[arg(long)]
    client: String,
    /// The invitation: its id, or the address to which it was sent.
    invitation: String,
    /// The right address.
    email: String,
    /// The right name.
    #[arg(long)]
    name: Option<String>,
}

/// An invitation to send again.
#[derive(Args)]
#[command(after_help = "\
The links of the earlier mails stop working.

Examples:
  portico remote resend --client 'Acme Ltd' ann@example.com")]
pub(super) struct Resend {
    /// The client: its id, its reference or its name.
    #[arg(long)]
    client: String,
    /// The invitation: its id, or the address of the person.
    invitation: String,
}

#[derive(Deserialize)]
struct InvitationRow {
    id: String,
    email: String,
    name: String,
    status: String,
    /// Absent if the mail log holds no mail of the invitation any more.
    delivery: Option<Delivery>,
    expires_at: Time,
    /// Only in the list of the whole tenant.
    client: Option<ClientName>,
}

#[derive(Deserialize)]
struct Delivery {
    status: String,
}

impl Row for InvitationRow {
    const PLURAL: &'static str = "invitations";
    const HEADER: &'static [&'static str] = &["ADDRESS", "NAME", "STATUS", "MAIL", "EXPIRES", "CLIENT", "ID"];

    fn cells(self) -> Vec<String> {
        let client = self.client.map(|client| client.name).unwrap_or_default();
        let delivery = self.delivery.map(|mail| mail.status).unwrap_or_default();
        vec![self.email, self.name, self.status, delivery, time(self.expires_at), client, self.id]
    }
}

/// An invitation in the list of one client.
#[derive(Deserialize)]
#[serde(transparent)]
struct ClientInvitationRow(InvitationRow);

impl Row for ClientInvitationRow {
    const PLURAL: &'static str = InvitationRow::PLURAL;
    const HEADER: &'static [&'static str] = &["ADDRESS", "NAME", "STATUS", "MAIL", "EXPIRES", "ID"];

    fn cells(self) -> Vec<String> {
        let row = self.0;
        let delivery = row.delivery.map(|mail| mail.status).unwrap_or_default();
        vec![row.email, row.name, row.status, delivery, time(row.expires_at), row.id]
    }
}

/// The answer to an invitation that was sent.
#[derive(Deserialize)]
pub(super) struct Sent {
    /// The invitation.
    pub(super) invitation: SentInvitation,
}

/// An invitation that was sent.
#[derive(Deserialize)]
pub(super) struct SentInvitation {
    /// The address.
    pub(super) email: String,
    /// When its links expire.
    pub(super) expires_at: Time,
}

/// Runs a command of `portico remote invitations`.
///
/// # Errors
/// As for [`Context::token_api`], [`Api::call`], [`find::client`] and [`find::by_address`].
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (api, output) = (context.token_api()?, context.output);
    match command {
        Command::List(List { client, search, status, delivery, limit }) => {
            let filter = |path: String| {
                ApiRequest::get(path).query("q", search).query("status", status).query("delivery", delivery)
            };
            let Some(client) = client else {
                let request = filter("/api/v1/invitations".into());
                return pages::print::<InvitationRow>(context, &api, request, &limit).await;
            };
            let request = filter(find::client(&api, &client).await?.path("/invitations"));
            pages::print::<ClientInvitationRow>(context, &api, request, &limit).await
        }
        Command::Cancel(Cancel { client, invitation }) => {
            let client = find::client(&api, &client).await?;
            let path = path(&api, &client, &invitation).await?;
            let answer = api.call(&ApiRequest::delete(path)).await;
            let answer = answer.map_err(|failure| explain(failure, &client, &invitation))?;
            output.done(&answer, format!("Cancelled the invitation of {invitation}."))
        }
        Command::Correct(Correct { client, invitation, email, name }) => {
            let client = find::client(&api, &client).await?;
            let path = path(&api, &client, &invitation).await?;
            let body = json!({ "email": email, "name": name });
            let answer = api.call(&ApiRequest::patch(path, &body)).await;
            let answer = answer.map_err(|failure| explain(failure, &client, &invitation))?;
            report(context, &answer)
        }
    }
}

/// Runs `portico remote resend`.
///
/// # Errors
/// As for [`run`].
pub(super) async fn resend(context: &Context, arguments: Resend) -> Result<()> {
    let api = context.token_api()?;
    let client = find::client(&api, &arguments.client).await?;
    let request = match find::id(&arguments.invitation) {
        Some(id) => ApiRequest::post(client.path(&format!("/invitations/{id}/resend"))),
        None => {
            let body = json!({ "email": arguments.invitation });
            ApiRequest::post(client.path("/portal-user")).query("action", Some("resend")).json(&body)
        }
    };
    let answer = api.call(&request).await;
    report(context, &answer.map_err(|failure| explain(failure, &client, &arguments.invitation))?)
}

/// Returns the path of the invitation that the arguments name. Of several to an address, the pending one is meant.
async fn path(api: &Api, client: &FoundClient, invitation: &str) -> Result<String> {
    let (path, noun) = (client.path("/invitations"), format!("invitation to {}", client.name));
    let preferred = Some(json!(invitation::Status::Pending));
    let list = AddressList { path: &path, noun: &noun, has_search: true, preferred };
    let id = find::by_address(api, &list, invitation).await?;
    Ok(format!("{path}/{id}"))
}

/// Returns the failure of an operation on an invitation. It names the invitation, if the server does not find it.
fn explain(failure: Failure, client: &FoundClient, invitation: &str) -> Failure {
    if failure.kind() != FailureKind::NotFound {
        return failure;
    }
    let by = if find::id(invitation).is_some() { "id" } else { "address" };
    let (client, invitation) = (text::clean(&client.name), text::clean(invitation.trim()));
    Failure::not_found(format!("no invitation to {client} that can still be used has the {by} \"{invitation}\""))
}

fn report(context: &Context, answer: &Answer) -> Result<()> {
    let Sent { invitation } = answer.parse()?;
    let (email, expires) = (invitation.email, time(invitation.expires_at));
    context.output.done(answer, format!("Sent an invitation to {email}. It expires on {expires}."))
}
