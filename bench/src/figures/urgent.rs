//! A staff code overtakes a flood of bulk mail.

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

pub(crate) const MEANING: &str = "One worker with its default settings has a flood of bulk mail to send: notices to people, put into \
                                  the tables and onto the wire as Portico puts them. Meanwhile staff ask for a code, one each second. \
                                  The time is from the request to the mail server's acceptance of the code.";

/// How long a code may take at p99.
const WANTED_MS: f64 = 5_000.0;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let (api, _worker) = (world.api("api").await?, world.worker().await?);
    Tenant::new(&world, &api).await?.people(&world, &api, "robin", 10).await?;
    for n in 0..options.codes {
        let email = format!("staff-{n}@acme.test");
        world.run(&["staff", "add", "--tenant", "acme", "--email", &email, "--role", "viewer"])?;
    }
    let db = postgres::connect(&world.database, 1).await?;
    let mut redis = Redis::connect(&world.redis).await?;
    flood(&db, options.waiting).await?;
    let mails = "SELECT jsonb_build_object('email', id) AS payload FROM emails WHERE status = 'queued'";
    let jobs = queue::insert(&db, "send_mail", "bulk", mails).await?;
    queue::push(&mut redis, "bulk", &jobs).await?;

    let since = Instant::now();
    let before = queue::open(&db, "bulk").await?;
    let times = load::open(1.0, Duration::from_secs(options.codes as u64), |n| {
        let (mut client, mailbox) = (api.client(n), world.mailbox.clone());
        async move {
            let (email, asked) = (format!("staff-{n}@acme.test"), Instant::now());
            client.post("/api/staff/auth/send-code", None, json!({ "email": email })).await?;
            Ok(mailbox.wait(&email, asked, Duration::from_secs(60)).await?.at)
        }
    })
    .await?;
    let after = queue::open(&db, "bulk").await?;
    let (p50, p99) = (percentile(&times, 50.0), percentile(&times, 99.0));
    let line = Line::new("request to acceptance of a staff code, p99", format!("{:.2} s", p99 / 1e3));
    report.line(line.of("5 s", p99 / WANTED_MS).wanted("< 5 s", p99 < WANTED_MS));
    report.note(format!(
        "{} codes, p50 {:.0} ms. Bulk mails waiting: {before} when the first code was asked for, {after} after the last; \
         {:.0} mails/s left meanwhile.",
        times.len(),
        p50,
        world.mailbox.times(since).len() as f64 / since.elapsed().as_secs_f64(),
    ));
    Ok(())
}

/// Posts `count` notices that a password was changed, as `mail::post_notice` does.
async fn flood(db: &sea_orm::DatabaseConnection, count: usize) -> Result<()> {
    let sql = format!(
        "INSERT INTO emails (id, kind, recipient, portal_user_id, status, attempts, message_id, expires_at, created_at)
         SELECT id, 'password_changed', email, person, 'queued', 0, '<' || id || '@portico.test>', now() + interval '3 days', now()
         FROM (SELECT {} AS id, people.email, people.id AS person
               FROM generate_series(1, {count}) AS i
               JOIN (SELECT id, email, row_number() OVER () AS n FROM portal_users) AS people ON people.n = 1 + i % 10) AS mails",
        queue::NEW_ID
    );
    db.execute_unprepared(&sql).await?;
    Ok(())
}
