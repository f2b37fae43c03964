//! `portico remote staff`: the staff users of the tenant. No API token can do this.

use clap::{Args, Subcommand};
use portico_domain::platform::clock::Time;
use serde::Deserialize;
use serde_json::json;

use super::{
    api_request::ApiRequest,
    context::{Api, Context},
    failure::Result,
    find::{self, AddressList},
    output::Row,
    pages::{self, Limit},
    terminal,
};
use crate::cli::{output::time_or_never, staff::Role};

/// The list of staff users.
const STAFF: &str = "/api/v1/staff";

/// The commands of `portico remote staff`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists staff users and service accounts.
    List(List),
    /// Invites a staff user.
    Invite(Invite),
    /// Changes the role of a staff user. It takes effect at once.
    Role(SetRole),
    /// Removes a staff user: the sessions and API tokens of the user end at once.
    Remove(Remove),
}

/// The length of the list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote staff list
  portico remote staff list --json")]
pub(super) struct List {
    #[command(flatten)]
    limit: Limit,
}

/// A new staff user.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote staff invite sam@example.com --role support --name 'Sam Carter'")]
pub(super) struct Invite {
    /// The address. It cannot be changed later.
    email: String,
    /// The role.
    #[arg(long)]
    role: Role,
    /// The name.
    #[arg(long)]
    name: Option<String>,
}

/// A new role of a staff user.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote staff role sam@example.com admin")]
pub(super) struct SetRole {
    /// The staff user: the address, or the id that the list shows.
    staff: String,
    /// The new role.
    role: Role,
}

/// A staff user to remove.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote staff remove sam@example.com")]
pub(super) struct Remove {
    /// The staff user: the address, or the id that the list shows.
    staff: String,
    /// Asks no question.
    #[arg(long)]
    yes: bool,
}

#[derive(Deserialize)]
struct StaffRow {
    id: String,
    email: Option<String>,
    name: String,
    role: String,
    kind: String,
    status: String,
    last_sign_in_at: Option<Time>,
}

impl Row for StaffRow {
    const PLURAL: &'static str = "staff users";
    const HEADER: &'static [&'static str] = &["ADDRESS", "NAME", "ROLE", "KIND", "STATUS", "LAST SIGN-IN", "ID"];

    fn cells(self) -> Vec<String> {
        let (email, last) = (self.email.unwrap_or_default(), time_or_never(self.last_sign_in_at));
        vec![email, self.name, self.role, self.kind, self.status, last, self.id]
    }
}

/// Runs a command of `portico remote staff`.
///
/// # Errors
/// As for [`Context::session_api`], [`Api::call`] and [`find::by_address`].
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (api, output) = (context.session_api()?, context.output);
    match command {
        Command::List(List { limit }) => pages::print::<StaffRow>(context, &api, ApiRequest::get(STAFF), &limit).await,
        Command::Invite(Invite { email, role, name }) => {
            let body = json!({ "email": email, "role": role.name(), "name": name });
            let answer = api.call(&ApiRequest::post(STAFF).json(&body)).await?;
            let user: StaffRow = answer.parse()?;
            output.done(&answer, format!("Invited {} as {}.", user.email.unwrap_or_default(), user.role))
        }
        Command::Role(SetRole { staff, role }) => {
            let path = path(&api, &staff).await?;
            let answer = api.call(&ApiRequest::patch(path, &json!({ "role": role.name() }))).await?;
            output.done(&answer, format!("{staff} has the role {}.", role.name()))
        }
        Command::Remove(Remove { staff, yes }) => {
            let path = path(&api, &staff).await?;
            terminal::confirm(&format!("Remove {staff}?"), yes).await?;
            let answer = api.call(&ApiRequest::delete(path)).await?;
            output.done(&answer, format!("Removed {staff}."))
        }
    }
}

/// Returns the path of a staff user.
async fn path(api: &Api, staff: &str) -> Result<String> {
    let list = AddressList { path: STAFF, noun: "staff user", has_search: false, preferred: None };
    Ok(format!("{STAFF}/{}", find::by_address(api, &list, staff).await?))
}
