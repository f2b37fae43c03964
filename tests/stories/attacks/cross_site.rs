//! SES-05 and SES-11: pages of other sites can neither act with a user's cookies nor read responses.

use reqwest::Method;
use serde_json::{Value, json};

use super::public_url;
use crate::support::{
    Area, Browser, cookies, credentials, new_password, openapi, password,
    paths::{self, LIVE, REFRESH, SIGN_IN, SIGN_OUT, SIGN_OUT_EVERYWHERE, STAFF_REFRESH, STAFF_SESSION},
    stories,
};

/// Every unsafe operation: its method, its path, and a body if it takes one.
fn unsafe_operations(client: &str) -> Vec<(Method, String, Option<Value>)> {
    let token = json!({ "token": "x" });
    let email = json!({ "email": "a@x.test" });
    let change = json!({ "current_password": password(), "new_password": password() });
    let code = json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" });
    let name = json!({ "name": "Forged Ltd" });
    let posts = [
        (SIGN_IN, Some(credentials("a@x.test", &password()))),
        (paths::FORGOT_PASSWORD, Some(email.clone())),
        (paths::RESEND_ACTIVATION, Some(email.clone())),
        (paths::RESET_PASSWORD, Some(new_password("x", &password()))),
        (paths::ACTIVATE, Some(new_password("x", &password()))),
        (paths::CHECK_TOKEN, Some(token.clone())),
        (paths::CHECK_PASSWORD, Some(new_password("x", &password()))),
        (paths::REQUEST_NEW_LINK, Some(token.clone())),
        (paths::NOT_ME, Some(token.clone())),
        (paths::CHANGE_PASSWORD, Some(change)),
        (REFRESH, None),
        (SIGN_OUT, None),
        (SIGN_OUT_EVERYWHERE, None),
        (paths::ACCEPT_INVITATION, Some(token)),
        (paths::SWITCH_CLIENT, Some(json!({ "client_id": "01a1fdba-f86f-76f5-b296-4e548b3691ab" }))),
        (paths::SEND_PORTAL_CODE, Some(email.clone())),
        (paths::VERIFY_PORTAL_CODE, Some(code.clone())),
        (paths::STEP_UP, Some(json!({ "code": "123456" }))),
        (paths::STAFF_SEND_CODE, Some(email.clone())),
        (paths::STAFF_VERIFY_CODE, Some(code)),
        (STAFF_REFRESH, None),
        (paths::STAFF_SIGN_OUT, None),
        (paths::STAFF_SIGN_OUT_EVERYWHERE, None),
        (paths::COLLEAGUES, Some(email.clone())),
        (paths::CLIENTS, Some(name.clone())),
        (&paths::portal_user(client), Some(email.clone())),
        (&paths::send_reset(client, client), None),
        (&paths::resend_colleague_invitation(client), None),
        (&format!("{}/resend", paths::invitation(client, client)), None),
        (&paths::bulk_invitations(client), Some(json!({ "rows": [email] }))),
        (&paths::retry_email(client), None),
        (paths::RETRY_EMAILS, Some(json!({}))),
    ];
    let mut operations: Vec<_> = posts.into_iter().map(|(path, body)| (Method::POST, path.to_owned(), body)).collect();
    let challenge = json!({ "challenge": "x" });
    let factor = json!({ "challenge": "x", "code": "123456" });
    for mfa in [paths::MFA, paths::STAFF_MFA] {
        let bodies = [
            ("verify", Some(factor.clone())),
            ("cancel", Some(challenge.clone())),
            ("enrol/send-code", Some(challenge.clone())),
            ("enrol/setup", Some(challenge.clone())),
            ("enrol/enable", Some(factor.clone())),
            ("setup", None),
            ("enable", Some(json!({ "code": "123456" }))),
            ("recovery-codes", None),
            ("disable", None),
        ];
        operations.extend(bodies.map(|(operation, body)| (Method::POST, format!("{mfa}/{operation}"), body)));
    }
    operations.extend([
        (Method::DELETE, paths::TRUSTED_DEVICES.to_owned(), None),
        (Method::DELETE, format!("{}/{client}", paths::TRUSTED_DEVICES), None),
        (Method::PATCH, paths::SIGN_IN_POLICY.to_owned(), Some(json!({ "mfa": { "portal": "admins" } }))),
    ]);
    let disable = json!({ "status": "disabled" });
    operations.extend([
        (Method::PATCH, paths::client(client), Some(name.clone())),
        (Method::PATCH, paths::PROFILE.to_owned(), Some(name)),
        (Method::PATCH, paths::member(client, client), Some(disable.clone())),
        (Method::DELETE, paths::member(client, client), None),
        (Method::PATCH, paths::colleague(client), Some(disable)),
        (Method::DELETE, paths::colleague(client), None),
        (Method::DELETE, paths::colleague_invitation(client), None),
        (Method::PATCH, paths::invitation(client, client), Some(email)),
        (Method::DELETE, paths::invitation(client, client), None),
    ]);
    for sessions in [paths::SESSIONS, paths::STAFF_SESSIONS] {
        operations.push((Method::DELETE, sessions.to_owned(), None));
        operations.push((Method::DELETE, format!("{sessions}/{client}"), None));
    }
    operations.extend(staff_operations(client));
    operations.extend(passkey_operations(client));
    operations
}

/// The unsafe operations on staff, the brand, API tokens and service accounts. `id` is that of no row.
fn staff_operations(id: &str) -> Vec<(Method, String, Option<Value>)> {
    let code = json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" });
    let (name, role) = (json!({ "name": "Forged" }), json!({ "role": "viewer" }));
    let account = json!({ "name": "Forged", "role": "viewer" });
    let token = json!({ "name": "Forged", "scopes": ["clients:read"] });
    let invitation = json!({ "email": "a@x.test", "role": "owner" });
    let tokens = format!("{}/{id}/tokens", paths::SERVICE_ACCOUNTS);
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let login = json!({
        "port": 49152, "state": "a-state-of-the-program", "code_challenge": challenge, "name": "Forged",
        "scopes": ["clients:read"],
    });
    let exchange = json!({ "code": "x", "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" });
    vec![
        (Method::POST, paths::STAFF_STEP_UP.into(), Some(code)),
        (Method::PATCH, paths::STAFF_PROFILE.into(), Some(name.clone())),
        (Method::PATCH, paths::BRANDING.into(), Some(name)),
        (Method::PUT, paths::BRANDING_LOGO.into(), None),
        (Method::DELETE, paths::BRANDING_LOGO.into(), None),
        (Method::POST, paths::CLI_LOGINS.into(), Some(login)),
        (Method::POST, paths::EXCHANGE_CLI_LOGIN.into(), Some(exchange)),
        (Method::POST, paths::STAFF.into(), Some(invitation)),
        (Method::PATCH, format!("{}/{id}", paths::STAFF), Some(role)),
        (Method::DELETE, format!("{}/{id}", paths::STAFF), None),
        (Method::POST, paths::SERVICE_ACCOUNTS.into(), Some(account)),
        (Method::DELETE, format!("{}/{id}", paths::SERVICE_ACCOUNTS), None),
        (Method::POST, tokens.clone(), Some(token.clone())),
        (Method::DELETE, format!("{tokens}/{id}"), None),
        (Method::POST, paths::STAFF_TOKENS.into(), Some(token)),
        (Method::DELETE, format!("{}/{id}", paths::STAFF_TOKENS), None),
        (Method::DELETE, format!("{}/{id}", paths::TOKENS), None),
        (Method::DELETE, paths::TOKEN.into(), None),
    ]
}

/// The unsafe operations on passkeys. `id` is that of no row.
fn passkey_operations(id: &str) -> Vec<(Method, String, Option<Value>)> {
    let response = json!({ "ceremony": "x", "response": {} });
    let challenge = json!({ "challenge": "x" });
    let of_challenge = json!({ "challenge": "x", "ceremony": "x", "response": {} });
    let options = Area::Portal.auth("passkeys/activation-options");
    let mut operations = vec![(Method::POST, options, Some(json!({ "token": "x" })))];
    for area in Area::ALL {
        operations.extend([
            (Method::POST, area.auth("passkeys/sign-in-options"), Some(json!({}))),
            (Method::POST, area.auth("passkeys/sign-in"), Some(response.clone())),
            (Method::POST, area.auth("step-up/options"), None),
            (Method::POST, area.auth("mfa/passkey-options"), Some(challenge.clone())),
            (Method::POST, area.auth("mfa/passkey"), Some(of_challenge.clone())),
            (Method::POST, area.auth("mfa/enrol/passkey-options"), Some(challenge.clone())),
            (Method::POST, area.auth("mfa/enrol/passkey"), Some(of_challenge.clone())),
            (Method::POST, area.passkeys("/register-options"), None),
            (Method::POST, area.passkeys("/register"), Some(response.clone())),
            (Method::PATCH, area.passkeys(&format!("/{id}")), Some(json!({ "name": "Forged" }))),
            (Method::DELETE, area.passkeys(&format!("/{id}")), None),
        ]);
    }
    operations
}

#[test]
fn ses_05_the_list_of_unsafe_operations_is_complete() {
    let listed = unsafe_operations("{}").into_iter().map(|(method, path, _)| format!("{method} {path}"));
    assert_eq!(listed.collect::<std::collections::BTreeSet<_>>(), openapi::unsafe_operations());
}

/// Headers that a browser sends with a request that a page of another site made.
fn cross_site_headers(own_origin: &str) -> [(&'static str, String); 7] {
    let host = own_origin.strip_prefix("http://").unwrap();
    [
        ("origin", "https://evil.test".into()),
        ("origin", "null".into()),
        ("origin", "http://10.0.0.1".into()),
        ("origin", format!("{own_origin}.evil.test")),
        ("origin", format!("http://evil-{host}")),
        ("sec-fetch-site", "cross-site".into()),
        ("sec-fetch-site", "same-site".into()),
    ]
}

/// Asserts that an operation is refused if its request has this header, and that the page cannot read the response.
async fn assert_rejected_as_cross_site(
    browser: &Browser,
    (method, path, body): &(Method, String, Option<Value>),
    (name, value): &(&str, String),
) {
    let body = body.as_ref().map(Value::to_string);
    let response = browser.send(method.clone(), path, body, &[(name, value)]).await;
    for header in ["set-cookie", "access-control-allow-origin"] {
        assert!(!response.headers.contains_key(header), "{header} {path} {name}: {value}");
    }
    response.assert_problem("403 csrf_rejected");
}

stories! {
    async fn ses_05_unsafe_requests_from_other_sites_are_refused(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        // The victim's browser is signed in to both realms.
        for name in [cookies::STAFF_ACCESS, cookies::STAFF_REFRESH] {
            person.browser.set_cookie(name, &tenant.owner.cookie(name).unwrap());
        }
        for operation in unsafe_operations(&person.client) {
            for header in cross_site_headers(&public_url(world)) {
                assert_rejected_as_cross_site(&person.browser.on_new_network(), &operation, &header).await;
                // Also without cookies, since a forged sign-in would sign the victim in as another user.
                assert_rejected_as_cross_site(&world.browser(), &operation, &header).await;
            }
        }
        // Nothing has changed.
        person.browser.session().await.expect(200);
        person.browser.get(STAFF_SESSION).await.expect(200);
        person.sign_in(&world.browser()).await;
        let clients = tenant.owner.get(paths::CLIENTS).await.expect(200)["data"].clone();
        assert_eq!(clients.as_array().unwrap().len(), 1);
        assert_eq!(clients[0]["name"], "Acme Ltd");
    }

    async fn ses_05_content_types_that_a_form_can_send_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        for content_type in [
            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
            "text/plain; charset=utf-8",
        ] {
            let headers = [("content-type", content_type)];
            let response = world.browser().post_with_headers(SIGN_IN, person.credentials(), &headers).await;
            assert!(!response.headers.contains_key("set-cookie"));
            response.assert_problem("415 unsupported_media_type");
        }
    }

    async fn ses_05_unsafe_operations_do_not_take_get(world) {
        let person = world.tenant().await.person(world).await;
        for path in [SIGN_IN, REFRESH, SIGN_OUT, &format!("{SIGN_IN}?email=a&password=b")] {
            let response = person.browser.get_with_headers(path, &[("sec-fetch-site", "cross-site")]).await;
            response.assert_problem("405 method_not_allowed");
        }
        person.browser.session().await.expect(200);
    }

    async fn ses_05_the_portals_own_pages_and_programs_may_post(world) {
        let person = world.tenant().await.person(world).await;
        let origin = public_url(world);
        let own_page: [&[(&str, &str)]; 2] =
            [&[("origin", &origin)], &[("origin", &origin), ("sec-fetch-site", "same-origin")]];
        let program: &[(&str, &str)] = &[];
        for headers in own_page.into_iter().chain([program]) {
            let browser = world.browser();
            browser.post_with_headers(SIGN_IN, person.credentials(), headers).await.expect(200);
            browser.send(Method::POST, REFRESH, None, headers).await.expect(200);
        }
    }

    async fn ses_11_pages_of_unknown_origins_cannot_read_responses(world) {
        let tenant = world.tenant().await;
        let own = public_url(world);
        let (suffixed, https) = (format!("{own}.evil.test"), own.replace("http://", "https://"));
        let mut origins = vec!["https://evil.test", "null", &suffixed, "*"];
        if world.redis.is_some() {
            // Development, which the other deployment is, accepts every loopback origin.
            origins.extend([&https, "http://localhost:4"]);
        }
        for origin in origins {
            let preflight = [("origin", origin), ("access-control-request-method", "POST")];
            let preflight = world.browser().send(Method::OPTIONS, SIGN_IN, None, &preflight).await;
            assert!(preflight.status >= 400, "{origin} {preflight:?}");
            let headers = [("origin", origin)];
            let live = world.browser().get_with_headers(LIVE, &headers).await;
            let clients = tenant.owner.get_with_headers(paths::CLIENTS, &headers).await;
            for response in [preflight, live, clients] {
                for header in ["access-control-allow-origin", "access-control-allow-credentials"] {
                    assert!(!response.headers.contains_key(header), "{origin} {response:?}");
                }
            }
        }
    }
}
