//! The start of a process: it waits for its database, obeys a signal at any time, and refuses a database that it cannot
//! use. Commands that only read change nothing.

use std::process::Command;

use futures_util::future::join_all;
use tokio::net::TcpStream;

use crate::support::{
    Browser, Deployment, Postgres, Process, Redis, World, binary, cluster_env, database, eventually, free_port, http,
    lock_table,
    paths::{LIVE, READY, SIGN_OUT},
    provided, psql, unique,
};

type Env = Vec<(String, String)>;

/// The settings of a cluster with this database. Redis and the mail server are not needed for the start.
fn env(database: &str) -> Env {
    cluster_env(database, "redis://127.0.0.1:1", "smtp://127.0.0.1:1?tls=none")
}

fn with(env: &Env, name: &str, value: &str) -> Env {
    let mut env = env.clone();
    env.retain(|(given, _)| given != name);
    env.push((name.into(), value.into()));
    env
}

/// Runs a command that must fail, and returns its output.
#[track_caller]
fn refused(args: &[&str], env: &Env) -> String {
    let output = Command::new(binary()).args(args).env_clear().envs(env.iter().cloned()).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success(), "{args:?}: {text}");
    text
}

#[tokio::test]
async fn a_process_says_where_its_database_is_and_starts_when_it_is_back() {
    let mut postgres = Postgres::start().await;
    let place = postgres.url().split_once('@').unwrap().1.replace("/portico", "");
    for (command, started) in [("serve", "listening"), ("worker", "worker started"), ("migrate", "newest schema")] {
        postgres.stop().await;
        let process = Process::start(binary(), &[command], &env(&postgres.url()));
        let says = |line: &str| (line.contains(&place) && line.contains("refused")).then_some(());
        process.wait_for_log("the process says what is wrong", says).await;
        postgres.start_again().await;
        eventually("the process has started", || async {
            process.logs().iter().any(|line| line.contains(started)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_process_that_waits_for_its_database_lives_and_refuses_requests_until_it_can_serve() {
    let mut postgres = Postgres::start().await;
    let url = postgres.url();
    for command in ["serve", "api", "worker"] {
        postgres.stop().await;
        let [public, internal] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        let env = with(&with(&env(&url), "PORTICO_LISTEN", &public), "PORTICO_INTERNAL_LISTEN", &internal);
        let process = Process::start(binary(), &[command], &env);
        let browsers = [&public, &internal].map(|listen| Browser::new(vec![format!("http://{listen}")]));
        let [browser, probe] = &browsers;
        process.wait_for_log("the process waits", |line| line.contains("trying again").then_some(())).await;
        for asked in if command == "worker" { &browsers[1..] } else { &browsers[..] } {
            assert_eq!(asked.get(LIVE).await.expect(200), serde_json::json!({ "status": "ok" }));
            for response in [
                asked.get(READY).await,
                asked.get("/metrics").await,
                asked.post_empty(SIGN_OUT).await,
                asked.sign_in("ann@x.test", &"x".repeat(30_000)).await,
            ] {
                assert_eq!(response.headers["connection"], "close");
                assert_eq!(response.assert_problem("503 unavailable")["retry_after"], 1);
            }
        }
        let listen = if command == "worker" { &internal } else { &public };
        // Clients that send nothing hold up only themselves.
        let silent = join_all((0..64).map(|_| TcpStream::connect(listen))).await;
        assert_eq!(probe.get(LIVE).await.status, 200);
        postgres.start_again().await;
        let ready = format!("http://{internal}{READY}");
        let is_ready = async || http::get(&ready).await.is_ok_and(|response| response.status() == 200);
        eventually("the process is ready", || async { is_ready().await.then_some(()) }).await;
        drop(silent);
        if command != "worker" {
            browser.sign_in("ann@x.test", "wrong").await.assert_problem("401 invalid_credentials");
        }
    }
}

#[tokio::test]
async fn a_process_that_waits_for_its_database_stops_at_a_signal() {
    for url in ["postgres://u@127.0.0.1:1/x", "postgres://u@no-such-host.invalid/x", "postgres://u@192.0.2.1/x"] {
        for (command, signal) in [("serve", "TERM"), ("api", "INT"), ("worker", "TERM"), ("migrate", "TERM")] {
            let process = Process::start(binary(), &[command], &env(url));
            process
                .wait_for_log("it opens the database", |line| line.contains("opening the database").then_some(()))
                .await;
            process.signal(signal);
            // A migration that was not done must not count as done.
            assert_eq!(process.ends().await, command != "migrate", "{command} {url}: {:#?}", process.logs());
        }
    }
}

/// A session that holds the migration lock, as a migration of another process does.
async fn lock_migrations(url: &str) -> Process {
    let lock = "BEGIN; SELECT pg_advisory_xact_lock(31647734761612143); SELECT pg_sleep(600)";
    let holder = Process::start("psql", &[url, "-c", lock], &[]);
    let held = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()";
    eventually("the lock is held", || async { (psql(url, held) == "1").then_some(()) }).await;
    holder
}

#[tokio::test]
async fn a_process_that_waits_for_the_migration_lock_says_who_has_it_and_stops_at_a_signal() {
    let url = database();
    let _holder = lock_migrations(&url).await;
    let pid = psql(
        &url,
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = \
                          (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    let process = Process::start(binary(), &["serve"], &env(&url));
    let says =
        |line: &str| (line.contains("migration lock") && line.contains(&format!("pid {pid}, psql"))).then_some(());
    process.wait_for_log("the process says what it waits for", says).await;
    process.signal("TERM");
    assert!(process.ends().await, "{:#?}", process.logs());
}

#[tokio::test]
async fn a_wait_for_the_migration_lock_ends_with_an_error() {
    let (postgres, folder) = (database(), tempfile::tempdir().unwrap());
    let _holder = lock_migrations(&postgres).await;
    let file = folder.path().join("portico.db");
    let lock = std::fs::File::create(folder.path().join("portico.db.lock")).unwrap();
    lock.lock().unwrap();
    for (url, holder) in [(postgres, "psql"), (format!("sqlite:{}", file.display()), "portico.db.lock")] {
        for command in ["migrate", "serve"] {
            let text = refused(&[command], &with(&env(&url), "PORTICO_MIGRATE_WAIT", "1s"));
            assert!(text.contains("PORTICO_MIGRATE_WAIT") && text.contains(holder), "{text}");
        }
    }
}

#[tokio::test]
async fn a_migration_that_waits_for_a_table_ends_with_an_error() {
    let url = database();
    Command::new(binary()).arg("migrate").env_clear().envs(env(&url)).output().unwrap();
    let _holder = lock_table(&url, "seaql_migrations", "ACCESS EXCLUSIVE").await;
    for command in [&["migrate"][..], &["serve"], &["jobs", "list"]] {
        let text = refused(command, &with(&env(&url), "PORTICO_MIGRATE_WAIT", "1s"));
        assert!(text.contains("another session has locked a table"), "{text}");
    }
}

#[test]
fn an_sqlite_file_that_cannot_be_written_is_found_by_check_config() {
    let folder = tempfile::tempdir().unwrap();
    let env = |path: &str| {
        let env = env(&format!("sqlite:{path}"));
        env.into_iter().filter(|(name, _)| name != "REDIS_URL").collect::<Env>()
    };
    let of_folder = env(&folder.path().display().to_string());
    assert!(refused(&["check-config"], &of_folder).contains("is a folder"));
    for path in ["/proc/portico.db", "/proc/no/such/portico.db"] {
        let text = refused(&["check-config", "--connect"], &env(path));
        assert!(text.contains(&format!("DATABASE_URL: cannot write {path}")), "{text}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    // The setting has a path, and not a URL.
    for name in ["a b.db", "a%20b.db", "100%.db"] {
        let path = folder.path().join(name);
        let env = env(&path.display().to_string());
        assert!(Command::new(binary()).arg("migrate").env_clear().envs(env).output().unwrap().status.success());
        assert!(path.exists(), "{name}");
    }
}

#[test]
fn a_database_that_is_not_utf8_is_refused() {
    let server = provided("PORTICO_TEST_POSTGRES");
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let name = unique("encoding").replace('-', "_");
        let create =
            format!("CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        psql(&format!("{server}/postgres"), &create);
        for command in ["migrate", "serve", "worker"] {
            let text = refused(&[command], &env(&format!("{server}/{name}")));
            assert!(text.contains(encoding) && text.contains("UTF8"), "{command}: {text}");
        }
    }
}

#[test]
fn a_database_that_does_not_exist_or_refuses_the_user_ends_the_start() {
    let server = provided("PORTICO_TEST_POSTGRES");
    let other_user = server.replacen("portico@", "no-such-user:canary@", 1);
    for url in [format!("{server}/no_such_database"), format!("{other_user}/postgres")] {
        for command in ["serve", "migrate"] {
            let text = refused(&[command], &env(&url));
            assert!(text.contains("no_such_database") || text.contains("no-such-user"), "{text}");
            assert!(text.contains("127.0.0.1:") && !text.contains("canary"), "{text}");
        }
    }
}

#[test]
fn commands_that_only_read_do_not_migrate() {
    let (postgres, folder) = (database(), tempfile::tempdir().unwrap());
    let file = folder.path().join("portico.db");
    for url in [postgres.clone(), format!("sqlite:{}", file.display())] {
        refused(&["jobs", "list"], &env(&url));
        refused(&["mail", "test", "--to", "ops@x.test"], &env(&url));
        refused(&["check-config", "--connect"], &env(&url));
    }
    assert_eq!(psql(&postgres, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    assert!(!file.exists());
    // Without a database, only the mail server matters.
    let text = refused(&["mail", "test", "--to", "ops@x.test"], &env("postgres://u@127.0.0.1:1/x"));
    assert!(text.contains("MAIL_URL") && !text.contains("DATABASE_URL"), "{text}");
}

#[test]
fn commands_that_must_not_migrate_refuse_a_database_that_lacks_a_migration() {
    let (postgres, folder) = (database(), tempfile::tempdir().unwrap());
    let missing = format!("sqlite:{}", folder.path().join("portico.db").display());
    let env = |url: &str| with(&env(url), "PORTICO_MIGRATE", "off");
    let add = ["tenant", "add", "acme", "--name", "Acme"];
    let text = refused(&add, &env(&missing));
    assert!(text.contains("does not exist; `portico migrate` creates it"), "{text}");
    let assert_refused = || {
        for command in [&["serve"][..], &["api"], &["worker"], &add] {
            let text = refused(command, &env(&postgres));
            assert!(text.contains("DATABASE_URL: ") && text.contains("run `portico migrate` first"), "{text}");
        }
    };
    assert_refused();
    let run = |command: &[&str]| {
        let output = Command::new(binary()).args(command).env_clear().envs(env(&postgres)).output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    };
    run(&["migrate"]);
    let newest = "SELECT max(version) FROM seaql_migrations";
    let name = psql(&postgres, newest);
    psql(&postgres, &format!("DELETE FROM seaql_migrations WHERE version = ({newest})"));
    assert_refused();
    // A later version of Portico has migrated the database.
    psql(&postgres, &format!("INSERT INTO seaql_migrations VALUES ('{name}', 0), ('m9999_later', 0)"));
    run(&add);
}

#[test]
fn commands_of_several_processes_refuse_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(&format!("sqlite:{}", folder.path().join("portico.db").display()));
    for command in ["api", "worker", "check-config"] {
        let text = refused(&[command], &env);
        assert!(text.contains("DATABASE_URL") && text.contains("SQLite") && text.contains("e.g."), "{command}: {text}");
    }
}

#[test]
fn check_config_refuses_settings_that_do_not_fit_together() {
    let env = env("postgres://u@127.0.0.1:1/x");
    for (listen, internal) in
        [("127.0.0.1:8080", "127.0.0.1:8080"), ("0.0.0.0:80", "127.0.0.1:80"), ("[::]:9", "127.0.0.1:9")]
    {
        let env = with(&with(&env, "PORTICO_LISTEN", listen), "PORTICO_INTERNAL_LISTEN", internal);
        let text = refused(&["check-config"], &env);
        assert!(text.contains("PORTICO_INTERNAL_LISTEN") && text.contains("e.g."), "{text}");
    }
    for (name, value) in [
        ("DATABASE_URL", "postgres://portico:change-me@db/portico"),
        ("REDIS_URL", "redis://:<password>@redis"),
        ("MAIL_URL", "smtps://portico:<password>@mail.example.com"),
    ] {
        for command in ["check-config", "serve"] {
            let text = refused(&[command], &with(&env, name, value));
            assert!(text.contains(name) && text.contains("placeholder"), "{text}");
        }
    }
    let unencoded = "postgres://portico:can#ary@db.example.com/portico";
    let text = refused(&["check-config"], &with(&env, "DATABASE_URL", unencoded));
    assert!(text.contains("percent-encode") && !text.contains("ary@"), "{text}");
    let text = refused(&["check-config"], &with(&env, "DATABASE_URL", "postgres://db/portico?sslmod=canary"));
    assert!(text.contains("sslmode") && !text.contains("canary"), "{text}");
    for (name, value, problem) in [
        ("DATABASE_URL", "postgres://h1,h2/portico", "one host"),
        ("REDIS_URL", "redis://h1,h2", "one host"),
        ("MAIL_URL", "smtps://relay.test?ca=/no/such/file", "cannot use the file"),
        ("MAIL_URL", "smtp://mailer:2024#canary@relay.test", "%23"),
        ("MAIL_URL", "smtp://relay.test?tls=none&tls=required", "once"),
    ] {
        let text = refused(&["check-config"], &with(&env, name, value));
        assert!(text.contains(name) && text.contains(problem) && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn check_config_connects_to_each_service_and_names_the_one_that_does_not_work() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let found = world.run(&["check-config", "--connect"]);
    for line in
        ["DATABASE_URL: 127.0.0.1:", "newest schema", "REDIS_URL: Redis can be written", "MAIL_URL: ", "is valid"]
    {
        assert!(found.contains(line), "{found}");
    }
    let redis = world.setting("REDIS_URL").replace("password-of-the-queue", "canary");
    let (user, rest) =
        world.setting("MAIL_URL").split_once(':').map(|(scheme, rest)| (scheme, rest.to_owned())).unwrap();
    let (_, host) = rest.rsplit_once('@').unwrap();
    let mail = format!("{user}://user:canary@{host}");
    for (name, value) in [
        ("DATABASE_URL", "postgres://u:canary@127.0.0.1:1/x"),
        ("REDIS_URL", redis.as_str()),
        ("REDIS_URL", "redis://:canary@127.0.0.1:1"),
        ("MAIL_URL", mail.as_str()),
        ("MAIL_URL", "smtps://user:canary@127.0.0.1:1"),
        ("MAIL_URL", "smtps://user:canary@localhost?ca=/no/such/file"),
        ("PORTICO_PUBLIC_URL", "https://portal.example.com"),
        ("MAIL_FROM", "Portal <portal@mail.example.org>"),
    ] {
        let text = refused(&["check-config", "--connect"], &with(&world.env, name, value));
        let problems = text.split_once("has problems").unwrap().1;
        assert!(problems.contains(name) && !text.contains("canary"), "{name}: {text}");
        assert_eq!(problems.trim_end().lines().count(), 2, "{name}: {text}");
    }
}

/// Makes a certificate authority and a certificate of localhost that it has signed, in `folder`.
fn make_certificates(folder: &std::path::Path) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority \
                  && openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost \
                  && echo subjectAltName=DNS:localhost > names \
                  && openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out certificate.pem \
                     -days 2 -extfile names";
    let output = Command::new("sh").args(["-euc", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn redis_with_the_certificate_of_a_private_authority_carries_the_jobs() {
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let port = free_port().to_string();
    let (certificate, key, ca) = (path("certificate.pem"), path("key.pem"), path("ca.pem"));
    let tls = ["--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let _redis = Redis::start_with(&[&tls[..], &["--tls-auth-clients", "no", "--save", ""]].concat()).await;
    let url = format!("rediss://:password-of-the-queue@localhost:{port}?ca={ca}");
    let world = World::start(Deployment::Cluster, &[("REDIS_URL", &url)]).await;
    world.tenant().await.person(&world).await;
    assert!(world.run(&["check-config", "--connect"]).contains("Redis can be written"));
    // Without the authority, and with another one, the certificate is not trusted.
    let other = tempfile::tempdir().unwrap();
    make_certificates(other.path());
    let untrusted = format!("rediss://:canary@localhost:{port}");
    let wrong = format!("{untrusted}?ca={}", other.path().join("ca.pem").display());
    for url in [untrusted, wrong] {
        let text = refused(&["check-config", "--connect"], &with(&world.env, "REDIS_URL", &url));
        assert!(text.contains("REDIS_URL: ") && !text.contains("canary"), "{text}");
    }
    for missing in ["?ca=", "?ca=/no/such/file"] {
        let url = format!("rediss://localhost{missing}");
        assert!(refused(&["check-config"], &with(&world.env, "REDIS_URL", &url)).contains("REDIS_URL has ?ca="));
    }
}
