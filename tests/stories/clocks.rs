//! The clock of a process was wrong for a while and is right again: what the process stored does not outlast its
//! period.
//!
//! A story cannot change the clock of the machine, so it writes the times into the database that such a process would
//! have stored.

use crate::support::{Deployment, World, cookies::PORTAL_REFRESH, eventually, http, paths::LIVE};

/// A time in the future, as both databases read it.
const FUTURE: &str = "'2099-12-31T00:00:00+00:00'";
/// 400 days in microseconds, the unit of the counters.
const DAYS_400: &str = "34560000000000";

const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];

#[tokio::test]
async fn a_rate_limit_counts_a_time_of_the_future_as_one_period() {
    for deployment in BOTH {
        let world = World::start(deployment, &[("PORTICO_LIMIT_RECOVERY_ACCOUNT", "3/1h")]).await;
        let tenant = world.tenant().await;
        let person = tenant.person(&world).await;
        let browser = world.browser();
        let staff = world.browser();
        browser.sign_in(&person.email, "wrong").await.expect(401);
        browser.forgot_password(&person.email).await.expect(200);
        // Counters of failures, of requests for mail, and of codes. Their periods are 15 minutes to an hour.
        world.sql(&format!("UPDATE rate_limits SET theoretical_arrival = theoretical_arrival + {DAYS_400}"));
        for response in [
            browser.sign_in(&person.email, &person.password).await,
            browser.forgot_password(&person.email).await,
            staff.send_code(&tenant.owner_email).await,
        ] {
            let problem = response.assert_problem("429 too_many_requests");
            let seconds = problem["retry_after"].as_u64().unwrap();
            assert!(seconds <= 3_600, "{deployment:?} {problem}");
        }
        // An hour later.
        world.sql("UPDATE rate_limits SET theoretical_arrival = theoretical_arrival - 3600000000");
        browser.sign_in(&person.email, &person.password).await.expect(200);
        browser.forgot_password(&person.email).await.expect(200);
        staff.send_code(&tenant.owner_email).await.expect(200);
    }
}

#[tokio::test]
async fn a_job_that_is_due_in_the_future_or_leased_until_then_runs_now() {
    for deployment in BOTH {
        let world =
            World::start(deployment, &[("PORTICO_JOB_LEASE", "3s"), ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "100/1h")])
                .await;
        let person = world.tenant().await.person(&world).await;
        let running = format!("state = 'running', attempts = 1, lease_until = {FUTURE}");
        let times = [
            format!("run_at = {FUTURE}, created_at = {FUTURE}, pushed_at = {FUTURE}"),
            format!("run_at = {FUTURE}, attempts = 1"),
            format!("created_at = {FUTURE}, pushed_at = {FUTURE}"),
            running,
        ];
        for (n, times) in times.into_iter().enumerate() {
            world.run(&["jobs", "pause", "urgent"]);
            eventually("the workers have seen that the lane is paused", || async {
                world.browser().forgot_password("unknown@x.test").await.expect(200);
                let waiting = "SELECT count(*) FROM background_jobs WHERE state = 'queued' AND lane = 'urgent'";
                (world.count(waiting) > 0).then_some(())
            })
            .await;
            world.browser().forgot_password(&person.email).await.expect(200);
            world.sql(&format!("UPDATE background_jobs SET {times} WHERE state = 'queued' AND lane = 'urgent'"));
            world.run(&["jobs", "resume", "urgent"]);
            eventually("the mail arrives", || async {
                (world.mails(&person.email).await.len() == n + 2).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn code_flows_of_the_future_do_not_use_up_the_flows_of_a_staff_user() {
    for deployment in BOTH {
        let world = World::start(deployment, &[("PORTICO_LIMIT_SEND_CODE", "60/1h")]).await;
        let tenant = world.tenant().await;
        let mut flows = Vec::new();
        for nth in 2..5 {
            flows.push(world.request_code(&world.browser(), &tenant.owner_email, nth).await);
        }
        world.sql(&format!("UPDATE code_flows SET expires_at = {FUTURE}, created_at = {FUTURE}"));
        let (flow, code) = world.request_code(&world.browser(), &tenant.owner_email, 5).await;
        world.browser().verify_code(&flow, &code).await.expect(200);
        for (flow, code) in flows {
            world.browser().verify_code(&flow, &code).await.assert_problem("401 invalid_code");
        }
    }
}

#[tokio::test]
async fn a_use_of_the_future_does_not_lengthen_the_grace_period_of_a_refresh_token() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let person = world.tenant().await.person(&world).await;
        let copied = person.browser.cookie(PORTAL_REFRESH).unwrap();
        person.browser.refresh().await.expect(200);
        person.browser.session().await.expect(200);
        world.sql(&format!("UPDATE sessions SET rotated_at = {FUTURE}, last_seen_at = {FUTURE}"));
        world.sql(&format!("UPDATE sessions SET generation_used_at = {FUTURE} WHERE used_generation = 1"));
        person.browser.session().await.expect(200);
        assert_eq!(
            world.count("SELECT count(*) FROM sessions WHERE last_seen_at > '2098-01-01T00:00:00+00:00'"),
            1,
            "the other is current"
        );
        let attacker = world.browser().with_cookie(PORTAL_REFRESH, &copied);
        attacker.refresh().await.assert_problem("401 session_revoked");
    }
}

#[tokio::test]
async fn every_response_has_the_date_of_the_clock() {
    let world = World::start(Deployment::Single, &[]).await;
    let internal = world.internals().await.remove(0);
    for url in [format!("{}{LIVE}", world.apis[0]), format!("{}/nowhere", world.apis[0]), format!("{internal}/metrics")]
    {
        let response = http::get(&url).await.unwrap();
        let dates: Vec<_> = response.headers().get_all("date").iter().collect();
        let now = std::process::Command::new("date").args(["-u", "-R", "-d", dates[0].to_str().unwrap()]).output();
        assert!(dates.len() == 1 && now.unwrap().status.success(), "{url} {dates:?}");
    }
}
