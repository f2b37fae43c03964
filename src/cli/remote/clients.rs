//! `portico remote clients`: the clients of the tenant.

use clap::{Args, Subcommand};
use portico_domain::{entity::client::Status, platform::clock::Time};
use serde::Deserialize;
use serde_json::json;

use super::{
    api_request::ApiRequest,
    context::{Api, Context},
    failure::Result,
    find,
    output::Row,
    pages::{self, Limit},
    terminal,
};
use crate::cli::{arguments::one_of, output::time};

/// The commands of `portico remote clients`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists clients, oldest first.
    List(List),
    /// Adds a client.
    Add(Add),
    /// Archives a client: its people can no longer sign in there. Its data stays.
    Archive(Archive),
    /// Makes an archived client active again.
    Restore(Restore),
}

/// Which clients to list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote clients list
  portico remote clients list --search acme --status archived --json")]
pub(super) struct List {
    /// Only clients with a word of the name, or a reference, that begins with this text: 2 characters or more.
    #[arg(long, alias = "q", value_name = "TEXT")]
    search: Option<String>,
    /// Only clients with this status.
    #[arg(long, value_parser = one_of::<Status>())]
    status: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

/// A client to add.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote clients add 'Acme Ltd'
  portico remote clients add 'Acme Ltd' --ref K-1042")]
pub(super) struct Add {
    /// The name, 1 to 100 characters.
    name: String,
    /// Your own reference for the client, such as a customer number.
    #[arg(long = "ref", value_name = "REFERENCE")]
    external_ref: Option<String>,
}

/// A client to archive.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote clients archive 'Acme Ltd'
  portico remote clients archive K-1042 --yes")]
pub(super) struct Archive {
    /// The client: its id, its reference or its name.
    client: String,
    /// Asks no question.
    #[arg(long)]
    yes: bool,
}

/// A client to restore.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote clients restore 'Acme Ltd'")]
pub(super) struct Restore {
    /// The client: its id, its reference or its name.
    client: String,
}

/// The client of an invitation or of a person.
#[derive(Deserialize)]
pub(super) struct ClientName {
    /// The name.
    pub(super) name: String,
}

#[derive(Deserialize)]
struct ClientRow {
    id: String,
    name: String,
    external_ref: Option<String>,
    status: String,
    created_at: Time,
}

impl Row for ClientRow {
    const PLURAL: &'static str = "clients";
    const HEADER: &'static [&'static str] = &["NAME", "REFERENCE", "STATUS", "CREATED", "ID"];

    fn cells(self) -> Vec<String> {
        vec![self.name, self.external_ref.unwrap_or_default(), self.status, time(self.created_at), self.id]
    }
}

/// Runs a command of `portico remote clients`.
///
/// # Errors
/// As for [`Context::token_api`], [`Api::call`] and [`find::client`].
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (api, output) = (context.token_api()?, context.output);
    match command {
        Command::List(List { search, status, limit }) => {
            let request = ApiRequest::get("/api/v1/clients").query("q", search).query("status", status);
            pages::print::<ClientRow>(context, &api, request, &limit).await
        }
        Command::Add(Add { name, external_ref }) => {
            let body = json!({ "name": name, "external_ref": external_ref });
            let answer = api.call(&ApiRequest::post("/api/v1/clients").json(&body)).await?;
            let client: ClientRow = answer.parse()?;
            warn_of_twins(&api, &client).await;
            let next = context.command(&format!("invite --client {} ann@example.com", client.id));
            output.done(&answer, format!("Added {} with the id {}.\nNext: {next}", client.name, client.id))
        }
        Command::Archive(Archive { client, yes }) => {
            let client = find::client(&api, &client).await?;
            let question = format!("Archive {}? Its people can no longer sign in there.", client.name);
            terminal::confirm(&question, yes).await?;
            let answer = api.call(&ApiRequest::patch(client.path(""), &json!({ "status": Status::Archived }))).await?;
            let undo = context.command(&format!("clients restore {}", client.id));
            output.done(&answer, format!("Archived {}.\nTo undo: {undo}", client.name))
        }
        Command::Restore(Restore { client }) => {
            let client = find::client_with(&api, &client, Status::Archived).await?;
            let answer = api.call(&ApiRequest::patch(client.path(""), &json!({ "status": Status::Active }))).await?;
            output.done(&answer, format!("Restored {}. Its people must sign in again.", client.name))
        }
    }
}

/// Warns on stderr if other clients have the name of a new client. A failure is not reported, because the client was
/// added, and the token may not be allowed to read clients.
async fn warn_of_twins(api: &Api, added: &ClientRow) {
    let Ok(named) = find::named(api, &added.name).await else { return };
    let others: Vec<_> = named.into_iter().filter(|client| client.id != added.id).map(|client| client.id).collect();
    if !others.is_empty() {
        terminal::note(format!("Another client has the name {} too: {}.", added.name, others.join(", ")));
    }
}
