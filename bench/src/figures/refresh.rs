//! Whether sessions survive what browsers do with refresh tokens, and end when a stolen one is used.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Options,
    http::{Client, Response},
    people::{PortalUser, Tenant},
    report::{Line, Report},
    world::{Api, World},
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "Two tabs of a browser share a refresh token and refresh over two API processes: in \
                                      the same moment, one after the other, or after the first response was lost. Both \
                                      then use the access token that they got. In addition, a stolen refresh token is \
                                      sent after its successor was used and the grace period (1 s here) is over.";

/// How many sessions are used at the same time.
const SESSIONS: usize = 40;
/// `PORTICO_REFRESH_GRACE`: short, so that a round does not wait for long.
const GRACE: &str = "1s";
/// How long to wait until the grace period is over.
const AFTER_GRACE: Duration = Duration::from_millis(1_200);
/// The cookie of a refresh token.
const COOKIE: &str = "portico_portal_refresh";

/// The counts of a number of rounds.
#[derive(Default)]
struct Counts {
    rounds: usize,
    /// Rounds that did not end as they must.
    wrong: usize,
}

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let settings = [("PORTICO_SCRYPT", "ln=12,r=8,p=1"), ("PORTICO_REFRESH_GRACE", GRACE)];
    let world = World::new(options.binary()?, &settings).await?;
    let apis = [world.api("api").await?, world.api("api").await?];
    let _worker = world.worker().await?;
    let users = Tenant::new(&world, &apis[0]).await?.users(&world, &apis[0], "robin", SESSIONS).await?;
    let rounds = options.refreshes.div_ceil(SESSIONS);
    let tabs = run(&apis, &users, |user, clients| two_tabs(user, clients, rounds)).await?;
    let line = Line::new("sessions of two tabs that were signed out", format!("{} of {}", tabs.wrong, tabs.rounds));
    report.line(line.target("0", tabs.wrong == 0));
    let replays = run(&apis, &users, |user, clients| replays(user, clients, rounds)).await?;
    let line =
        Line::new("stolen tokens that did not end the session", format!("{} of {}", replays.wrong, replays.rounds));
    report.line(line.target("0", replays.wrong == 0));
    Ok(())
}

/// Runs `rounds` for each user at the same time, with a client of each API, and adds the counts up.
async fn run<F: Future<Output = Result<Counts>> + Send + 'static>(
    apis: &[Api; 2],
    users: &[PortalUser],
    rounds: impl Fn(PortalUser, [Client; 2]) -> F,
) -> Result<Counts> {
    let mut tasks = JoinSet::new();
    for (n, user) in users.iter().enumerate() {
        tasks.spawn(rounds(user.clone(), [apis[0].client(n), apis[1].client(n)]));
    }
    let mut total = Counts::default();
    while let Some(counts) = tasks.join_next().await {
        let counts = counts??;
        total.rounds += counts.rounds;
        total.wrong += counts.wrong;
    }
    Ok(total)
}

/// Lets two tabs refresh and use their tokens. A round in which a tab is signed out is counted, and the next one begins
/// with a new session.
async fn two_tabs(user: PortalUser, mut clients: [Client; 2], rounds: usize) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut token = sign_in(&mut clients[0], &user).await?;
    for round in 0..rounds {
        let [first, second] = &mut clients;
        let responses = match round % 3 {
            0 => {
                let (one, other) = tokio::join!(refresh(first, &token), refresh(second, &token));
                vec![one?, other?]
            }
            1 => vec![refresh(first, &token).await?, refresh(second, &token).await?],
            // The first response is lost, and the browser tries again after the grace period.
            _ => {
                refresh(first, &token).await?;
                sleep(AFTER_GRACE).await;
                vec![refresh(second, &token).await?]
            }
        };
        let mut is_signed_in = true;
        for (n, response) in responses.iter().enumerate() {
            is_signed_in &= response.status == 200 && uses(&mut clients[n], response).await?;
        }
        counts.rounds += 1;
        counts.wrong += usize::from(!is_signed_in);
        token = match responses.last().and_then(|response| response.cookie(COOKIE)) {
            Some(token) if is_signed_in => token,
            _ => sign_in(&mut clients[0], &user).await?,
        };
    }
    Ok(counts)
}

/// Sends a refresh token again after its successor was used. A round after which the session is alive is counted.
async fn replays(user: PortalUser, mut clients: [Client; 2], rounds: usize) -> Result<Counts> {
    let mut counts = Counts::default();
    for _ in 0..rounds {
        let stolen = sign_in(&mut clients[0], &user).await?;
        let response = refresh(&mut clients[0], &stolen).await?;
        ensure!(uses(&mut clients[1], &response).await?, "the owner of a new session is signed out");
        sleep(AFTER_GRACE).await;
        let replayed = refresh(&mut clients[1], &stolen).await?;
        let is_alive = uses(&mut clients[0], &response).await?;
        counts.rounds += 1;
        counts.wrong += usize::from(replayed.status != 401 || is_alive);
    }
    Ok(counts)
}

/// Opens a session and returns its refresh token. Repeats the request each second while the response is 503, because
/// the hashing pool of a slow machine rejects some requests.
async fn sign_in(client: &mut Client, user: &PortalUser) -> Result<String> {
    let request = client.request("POST", "/api/portal/auth/sign-in", None, Some(&user.credentials()));
    let mut response = send(client, &request).await?;
    while response.status == 503 {
        sleep(Duration::from_secs(1)).await;
        response = send(client, &request).await?;
    }
    response.json().context("cannot sign in")?;
    response.cookie(COOKIE).context("the sign-in sets no refresh token")
}

/// Exchanges a refresh token.
async fn refresh(client: &mut Client, token: &str) -> Result<Response> {
    let request = client.request_with_cookie("POST", "/api/portal/auth/refresh", &format!("{COOKIE}={token}"));
    send(client, &request).await
}

/// Uses the access token of a refresh, and returns whether it is accepted.
async fn uses(client: &mut Client, refreshed: &Response) -> Result<bool> {
    let session = refreshed.json()?;
    let token = session["access_token"].as_str().context("the response has no access token")?;
    let request = client.request("GET", "/api/portal/auth/session", Some(token), None);
    Ok(send(client, &request).await?.status == 200)
}

/// Sends a request, and sends it again if the server has closed the connection, which may have been idle for long.
async fn send(client: &mut Client, request: &[u8]) -> Result<Response> {
    match client.send(request).await {
        Ok(response) => Ok(response),
        Err(_) => client.send(request).await,
    }
}
