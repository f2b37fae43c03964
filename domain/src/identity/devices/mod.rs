//! Known devices: browsers from which a user has signed in within the last year.
//!
//! A known device has its own rate limits, so that an attacker on another device cannot lock out the owner. A sign-in
//! from a device that is not known is mailed to the owner.

mod cutoff;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

use crate::platform::{
    actor::{Realm, RequestContext},
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    email_address::EmailAddress,
    error::Result,
    keys::KeyUse,
    rate_limit::Limit,
};

pub(crate) use cutoff::{correct_times, forget_devices};

/// How long a device stays known after a sign-in.
const DEVICE_TTL: TimeDelta = TimeDelta::days(365);

/// Returns the value of a cookie that makes a browser a known device of `email` in `realm`. `since` is the time at
/// which the session of the sign-in was opened.
///
/// The value is `id.time.mac`: a random id, `since` in seconds since 1970 with six decimals, and a MAC under the newest
/// server key. The MAC also covers the email address, which never changes. So the cookie can be verified without
/// loading the account.
///
/// The current time would be wrong: the cookie is made after the transaction of the sign-in, and a report or a reset
/// may have made all earlier devices unknown in between.
pub fn device_cookie(app: &App, realm: Realm, email: &str, since: Time) -> String {
    let id = BASE64_URL_SAFE_NO_PAD.encode(app.random().bytes::<16>());
    let signed = format!("{id}.{}.{:06}", since.timestamp(), since.timestamp_subsec_micros());
    let mac = app.keys().newest().mac(key_use(realm), &[signed.as_bytes(), email.as_bytes()]);
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// Returns the id of the request's device, if one of the request's device cookies proves that `email` signed in to
/// `realm` from it within the last year and after the last call of [`forget_devices`]. Otherwise returns `None`.
///
/// The work does not depend on whether `email` belongs to an account.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn known_device(
    app: &App,
    context: &RequestContext,
    realm: Realm,
    email: &EmailAddress,
) -> Result<Option<String>> {
    known_device_in(app, app.db(), context, realm, email).await
}

/// [`known_device`] on the connection `db`, for use in a transaction: a transaction that waits for a second connection
/// could wait for ever.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn known_device_in(
    app: &App,
    db: &impl ConnectionTrait,
    context: &RequestContext,
    realm: Realm,
    email: &EmailAddress,
) -> Result<Option<String>> {
    let cutoff = cutoff::of(app, db, realm, email).await?;
    let devices = context.devices.iter().filter_map(|cookie| check(app, cookie, realm, email));
    let is_void = |since: Time| cutoff.is_some_and(|cutoff| since <= cutoff);
    Ok(devices.into_iter().find(|device| !is_void(device.since)).map(|device| device.id))
}

/// A limit and what it is counted for.
pub(crate) type Counter<'a> = (&'a Limit, &'a [&'a str]);

/// Returns the counters to charge for a request: that of its `network` and its `own`, or at a known `device` (the id is
/// not empty) only its own. Others can use up the counter of a network, so it must not refuse the owner's device.
pub(crate) fn counters<'a>(device: &str, network: Counter<'a>, own: Counter<'a>) -> Vec<Counter<'a>> {
    if device.is_empty() { vec![network, own] } else { vec![own] }
}

/// What an authentic device cookie says.
#[derive(Debug, PartialEq, Eq)]
struct Device {
    /// The id of the device.
    id: String,
    /// When the session of the sign-in was opened.
    since: Time,
}

/// Returns the device in `cookie` if the cookie is authentic for `email` and less than a year old.
fn check(app: &App, cookie: &str, realm: Realm, email: &EmailAddress) -> Option<Device> {
    let (signed, mac) = cookie.rsplit_once('.')?;
    let (id, time) = signed.split_once('.')?;
    // Cookies of older versions have whole seconds.
    let (seconds, micros) = time.split_once('.').unwrap_or((time, "0"));
    let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?;
    let parts: [&[u8]; 2] = [signed.as_bytes(), email.as_str().as_bytes()];
    let since = Time::from_timestamp(seconds.parse().ok()?, micros.parse::<u32>().ok()?.checked_mul(1_000)?)?;
    // A time too far ahead was written by a wrong clock. Without the lower bound, the cookie would live for more than a
    // year.
    let is_current = (-MAX_CLOCK_ERROR..DEVICE_TTL).contains(&(app.now() - since));
    let is_known = is_current && app.keys().verify(key_use(realm), &parts, &mac);
    is_known.then(|| Device { id: id.to_owned(), since })
}

const fn key_use(realm: Realm) -> KeyUse {
    match realm {
        Realm::Portal => KeyUse::Device,
        Realm::Staff => KeyUse::StaffDevice,
    }
}

#[cfg(test)]
mod tests {
    use portico_entity::portal_user;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn device_is_known_for_its_own_address_and_for_one_year() {
        let app = testing::app().await;
        let (ann, bob) = ("ann@x.test".parse().unwrap(), "bob@x.test".parse().unwrap());
        let cookie = device_cookie(&app, Realm::Portal, "ann@x.test", app.now());
        let context_with = |cookies: &[&str]| RequestContext {
            devices: cookies.iter().map(|cookie| (*cookie).to_owned()).collect(),
            ..testing::context()
        };
        let known = async |cookies: &[&str], realm, email| {
            known_device(&app, &context_with(cookies), realm, email).await.unwrap().is_some()
        };
        assert!(known(&[&cookie], Realm::Portal, &ann).await);
        assert!(known(&["x", &cookie], Realm::Portal, &ann).await, "another cookie that is not valid does no harm");
        assert!(!known(&[&cookie], Realm::Portal, &bob).await);
        assert!(!known(&[&cookie], Realm::Staff, &ann).await, "the cookie is valid in its own realm only");
        assert!(!known(&[&cookie.replacen('.', "x.", 1)], Realm::Portal, &ann).await);
        app.clock().advance(DEVICE_TTL);
        assert!(!known(&[&cookie], Realm::Portal, &ann).await);
    }

    #[tokio::test]
    async fn devices_are_forgotten_up_to_now_for_one_portal_user() {
        let app = testing::app().await;
        let ann = app.insert_portal_user().await;
        let cookie = |realm, email| device_cookie(&app, realm, email, app.now());
        let old = cookie(Realm::Portal, "ann@x.test");
        let (other, staff) = (cookie(Realm::Portal, "bob@x.test"), cookie(Realm::Staff, "ann@x.test"));
        for _ in 0..2 {
            app.clock().advance(TimeDelta::microseconds(1));
            forget(&app, &ann).await;
            assert!(!is_known(&app, &old, Realm::Portal, "ann@x.test").await);
            assert!(is_known(&app, &other, Realm::Portal, "bob@x.test").await);
            assert!(is_known(&app, &staff, Realm::Staff, "ann@x.test").await);
            app.clock().advance(TimeDelta::microseconds(1));
            let new = cookie(Realm::Portal, "ann@x.test");
            assert!(is_known(&app, &new, Realm::Portal, "ann@x.test").await, "a later sign-in makes the device known");
        }
    }

    #[tokio::test]
    async fn devices_of_sessions_of_a_process_with_another_clock_are_forgotten() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        for ahead in [0, 1, 240, 400_000] {
            let email = format!("ann-{ahead}@x.test");
            app.clock().advance(TimeDelta::seconds(ahead));
            let ann = app.admin_of(&client, &email).await;
            app.clock().advance(-TimeDelta::seconds(ahead));
            forget(&app, &ann.user).await;
            app.clock().advance(TimeDelta::seconds(1));
            // The response to the sign-in is made only now.
            let cookie = device_cookie(&app, Realm::Portal, &email, ann.session.created_at);
            assert!(!is_known(&app, &cookie, Realm::Portal, &email).await, "{ahead}");
            app.clock().advance(TimeDelta::minutes(5));
            // A clock that was wrong by days does not keep devices unknown.
            let next = device_cookie(&app, Realm::Portal, &email, app.now());
            assert!(is_known(&app, &next, Realm::Portal, &email).await, "{ahead}");
        }
    }

    async fn forget(app: &App, user: &portal_user::Model) {
        let mut tx = app.begin().await.unwrap();
        forget_devices(&mut tx, user).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn is_known(app: &App, cookie: &str, realm: Realm, email: &str) -> bool {
        let context = RequestContext { devices: vec![cookie.into()], ..testing::context() };
        known_device(app, &context, realm, &email.parse().unwrap()).await.unwrap().is_some()
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
            let cookie = device_cookie(&app, Realm::Portal, "ann@x.test", app.now());
            app.clock().advance(-ahead);
            assert_eq!(check(&app, &cookie, Realm::Portal, &email).is_some(), is_known, "{ahead}");
        }
    }
}
