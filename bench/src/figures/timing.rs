//! Whether response times show that an address has an account.

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

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "Requests for a known address (with a wrong password), an unknown address and an \
                                      address that is not activated, in pairs of random order, over one connection. \
                                      AUC is the probability that the response for the known address takes longer than \
                                      the other; at 0.5 the times show nothing. An artificial delay shows that the \
                                      measurement detects one.";

/// How many addresses of each class are used in turn, so that none reaches a rate limit.
const ADDRESSES: usize = 20;
/// The artificial delay.
const ARTIFICIAL_DELAY: Duration = Duration::from_millis(5);

/// A class of addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// The address of a portal user with a password.
    Known,
    /// An address that no portal user has.
    Unknown,
    /// The address of a portal user who was invited and has no password yet.
    NotActivated,
}

/// An operation whose response times are compared.
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

    /// Returns the `n`th address of the class. The addresses of all classes have the same length.
    fn email(self, n: usize) -> String {
        let name = match self {
            Self::Known => "known",
            Self::Unknown => "other",
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

    /// Returns the request for the address `email`.
    fn request(self, client: &Client, email: &str) -> Vec<u8> {
        let (path, body) = match self {
            Self::SignIn => ("/api/portal/auth/sign-in", json!({ "email": email, "password": "not-the-password" })),
            Self::Forgot => ("/api/portal/auth/forgot-password", json!({ "email": email })),
        };
        client.request("POST", path, None, Some(&body))
    }

    /// Returns the status of the response for every class.
    const fn status(self) -> u16 {
        match self {
            Self::SignIn => 401,
            Self::Forgot => 200,
        }
    }
}

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let (api, _worker) = (world.api("api").await?, world.worker().await?);
    let tenant = Tenant::new(&world, &api).await?;
    tenant.users(&world, &api, "known", ADDRESSES).await?;
    let requested_at = Instant::now();
    for email in tenant.invite(&api, "invit", ADDRESSES).await? {
        world.mailbox.wait(&email, requested_at, Duration::from_secs(60)).await?;
    }
    for operation in [Operation::SignIn, Operation::Forgot] {
        for other in [Class::Unknown, Class::NotActivated] {
            compare(&api, operation, other, options.pairs, None, report).await?;
        }
        compare(&api, operation, Class::Unknown, options.pairs.div_ceil(4), Some(ARTIFICIAL_DELAY), report).await?;
    }
    Ok(())
}

/// Compares the response times for known addresses with those for the class `other`, and adds a line to `report`.
///
/// If `delay` is given, it is added to the times of the known addresses. The target then is that it is detected.
async fn compare(
    api: &Api,
    operation: Operation,
    other: Class,
    pairs: usize,
    delay: Option<Duration>,
    report: &mut Report,
) -> Result<()> {
    let mut client = api.client(1);
    let (mut known, mut others) = (Vec::new(), Vec::new());
    // The first requests open connections, create rows and fill plan caches. They are not counted.
    let warm_up = ADDRESSES * 2;
    // A xorshift generator. Its numbers are the same in each run.
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for n in 0..warm_up + pairs {
        random = (random ^ (random << 13)) ^ ((random ^ (random << 13)) >> 7);
        random ^= random << 17;
        let order = if random >> 63 == 0 { [Class::Known, other] } else { [other, Class::Known] };
        for class in order {
            let request = operation.request(&client, &class.email(n));
            let started = Instant::now();
            let response = client.send(&request).await?;
            if let Some(delay) = delay.filter(|_| class == Class::Known) {
                sleep(delay).await;
            }
            let time = ms(started.elapsed());
            ensure!(
                response.status == operation.status(),
                "{}: unexpected response {}: {}",
                operation.name(),
                response.status,
                String::from_utf8_lossy(&response.body)
            );
            if n >= warm_up {
                if class == Class::Known { known.push(time) } else { others.push(time) }
            }
        }
    }
    let (difference, auc) = (median(&known) - median(&others), auc(&known, &others));
    let is_distinguishable = (auc - 0.5).abs() > 0.05;
    let name = format!("{}: known and {} addresses, {pairs} pairs", operation.name(), other.name());
    let values = format!("Δmedian {difference:+.3} ms, AUC {auc:.3}");
    let line = Line::new(if delay.is_some() { format!("{name}, with a delay of 5 ms") } else { name }, values);
    report.line(match delay {
        None => line.target("|Δ| ≤ 1 ms, AUC 0.50 ± 0.05", difference.abs() <= 1.0 && !is_distinguishable),
        Some(_) => line.target("detected: AUC > 0.55", auc > 0.55),
    });
    Ok(())
}
