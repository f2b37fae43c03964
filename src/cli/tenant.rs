//! `portico tenant`: manages tenants, the companies that use Portico.

use anyhow::{Result, bail};
use clap::Subcommand;
use portico_domain::{
    entity::{client, membership, tenant},
    platform::{app::App, error::Error, name::Name},
    tenancy::tenants::{self, Slug, TenantOverview},
};
use serde_json::{Map, Value, json};

use super::print;
use crate::{bootstrap, config::Config};

/// The commands of `portico tenant`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists all tenants, in the order of their slugs.
    List {
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows one tenant, and how many clients, staff users and portal users it has.
    Show {
        /// The slug of the tenant.
        slug: String,
        /// Prints a JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Adds a tenant.
    Add {
        /// The short name of the tenant: lower-case letters, digits and hyphens.
        #[arg(long, value_parser = parse_slug)]
        slug: Slug,
        /// The name of the tenant as mails show it.
        #[arg(long, value_parser = super::parse_name)]
        name: Name,
    },
    /// Suspends a tenant: its staff users and portal users lose access immediately.
    Suspend {
        /// The slug of the tenant.
        #[arg(long)]
        slug: String,
    },
    /// Restores access to a suspended tenant. Every user must sign in again.
    Restore {
        /// The slug of the tenant.
        #[arg(long)]
        slug: String,
    },
}

/// Runs a command of `portico tenant`. `list` and `show` only read the database.
///
/// # Errors
/// Returns an error if the process cannot start, if the slug of a new tenant is taken, or if no tenant has the slug.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::List { json } => list(&bootstrap::app_for_reading(&config).await?, json).await,
        Command::Show { slug, json } => show(&bootstrap::app_for_reading(&config).await?, &slug, json).await,
        Command::Add { slug, name } => {
            let app = bootstrap::app(&config).await?;
            report(tenants::add(&app, &slug, &name).await.map(|tenant| format!("Added the tenant {}.", tenant.slug)))
        }
        Command::Suspend { slug } => {
            let app = bootstrap::app(&config).await?;
            report(tenants::suspend(&app, &slug).await.map(|()| format!("Suspended the tenant {slug}.")))
        }
        Command::Restore { slug } => {
            let app = bootstrap::app(&config).await?;
            report(tenants::restore(&app, &slug).await.map(|()| format!("Restored the tenant {slug}.")))
        }
    }
}

/// Prints what a command has done, or returns why it has not.
fn report(done: Result<String, Error>) -> Result<()> {
    match done {
        Ok(text) => print(text),
        Err(Error::Conflict(_)) => bail!("a tenant with this slug already exists"),
        Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
        Err(error) => Err(error.into()),
    }
}

/// Prints all tenants: as a table, or as a JSON array.
async fn list(app: &App, json: bool) -> Result<()> {
    let tenants = tenants::list(app).await?;
    if json {
        return print(Value::Array(tenants.iter().map(to_json).collect()));
    }
    print(format!("{:36}  {:40}  {:9}  {:20}  name", "id", "slug", "status", "created"))?;
    for tenant in tenants {
        let created = tenant.created_at.format("%Y-%m-%dT%H:%M:%SZ");
        let (id, slug, status) = (tenant.id.0, &tenant.slug, status_name(tenant.status));
        print(format!("{id:36}  {slug:40}  {status:9}  {created:20}  {}", tenant.name))?;
    }
    Ok(())
}

/// Prints one tenant: a line for each value, or a JSON object.
async fn show(app: &App, slug: &str, json: bool) -> Result<()> {
    let overview = match tenants::show(app, slug).await {
        Ok(overview) => overview,
        Err(Error::NotFound(_)) => bail!("no tenant has the slug {slug}; `portico tenant list` shows all tenants"),
        Err(error) => return Err(error.into()),
    };
    let TenantOverview { tenant, clients, staff_users, memberships } = &overview;
    let clients: Vec<_> = clients.iter().map(|(status, count)| (client_status_name(*status), *count)).collect();
    let members: Vec<_> = memberships.iter().map(|(status, count)| (member_status_name(*status), *count)).collect();
    if json {
        let mut object = to_json(tenant);
        object["clients"] = by_status(&clients);
        object["staff_users"] = json!(staff_users);
        object["portal_users"] = by_status(&members);
        return print(object);
    }
    let created = tenant.created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for (label, value) in [
        ("id", tenant.id.to_string()),
        ("slug", tenant.slug.clone()),
        ("name", tenant.name.clone()),
        ("status", status_name(tenant.status).to_owned()),
        ("language", tenant.default_locale.clone()),
        ("created", created),
        ("clients", summary(&clients)),
        ("staff users", staff_users.to_string()),
        ("portal users", summary(&members)),
    ] {
        print(format!("{label:13} {value}"))?;
    }
    Ok(())
}

/// Returns a tenant as a JSON object.
fn to_json(tenant: &tenant::Model) -> Value {
    json!({
        "id": tenant.id.0,
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status,
        "default_locale": tenant.default_locale,
        "created_at": tenant.created_at,
    })
}

/// Returns counts as a JSON object with the statuses as its names.
fn by_status(counts: &[(&'static str, u64)]) -> Value {
    let object: Map<_, _> = counts.iter().map(|(status, count)| ((*status).to_owned(), json!(count))).collect();
    Value::Object(object)
}

/// Returns the sum of counts, and each of them, such as `3 (2 active, 1 archived)`.
fn summary(counts: &[(&'static str, u64)]) -> String {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let parts: Vec<_> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
    if parts.is_empty() { total.to_string() } else { format!("{total} ({})", parts.join(", ")) }
}

const fn status_name(status: tenant::Status) -> &'static str {
    match status {
        tenant::Status::Active => "active",
        tenant::Status::Suspended => "suspended",
    }
}

/// Returns the name of a client's status, as the API writes it.
pub(super) const fn client_status_name(status: client::Status) -> &'static str {
    match status {
        client::Status::Active => "active",
        client::Status::PastDue => "past_due",
        client::Status::Archived => "archived",
    }
}

const fn member_status_name(status: membership::Status) -> &'static str {
    match status {
        membership::Status::Invited => "invited",
        membership::Status::Active => "active",
        membership::Status::Disabled => "disabled",
    }
}

/// Parses an argument that is the slug of a tenant.
///
/// # Errors
/// Returns the reason why `text` is not a valid slug.
fn parse_slug(text: &str) -> Result<Slug, String> {
    text.parse().map_err(|problem: portico_domain::platform::error::FieldProblem| problem.detail)
}
