//! `portico client`: lists the clients of a tenant.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use portico_domain::{
    entity::client::{self, Status},
    platform::{error::FieldProblem, search::SearchText},
    tenancy::clients::{self, ClientFilter},
};
use serde_json::{Value, json};

use super::{
    arguments::{explain_tenant, whole_number},
    output::{Listing, time, truncate},
    tenant::client_status_name,
};
use crate::{bootstrap, config::Config};

/// The commands of `portico client`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists the clients of a tenant, oldest first.
    #[command(after_help = "Examples:
  portico client list --tenant acme
  portico client list --tenant acme --search paper --status active
  portico client list --tenant acme --json")]
    List {
        /// The slug of the tenant.
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Only clients with a word of the name, or an external reference, that begins with this text, in any letter
        /// case.
        #[arg(long, alias = "q", value_name = "TEXT", value_parser = parse_search)]
        search: Option<SearchText>,
        /// Only clients with this status.
        #[arg(long)]
        status: Option<ClientStatus>,
        /// The largest number of clients to list.
        #[arg(long, default_value_t = 100, value_parser = whole_number(1..=10_000, "clients", 100))]
        limit: u64,
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// The status of a client as an argument: [`Status`].
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum ClientStatus {
    /// Portal users can act for the client.
    Active,
    /// As active, and marked as past due.
    PastDue,
    /// Portal users cannot act for the client.
    Archived,
}

impl From<ClientStatus> for Status {
    fn from(status: ClientStatus) -> Self {
        match status {
            ClientStatus::Active => Self::Active,
            ClientStatus::PastDue => Self::PastDue,
            ClientStatus::Archived => Self::Archived,
        }
    }
}

/// Runs a command of `portico client`. It only reads the database.
///
/// # Errors
/// Returns an error if the process cannot start, if no tenant has the slug, or if the database fails.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::List { tenant, search, status, limit, json } = command;
    let filter = ClientFilter { search, status: status.map(Into::into) };
    let app = bootstrap::app_for_reading(&config).await?;
    // One more, to know whether the list is complete.
    let found = clients::list_by_slug(&app, &tenant, &filter, limit + 1).await;
    let mut found = found.map_err(|error| explain_tenant(error, &tenant))?;
    truncate(&mut found, limit, "use --limit or --search");
    let is_filtered = filter.search.is_some() || filter.status.is_some();
    let if_empty = if is_filtered { "No clients match." } else { "The tenant has no clients." };
    LISTING.print(&found, json, if_empty)
}

/// How a list of clients is printed.
const LISTING: Listing<client::Model, 5> = Listing {
    columns: ["NAME", "REFERENCE", "STATUS", "CREATED", "ID"],
    row: |client| {
        let (status, reference) = (client_status_name(client.status), client.external_ref.clone().unwrap_or_default());
        [client.name.clone(), reference, status.to_owned(), time(client.created_at), client.id.to_string()]
    },
    to_json,
};

/// Returns a client as the API shows it.
fn to_json(client: &client::Model) -> Value {
    json!({
        "id": client.id.0,
        "name": client.name,
        "external_ref": client.external_ref,
        "status": client.status,
        "created_at": client.created_at,
    })
}

/// Parses an argument that is a text to search for.
///
/// # Errors
/// Returns the reason why `text` cannot be searched for.
fn parse_search(text: &str) -> Result<SearchText, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}
