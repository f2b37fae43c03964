//! `portico remote people`: the portal users of clients.

use clap::{Args, Subcommand};
use portico_domain::{entity::membership::Status, platform::clock::Time};
use serde::Deserialize;
use serde_json::json;

use super::{
    api_request::ApiRequest,
    clients::ClientName,
    context::{Api, Context},
    failure::Result,
    find::{self, AddressList},
    output::Row,
    pages::{self, Limit},
    terminal,
};
use crate::cli::{arguments::one_of, output::time_or_never};

/// The commands of `portico remote people`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists people.
    List(List),
    /// Disables a person at a client: sessions there end, and the person can no longer sign in there.
    #[command(after_help = "\
Examples:
  portico remote people disable --client 'Acme Ltd' ann@example.com
  portico remote people disable --client K-1042 ann@example.com --yes")]
    Disable(Person),
    /// Enables a person who was disabled.
    #[command(after_help = "\
Examples:
  portico remote people enable --client 'Acme Ltd' ann@example.com")]
    Enable(Member),
    /// Removes a person from a client. The account and its other clients stay.
    #[command(after_help = "\
Examples:
  portico remote people remove --client 'Acme Ltd' ann@example.com")]
    Remove(Person),
}

/// Which people to list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote people list --client 'Acme Ltd'
  portico remote people list --search ann --status active --json")]
pub(super) struct List {
    /// Only people of this client: its id, its reference or its name.
    #[arg(long)]
    client: Option<String>,
    /// Only people whose address, or a word of whose name, begins with this text: 2 characters or more.
    #[arg(long, alias = "q", value_name = "TEXT")]
    search: Option<String>,
    /// Only people with this status.
    #[arg(long, value_parser = one_of::<Status>())]
    status: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

/// A person of a client.
#[derive(Args)]
pub(super) struct Member {
    /// The client: its id, its reference or its name.
    #[arg(long)]
    client: String,
    /// The person: the address, or the id that the list shows.
    person: String,
}

/// A person of a client, for a command that asks first.
#[derive(Args)]
pub(super) struct Person {
    #[command(flatten)]
    member: Member,
    /// Asks no question.
    #[arg(long)]
    yes: bool,
}

#[derive(Deserialize)]
struct PersonRow {
    id: String,
    email: String,
    name: String,
    role: String,
    status: String,
    last_sign_in_at: Option<Time>,
    /// Only in the list of the whole tenant.
    client: Option<ClientName>,
}

impl Row for PersonRow {
    const PLURAL: &'static str = "people";
    const HEADER: &'static [&'static str] = &["ADDRESS", "NAME", "ROLE", "STATUS", "LAST SIGN-IN", "CLIENT", "ID"];

    fn cells(self) -> Vec<String> {
        let client = self.client.map(|client| client.name).unwrap_or_default();
        vec![self.email, self.name, self.role, self.status, time_or_never(self.last_sign_in_at), client, self.id]
    }
}

/// A person in the list of one client.
#[derive(Deserialize)]
#[serde(transparent)]
struct MemberRow(PersonRow);

impl Row for MemberRow {
    const PLURAL: &'static str = PersonRow::PLURAL;
    const HEADER: &'static [&'static str] = &["ADDRESS", "NAME", "ROLE", "STATUS", "LAST SIGN-IN", "ID"];

    fn cells(self) -> Vec<String> {
        let person = self.0;
        let last = time_or_never(person.last_sign_in_at);
        vec![person.email, person.name, person.role, person.status, last, person.id]
    }
}

/// Runs a command of `portico remote people`.
///
/// # Errors
/// As for [`Context::token_api`], [`Api::call`], [`find::client`] and [`find::by_address`].
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (api, output) = (context.token_api()?, context.output);
    match command {
        Command::List(List { client: None, search, status, limit }) => {
            let request = ApiRequest::get("/api/v1/portal-users").query("q", search).query("status", status);
            pages::print::<PersonRow>(context, &api, request, &limit).await
        }
        Command::List(List { client: Some(client), search, status, limit }) => {
            let path = find::client(&api, &client).await?.path("/portal-users");
            let request = ApiRequest::get(path).query("q", search).query("status", status);
            pages::print::<MemberRow>(context, &api, request, &limit).await
        }
        Command::Disable(Person { member, yes }) => {
            let (path, client) = find_member(&api, &member).await?;
            terminal::confirm(&format!("Disable {} at {client}?", member.person), yes).await?;
            let answer = api.call(&ApiRequest::patch(path, &json!({ "status": Status::Disabled }))).await?;
            output.done(&answer, format!("Disabled {} at {client}.", member.person))
        }
        Command::Enable(member) => {
            let (path, client) = find_member(&api, &member).await?;
            let answer = api.call(&ApiRequest::patch(path, &json!({ "status": Status::Active }))).await?;
            output.done(&answer, format!("Enabled {} at {client}.", member.person))
        }
        Command::Remove(Person { member, yes }) => {
            let (path, client) = find_member(&api, &member).await?;
            terminal::confirm(&format!("Remove {} from {client}?", member.person), yes).await?;
            let answer = api.call(&ApiRequest::delete(path)).await?;
            output.done(&answer, format!("Removed {} from {client}.", member.person))
        }
    }
}

/// Returns the path of a person of a client, and the name of the client.
async fn find_member(api: &Api, member: &Member) -> Result<(String, String)> {
    let client = find::client(api, &member.client).await?;
    let list = client.path("/portal-users");
    let noun = format!("person at {}", client.name);
    let people = AddressList { path: &list, noun: &noun, has_search: true, preferred: None };
    let id = find::by_address(api, &people, &member.person).await?;
    Ok((format!("{list}/{id}"), client.name))
}
