//! `portico remote tokens`: API tokens. No API token can do this.

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use portico_domain::platform::{actor::Permission, clock::Time};
use serde::Deserialize;
use serde_json::json;

use super::{
    api_request::ApiRequest,
    api_token::{CreatedToken, Owner},
    context::{Api, Context},
    failure::Result,
    find,
    output::{self, Row},
    pages::{self, Limit},
    terminal,
};
use crate::cli::{
    arguments::whole_number,
    output::{time, time_or_never},
};

/// The tokens of the staff user.
const OWN: &str = "/api/staff/tokens";
/// The tokens of the tenant.
const ALL: &str = "/api/v1/tokens";

/// The commands of `portico remote tokens`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists your API tokens.
    List(List),
    /// Creates an API token and prints it once.
    Add(Add),
    /// Revokes an API token. Programs that use it are refused at once.
    Revoke(Revoke),
}

/// Which tokens to list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote tokens list
  portico remote tokens list --all --json")]
pub(super) struct List {
    /// The tokens of all staff users and service accounts. Only owners may list them.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    limit: Limit,
}

/// A new token.
#[derive(Args)]
#[command(after_help = "\
The token is printed to stdout, alone, and cannot be shown again.

Examples:
  portico remote tokens add 'Nightly export' --scope audit:read > token.txt
  portico remote tokens add Sync --scope clients:read,clients:edit --days 30")]
pub(super) struct Add {
    /// What the token is for.
    name: String,
    /// What the token may do: one scope, or several with commas between them.
    #[arg(long = "scope", required = true, value_name = "SCOPE", value_delimiter = ',', value_parser = scopes())]
    scopes: Vec<String>,
    /// The lifetime, 1 to 365 days. The default is 90.
    #[arg(long, value_parser = whole_number(1..=365, "days", 30))]
    days: Option<u64>,
}

/// Returns a parser that takes the scopes of tokens.
fn scopes() -> PossibleValuesParser {
    Permission::ALL.into_iter().filter(|permission| permission.is_scope()).map(Permission::name).into()
}

/// A token to revoke.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote tokens revoke 'Nightly export'
  portico remote tokens revoke 01a1fdba-f86f-76f5-b296-4e548b3691ab --all --yes")]
pub(super) struct Revoke {
    /// The token: its name, the beginning that the list shows, or its id.
    token: String,
    /// Also tokens of other staff users and of service accounts. Only owners may revoke them.
    #[arg(long)]
    all: bool,
    /// Asks no question.
    #[arg(long)]
    yes: bool,
}

#[derive(Deserialize)]
struct TokenRow {
    id: String,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    expires_at: Time,
    last_used_at: Option<Time>,
    /// Only in the list of all tokens.
    owner: Option<Owner>,
}

impl Row for TokenRow {
    const PLURAL: &'static str = "tokens";
    const HEADER: &'static [&'static str] = &["NAME", "BEGINS", "EXPIRES", "LAST USED", "OWNER", "SCOPES", "ID"];

    fn cells(self) -> Vec<String> {
        let (expires, used) = (time(self.expires_at), time_or_never(self.last_used_at));
        let owner = self.owner.map(|owner| owner.name).unwrap_or_default();
        vec![self.name, self.prefix, expires, used, owner, self.scopes.join(" "), self.id]
    }
}

/// A token in the list of your tokens.
#[derive(Deserialize)]
#[serde(transparent)]
struct OwnTokenRow(TokenRow);

impl Row for OwnTokenRow {
    const PLURAL: &'static str = TokenRow::PLURAL;
    const HEADER: &'static [&'static str] = &["NAME", "BEGINS", "EXPIRES", "LAST USED", "SCOPES", "ID"];

    fn cells(self) -> Vec<String> {
        let token = self.0;
        let (expires, used) = (time(token.expires_at), time_or_never(token.last_used_at));
        vec![token.name, token.prefix, expires, used, token.scopes.join(" "), token.id]
    }
}

/// Runs a command of `portico remote tokens`.
///
/// # Errors
/// As for [`Context::session_api`] and [`Api::call`].
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let api = context.session_api()?;
    match command {
        Command::List(List { all, limit }) => {
            let request = ApiRequest::get(list_path(all));
            match all {
                true => pages::print::<TokenRow>(context, &api, request, &limit).await,
                false => pages::print::<OwnTokenRow>(context, &api, request, &limit).await,
            }
        }
        Command::Add(Add { name, scopes, days }) => {
            let body = json!({ "name": name, "scopes": scopes, "expires_in_days": days });
            let answer = api.call(&ApiRequest::post(OWN).json(&body)).await?;
            let created: CreatedToken = answer.parse()?;
            terminal::note(format!("The token expires on {}.", time(created.expires_at)));
            context.output.done(&answer, created.token)
        }
        Command::Revoke(Revoke { token, all, yes }) => {
            let (id, name) = find_token(&api, list_path(all), &token).await?;
            terminal::confirm(&format!("Revoke the token {name}?"), yes).await?;
            let answer = api.call(&ApiRequest::delete(format!("{}/{id}", list_path(all)))).await?;
            context.output.done(&answer, format!("Revoked the token {name}."))
        }
    }
}

/// Returns the path of your tokens, or of the tokens of the whole tenant.
fn list_path(all: bool) -> &'static str {
    if all { ALL } else { OWN }
}

/// Returns id and name of the token that `argument` names.
async fn find_token(api: &Api, list: &str, argument: &str) -> Result<(String, String)> {
    let (objects, _) = pages::read(api, &ApiRequest::get(list), usize::MAX).await?;
    let tokens: Vec<TokenRow> = objects.iter().map(|object| output::parse(object)).collect::<Result<_>>()?;
    let id = find::id(argument);
    let is_meant =
        |token: &TokenRow| id.as_ref() == Some(&token.id) || [&*token.name, &*token.prefix].contains(&argument);
    let found: Vec<_> = tokens.into_iter().filter(is_meant).collect();
    let describe = |token: &TokenRow| format!("{}  {}  {}", token.id, token.prefix, token.name);
    find::only(found, "token has the name or id", argument, describe).map(|token| (token.id, token.name))
}
