//! Invites a person to the first client of the tenant.

use std::{env, error::Error};

use portico_client::{Client, Problem};
use reqwest::header::AUTHORIZATION;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, token) = (env::var("PORTICO_REMOTE_URL")?, env::var("PORTICO_REMOTE_TOKEN")?);
    let email = env::args().nth(1).ok_or("usage: invite EMAIL")?;
    let headers = [(AUTHORIZATION, format!("Bearer {token}").parse()?)].into_iter().collect();
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    let portico = Client::new_with_client(&url, http);

    let clients = portico.list_clients().limit(1).send().await?;
    let client = clients.data.first().ok_or("the tenant has no clients")?.id;
    match portico.invite_portal_user().client_id(client).body_map(|body| body.email(email)).send().await {
        Ok(invited) => println!("{}", invited.invite_mode),
        Err(error) => match Problem::of(error).await? {
            problem if problem.code == "portal_user_exists" => println!("The address was invited before."),
            problem => println!("{} ({})", problem.detail, problem.request_id),
        },
    }
    Ok(())
}
