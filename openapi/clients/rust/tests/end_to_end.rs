//! Uses the generated client with a running server, as a program does.

mod server;

use portico_client::{Client, Error, Problem, types};
use server::Server;

const STAFF: &str = "owner@demo.test";
const GUEST: &str = "wanda.walker@guest.test";
const PASSWORD: &str = "quartz-lantern-41";

/// Returns a client that sends `token` as its bearer token.
fn with_token(server: &Server, token: &str) -> Client {
    let value = format!("Bearer {token}").parse().unwrap();
    let headers = [(reqwest::header::AUTHORIZATION, value)].into_iter().collect();
    let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
    Client::new_with_client(&server.url, http)
}

/// Signs a staff user in with a mailed code, and returns the client of a program with a personal access token.
async fn program(server: &Server) -> Client {
    let anonymous = Client::new(&server.url);
    let flow = anonymous.send_code().body_map(|body| body.email(STAFF)).send().await.unwrap().flow;
    let code = server.mailed(STAFF, |mail| mail["code"].as_str().map(str::to_owned)).await;
    let verify = anonymous.verify_code().body_map(|body| body.flow(flow).code(code));
    let types::StaffSignInResult::StaffSession(session) = verify.send().await.unwrap().into_inner() else {
        panic!("a second factor is required")
    };
    let staff = with_token(server, &session.access_token);
    let scopes = vec![types::TokenScope::ClientsRead, types::TokenScope::ClientsEdit];
    let token = staff.create_own_token().body_map(|body| body.name("import").scopes(scopes)).send().await.unwrap();
    with_token(server, &token.token)
}

async fn problem<T>(result: Result<T, Error<()>>) -> Problem {
    let Err(error) = result else { panic!("the call has not failed") };
    Problem::of(error).await.unwrap()
}

#[tokio::test]
async fn program_invites_and_the_person_signs_in() {
    let server = Server::start().await;
    let (anonymous, program) = (Client::new(&server.url), program(&server).await);
    let acme = program.create_client().body_map(|body| body.name("Walker & Daughters")).send().await.unwrap();
    let body = types::InvitePortalUser::builder().email(GUEST).role(types::MemberRole::Admin);
    let invited = program.invite_portal_user().client_id(acme.id).body(body).send().await.unwrap();
    assert_eq!(invited.invite_mode, types::InviteMode::Setup);

    let link = server.mailed(GUEST, |mail| mail["links"][0].as_str().map(str::to_owned)).await;
    let token = link.split("#token=").nth(1).unwrap();
    anonymous.activate_account().body_map(|body| body.token(token).password(PASSWORD.to_owned())).send().await.unwrap();
    let sign_in = anonymous.sign_in().body_map(|body| body.email(GUEST).password(PASSWORD));
    let types::SignInResult::Session(session) = sign_in.send().await.unwrap().into_inner() else {
        panic!("a second factor is required")
    };
    assert_eq!(session.client.as_ref().unwrap().name, "Walker & Daughters");

    let clients = program.list_clients().limit(1).send().await.unwrap();
    let rest = program.list_clients().cursor(clients.next_cursor.clone().unwrap()).send().await.unwrap();
    assert_eq!((clients.data.len(), rest.data.len()), (1, 1));
}

#[tokio::test]
async fn refused_calls_are_problems_with_a_code() {
    let server = Server::start().await;
    let program = program(&server).await;
    let acme = program.list_clients().send().await.unwrap().data[0].id;
    let invite = async |email: &str| {
        program.invite_portal_user().client_id(acme).body_map(|body| body.email(email)).send().await
    };
    invite(GUEST).await.unwrap();
    assert_eq!(problem(invite(GUEST).await).await.code, "portal_user_exists");
    let invalid = problem(invite("ann at guest").await).await;
    assert_eq!((invalid.status, invalid.errors[0].pointer.as_str()), (422, "/email"));

    let unknown = with_token(&server, "pat_unknown").list_clients().send().await;
    assert_eq!(problem(unknown).await.code, "unauthenticated");
    let unreachable = Client::new("http://127.0.0.1:9").list_clients().send().await.unwrap_err();
    assert!(Problem::of(unreachable).await.is_err(), "an unreachable server is no problem of Portico");
}
