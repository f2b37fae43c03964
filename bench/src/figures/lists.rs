//! How long a page of a long list takes.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::Instant;

use crate::{
    Options,
    people::Tenant,
    postgres,
    report::{Line, Report},
    stats::{median, ms, percentile},
    world::{Api, World},
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "One client reads pages of 25 from lists with many rows on Postgres. The rows are \
                                      filled in with SQL; a tenth of them belong to another tenant. The limit of the \
                                      median is 20 ms. The middle page is the one after the row in the middle.";

/// The limit of the median of a page, in milliseconds.
const LIMIT_MS: f64 = 20.0;
/// How many times each page is read.
const REQUESTS: usize = 200;

/// A list, the SQL that fills it, and the pages that are read. A further list is one more element of [`LISTS`].
///
/// In the SQL and in the paths, `{tenant}`, `{other}` and `{client}` stand for the ids of the caller's tenant, of
/// another tenant and of a client of the caller's tenant, `{rows}` for the number of rows, `{actor}` and `{target}` for
/// an actor and a target of the audit log, and `{100 days ago}` and `{99 days ago}` for times. In the paths, `{middle}`
/// stands for the cursor of the middle page.
struct List {
    /// The name in the report.
    name: &'static str,
    /// The number of rows.
    rows: u32,
    /// The statements that insert the rows. [`FUNCTIONS`] defines what they can call.
    fill: &'static [&'static str],
    /// Selects the ids of the caller's rows in the order of the list.
    ids: &'static str,
    /// The pages that are read: a name, and the path with its query.
    pages: &'static [(&'static str, &'static str)],
}

/// Functions for the SQL of the lists: the time of row `n` of `rows` in the last 170 days, and a UUIDv7 of a time that
/// differs for each `n`.
const FUNCTIONS: &str = "
    CREATE FUNCTION bench_time(n bigint, total bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS $$
        SELECT date_trunc('day', now()) - interval '170 days' + n * (interval '170 days' / total) $$;
    CREATE FUNCTION bench_id(at timestamptz, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
        SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid $$;
";

/// The lists that are measured.
const LISTS: &[&List] = &[&MAIL_LOG, &AUDIT_LOG, &PEOPLE];

/// The mail log of a tenant.
const MAIL_LOG: List = List {
    name: "mail log",
    rows: 1_000_000,
    fill: &[
        "
        INSERT INTO emails (id, kind, recipient, tenant_id, client_id, status, attempts, detail, reason, refusal,
            message_id, expires_at, created_at, sent_at, last_attempt_at)
        SELECT bench_id(at, n), CASE WHEN n % 20 = 3 THEN 'access_notice' ELSE 'invitation' END,
            'person-' || n % 200000 || '@x.test', CASE WHEN n % 10 = 0 THEN '{other}'::uuid ELSE '{tenant}'::uuid END,
            CASE WHEN n % 10 <> 0 THEN '{client}'::uuid END, status, 1,
            CASE status WHEN 'failed' THEN '550 5.1.1 no such user' ELSE '250 2.0.0 Ok: queued' END,
            CASE status WHEN 'failed' THEN 'recipient_refused' END, CASE status WHEN 'failed' THEN 'rcpt 550 5.1.1' END,
            '<' || n || '@bench.test>', at + interval '3 days', at, CASE status WHEN 'sent' THEN at END, at
        FROM (SELECT n, bench_time(n, {rows}) AS at, CASE WHEN n % 2000 = 7 THEN 'failed'
                WHEN n % 50 = 9 THEN 'suppressed' ELSE 'sent' END AS status
            FROM generate_series(1, {rows}) AS n) AS numbered",
        "VACUUM ANALYZE clients, emails",
    ],
    ids: "SELECT id FROM emails WHERE tenant_id = '{tenant}' ORDER BY id DESC",
    pages: &[
        ("first page", "/api/v1/emails"),
        ("middle page", "/api/v1/emails?cursor={middle}"),
        ("failed, middle page", "/api/v1/emails?status=failed&cursor={middle}"),
        ("one kind, middle page", "/api/v1/emails?kind=access_notice&cursor={middle}"),
        ("a kind without mails", "/api/v1/emails?kind=staff_code"),
        ("one recipient", "/api/v1/emails?recipient=person-4711@x.test"),
        ("one day, 100 days ago", "/api/v1/emails?from={100 days ago}&to={99 days ago}&limit=25"),
    ],
};

/// The audit log of a tenant. The rows are marked as sealed; no worker reads them.
const AUDIT_LOG: List = List {
    name: "audit log",
    rows: 1_000_000,
    fill: &[
        "
        INSERT INTO audit_events (id, tenant_id, client_id, actor_realm, actor_id, action, target_kind, target_id,
            outcome, details, ip, at, actor_name, sequence, mac, seal_key)
        SELECT bench_id(at, n), CASE WHEN n % 10 = 0 THEN '{other}'::uuid ELSE '{tenant}'::uuid END,
            CASE WHEN n % 10 <> 0 THEN '{client}'::uuid END, CASE WHEN n % 3 = 0 THEN 'staff' ELSE 'portal' END,
            md5('actor' || n % 5000)::uuid,
            CASE WHEN n % 2000 = 7 THEN 'membership.disabled' WHEN n % 20 = 3 THEN 'invitation.sent'
                ELSE 'session.opened' END,
            'portal_user', md5('target' || n % 200000)::uuid,
            CASE WHEN n % 500 = 9 THEN 'failure' ELSE 'success' END, '{}', '192.0.2.7', at, 'Ann Example', n,
            repeat('0', 64), repeat('0', 16)
        FROM (SELECT n, bench_time(n, {rows}) AS at FROM generate_series(1, {rows}) AS n) AS numbered",
        "VACUUM ANALYZE clients, audit_events",
    ],
    ids: "SELECT id FROM audit_events WHERE tenant_id = '{tenant}' ORDER BY id DESC",
    pages: &[
        ("first page", "/api/v1/audit-events"),
        ("middle page", "/api/v1/audit-events?cursor={middle}"),
        ("one action, middle page", "/api/v1/audit-events?action=invitation.sent&cursor={middle}"),
        ("a rare action", "/api/v1/audit-events?action=membership.disabled"),
        ("an action without events", "/api/v1/audit-events?action=client.archived"),
        ("failures, middle page", "/api/v1/audit-events?outcome=failure&cursor={middle}"),
        ("one actor", "/api/v1/audit-events?actor={actor}"),
        ("one actor and a rare action", "/api/v1/audit-events?actor={actor}&action=membership.disabled"),
        ("one target", "/api/v1/audit-events?target={target}"),
        ("one client, middle page", "/api/v1/audit-events?client_id={client}&cursor={middle}"),
        ("one day, 100 days ago", "/api/v1/audit-events?from={100 days ago}&to={99 days ago}"),
    ],
};

/// The portal users of a tenant, and the search among them.
const PEOPLE: List = List {
    name: "people",
    rows: 100_000,
    fill: &[
        "INSERT INTO clients (id, tenant_id, name, status, created_at)
        VALUES (bench_id(now(), 0), '{other}', 'Elsewhere Ltd', 'active', now())",
        // People with one of 20 first names and one of many last names.
        "CREATE TABLE bench_people AS
        SELECT n, at, bench_id(at, n) AS user_id, bench_id(at, -n) AS id, 'person-' || n || '@x.test' AS email,
            (ARRAY['Ann', 'Bob', 'Chloé', 'Dan', 'Eva', 'Finn', 'Gül', 'Hans', 'Ida', 'Jan', 'Kim', 'Lea', 'Max',
                'Nora', 'Olga', 'Paul', 'Rosa', 'Sven', 'Tom', 'Zoë'])[1 + n % 20] AS first,
            initcap(translate(substr(md5(n::text), 1, 6), '0123456789', 'ghijklmnop')) AS last,
            CASE WHEN n % 10 = 0 THEN '{other}'::uuid ELSE '{tenant}'::uuid END AS tenant,
            CASE WHEN n % 10 = 0 THEN (SELECT id FROM clients WHERE tenant_id = '{other}')
                ELSE '{client}'::uuid END AS client
        FROM (SELECT n, bench_time(n, {rows}) AS at FROM generate_series(1, {rows}) AS n) AS numbered",
        "INSERT INTO portal_users (id, email, name, credential_version, created_at)
        SELECT user_id, email, first || ' ' || last, 0, at FROM bench_people",
        "INSERT INTO memberships (id, portal_user_id, client_id, display_name, role, status, invited_at,
            tenant_id, is_search_indexed)
        SELECT id, user_id, client, first || ' ' || last, 'member',
            CASE WHEN n % 7 = 0 THEN 'invited' WHEN n % 5000 = 1 THEN 'disabled' ELSE 'active' END, at, tenant, true
        FROM bench_people",
        // What `tenancy::search::membership` writes: the endings of the name that start at a word, and the address.
        "INSERT INTO search_words (object_id, word, tenant_id, subject)
        SELECT id, word, tenant, 'membership'
        FROM bench_people, LATERAL (VALUES (lower(first || ' ' || last)), (lower(last)), (email)) AS words (word)",
        "VACUUM ANALYZE clients, portal_users, memberships, search_words",
    ],
    ids: "SELECT id FROM memberships WHERE tenant_id = '{tenant}' ORDER BY id",
    pages: &[
        ("first page", "/api/v1/portal-users"),
        ("middle page", "/api/v1/portal-users?cursor={middle}"),
        ("disabled ones", "/api/v1/portal-users?status=disabled"),
        ("of one client, middle page", "/api/v1/clients/{client}/portal-users?cursor={middle}"),
        ("of one client, disabled ones", "/api/v1/clients/{client}/portal-users?status=disabled"),
        ("one address", "/api/v1/portal-users?q=person-4711%40"),
        ("a first name, 4,500 people", "/api/v1/portal-users?q=bob"),
        ("two letters, middle page", "/api/v1/portal-users?q=ga&cursor={middle}"),
        ("a first name of one status", "/api/v1/portal-users?q=bob&status=invited"),
        ("nothing found", "/api/v1/portal-users?q=zzzz"),
    ],
};

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[]).await?;
    let api = world.api("api").await?;
    let tenant = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?
    };
    world.run(&["tenant", "add", "--slug", "other", "--name", "Other"])?;
    let db = postgres::connect(&world.database, 1).await?;
    db.execute_unprepared(FUNCTIONS).await?;
    // The first requests open connections and prepare statements.
    read(&api, &tenant, "/api/v1/clients").await?;
    let short = median(&read(&api, &tenant, "/api/v1/clients").await?);
    report.line(Line::new("for comparison: clients, one row", format!("{short:.1} ms")));
    for list in LISTS {
        let filled = Filled::new(&db, list, &tenant).await?;
        for (page, path) in list.pages {
            let times = read(&api, &tenant, &filled.with_values(path)).await?;
            let ratio = median(&times) / LIMIT_MS;
            let measured = format!("{:.1} ms, p99 {:.1} ms", median(&times), percentile(&times, 99.0));
            let line = Line::new(format!("{}, {page}", list.name), measured).limit(format!("{LIMIT_MS} ms"), ratio);
            report.line(line.target("≤ 1.00", ratio <= 1.0));
        }
        report.note(format!("{}: {} rows, filled in {:.0} s.", list.name, list.rows, filled.seconds));
    }
    Ok(db.close().await?)
}

/// Reads a page [`REQUESTS`] times, and returns the time of each request in milliseconds.
async fn read(api: &Api, tenant: &Tenant, path: &str) -> Result<Vec<f64>> {
    let mut client = api.client(0);
    let request = client.request("GET", path, Some(tenant.token()), None);
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let started = Instant::now();
        client.send(&request).await?.json().with_context(|| path.to_owned())?;
        times.push(ms(started.elapsed()));
    }
    Ok(times)
}

/// A list that is filled, and what its placeholders stand for.
struct Filled {
    values: Vec<(&'static str, String)>,
    /// How long the filling took, in seconds.
    seconds: f64,
}

impl Filled {
    /// Fills `list`.
    async fn new(db: &DatabaseConnection, list: &List, tenant: &Tenant) -> Result<Self> {
        let started = Instant::now();
        let time =
            |days: u32| format!("SELECT to_char(now() - interval '{days} days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
        let mut filled = Self {
            values: vec![
                ("{client}", tenant.client().to_owned()),
                ("{tenant}", one(db, "SELECT id::text FROM tenants WHERE slug = 'acme'").await?),
                ("{other}", one(db, "SELECT id::text FROM tenants WHERE slug = 'other'").await?),
                ("{rows}", list.rows.to_string()),
                ("{actor}", one(db, "SELECT md5('actor7')::uuid::text").await?),
                ("{target}", one(db, "SELECT md5('target7')::uuid::text").await?),
                ("{100 days ago}", one(db, &time(100)).await?),
                ("{99 days ago}", one(db, &time(99)).await?),
            ],
            seconds: 0.0,
        };
        for sql in list.fill {
            db.execute_unprepared(&filled.with_values(sql)).await?;
        }
        // The cursor is the id in base64url without padding.
        let middle = format!(
            "SELECT rtrim(translate(encode(uuid_send(id), 'base64'), '+/', '-_'), '=') \
             FROM ({} OFFSET {} LIMIT 1) AS rows",
            filled.with_values(list.ids),
            list.rows * 9 / 20
        );
        filled.values.push(("{middle}", one(db, &middle).await?));
        filled.seconds = started.elapsed().as_secs_f64();
        Ok(filled)
    }

    /// Returns `text` with the values in place of their placeholders.
    fn with_values(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// Returns the text in the only row of a query.
async fn one(db: &DatabaseConnection, sql: &str) -> Result<String> {
    postgres::column::<String>(db, sql).await?.pop().with_context(|| format!("no row: {sql}"))
}
