//! Portico behind PgBouncer in transaction mode.

use std::process::Command;

use futures_util::future::join_all;

use crate::support::{
    Deployment, PgBouncer, Process, World, binary, database, eventually, lock_table,
    paths::{CLIENTS, READY},
    psql,
};

/// Sessions that hold an advisory lock, of this database.
const ADVISORY_LOCKS: &str = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database \
                              WHERE locktype = 'advisory' AND datname = current_database()";

/// Asserts that the sessions of the server hold no lock, no statement and no setting of Portico.
fn assert_nothing_left(direct: &str, pooler: &PgBouncer) {
    assert_eq!(psql(direct, ADVISORY_LOCKS), "0");
    // Three commands at the same time see up to three sessions.
    let left = "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('statement_timeout') \
                FROM pg_sleep(0.3)";
    let ask =
        || Command::new("psql").args([&pooler.psql_url(), "-Atc", left]).stdout(std::process::Stdio::piped()).spawn();
    for child in [ask(), ask(), ask()] {
        let output = child.unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0|0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_works_through_a_pooler_that_has_fewer_sessions_than_connections() {
    let direct = database();
    let pooler = PgBouncer::start(&direct, 3).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", pooler.url())]).await;
    let tenant = world.tenant().await;
    for _ in 0..3 {
        let person = tenant.person(&world).await;
        let sign_ins = (0..8).map(|_| async { person.sign_in(&world.browser()).await });
        join_all(sign_ins).await;
        let reads = (0..40).map(|_| async { tenant.owner.get(CLIENTS).await.expect(200) });
        join_all(reads).await;
        let unknown = world.browser();
        join_all((0..20).map(|_| unknown.check_token("an-unknown-token"))).await;
    }
    assert_eq!(world.browser().get(READY).await.expect(200)["status"], "ok");
    for process in &world.processes {
        let errors = process.logs().into_iter().filter(|line| line.contains("\"ERROR\"") || line.contains("prepared"));
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new());
    }
    assert_nothing_left(&direct, &pooler);
}

/// The limit of a statement is set in each transaction, because a pooler refuses it as a parameter of the connection.
#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_a_statement_that_waits_too_long_ends_with_503() {
    let direct = database();
    let pooler = PgBouncer::start(&direct, 3).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", pooler.url())]).await;
    let tenant = world.tenant().await;
    let _holder = lock_table(&direct, "clients", "ACCESS EXCLUSIVE").await;
    tenant.owner.get(CLIENTS).await.assert_problem("503 unavailable");
}

#[tokio::test]
async fn eight_concurrent_migrations_through_a_pooler_succeed_and_leave_no_lock() {
    let direct = database();
    let pooler = PgBouncer::start(&direct, 3).await;
    let env =
        [("PORTICO_ENV", "development"), ("DATABASE_URL", pooler.url())].map(|(n, v)| (n.to_owned(), v.to_owned()));
    for _ in 0..2 {
        let started: Vec<_> = (0..8).map(|_| Process::start(binary(), &["migrate"], &secret(&env))).collect();
        for process in started {
            assert!(process.ends().await, "{:#?}", process.logs());
        }
        assert_nothing_left(&direct, &pooler);
    }
    // A lock that an older version left with the pooler is named, and does not stop the process for ever.
    let holder =
        Process::start("psql", &[&direct, "-c", "SELECT pg_advisory_lock(31647734761612143), pg_sleep(600)"], &[]);
    eventually("the lock is held", || async { (psql(&direct, ADVISORY_LOCKS) == "1").then_some(()) }).await;
    let env = [&secret(&env)[..], &[("PORTICO_MIGRATE_WAIT".to_owned(), "1s".to_owned())]].concat();
    let process = Process::start(binary(), &["migrate"], &env);
    assert!(!process.ends().await);
    let logs = process.logs().join("\n");
    assert!(
        logs.contains("migration lock") && logs.contains("psql") && logs.contains("PORTICO_MIGRATE_WAIT"),
        "{logs}"
    );
    drop(holder);
}

fn secret(env: &[(String, String)]) -> Vec<(String, String)> {
    let key = ("PORTICO_SECRET".to_owned(), "cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0=".to_owned());
    [env, &[key]].concat()
}

#[test]
fn a_copy_through_a_pooler_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = format!("sqlite:{}", folder.path().join("portico.db").display());
    let run = |args: &[&str]| {
        let mut command = Command::new(binary());
        command.args(args).env_clear().env("PORTICO_ENV", "development").env("DATABASE_URL", &source);
        command.env("PORTICO_DATA_DIR", folder.path()).output().unwrap()
    };
    assert!(run(&["migrate"]).status.success());
    let output = run(&["copy", "--to", "postgres://u:canary@h/x?pooler=transaction"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && stderr.contains("pooler=transaction") && !stderr.contains("canary"),
        "{stderr}"
    );
}
