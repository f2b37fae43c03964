//! When an older refresh token is accepted, and when it ends the session.

use crate::support::{
    Browser, Deployment, Person, World,
    cookies::{PORTAL_ACCESS, PORTAL_REFRESH, STAFF_REFRESH as STAFF_REFRESH_COOKIE},
    eventually,
    paths::{REFRESH, SESSION, STAFF_REFRESH, STAFF_SESSION},
    post_concurrently, stories,
};

/// Returns a person whose browser has the older refresh token `g - 1` while the other one has refreshed it to `g`, as
/// if the response to a refresh had been lost.
async fn lost_response(world: &World) -> (Person, Browser) {
    let person = world.tenant().await.person(world).await;
    let asleep = person.browser.on_new_network();
    person.browser.refresh().await.expect(200);
    (person, asleep)
}

/// Moves every time in the sessions of a person an hour into the past, as if an hour had passed.
fn pass_an_hour(world: &World, person: &Person) {
    let earlier = |column: &str| match world.setting("DATABASE_URL").starts_with("sqlite:") {
        true => format!("{column} = strftime('%Y-%m-%dT%H:%M:%f', {column}, '-1 hour') || '000+00:00'"),
        false => format!("{column} = {column} - interval '1 hour'"),
    };
    let columns =
        ["rotated_at", "generation_used_at", "last_seen_at", "auth_time", "created_at"].map(earlier).join(", ");
    world.sql(&format!(
        "UPDATE sessions SET {columns} WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')",
        person.email
    ));
}

async fn assert_alive(browser: &Browser) {
    browser.session().await.expect(200);
    browser.refresh().await.expect(200);
    browser.session().await.expect(200);
}

stories! {
    async fn ses_01_a_browser_that_lost_the_response_and_slept_stays_signed_in(world) {
        for hours in [0, 1, 20] {
            let (person, asleep) = lost_response(world).await;
            for _ in 0..hours {
                pass_an_hour(world, &person);
            }
            asleep.refresh().await.expect(200);
            // It is the same successor, which both browsers now hold.
            assert_eq!(asleep.cookie(PORTAL_REFRESH), person.browser.cookie(PORTAL_REFRESH));
            assert_alive(&asleep).await;
        }
    }

    async fn ses_01_two_tabs_stay_signed_in_for_hours_until_one_has_used_the_new_token(world) {
        let (person, second_tab) = lost_response(world).await;
        pass_an_hour(world, &person);
        second_tab.refresh().await.expect(200);
        person.browser.session().await.expect(200);
        // Within the grace period.
        let third_tab = second_tab.on_new_network();
        assert_alive(&third_tab).await;
    }

    async fn ses_01_an_older_token_ends_the_session_when_its_successor_was_used(world) {
        // Each way to present a token of the new generation.
        for way in ["bearer", "access cookie", "refresh"] {
            let (person, thief) = lost_response(world).await;
            let access = person.browser.cookie(PORTAL_ACCESS).unwrap();
            match way {
                "bearer" => drop(world.browser().get_with_bearer(SESSION, &access).await.expect(200)),
                "access cookie" => drop(person.browser.session().await.expect(200)),
                _ => drop(person.browser.refresh().await.expect(200)),
            }
            pass_an_hour(world, &person);
            thief.refresh().await.assert_problem("401 session_revoked");
            person.browser.session().await.assert_problem("401 session_revoked");
            person.browser.refresh().await.assert_problem("401 session_revoked");
            assert_eq!(world.mail(&person.email, 2).await.subject, "A session at Blue Harbour was ended", "{way}");
            let events = world.count(&format!(
                "SELECT count(*) FROM audit_events WHERE action = 'session.refresh_token_reused' AND target_id = \
                 (SELECT id FROM sessions WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}'))",
                person.email
            ));
            assert_eq!(events, 1, "{way}");
        }
    }

    async fn ses_01_a_thief_who_refreshes_first_is_found_when_the_owner_comes_back(world) {
        let person = world.tenant().await.person(world).await;
        let thief = person.browser.on_new_network();
        thief.refresh().await.expect(200);
        thief.session().await.expect(200);
        pass_an_hour(world, &person);
        person.browser.refresh().await.assert_problem("401 session_revoked");
        thief.session().await.assert_problem("401 session_revoked");
    }

    async fn an_older_access_token_does_not_count_as_a_use_of_the_new_generation(world) {
        let (person, asleep) = lost_response(world).await;
        // The access token that was issued with the older refresh token stays valid, and is still in use.
        asleep.session().await.expect(200);
        pass_an_hour(world, &person);
        asleep.refresh().await.expect(200);
        assert_alive(&asleep).await;
    }

    async fn ses_01_staff_sessions_follow_the_same_rules(world) {
        let owner = world.tenant().await.owner;
        let (tab, thief) = (owner.on_new_network(), owner.on_new_network());
        owner.post_empty(STAFF_REFRESH).await.expect(200);
        tab.post_empty(STAFF_REFRESH).await.expect(200);
        assert_eq!(tab.cookie(STAFF_REFRESH_COOKIE), owner.cookie(STAFF_REFRESH_COOKIE));
        owner.get(STAFF_SESSION).await.expect(200);
        owner.post_empty(STAFF_REFRESH).await.expect(200);
        owner.get(STAFF_SESSION).await.expect(200);
        thief.post_empty(STAFF_REFRESH).await.assert_problem("401 session_revoked");
        owner.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
    }

    async fn ses_01_tabs_that_refresh_and_use_their_tokens_in_the_same_moment_all_stay_signed_in(world) {
        let person = world.tenant().await.person(world).await;
        for _ in 0..10 {
            let tabs = person.browser.on_new_networks(6);
            let counts = post_concurrently(person.browser.on_new_networks(6), REFRESH, vec![None; 6]).await;
            assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(200, 6)]);
            let uses = tabs.iter().map(async |tab: &Browser| {
                tab.refresh().await.expect(200);
                tab.session().await.expect(200);
            });
            futures_util::future::join_all(uses).await;
            person.browser.set_cookie(PORTAL_REFRESH, &tabs[0].cookie(PORTAL_REFRESH).unwrap());
        }
        assert_alive(&person.browser).await;
    }

    // The request that shows the theft may meet the owner's requests in any order. The session always ends.
    async fn ses_01_a_stolen_token_ends_the_session_also_in_a_race_with_the_owner(world) {
        for _ in 0..5 {
            let (person, thief) = lost_response(world).await;
            person.browser.session().await.expect(200);
            pass_an_hour(world, &person);
            let tabs = person.browser.on_new_networks(3);
            let uses = futures_util::future::join_all(tabs.iter().map(Browser::session));
            let (stolen, _) = tokio::join!(thief.refresh(), uses);
            stolen.assert_problem("401 session_revoked");
            person.browser.session().await.assert_problem("401 session_revoked");
        }
    }
}

#[tokio::test]
async fn ses_01_the_grace_period_begins_with_the_first_use_of_the_successor() {
    for deployment in [Deployment::Single, Deployment::Cluster] {
        let world = World::start(deployment, &[("PORTICO_REFRESH_GRACE", "3s")]).await;
        let (person, other_tab) = lost_response(&world).await;
        other_tab.refresh().await.expect(200);
        let thief = other_tab.on_new_network();
        let older = world.browser().with_cookie(PORTAL_REFRESH, &thief.cookie(PORTAL_REFRESH).unwrap());
        person.browser.refresh().await.expect(200);
        person.browser.session().await.expect(200);
        older.on_new_network().refresh().await.expect(200);
        eventually("the grace period is over", || async {
            let response = older.on_new_network().refresh().await;
            (response.status == 401).then(|| response.assert_problem("401 session_revoked"))
        })
        .await;
    }
}
