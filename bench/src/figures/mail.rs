//! Mails per second.

use anyhow::Result;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{Duration, Instant},
};

use crate::{
    Options,
    mailbox::Mailbox,
    people::Tenant,
    postgres, queue,
    report::{Line, Report},
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "One worker sends queued invitations, 64 at a time, each with a link of its own, \
                                      to a mail server on this machine that accepts every mail. The limit is the rate \
                                      at which that server accepts mails from a program that only sends, over as many \
                                      connections (16).";

/// The maximum number of SMTP connections that a worker uses for bulk mail. The limit is measured with as many.
const CONNECTIONS: usize = 16;
/// The size of a mail that the limit is measured with. It is about the size of an invitation.
const TEXT_BYTES: usize = 3_000;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let settings = [("PORTICO_WORKER_CONCURRENCY", "urgent=64,bulk=64,maintenance=2")];
    let world = World::new(options.binary()?, &settings).await?;
    let api = world.api("api").await?;
    let tenant = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?
    };
    tenant.invite(&api, "robin", options.mails).await?;
    let limit = server_rate(&world.mailbox, Duration::from_secs(3)).await?;

    let since = Instant::now();
    let worker = world.worker().await?;
    let db = postgres::connect(&world.database, 1).await?;
    queue::wait_until_done(&db, "bulk").await?;
    let times = world.mailbox.times(since);
    anyhow::ensure!(times.len() == options.mails, "{} of {} mails arrived", times.len(), options.mails);
    let (first, last) = (times.iter().min(), times.iter().max());
    let seconds = first.zip(last).map_or(0.0, |(first, last)| (*last - *first).as_secs_f64());
    let rate = times.len() as f64 / seconds;
    report.line(Line::new("invitations sent", format!("{rate:.0}/s")).limit(format!("{limit:.0}/s"), rate / limit));
    let cpu = worker.cpu()? / times.len() as f64 * 1e6;
    report.note(format!("{} mails. CPU time of the worker per mail: {cpu:.0} µs.", times.len()));
    Ok(())
}

/// Returns how many mails per second the server accepts, measured for `window`.
async fn server_rate(mailbox: &Mailbox, window: Duration) -> Result<f64> {
    let text = format!("Subject: x\r\n\r\n{}\r\n.\r\n", "x".repeat(70).repeat(TEXT_BYTES / 70));
    let (mut tasks, started) = (JoinSet::new(), Instant::now());
    for n in 0..CONNECTIONS {
        let (address, text) = (mailbox.address(), text.clone());
        tasks.spawn(async move {
            let mut stream = BufReader::new(TcpStream::connect(address).await?);
            stream.get_ref().set_nodelay(true)?;
            let (to, mut count) = (format!("RCPT TO:<sink-{n}@x.test>\r\n"), 0_usize);
            command(&mut stream, "EHLO bench\r\n").await?;
            while started.elapsed() < window {
                for line in ["MAIL FROM:<bench@x.test>\r\n", &to, "DATA\r\n", &text] {
                    command(&mut stream, line).await?;
                }
                count += 1;
            }
            // Waits until the server has read everything, so that none of these mails is counted among the worker's.
            stream.get_mut().shutdown().await?;
            stream.read_to_end(&mut Vec::new()).await?;
            anyhow::Ok(count)
        });
    }
    let mut total = 0;
    while let Some(count) = tasks.join_next().await {
        total += count??;
    }
    Ok(total as f64 / started.elapsed().as_secs_f64())
}

/// Sends a line or a mail, and reads the reply, one line.
async fn command(stream: &mut BufReader<TcpStream>, line: &str) -> Result<()> {
    stream.write_all(line.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_line(&mut reply).await?;
    Ok(())
}
