//! Mails a second.

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

pub(crate) const MEANING: &str = "One worker, 64 at once, sends invitations that were waiting, each with a link of its own, to a \
                                  mail server on this machine that takes all it gets. The limit is that server, asked by a program \
                                  that only sends, over as many connections (16).";

const CONNECTIONS: usize = 16;
/// About as long as an invitation.
const TEXT_BYTES: usize = 3_000;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let settings = [("PORTICO_WORKER_CONCURRENCY", "urgent=64,bulk=64,maintenance=2")];
    let world = World::new(options.binary()?, &settings).await?;
    let api = world.api("api").await?;
    let tenant = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?
    };
    tenant.invited(&api, "robin", options.mails).await?;
    let limit = bare_rate(&world.mailbox, Duration::from_secs(3)).await?;

    let since = Instant::now();
    let worker = world.worker().await?;
    let db = postgres::connect(&world.database, 1).await?;
    queue::drained(&db, "bulk").await?;
    let times = world.mailbox.times(since);
    anyhow::ensure!(times.len() == options.mails, "{} of {} mails arrived", times.len(), options.mails);
    let (first, last) = (times.iter().min(), times.iter().max());
    let seconds = first.zip(last).map_or(0.0, |(first, last)| (*last - *first).as_secs_f64());
    let rate = times.len() as f64 / seconds;
    report.line(Line::new("invitations sent", format!("{rate:.0}/s")).of(format!("{limit:.0}/s"), rate / limit));
    let cpu = worker.cpu()? / times.len() as f64 * 1e6;
    report.note(format!("{} mails; the worker used {cpu:.0} µs of CPU for one.", times.len()));
    Ok(())
}

/// Mails a second that the server takes.
async fn bare_rate(mailbox: &Mailbox, window: Duration) -> Result<f64> {
    let text = format!("Subject: x\r\n\r\n{}\r\n.\r\n", "x".repeat(70).repeat(TEXT_BYTES / 70));
    let (mut tasks, started) = (JoinSet::new(), Instant::now());
    for n in 0..CONNECTIONS {
        let (address, text) = (mailbox.address(), text.clone());
        tasks.spawn(async move {
            let mut stream = BufReader::new(TcpStream::connect(address).await?);
            stream.get_ref().set_nodelay(true)?;
            let (to, mut count) = (format!("RCPT TO:<sink-{n}@x.test>\r\n"), 0_usize);
            ask(&mut stream, "EHLO bench\r\n").await?;
            while started.elapsed() < window {
                for line in ["MAIL FROM:<bench@x.test>\r\n", &to, "DATA\r\n", &text] {
                    ask(&mut stream, line).await?;
                }
                count += 1;
            }
            // Until the server has taken all of it: none of these mails may arrive among the worker's.
            stream.get_mut().shutdown().await?;
            stream.read_to_end(&mut Vec::new()).await?;
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done??;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

async fn ask(stream: &mut BufReader<TcpStream>, line: &str) -> Result<()> {
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await?;
    Ok(())
}
