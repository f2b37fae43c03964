//! LOG cases: what the audit trail and the logs contain, and what must not be in them.

use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::request_id;
use crate::support::{
    Browser, Deployment, Person, Process, Redis, Sink, World, binary, cookies, credentials, eventually, http,
    new_password, password,
    paths::{
        self, ACTIVATE, CHANGE_PASSWORD, CLI_LOGINS, CLIENTS, EMAILS, EXCHANGE_CLI_LOGIN, FORGOT_PASSWORD, LIVE,
        PROFILE, REFRESH, RESEND_ACTIVATION, RESET_PASSWORD, RETRY_EMAILS, SERVICE_ACCOUNTS, SESSION, SIGN_IN,
        SIGN_OUT, SIGN_OUT_EVERYWHERE, STAFF, STAFF_SEND_CODE, STAFF_SIGN_OUT, STAFF_STEP_UP, STAFF_VERIFY_CODE,
        SWITCH_CLIENT,
    },
    stories, unique_email, wrong_code,
};

/// A request whose audit events are checked.
struct Act<'a> {
    browser: &'a Browser,
    method: Method,
    path: String,
    body: Option<Value>,
}

fn post<'a>(browser: &'a Browser, path: &str, body: Value) -> Act<'a> {
    Act { browser, method: Method::POST, path: path.into(), body: Some(body) }
}

fn post_empty<'a>(browser: &'a Browser, path: &str) -> Act<'a> {
    Act { browser, method: Method::POST, path: path.into(), body: None }
}

fn patch<'a>(browser: &'a Browser, path: &str, body: Value) -> Act<'a> {
    Act { browser, method: Method::PATCH, path: path.into(), body: Some(body) }
}

fn delete<'a>(browser: &'a Browser, path: &str) -> Act<'a> {
    Act { browser, method: Method::DELETE, path: path.into(), body: None }
}

impl Act<'_> {
    /// Sends the request, asserts its status and its audit events, and returns the body of the response. `events` has
    /// a line for each event, sorted: action, realm of the actor, outcome.
    async fn assert_recorded(self, world: &World, status: u16, events: &str) -> Value {
        let id = request_id();
        let headers = [("x-request-id", &*id), ("user-agent", "stories")];
        let body = self.body.map(|body| body.to_string());
        let body = self.browser.send(self.method, &self.path, body, &headers).await.expect(status);
        let recorded = world.sql(&format!(
            "SELECT action || ' ' || actor_realm || ' ' || outcome FROM audit_events \
             WHERE request_id = '{id}' ORDER BY action"
        ));
        assert_eq!(recorded, events, "{}", self.path);
        let complete = world.count(&format!(
            "SELECT count(*) FROM audit_events \
             WHERE request_id = '{id}' AND ip LIKE '198.%' AND user_agent = 'stories' AND at IS NOT NULL"
        ));
        assert_eq!(complete, events.lines().count(), "{}", self.path);
        body
    }
}

/// A person of one tenant who is invited by another tenant, and the link token of that invitation.
async fn invited_elsewhere(world: &World) -> (Person, String) {
    let (home, other) = (world.tenant().await, world.tenant().await);
    let person = home.person(world).await;
    other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
    let token = world.mail(&person.email, 2).await.token();
    (person, token)
}

/// Returns the log lines of answered requests with this request id.
fn answered_lines(world: &World, request_id: &str) -> Vec<String> {
    world.logs().into_iter().filter(|line| line.contains(request_id) && line.contains("answered")).collect()
}

/// Waits until `count` requests with this request id are logged, and returns their lines.
async fn wait_for_answered_lines(world: &World, request_id: &str, count: usize) -> Vec<String> {
    let lines = eventually("the requests are logged", || async {
        Some(answered_lines(world, request_id)).filter(|lines| lines.len() >= count)
    })
    .await;
    assert_eq!(lines.len(), count, "{lines:#?}");
    lines
}

/// A request of this user agent fails, and so does one of a path with control characters. Returns their request id.
async fn send_requests_that_could_forge_log_lines(world: &World, user_agent: &str) -> String {
    let id = request_id();
    let headers = [("user-agent", user_agent), ("x-request-id", &*id)];
    let body = credentials(&unique_email("unknown"), &password());
    let sign_in = world.browser().post_with_headers(SIGN_IN, body, &headers).await;
    sign_in.assert_problem("401 invalid_credentials");
    let path = format!("/nowhere/{}", "%0a%1b[31m%e2%80%a8".repeat(20));
    world.browser().get_with_headers(&path, &headers).await.assert_problem("404 not_found");
    id
}

stories! {
    async fn log_02_changes_of_clients_and_invitations_are_recorded(world) {
        let owner = world.tenant().await.owner;
        let (email, name) = (unique_email("ann"), json!({ "name": "Acme Ltd" }));
        let client = post(&owner, CLIENTS, name).assert_recorded(world, 201, "client.created staff success").await;
        let client = client["id"].as_str().unwrap();
        let (client, invite, resend) =
            (paths::client(client), paths::portal_user(client), paths::resend_invitation(client));
        let change = patch(&owner, &client, json!({ "status": "past_due" }));
        change.assert_recorded(world, 200, "client.changed staff success").await;
        let body = json!({ "email": email });
        let invitation = post(&owner, &invite, body.clone());
        invitation.assert_recorded(world, 201, "invitation.created staff success").await;
        post(&owner, &resend, body).assert_recorded(world, 200, "invitation.resent staff success").await;
    }

    async fn log_02_changes_and_removals_of_portal_users_are_recorded(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let id = tenant.member(&person.client, &person.email).await["id"].as_str().unwrap().to_owned();
        let member = paths::member(&person.client, &id);
        let send_reset = post_empty(&tenant.owner, &paths::send_reset(&person.client, &id));
        send_reset.assert_recorded(world, 200, "password.reset_sent staff success").await;
        for body in [json!({ "role": "admin" }), json!({ "status": "disabled" }), json!({ "status": "active" })] {
            let change = patch(&tenant.owner, &member, body);
            change.assert_recorded(world, 200, "membership.changed staff success").await;
        }
        patch(&tenant.owner, &member, json!({})).assert_recorded(world, 200, "").await;
        delete(&tenant.owner, &member).assert_recorded(world, 204, "membership.removed staff success").await;
        delete(&tenant.owner, &member).assert_recorded(world, 404, "").await;
    }

    async fn log_02_acts_of_the_administrator_of_a_client_are_recorded_for_the_tenant(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (admin, member) = (tenant.admin_at(world, &client).await.browser, tenant.person_at(world, &client).await);
        let member = paths::colleague(tenant.member(&client, &member.email).await["id"].as_str().unwrap());
        let invite = post(&admin, paths::COLLEAGUES, json!({ "email": unique_email("kim") }));
        let invited = invite.assert_recorded(world, 201, "invitation.created portal success").await;
        let id = invited["invitation"]["id"].as_str().unwrap();
        let resend = post_empty(&admin, &paths::resend_colleague_invitation(id));
        resend.assert_recorded(world, 200, "invitation.resent portal success").await;
        for _ in 0..2 {
            let promote = patch(&admin, &member, json!({ "role": "admin" }));
            promote.assert_recorded(world, 200, "membership.changed portal success").await;
        }
        let cancel = delete(&admin, &paths::colleague_invitation(id));
        cancel.assert_recorded(world, 204, "invitation.cancelled portal success").await;
        delete(&admin, &member).assert_recorded(world, 204, "membership.removed portal success").await;
        delete(&admin, &member).assert_recorded(world, 404, "").await;
        let of_tenant = format!(
            "SELECT count(*) FROM audit_events JOIN tenants ON tenants.id = tenant_id \
             WHERE slug = '{}' AND client_id IS NOT NULL AND actor_realm = 'portal'",
            tenant.slug
        );
        // Two people have activated their accounts before.
        assert_eq!(world.count(&of_tenant), 4 + 6);
    }

    async fn log_02_the_cancelled_invitations_of_a_former_administrator_are_recorded(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let admin = tenant.admin_at(world, &client).await;
        for _ in 0..2 {
            let invite = post(&admin.browser, paths::COLLEAGUES, json!({ "email": unique_email("kim") }));
            invite.assert_recorded(world, 201, "invitation.created portal success").await;
        }
        let member = tenant.member_path(&client, &admin.email).await;
        let events = "invitation.cancelled staff success\ninvitation.cancelled staff success\n\
                      membership.changed staff success";
        patch(&tenant.owner, &member, json!({ "role": "member" })).assert_recorded(world, 200, events).await;
    }

    async fn log_02_a_switch_of_the_client_and_a_change_of_the_profile_are_recorded(world) {
        let person = world.tenant().await.person(world).await;
        let switch = post(&person.browser, SWITCH_CLIENT, json!({ "client_id": person.client }));
        switch.assert_recorded(world, 200, "session.client_switched portal success").await;
        let change = patch(&person.browser, PROFILE, json!({ "locale": "fr" }));
        change.assert_recorded(world, 200, "profile.changed portal success").await;
    }

    async fn log_02_a_sign_in_with_an_invitation_is_recorded(world) {
        let (person, token) = invited_elsewhere(world).await;
        let body = |token: &str| json!({ "email": person.email, "password": person.password, "invitation": token });
        let browser = world.browser();
        let refused = post(&browser, SIGN_IN, body("x"));
        refused.assert_recorded(world, 404, "session.opened anonymous failure").await;
        let events = "invitation.accepted portal success\nsession.opened portal success";
        post(&browser, SIGN_IN, body(&token)).assert_recorded(world, 200, events).await;
    }

    async fn log_02_the_administration_of_invitations_is_recorded(world) {
        let tenant = world.tenant().await;
        let (owner, client) = (&tenant.owner, tenant.client("Acme Ltd").await);
        let rows = json!({ "rows": [{ "email": unique_email("ann") }, { "email": unique_email("bob") }] });
        let events = "invitation.created staff success\ninvitation.created staff success";
        post(owner, &paths::bulk_invitations(&client), rows.clone()).assert_recorded(world, 200, events).await;
        let dry = format!("{}?dry_run=true", paths::bulk_invitations(&client));
        post(owner, &dry, rows).assert_recorded(world, 200, "").await;
        let list = owner.get(&paths::invitations(&client)).await.expect(200);
        let path = |invitation: &Value| paths::invitation(&client, invitation["id"].as_str().unwrap());
        let invitation = path(&list["data"][0]);
        let resend = post_empty(owner, &format!("{invitation}/resend"));
        resend.assert_recorded(world, 200, "invitation.resent staff success").await;
        let events = "invitation.corrected staff success\ninvitation.created staff success";
        let correct = patch(owner, &invitation, json!({ "email": unique_email("right") }));
        let corrected = correct.assert_recorded(world, 200, events).await;
        let path = path(&corrected["invitation"]);
        let cancel = || Act { browser: owner, method: Method::DELETE, path: path.clone(), body: None };
        cancel().assert_recorded(world, 204, "invitation.cancelled staff success").await;
        cancel().assert_recorded(world, 204, "").await;
    }

    async fn log_02_mails_that_are_sent_again_are_recorded(world) {
        let tenant = world.tenant().await;
        for _ in 0..3 {
            let email = tenant.create_invitation(world).await.email;
            world.sql(&format!("UPDATE emails SET status = 'failed' WHERE recipient = '{email}'"));
        }
        let failed = tenant.owner.get(&format!("{EMAILS}?status=failed")).await.expect(200);
        let retry = paths::retry_email(failed["data"][0]["id"].as_str().unwrap());
        post_empty(&tenant.owner, &retry).assert_recorded(world, 201, "email.retried staff success").await;
        let rest = post(&tenant.owner, RETRY_EMAILS, json!({}));
        rest.assert_recorded(world, 202, "email.retried staff success\nemail.retried staff success").await;
    }

    async fn log_02_changes_of_staff_are_recorded(world) {
        let tenant = world.tenant().await;
        let (owner, email) = (&tenant.owner, unique_email("sam"));
        let body = json!({ "email": email, "role": "viewer" });
        let member = post(owner, STAFF, body).assert_recorded(world, 201, "staff.added staff success").await;
        let path = format!("{STAFF}/{}", member["id"].as_str().unwrap());
        let change = patch(owner, &path, json!({ "role": "admin" }));
        change.assert_recorded(world, 200, "staff.changed staff success").await;
        delete(owner, &path).assert_recorded(world, 204, "staff.removed staff success").await;
        let change = patch(owner, paths::STAFF_PROFILE, json!({ "locale": "de" }));
        change.assert_recorded(world, 200, "staff.profile_changed staff success").await;
        let (flow, code) = world.request_code(owner, &tenant.owner_email, 2).await;
        let wrong = post(owner, STAFF_STEP_UP, json!({ "flow": flow, "code": wrong_code(&code) }));
        wrong.assert_recorded(world, 401, "staff_session.stepped_up staff failure").await;
        let right = post(owner, STAFF_STEP_UP, json!({ "flow": flow, "code": code }));
        right.assert_recorded(world, 200, "staff_session.stepped_up staff success").await;
    }

    async fn log_02_changes_of_tokens_and_service_accounts_are_recorded(world) {
        let owner = world.tenant().await.owner;
        let body = json!({ "name": "Sync", "role": "viewer" });
        let created = post(&owner, SERVICE_ACCOUNTS, body);
        let account = created.assert_recorded(world, 201, "service_account.created staff success").await;
        let account = format!("{SERVICE_ACCOUNTS}/{}", account["id"].as_str().unwrap());
        let body = json!({ "name": "Sync", "scopes": ["clients:read"] });
        for tokens in [format!("{account}/tokens"), paths::STAFF_TOKENS.into()] {
            let created = post(&owner, &tokens, body.clone());
            let token = created.assert_recorded(world, 201, "api_token.created staff success").await;
            let revoked = delete(&owner, &format!("{tokens}/{}", token["id"].as_str().unwrap()));
            revoked.assert_recorded(world, 204, "api_token.revoked staff success").await;
        }
        delete(&owner, &account).assert_recorded(world, 204, "service_account.removed staff success").await;
    }

    async fn log_02_a_login_of_the_command_line_is_recorded(world) {
        let owner = world.tenant().await.owner;
        // The example of RFC 7636, appendix B.
        let secret = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let login = |scopes: &[&str]| {
            json!({
                "port": 49152, "state": "a-state-of-the-program", "name": "laptop", "scopes": scopes,
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            })
        };
        post(&owner, CLI_LOGINS, login(&[])).assert_recorded(world, 422, "").await;
        let approved = post(&owner, CLI_LOGINS, login(&["clients:read"]));
        let approved = approved.assert_recorded(world, 201, "cli_login.approved staff success").await;
        let code = approved["redirect_to"].as_str().unwrap().split(['=', '&']).nth(1).unwrap();
        let exchange = |secret: String| json!({ "code": code, "code_verifier": secret });
        let program = world.browser();
        let wrong = post(&program, EXCHANGE_CLI_LOGIN, exchange(secret.replace('d', "e")));
        wrong.assert_recorded(world, 401, "").await;
        let right = post(&program, EXCHANGE_CLI_LOGIN, exchange(secret.into()));
        right.assert_recorded(world, 201, "api_token.created staff success").await;
        let again = post(&program, EXCHANGE_CLI_LOGIN, exchange(secret.into()));
        again.assert_recorded(world, 401, "").await;
    }

    async fn log_02_an_activation_is_recorded(world) {
        let email = world.tenant().await.create_invitation(world).await.email;
        let browser = world.browser();
        let resend = post(&browser, RESEND_ACTIVATION, json!({ "email": email }));
        resend.assert_recorded(world, 200, "activation.requested anonymous success").await;
        let token = world.mail(&email, 2).await.token();
        let events = "invitation.accepted portal success\nportal_user.activated portal success";
        post(&browser, ACTIVATE, new_password(&token, &password())).assert_recorded(world, 200, events).await;
    }

    async fn log_02_ends_of_own_sessions_and_reported_sign_ins_are_recorded(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
        person.sign_in(&world.browser()).await;
        for (browser, path, realm) in
            [(&person.browser, paths::SESSIONS, "portal"), (&tenant.owner, paths::STAFF_SESSIONS, "staff")]
        {
            let sessions = browser.get(path).await.expect(200);
            let other = sessions["data"][0]["id"].as_str().unwrap().to_owned();
            let ended = format!("session.ended {realm} success");
            delete(browser, &format!("{path}/{other}")).assert_recorded(world, 204, &ended).await;
            let all = format!("session.all_ended {realm} success");
            delete(browser, path).assert_recorded(world, 204, &all).await;
        }
        let token = world.new_device_mail(&person.email, 1).await.token();
        let events = "password.locked portal success\nsession.reported portal success";
        let browser = world.browser();
        let report = post(&browser, paths::NOT_ME, json!({ "token": token }));
        report.assert_recorded(world, 200, events).await;
    }

    async fn log_02_sign_ins_and_their_failures_are_recorded(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let (invited, browser) = (tenant.create_invitation(world).await.email, world.browser());
        for email in [&person.email, &invited, &unique_email("unknown")] {
            let guess = post(&browser, SIGN_IN, credentials(email, &password()));
            guess.assert_recorded(world, 401, "session.opened anonymous failure").await;
        }
        let sign_in = post(&browser, SIGN_IN, person.credentials());
        sign_in.assert_recorded(world, 200, "session.opened portal success").await;
        let archive = patch(&tenant.owner, &paths::client(&person.client), json!({ "status": "archived" }));
        archive.assert_recorded(world, 200, "client.changed staff success").await;
        let sign_in = post(&browser, SIGN_IN, person.credentials());
        sign_in.assert_recorded(world, 403, "session.opened anonymous failure").await;
    }

    async fn log_02_changes_and_resets_of_passwords_are_recorded(world) {
        let person = world.tenant().await.person(world).await;
        let change = |current: &str| json!({ "current_password": current, "new_password": password() });
        let guess = post(&person.browser, CHANGE_PASSWORD, change(&password()));
        guess.assert_recorded(world, 401, "password.changed portal failure").await;
        let changed = post(&person.browser, CHANGE_PASSWORD, change(&person.password));
        changed.assert_recorded(world, 204, "password.changed portal success").await;
        world.mail(&person.email, 2).await;
        let browser = world.browser();
        let forgot = post(&browser, FORGOT_PASSWORD, json!({ "email": person.email }));
        forgot.assert_recorded(world, 200, "password.reset_requested anonymous success").await;
        let token = world.mail(&person.email, 3).await.token();
        let reset = post(&browser, RESET_PASSWORD, new_password(&token, &password()));
        reset.assert_recorded(world, 200, "password.reset portal success").await;
    }

    async fn log_02_a_reused_refresh_token_is_recorded_and_a_refresh_is_not(world) {
        let browser = world.tenant().await.person(world).await.browser;
        let copied = browser.cookie(cookies::PORTAL_REFRESH).unwrap();
        for _ in 0..2 {
            post_empty(&browser, REFRESH).assert_recorded(world, 200, "").await;
        }
        let thief = world.browser().with_cookie(cookies::PORTAL_REFRESH, &copied);
        let reuse = post_empty(&thief, REFRESH);
        reuse.assert_recorded(world, 401, "session.refresh_token_reused anonymous failure").await;
    }

    async fn log_02_sign_outs_are_recorded_once(world) {
        let person = world.tenant().await.person(world).await;
        let browser = &person.browser;
        post_empty(browser, SIGN_OUT).assert_recorded(world, 204, "session.ended portal success").await;
        post_empty(browser, SIGN_OUT).assert_recorded(world, 204, "").await;
        person.sign_in(browser).await;
        let everywhere = post_empty(browser, SIGN_OUT_EVERYWHERE);
        everywhere.assert_recorded(world, 204, "session.all_ended portal success").await;
    }

    async fn log_02_staff_sign_ins_and_sign_outs_are_recorded(world) {
        let email = world.tenant().await.owner_email;
        let browser = world.browser();
        let send_code = post(&browser, STAFF_SEND_CODE, json!({ "email": email }));
        let sent = send_code.assert_recorded(world, 200, "staff_code.requested anonymous success").await;
        let code = world.mail(&email, 2).await.code.unwrap();
        for (code, status, event) in [
            (wrong_code(&code), 401, "staff_session.opened anonymous failure"),
            (code, 200, "staff_session.opened staff success"),
        ] {
            let body = json!({ "flow": sent["flow"], "code": code });
            post(&browser, STAFF_VERIFY_CODE, body).assert_recorded(world, status, event).await;
        }
        post_empty(&browser, STAFF_SIGN_OUT).assert_recorded(world, 204, "session.ended staff success").await;
    }

    async fn log_05_one_request_is_one_short_log_line(world) {
        for user_agent in ["a{\"level\":\"info\"}", "a\u{2028}b\u{85}c", "\u{1f706}", "%0a%0d", &"x".repeat(10_000)] {
            let id = send_requests_that_could_forge_log_lines(world, user_agent).await;
            for line in wait_for_answered_lines(world, &id, 2).await {
                assert!(line.len() < 2_000 && !line.contains(['\u{1b}', '\u{2028}', '\u{85}']), "{line}");
            }
        }
    }

    async fn log_05_names_with_line_breaks_or_escape_sequences_are_refused(world) {
        let owner = world.tenant().await.owner;
        for name in ["a\n{\"level\":\"info\"}", "a\u{1b}[31m", "a\u{2028}b", "a\rb"] {
            let response = owner.post(CLIENTS, json!({ "name": name })).await;
            response.assert_problem("422 validation_failed: /name name_invalid");
        }
    }

    // `stories!` itself searches the logs for every secret. This story puts a link token where it does not belong.
    async fn log_06_link_tokens_in_query_strings_and_referers_are_not_logged(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.request_reset(world, 2).await;
        let id = request_id();
        let page = format!("http://localhost:4000/portal/reset-password?token={token}#token={token}");
        let headers = [("referer", &*page), ("x-request-id", &*id)];
        for path in [SESSION, "/nowhere", LIVE] {
            let response = world.browser().get_with_headers(&format!("{path}?token={token}"), &headers).await;
            // The health check ignores its query.
            assert!((response.status >= 400) == (path != LIVE) && !response.text.contains(&token), "{response:?}");
        }
        let body = json!({ "email": person.email });
        world.browser().post_with_headers(FORGOT_PASSWORD, body, &headers).await.expect(200);
        wait_for_answered_lines(world, &id, 4).await;
        assert!(!world.logs().iter().any(|line| line.contains(&token)));
        world.mail(&person.email, 3).await;
    }
}

#[tokio::test]
async fn log_05_every_log_line_of_a_cluster_is_a_json_event() {
    let world = World::shared(Deployment::Cluster).await;
    for user_agent in ["a{\"level\":\"info\"}", "a\u{2028}b\u{85}c", "\u{1f706}", "%0a%0d"] {
        let id = send_requests_that_could_forge_log_lines(&world, user_agent).await;
        wait_for_answered_lines(&world, &id, 2).await;
    }
    for line in world.logs().iter().filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
    }
}

/// Secrets that the settings of the LOG-07 tests hold: the passwords of database, Redis and mail server, and a server
/// key.
const CANARIES: [&str; 4] = ["canary-1-database", "canary-2-queue", "canary-3-mail", SERVER_KEY];
const SERVER_KEY: &str = "Y2FuYXJ5LTQtc2VydmVyLWtleS0tLS0tLS0tLS0tLS0tLS0=";

/// Settings with a canary that make a command fail. The message must name the setting.
const FAULTY_SETTINGS: [(&str, &str, &str); 13] = [
    ("migrate", "DATABASE_URL", "postgres://user:canary-1-database@127.0.0.1:1/x"),
    ("migrate", "DATABASE_URL", "postgres://user:canary-1-database@no-such-host.invalid/x"),
    ("jobs list", "DATABASE_URL", "postgres://user:canary-1-database@127.0.0.1:1/x?sslmode=verify-full"),
    ("check-config", "DATABASE_URL", "postgres://user:canary-1-database@h:notaport/x"),
    ("check-config", "DATABASE_URL", "mysql://user:canary-1-database@h/x"),
    ("check-config", "DATABASE_URL", "postgres://user:canary-1-database@h/x?sslmode=canary-1-database"),
    ("check-config", "REDIS_URL", "http://user:canary-2-queue@host"),
    ("serve", "REDIS_URL", "redis://user:canary-2-queue@host:notaport"),
    ("check-config", "MAIL_URL", "smtp://user:canary-3-mail@host?tls=none"),
    ("check-config", "MAIL_URL", "smtp://user:canary-3-mail@host?tls=canary-3-mail"),
    ("check-config", "MAIL_URL", "imap://user:canary-3-mail@host"),
    // Without its first character, the key has a wrong length.
    ("check-config", "PORTICO_SECRET", "2FuYXJ5LTQtc2VydmVyLWtleS0tLS0tLS0tLS0tLS0tLS0="),
    // The setting's name is wrong.
    ("check-config", "PORTICO_SECRETS", SERVER_KEY),
];

/// Valid settings of a production process on SQLite, with these changes.
fn settings_with(folder: &TempDir, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let database = format!("sqlite:{}", folder.path().join("portico.db").display());
    let settings = [
        ("PORTICO_ENV", "production"),
        ("PORTICO_SECRET", SERVER_KEY),
        ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
        ("PORTICO_TRUSTED_PROXIES", "none"),
        ("PORTICO_LISTEN", "127.0.0.1:0"),
        ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0"),
        ("PORTICO_LOG", "trace"),
        ("DATABASE_URL", &database),
        ("MAIL_URL", "smtps://user:canary-3-mail@127.0.0.1:1"),
    ];
    let unchanged = settings.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    unchanged.chain(changes.iter().copied()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Runs a command that must fail, with these changes of the settings. Returns its output, in which no canary may be.
fn failing_output(args: &[&str], changes: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_with(&folder, changes);
    let output: Output = Command::new(binary()).args(args).env_clear().envs(settings).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, b"\n".to_vec(), output.stderr].concat()).into_owned();
    assert!(!output.status.success(), "{changes:?}: {text}");
    assert_no_canary(&text);
    text
}

#[track_caller]
fn assert_no_canary(text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
}

#[test]
fn log_07_configuration_errors_name_the_setting_without_its_secret() {
    // Concurrently, because a command tries for seconds to connect to a database.
    std::thread::scope(|scope| {
        for (command, name, value) in FAULTY_SETTINGS {
            scope.spawn(move || {
                let output = failing_output(&command.split(' ').collect::<Vec<_>>(), &[(name, value)]);
                assert!(output.contains(name), "{name}={value}: {output}");
            });
        }
    });
}

#[test]
fn log_07_an_unreachable_mail_server_is_reported_without_its_password() {
    for url in ["smtps://user:canary-3-mail@127.0.0.1:1", "smtps://user:canary-3-mail@no-such-host.invalid"] {
        failing_output(&["mail", "test", "--to", "ops@x.test"], &[("MAIL_URL", url)]);
    }
}

#[tokio::test]
async fn log_07_a_mail_server_that_refuses_the_password_is_reported_without_it() {
    let sink = Sink::start().await;
    let url = sink.implicit_tls_url().replacen("secret-of-the-sink", "canary-3-mail", 1);
    let output = failing_output(&["mail", "test", "--to", "ops@x.test"], &[("MAIL_URL", &url)]);
    assert!(output.contains("535"), "{output}");
}

#[tokio::test]
async fn log_07_an_unreachable_or_refusing_redis_is_logged_without_its_password() {
    let redis = Redis::start().await;
    for url in [
        "redis://user:canary-2-queue@127.0.0.1:1".to_owned(),
        format!("redis://:canary-2-queue@127.0.0.1:{}", redis.port()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings_with(&folder, &[("REDIS_URL", &url), ("PORTICO_TRUSTED_PROXIES", "127.0.0.0/8")]);
        let api = Process::start(binary(), &["serve"], &settings);
        let is_reported = |line: &str| line.contains("queue cannot be reached").then_some(());
        api.wait_for_log("the failure is logged", is_reported).await;
        assert_no_canary(&api.logs().join("\n"));
    }
}

/// Sends sixty requests for new clients to the first API and kills it after it has committed the first one. Returns
/// how many requests it answered with success.
async fn create_clients_and_kill_the_api(world: &mut World, staff_token: &str) -> usize {
    let (url, cookie) = (format!("{}{CLIENTS}", world.apis[0]), format!("portico_staff={staff_token}"));
    let requests: Vec<_> = (0..60)
        .map(|n| {
            let request = http::client().post(&url).header("content-type", "application/json");
            let request = request.header("cookie", &cookie).body(json!({ "name": format!("Client {n}") }).to_string());
            async move { request.send().await.is_ok_and(|response| response.status() == 201) }
        })
        .collect();
    let before = world.count("SELECT count(*) FROM clients");
    let requests = tokio::spawn(futures_util::future::join_all(requests));
    eventually("a client is committed", || async {
        (world.count("SELECT count(*) FROM clients") != before).then_some(())
    })
    .await;
    world.processes.remove(0).kill();
    world.apis.remove(0);
    requests.await.unwrap().into_iter().filter(|is_created| *is_created).count()
}

#[tokio::test]
async fn log_03_an_act_and_its_audit_event_are_committed_together_when_the_api_is_killed() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    let staff_token = world.tenant().await.owner.cookie(cookies::STAFF_ACCESS).unwrap();
    for _ in 0..4 {
        let before = world.count("SELECT count(*) FROM clients");
        let answered = create_clients_and_kill_the_api(&mut world, &staff_token).await;
        assert!(answered <= world.count("SELECT count(*) FROM clients") - before);
        let acts_or_events_alone = "SELECT count(*) FROM clients c \
             FULL JOIN audit_events e ON e.target_id = c.id AND e.action = 'client.created' \
             WHERE c.id IS NULL AND e.action = 'client.created' OR e.id IS NULL";
        assert_eq!(world.count(acts_or_events_alone), 0);
        world.start_api("api").await;
    }
}
