//! How soon a staff code is sent while much bulk mail waits.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::{
    Options, load,
    people::Tenant,
    postgres, queue,
    redis::Redis,
    report::{Line, Report},
    stats::percentile,
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "One worker with default settings has much bulk mail to send: notices to portal \
                                      users, whose rows and jobs are written as Portico writes them. During that time \
                                      staff users request codes, one per second. The time is measured from the request \
                                      until the mail server has accepted the code.";

/// The p99 of the time until a code is accepted must be below this, in milliseconds.
const TARGET_MS: f64 = 5_000.0;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let (api, _worker) = (world.api("api").await?, world.worker().await?);
    Tenant::new(&world, &api).await?.users(&world, &api, "robin", 10).await?;
    for n in 0..options.codes {
        let email = format!("staff-{n}@acme.test");
        world.run(&["staff", "add", "--tenant", "acme", "--email", &email, "--role", "viewer"])?;
    }
    let db = postgres::connect(&world.database, 1).await?;
    let mut redis = Redis::connect(&world.redis).await?;
    insert_notices(&db, options.waiting).await?;
    let mails = "SELECT jsonb_build_object('email', id) AS payload FROM emails WHERE status = 'queued'";
    let jobs = queue::insert(&db, "send_mail", "bulk", mails).await?;
    queue::push(&mut redis, "bulk", &jobs).await?;

    let since = Instant::now();
    let waiting_before = queue::count_open(&db, "bulk").await?;
    let times = load::open(1.0, Duration::from_secs(options.codes as u64), |n| {
        let (mut client, mailbox) = (api.client(n), world.mailbox.clone());
        async move {
            let (email, requested_at) = (format!("staff-{n}@acme.test"), Instant::now());
            client.post("/api/staff/auth/send-code", None, json!({ "email": email })).await?;
            Ok(mailbox.wait(&email, requested_at, Duration::from_secs(60)).await?.at)
        }
    })
    .await?;
    let waiting_after = queue::count_open(&db, "bulk").await?;
    let (p50, p99) = (percentile(&times, 50.0), percentile(&times, 99.0));
    let line = Line::new("staff code, request to acceptance, p99", format!("{:.2} s", p99 / 1e3));
    report.line(line.limit("5 s", p99 / TARGET_MS).target("< 5 s", p99 < TARGET_MS));
    report.note(format!(
        "{} codes, p50 {:.0} ms. {waiting_before} bulk mails waited before the first code was requested, and \
         {waiting_after} after the last one was accepted. {:.0} mails per second were sent during that time.",
        times.len(),
        p50,
        world.mailbox.times(since).len() as f64 / since.elapsed().as_secs_f64(),
    ));
    Ok(())
}

/// Inserts `count` queued notices that a password was changed, as `notices::enqueue_for_portal_user` does.
async fn insert_notices(db: &sea_orm::DatabaseConnection, count: usize) -> Result<()> {
    let sql = format!(
        "INSERT INTO emails (id, kind, recipient, portal_user_id, status, attempts, message_id, expires_at, created_at)
         SELECT id, 'password_changed', email, user_id, 'queued', 0, '<' || id || '@portico.test>',
                now() + interval '3 days', now()
         FROM (SELECT {} AS id, users.email, users.id AS user_id
               FROM generate_series(1, {count}) AS i
               JOIN (SELECT id, email, row_number() OVER () AS n FROM portal_users) AS users
                 ON users.n = 1 + i % 10) AS mails",
        queue::NEW_ID
    );
    db.execute_unprepared(&sql).await?;
    Ok(())
}
