//! SES-06 and SES-09: malformed, doubled and contradictory cookies and `Authorization` headers.

use reqwest::Method;

use crate::support::{
    Response, World, cookies,
    paths::{LIVE, REFRESH, SESSION, SIGN_OUT},
    stories,
};

/// Values of the `Authorization` header that are no valid credential, made of a valid access token.
fn malformed_authorization(token: &str) -> Vec<String> {
    let (without_signature, _) = token.rsplit_once('.').unwrap();
    let fixed = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer  x",
        "Bearer x y",
        "Basically x",
        "bearer",
        "Bearer é",
        "Bearer\t",
        "Digest x",
        "Bearer ..",
        "Bearer ....",
        "Bearer null",
    ];
    let mut headers: Vec<String> = fixed.map(Into::into).into();
    headers.extend([
        token.to_owned(),
        format!("Bearer  {token}"),
        format!("Bearer {token},"),
        format!("Bearer \"{token}\""),
        format!("Bearer {token}.x"),
        format!("Bearer {without_signature}"),
        format!("Bearer {}", "a".repeat(10_000)),
        format!("Token {token}"),
        format!("Bearer, {token}"),
        format!("Bearer={token}"),
    ]);
    // Every fifth character of the token left out, and every fifth doubled.
    headers.extend((0..token.len()).step_by(5).map(|at| format!("Bearer {}{}", &token[..at], &token[at + 1..])));
    headers.extend((1..token.len()).step_by(5).map(|at| format!("Bearer {}{}", &token[..at], &token[at - 1..])));
    headers
}

/// Values of the `Cookie` header without a valid access token, made of a valid one.
fn malformed_cookies(token: &str) -> Vec<String> {
    let fixed = [
        "",
        ";;;",
        "=",
        "portico_portal",
        "portico_portal=",
        "portico_portal=a.b.c",
        "portico_portal=\"x\"; a=b; =c",
        "portico_portal=é",
        "Portico_Portal=x",
    ];
    let mut cookies: Vec<String> = fixed.map(Into::into).into();
    cookies.extend([
        format!("portico_portal=\"{token}\""),
        format!("__Host-portico_portal={token}"),
        format!("PORTICO_PORTAL={token}"),
        format!("portico_portal =x; portico_portal={token}x"),
        format!("portico_staff={token}"),
        format!("a={}", "b".repeat(4_096)),
        format!("portico_portal={token}%00"),
        format!("portico_portal={token},portico_portal={token}"),
    ]);
    cookies
}

/// Values that are no valid refresh token, made of a valid one.
fn malformed_refresh_tokens(token: &str) -> Vec<String> {
    let (sid, rest) = token.split_once('.').unwrap();
    vec![
        "x".into(),
        "a.b.c".into(),
        "....".into(),
        format!("{sid}.0"),
        format!("{sid}.-1.AAAA"),
        format!("{sid}.00.AAAA"),
        format!("{sid}.99999999999999999999.AAAA"),
        format!("{sid}.{rest}A"),
        format!("{sid}.{rest}="),
        format!("{}.{rest}", sid.to_uppercase()),
        format!("{sid}..{rest}"),
        format!("{token}."),
    ]
}

/// Requests the session with these headers and no other credential.
async fn session_with(world: &World, headers: &[(&str, &str)]) -> Response {
    world.browser().get_with_headers(SESSION, headers).await
}

stories! {
    async fn ses_06_a_cookie_that_is_sent_twice_is_refused(world) {
        let person = world.tenant().await.person(world).await;
        let cookie = format!("portico_portal={}", person.browser.cookie(cookies::PORTAL_ACCESS).unwrap());
        // An attacker may have planted either of them.
        for cookies in [
            format!("{cookie}; {cookie}"),
            format!("portico_portal=planted; {cookie}"),
            format!("{cookie}; portico_portal=planted"),
            format!("{cookie}; portico_portal="),
        ] {
            session_with(world, &[("cookie", &cookies)]).await.assert_problem("401 unauthenticated");
        }
        session_with(world, &[("cookie", &cookie), ("cookie", &cookie)]).await.assert_problem("401 unauthenticated");
    }

    async fn ses_09_a_malformed_authorization_header_is_refused_also_beside_a_valid_cookie(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let headers = malformed_authorization(&token);
        assert!(headers.len() > 100, "{}", headers.len());
        for header in headers {
            // Each from a network of its own, because refused tokens are counted by network.
            let browser = world.browser().with_cookie(cookies::PORTAL_ACCESS, &token);
            let response = browser.get_with_headers(SESSION, &[("authorization", &header)]).await;
            assert_eq!(response.status, 401, "{header}");
            response.assert_problem("401 unauthenticated");
        }
    }

    async fn ses_09_two_authorization_headers_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        let valid = format!("Bearer {}", person.browser.cookie(cookies::PORTAL_ACCESS).unwrap());
        for second in ["Bearer x", &valid, "", "Digest x"] {
            let headers = [("authorization", &*valid), ("authorization", second), ("authorization", "Basic eDp5")];
            session_with(world, &headers).await.assert_problem("400 malformed_request");
            world.browser().get_with_headers(LIVE, &headers).await.assert_problem("400 malformed_request");
        }
    }

    // A proxy that asks for a password of its own lets browsers send it with every request.
    async fn ses_09_basic_credentials_of_a_proxy_are_ignored(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let (cookie, bearer) = (format!("portico_portal={token}"), format!("Bearer {token}"));
        for basic in ["Basic eDp5", "basic", "BASIC  x y", "Basic :", "Basic\tx"] {
            session_with(world, &[("authorization", basic), ("cookie", &cookie)]).await.expect(200);
            let both = [("authorization", basic), ("authorization", &*bearer), ("authorization", basic)];
            session_with(world, &both).await.expect(200);
            session_with(world, &[("authorization", basic)]).await.assert_problem("401 unauthenticated");
        }
    }

    // A path or a domain in common lets other applications set cookies that reach Portico too.
    async fn ses_09_cookies_of_other_applications_may_hold_anything(world) {
        let tenant = world.tenant().await;
        for foreign in ["visitor=José", "theme=\"a, b", "=", "x", "%ff=\u{1f980}; a=b=c", "portico_portalx=é"] {
            let person = tenant.person(world).await;
            let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
            let refresh = person.browser.cookie(cookies::PORTAL_REFRESH).unwrap();
            let cookies = format!("{foreign}; portico_portal={token}; portico_portal_refresh={refresh};{foreign}");
            let headers = [("cookie", &*cookies)];
            session_with(world, &headers).await.expect(200);
            let refreshed = world.browser().send(Method::POST, REFRESH, None, &headers).await;
            refreshed.expect(200);
            world.browser().send(Method::POST, SIGN_OUT, None, &headers).await.expect(204);
            session_with(world, &headers).await.assert_problem("401 session_revoked");
        }
    }

    async fn ses_09_a_valid_authorization_header_wins_over_an_invalid_cookie(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let headers = [("authorization", &*format!("Bearer {token}")), ("cookie", "portico_portal=rubbish")];
        session_with(world, &headers).await.expect(200);
    }

    // RFC 9110: a scheme is case-insensitive (section 11.1), and white space around a field value is not part of it
    // (section 5.5).
    async fn ses_09_the_bearer_scheme_ignores_case_and_surrounding_white_space(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        for header in [format!("bearer {token}"), format!("Bearer {token} ")] {
            session_with(world, &[("authorization", &header)]).await.expect(200);
        }
    }

    async fn ses_09_malformed_cookies_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        for cookie in malformed_cookies(&person.browser.cookie(cookies::PORTAL_ACCESS).unwrap()) {
            let response = session_with(world, &[("cookie", &cookie)]).await;
            assert_eq!(response.status, 401, "{cookie}");
            response.assert_problem("401 unauthenticated");
        }
    }

    async fn ses_09_malformed_refresh_tokens_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        for token in malformed_refresh_tokens(&person.browser.cookie(cookies::PORTAL_REFRESH).unwrap()) {
            let cookie = format!("portico_portal_refresh={token}");
            let response = world.browser().send(Method::POST, REFRESH, None, &[("cookie", &cookie)]).await;
            assert_eq!(response.status, 401, "{token}");
            response.assert_problem("401 unauthenticated");
        }
        person.browser.refresh().await.expect(200);
    }
}
