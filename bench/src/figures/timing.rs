//! Whether time tells who has an account.

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use crate::{
    Options,
    http::Client,
    people::Tenant,
    report::{Line, Report},
    stats::{auc, median, ms},
    world::{Api, World},
};

pub(crate) const MEANING: &str = "A known address (wrong password), an unknown and a not activated one, asked in turns of random \
                                  order over one connection. AUC is how likely the one answer takes longer than the other: 0.5 \
                                  tells nothing. A planted delay shows that the measurement would see one.";

/// So many addresses of each class take turns, so that none reaches a limit.
const ADDRESSES: usize = 20;
/// What is planted.
const PLANTED: Duration = Duration::from_millis(5);

/// Who is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Known,
    Unknown,
    NotActivated,
}

/// What is asked.
#[derive(Clone, Copy)]
enum Operation {
    SignIn,
    Forgot,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::NotActivated => "not activated",
        }
    }

    /// All addresses are of one length.
    fn email(self, n: usize) -> String {
        let name = match self {
            Self::Known => "known",
            Self::Unknown => "nobod",
            Self::NotActivated => "invit",
        };
        format!("{name}-{}@x.test", n % ADDRESSES)
    }
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Forgot => "forgot-password",
        }
    }

    fn request(self, client: &Client, email: &str) -> Vec<u8> {
        let (path, body) = match self {
            Self::SignIn => ("/api/portal/auth/sign-in", json!({ "email": email, "password": "not-the-password" })),
            Self::Forgot => ("/api/portal/auth/forgot-password", json!({ "email": email })),
        };
        client.request("POST", path, None, Some(&body))
    }

    const fn status(self) -> u16 {
        match self {
            Self::SignIn => 401,
            Self::Forgot => 200,
        }
    }
}

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let (api, _worker) = (world.api("api").await?, world.worker().await?);
    let tenant = Tenant::new(&world, &api).await?;
    tenant.people(&world, &api, "known", ADDRESSES).await?;
    let asked = Instant::now();
    for email in tenant.invited(&api, "invit", ADDRESSES).await? {
        world.mailbox.wait(&email, asked, Duration::from_secs(60)).await?;
    }
    for operation in [Operation::SignIn, Operation::Forgot] {
        for other in [Class::Unknown, Class::NotActivated] {
            compare(&api, operation, other, options.pairs, None, report).await?;
        }
        compare(&api, operation, Class::Unknown, options.pairs.div_ceil(4), Some(PLANTED), report).await?;
    }
    Ok(())
}

/// Compares known addresses with others; `planted` delays the known ones.
async fn compare(
    api: &Api,
    operation: Operation,
    other: Class,
    pairs: usize,
    planted: Option<Duration>,
    report: &mut Report,
) -> Result<()> {
    let mut client = api.client(1);
    let (mut known, mut others) = (Vec::new(), Vec::new());
    // The first rounds make connections, rows and plans.
    let warm_up = ADDRESSES * 2;
    let mut dice = 0x2545_F491_4F6C_DD1D_u64;
    for n in 0..warm_up + pairs {
        dice = (dice ^ (dice << 13)) ^ ((dice ^ (dice << 13)) >> 7);
        dice ^= dice << 17;
        let order = if dice >> 63 == 0 { [Class::Known, other] } else { [other, Class::Known] };
        for class in order {
            let request = operation.request(&client, &class.email(n));
            let began = Instant::now();
            let answer = client.send(&request).await?;
            if let Some(delay) = planted.filter(|_| class == Class::Known) {
                sleep(delay).await;
            }
            let time = ms(began.elapsed());
            ensure!(
                answer.status == operation.status(),
                "{}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
            if n >= warm_up {
                if class == Class::Known { known.push(time) } else { others.push(time) }
            }
        }
    }
    let (delta, auc) = (median(&known) - median(&others), auc(&known, &others));
    let tells = (auc - 0.5).abs() > 0.05;
    let name = format!("{}: known against {}, {pairs} pairs", operation.name(), other.name());
    let values = format!("Δmedian {delta:+.3} ms, AUC {auc:.3}");
    let line = Line::new(if planted.is_some() { format!("{name}, 5 ms planted") } else { name }, values);
    report.line(match planted {
        None => line.wanted("|Δ| ≤ 1 ms, AUC 0.50 ± 0.05", delta.abs() <= 1.0 && !tells),
        Some(_) => line.wanted("detected: AUC > 0.55", auc > 0.55),
    });
    Ok(())
}
