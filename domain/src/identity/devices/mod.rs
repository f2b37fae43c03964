//! Known devices: browsers from which a user has signed in within the last year.
//!
//! A known device has its own rate limits, so that an attacker on another device cannot lock out the owner.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use crate::platform::{
    actor::{Realm, RequestContext},
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    email_address::EmailAddress,
    keys::KeyUse,
    rate_limit::Limit,
};

/// How long a device stays known after a sign-in.
const DEVICE_TTL: TimeDelta = TimeDelta::days(365);

/// Returns the value of a cookie that makes a browser a known device of `email` in `realm`.
///
/// The value is `id.time.mac`: a random id, the current time in seconds since 1970, and a MAC under the newest server
/// key. The MAC also covers the email address, which never changes. So the cookie can be verified without loading the
/// account.
pub fn device_cookie(app: &App, realm: Realm, email: &str) -> String {
    let id = BASE64_URL_SAFE_NO_PAD.encode(app.random().bytes::<16>());
    let signed = format!("{id}.{}", app.now().timestamp());
    let mac = app.keys().newest().mac(key_use(realm), &[signed.as_bytes(), email.as_bytes()]);
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// Returns the id of the request's device, if one of the request's device cookies proves that `email` signed in to
/// `realm` from it within the last year. Otherwise returns `None`.
pub(crate) fn known_device(app: &App, context: &RequestContext, realm: Realm, email: &EmailAddress) -> Option<String> {
    context.devices.iter().find_map(|cookie| check(app, cookie, realm, email))
}

/// A limit and what it is counted for.
pub(crate) type Counter<'a> = (&'a Limit, &'a [&'a str]);

/// Returns the counters to charge for a request: that of its `network` and its `own`, or at a known `device` (the id is
/// not empty) only its own. Others can use up the counter of a network, so it must not refuse the owner's device.
pub(crate) fn counters<'a>(device: &str, network: Counter<'a>, own: Counter<'a>) -> Vec<Counter<'a>> {
    if device.is_empty() { vec![network, own] } else { vec![own] }
}

/// Returns the device id in `cookie` if the cookie is authentic for `email` and less than a year old.
fn check(app: &App, cookie: &str, realm: Realm, email: &EmailAddress) -> Option<String> {
    let (signed, mac) = cookie.rsplit_once('.')?;
    let (id, time) = signed.split_once('.')?;
    let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?;
    let parts: [&[u8]; 2] = [signed.as_bytes(), email.as_str().as_bytes()];
    let since = Time::from_timestamp(time.parse().ok()?, 0)?;
    // A time too far ahead was written by a wrong clock. Without the lower bound, the cookie would live for more than a
    // year.
    let is_current = (-MAX_CLOCK_ERROR..DEVICE_TTL).contains(&(app.now() - since));
    let is_known = is_current && app.keys().verify(key_use(realm), &parts, &mac);
    is_known.then(|| id.to_owned())
}

const fn key_use(realm: Realm) -> KeyUse {
    match realm {
        Realm::Portal => KeyUse::Device,
        Realm::Staff => KeyUse::StaffDevice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn device_is_known_for_its_own_address_and_for_one_year() {
        let app = testing::app().await;
        let (ann, bob) = ("ann@x.test".parse().unwrap(), "bob@x.test".parse().unwrap());
        let cookie = device_cookie(&app, Realm::Portal, "ann@x.test");
        let context_with = |cookies: &[&str]| RequestContext {
            devices: cookies.iter().map(|cookie| (*cookie).to_owned()).collect(),
            ..testing::context()
        };
        let known = |cookies: &[&str], realm, email| known_device(&app, &context_with(cookies), realm, email);
        assert!(known(&[&cookie], Realm::Portal, &ann).is_some());
        assert!(known(&["x", &cookie], Realm::Portal, &ann).is_some(), "another cookie that is not valid does no harm");
        assert_eq!(known(&[&cookie], Realm::Portal, &bob), None);
        assert_eq!(known(&[&cookie], Realm::Staff, &ann), None, "the cookie is valid in its own realm only");
        assert_eq!(known(&[&cookie.replacen('.', "x.", 1)], Realm::Portal, &ann), None);
        app.clock().advance(DEVICE_TTL);
        assert_eq!(known(&[&cookie], Realm::Portal, &ann), None);
    }

    #[tokio::test]
    async fn cookie_of_a_wrong_clock_makes_no_known_device() {
        let app = testing::app().await;
        let email = "ann@x.test".parse().unwrap();
        for (ahead, is_known) in [
            (TimeDelta::zero(), true),
            (TimeDelta::minutes(4), true),
            (TimeDelta::minutes(6), false),
            (TimeDelta::days(400), false),
            (TimeDelta::days(30_000), false),
        ] {
            app.clock().advance(ahead);
            let cookie = device_cookie(&app, Realm::Portal, "ann@x.test");
            app.clock().advance(-ahead);
            assert_eq!(check(&app, &cookie, Realm::Portal, &email).is_some(), is_known, "{ahead}");
        }
    }
}
