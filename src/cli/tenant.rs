//! `portico tenant`: manages tenants, the companies that use Portico.

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use portico_domain::{
    entity::{client, membership, tenant},
    platform::{
        app::App,
        error::{Error, FieldProblem},
        locale::Locale,
        name::Name,
    },
    tenancy::tenants::{self, Slug, TenantOverview},
};
use serde_json::{Map, Value, json};

use super::{
    arguments::{TenantArgument, explain_tenant, parse_locale, parse_name},
    output::{Listing, print, print_done, time},
    text,
};
use crate::{bootstrap, config::Config};

/// The commands of `portico tenant`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists all tenants, in the order of their slugs.
    #[command(after_help = "Examples:\n  portico tenant list\n  portico tenant list --json")]
    List {
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows one tenant, and how many clients, staff users and portal users it has.
    #[command(
        override_usage = "portico tenant show [OPTIONS] <SLUG>",
        after_help = "Examples:\n  portico tenant show acme\n  portico tenant show acme --json"
    )]
    Show {
        #[command(flatten)]
        tenant: TenantArgument,
        /// Prints a JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Adds a tenant.
    #[command(
        override_usage = "portico tenant add --name <NAME> [--locale <LOCALE>] <SLUG>",
        after_help = "Examples:\n  portico tenant add acme --name 'Acme Ltd'\n  portico tenant add muster --name \
                      'Muster GmbH' --locale de"
    )]
    Add {
        #[command(flatten)]
        slug: NewSlug,
        /// The name of the tenant as mails show it.
        #[arg(long, value_parser = parse_name)]
        name: Name,
        /// The language of mails to persons whose own language is unknown: en, de, fr or es, perhaps with a region.
        #[arg(long, value_parser = parse_locale, default_value = "en")]
        locale: Locale,
    },
    /// Suspends a tenant: its staff users and portal users lose access immediately.
    #[command(
        override_usage = "portico tenant suspend <SLUG>",
        after_help = "Examples:\n  portico tenant suspend acme"
    )]
    Suspend {
        #[command(flatten)]
        tenant: TenantArgument,
    },
    /// Restores access to a suspended tenant. Every user must sign in again.
    #[command(
        override_usage = "portico tenant restore <SLUG>",
        after_help = "Examples:\n  portico tenant restore acme"
    )]
    Restore {
        #[command(flatten)]
        tenant: TenantArgument,
    },
}

/// The slug of a new tenant, as the first argument or as `--slug`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct NewSlug {
    /// The short name of the tenant: lower-case letters, digits and hyphens.
    #[arg(value_parser = parse_slug)]
    slug: Option<Slug>,
    /// The short name of the tenant.
    #[arg(long = "slug", value_name = "SLUG", hide = true, value_parser = parse_slug)]
    slug_option: Option<Slug>,
}

impl Command {
    /// Returns whether the command needs only the settings of the database.
    pub(super) fn needs_database_only(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show { .. })
    }
}

/// Runs a command of `portico tenant`. `list` and `show` only read the database.
///
/// # Errors
/// Returns an error if the process cannot start, if the slug of a new tenant is taken, or if no tenant has the slug.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::List { json } => {
            let tenants = tenants::list(&bootstrap::app_for_reading(&config).await?).await?;
            LISTING.print(&tenants, json, "No tenants. `portico tenant add` adds one.")
        }
        Command::Show { tenant, json } => {
            show(&bootstrap::app_for_reading(&config).await?, &tenant.into_slug()?, json).await
        }
        Command::Add { slug, name, locale } => {
            let slug = slug.slug.or(slug.slug_option).ok_or_else(|| anyhow!("name the slug of the tenant"))?;
            add(&bootstrap::app(&config).await?, &slug, &name, &locale).await
        }
        Command::Suspend { tenant } => {
            let (app, slug) = (bootstrap::app(&config).await?, tenant.into_slug()?);
            if has_status(&app, &slug, tenant::Status::Suspended).await? {
                return print(format!("The tenant {slug} is suspended already."));
            }
            tenants::suspend(&app, &slug).await.map_err(|error| explain_tenant(error, &slug))?;
            print_done(
                format!("Suspended the tenant {slug}. Its users have lost access."),
                format!("`portico tenant restore {slug}` gives the access back"),
            )
        }
        Command::Restore { tenant } => {
            let (app, slug) = (bootstrap::app(&config).await?, tenant.into_slug()?);
            if has_status(&app, &slug, tenant::Status::Active).await? {
                return print(format!("The tenant {slug} is active already."));
            }
            tenants::restore(&app, &slug).await.map_err(|error| explain_tenant(error, &slug))?;
            print_done(format!("Restored the tenant {slug}."), "each user of the tenant signs in again")
        }
    }
}

async fn has_status(app: &App, slug: &str, status: tenant::Status) -> Result<bool> {
    let overview = tenants::show(app, slug).await.map_err(|error| explain_tenant(error, slug))?;
    Ok(overview.tenant.status == status)
}

async fn add(app: &App, slug: &Slug, name: &Name, locale: &Locale) -> Result<()> {
    let tenant = tenants::add(app, slug, name, locale).await.map_err(|error| match error {
        Error::Conflict(_) | Error::ConflictBecause(_) => {
            let slug = slug.as_str();
            anyhow!("a tenant with the slug {slug} already exists; `portico tenant show {slug}` shows it")
        }
        error => error.into(),
    })?;
    let slug = &tenant.slug;
    print_done(
        format!("Added the tenant {slug}."),
        format!("portico staff add --tenant {slug} --email you@example.com --role owner"),
    )
}

/// How a list of tenants is printed.
const LISTING: Listing<tenant::Model, 5> = Listing {
    columns: ["SLUG", "NAME", "STATUS", "CREATED", "ID"],
    row: |tenant| {
        let status = status_name(tenant.status).to_owned();
        [tenant.slug.clone(), tenant.name.clone(), status, time(tenant.created_at), tenant.id.to_string()]
    },
    to_json,
};

/// Prints one tenant: a line for each value, or a JSON object.
async fn show(app: &App, slug: &str, json: bool) -> Result<()> {
    let overview = tenants::show(app, slug).await.map_err(|error| explain_tenant(error, slug))?;
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
    for (label, value) in [
        ("id", tenant.id.to_string()),
        ("slug", tenant.slug.clone()),
        ("name", text::clean(&tenant.name)),
        ("status", status_name(tenant.status).to_owned()),
        ("language", tenant.default_locale.clone()),
        ("created", time(tenant.created_at)),
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
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}
