//! `portico staff`: manages the staff users of a tenant.

use std::sync::LazyLock;

use anyhow::{Result, anyhow};
use clap::{Subcommand, ValueEnum, builder::PossibleValue};
use portico_domain::{
    entity::staff_user::{self, Model},
    platform::{app::App, email_address::EmailAddress, error::Error, name::Name},
    tenancy::staff::{self, NewStaff},
};
use serde_json::{Value, json};

use super::{
    arguments::{StaffArgument, explain_tenant, parse_email, parse_name},
    output::{Listing, print, print_done, time_or_never},
};
use crate::{bootstrap, config::Config};

/// The commands of `portico staff`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a staff user and mails them where to sign in. Staff users sign in with a code that is sent to their
    /// address.
    #[command(after_help = "Examples:
  portico staff add --tenant acme --email ann@example.com --role owner
  portico staff add --tenant acme --email sam@example.com --name 'Sam Lee' --role support")]
    Add {
        /// The slug of the tenant.
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// The staff user's email address. It cannot be changed later.
        #[arg(long, value_parser = parse_email)]
        email: EmailAddress,
        /// The staff user's name.
        #[arg(long, value_parser = parse_name)]
        name: Option<Name>,
        /// The role, which decides what the staff user may do.
        #[arg(long)]
        role: Role,
    },
    /// Lists the staff users of a tenant.
    #[command(after_help = "Examples:
  portico staff list --tenant acme
  portico staff list --tenant acme --json")]
    List {
        /// The slug of the tenant.
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Changes the role of a staff user. It takes effect at once.
    #[command(
        override_usage = "portico staff role --role <ROLE> <EMAIL>",
        after_help = "Examples:\n  portico staff role sam@example.com --role admin"
    )]
    Role {
        #[command(flatten)]
        staff_user: StaffArgument,
        /// The new role.
        #[arg(long)]
        role: Role,
    },
    /// Removes a staff user: their sessions and API tokens end at once, and the address can be used again.
    #[command(
        override_usage = "portico staff remove <EMAIL>",
        after_help = "Examples:\n  portico staff remove sam@example.com"
    )]
    Remove {
        #[command(flatten)]
        staff_user: StaffArgument,
    },
}

/// A role as an argument.
#[derive(Clone, Copy)]
pub(super) struct Role(staff_user::Role);

impl Role {
    /// Returns the name of the role, as the API writes it.
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<[Role; staff_user::Role::ALL.len()]> = LazyLock::new(|| staff_user::Role::ALL.map(Role));
        &*ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            staff_user::Role::Owner => "Has every permission",
            staff_user::Role::Admin => {
                "Has every permission but to change staff users, service accounts and their tokens"
            }
            staff_user::Role::Support => "Works with clients, their portal users and mails",
            staff_user::Role::Viewer => "May read everything, and change nothing",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl Command {
    /// Returns whether the command needs only the settings of the database.
    pub(super) fn needs_database_only(&self) -> bool {
        matches!(self, Self::List { .. })
    }
}

/// Runs a command of `portico staff`.
///
/// # Errors
/// Returns an error if the process cannot start, if a staff user of any tenant has the address of a new one, if no
/// tenant has the slug, if no staff user has the address, or if the tenant would lose its last owner.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::Add { tenant, email, name, role } => {
            let new = NewStaff { email, name, role: role.0 };
            add(&bootstrap::app(&config).await?, &tenant, new).await
        }
        Command::List { tenant, json } => {
            let users = staff::list_of_tenant(&bootstrap::app_for_reading(&config).await?, &tenant).await;
            let users = users.map_err(|error| explain_tenant(error, &tenant))?;
            let if_empty = format!("The tenant {tenant} has no staff users. `portico staff add` adds one.");
            LISTING.print(&users, json, &if_empty)
        }
        Command::Role { staff_user, role } => {
            let email = staff_user.into_email()?;
            let changed = staff::set_role(&bootstrap::app(&config).await?, email.as_str(), role.0).await;
            let user = changed.map_err(|error| explain(error, &email))?;
            print(format!("{} has the role {}. It applies from the next request on.", user.email, user.role.name()))
        }
        Command::Remove { staff_user } => {
            let email = staff_user.into_email()?;
            let removed = staff::remove_by_email(&bootstrap::app(&config).await?, email.as_str()).await;
            let user = removed.map_err(|error| explain(error, &email))?;
            print_done(
                format!("Removed {}. Their sessions and API tokens have ended.", user.email),
                "revoke the tokens of service accounts that they know; `portico remote tokens list --all` lists them",
            )
        }
    }
}

async fn add(app: &App, tenant: &str, new: NewStaff) -> Result<()> {
    let email = new.email.clone();
    let user = staff::add(app, tenant, new).await.map_err(|error| match error {
        Error::ConflictBecause(_) => {
            anyhow!("a staff user with the address {email} already exists; `portico staff role` changes the role")
        }
        error => explain_tenant(error, tenant),
    })?;
    let url = app.settings().public_url.as_str().trim_end_matches('/');
    print_done(
        format!("Added {} to the staff of {tenant} with the role {}.", user.email, user.role.name()),
        format!(
            "a worker mails them where to sign in, with a mailed code. On the command line: \
             portico remote login {url} --email {}",
            user.email
        ),
    )
}

/// Returns the error of a change of the staff user with this address, as a sentence.
fn explain(error: Error, email: &EmailAddress) -> anyhow::Error {
    match error {
        Error::NotFound(_) => anyhow!(
            "no staff user has the address {email}; `portico staff list --tenant SLUG` shows the staff users of a tenant"
        ),
        Error::Conflict("last_owner") => anyhow!(
            "{email} is the last owner of the tenant; give another staff user the role owner first, \
             e.g. portico staff role other@example.com --role owner"
        ),
        error => error.into(),
    }
}

/// How a list of staff users is printed.
const LISTING: Listing<Model, 5> = Listing {
    columns: ["ADDRESS", "NAME", "ROLE", "STATUS", "LAST SIGN-IN"],
    row: |user| {
        let (role, last) = (user.role.name().to_owned(), time_or_never(user.last_sign_in_at));
        [user.email.clone(), user.name.clone(), role, status(user).to_owned(), last]
    },
    to_json: |user| -> Value {
        json!({
            "id": user.id,
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "status": status(user),
            "last_sign_in_at": user.last_sign_in_at,
            "created_at": user.created_at,
        })
    },
};

fn status(user: &Model) -> &'static str {
    if user.disabled_at.is_some() { "disabled" } else { "active" }
}
