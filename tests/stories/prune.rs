//! `portico sessions prune` and `portico tokens prune`.

use crate::support::{Deployment, Tenant, World, paths::SIGN_OUT};

const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];

/// The first number in the output of a command, and the second one if there is one.
fn numbers(output: &str) -> Vec<usize> {
    output.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Asserts that the dry run deletes nothing and counts what the command then deletes, and returns the numbers.
fn prune(world: &World, args: &[&str], table: &str) -> Vec<usize> {
    let count = format!("SELECT count(*) FROM {table}");
    let before = world.count(&count);
    let dry = world.run(&[args, &["--dry-run"]].concat());
    assert!(dry.contains("would be deleted") && world.count(&count) == before, "{dry}");
    let done = world.run(args);
    assert!(!done.contains("would"), "{done}");
    assert_eq!(numbers(&dry), numbers(&done), "{args:?}");
    assert_eq!(before - world.count(&count), numbers(&done)[0], "{args:?}");
    numbers(&done)
}

/// Signs in and out `count` times.
async fn ended_sessions(world: &World, tenant: &Tenant, count: usize) {
    let person = tenant.person(world).await;
    for _ in 0..count {
        let browser = world.browser();
        person.sign_in(&browser).await;
        browser.post_empty(SIGN_OUT).await.expect(204);
    }
}

#[tokio::test]
async fn a_dry_run_counts_exactly_the_sessions_that_are_deleted() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let (one, other) = (world.tenant().await, world.tenant().await);
        ended_sessions(&world, &one, 3).await;
        ended_sessions(&world, &other, 2).await;
        assert_eq!(prune(&world, &["sessions", "prune"], "sessions"), [0], "they ended a moment ago");
        let args = ["sessions", "prune", "--minutes", "0", "--tenant", &one.slug];
        assert_eq!(prune(&world, &args, "sessions"), [3]);
        world.sql("UPDATE sessions SET revoked_at = '2020-01-01T00:00:00+00:00' WHERE revoked_at IS NOT NULL");
        assert_eq!(prune(&world, &["sessions", "prune", "--tenant", &one.slug], "sessions"), [0]);
        assert_eq!(prune(&world, &["sessions", "prune"], "sessions"), [2]);
        one.owner.get(crate::support::paths::STAFF_SESSION).await.expect(200);
        // A tenant that does not exist, and a number that is none, are errors.
        for wrong in [&["sessions", "prune", "--tenant", "nowhere"][..], &["sessions", "prune", "--minutes", "-1"]] {
            assert!(!world.try_run(wrong).status.success(), "{wrong:?}");
        }
    }
}

#[tokio::test]
async fn more_rows_than_one_batch_are_counted_and_deleted() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let person = world.tenant().await.person(&world).await;
        person.browser.post_empty(SIGN_OUT).await.expect(204);
        let (id, numbers) = match deployment {
            Deployment::Single => {
                let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1203)";
                ("randomblob(16)", rows)
            }
            Deployment::Cluster => ("gen_random_uuid()", "WITH n AS (SELECT generate_series(1, 1203) AS i)"),
        };
        let columns = "portal_user_id, client_id, generation, rotated_at, nonce, credential_version, auth_time, \
                       created_at, last_seen_at, expires_at, revoked_at, revoked_reason";
        world.sql(&format!(
            "INSERT INTO sessions (id, {columns}) {numbers} SELECT {id}, {columns} FROM sessions, n \
             WHERE revoked_at IS NOT NULL"
        ));
        assert_eq!(prune(&world, &["sessions", "prune", "--minutes", "0"], "sessions"), [1204]);
    }
}

#[tokio::test]
async fn expired_links_and_codes_are_deleted_and_live_ones_work() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let tenant = world.tenant().await;
        let person = tenant.person(&world).await;
        let expired = person.request_reset(&world, 2).await;
        world.sql("UPDATE link_tokens SET expires_at = created_at WHERE purpose = 'reset'");
        let live = person.request_reset(&world, 3).await;
        world.request_code(&world.browser(), &tenant.owner_email, 2).await;
        world.sql("UPDATE code_flows SET expires_at = created_at");
        let flows = world.count("SELECT count(*) FROM code_flows");
        assert_eq!(prune(&world, &["tokens", "prune"], "link_tokens"), [1, flows]);
        world.browser().check_token(&expired).await.assert_problem("404 token_unknown");
        world.browser().check_token(&live).await.expect(200);
        assert_eq!(prune(&world, &["tokens", "prune"], "link_tokens"), [0, 0]);
    }
}
