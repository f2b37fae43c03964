//! Starting: what is wrong stops it, in words that help; many at once converge.

use std::process::{Command, Output};

use serde_json::json;

use crate::support::{Redis, Deployment, Sink, World, binary, database, cluster_env, psql};

fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    // Development makes its server key there, unless it is told otherwise.
    let folder = ("PORTICO_DATA_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/data"));
    Command::new(binary()).args(args).env_clear().envs([folder]).envs(env.iter().copied()).output().unwrap()
}

/// Runs it, and returns its complaints; it must not start.
#[track_caller]
fn refused(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = run(args, env);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "it started: {said}");
    said
}

const SECRET: (&str, &str) = ("PORTICO_SECRET", "cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0=");

#[test]
fn inf_14_log_07_wrong_configuration_stops_the_start_with_its_name_and_an_example() {
    let production = ("PORTICO_ENV", "production");
    let said = refused(&["serve"], &[production]);
    for name in ["PORTICO_SECRET", "PORTICO_PUBLIC_URL", "PORTICO_TRUSTED_PROXIES", "MAIL_URL"] {
        assert!(said.lines().any(|line| line.contains(name) && line.contains("e.g.")), "{name}: {said}");
    }
    assert!(refused(&["serve"], &[SECRET]).contains("PORTICO_ENV must be set"));
    let hint = refused(&["check-config"], &[("PORTICO_ENV", "development"), SECRET, ("PORTICO_RESETTTL", "5m")]);
    assert!(hint.contains("did you mean PORTICO_RESET_TTL?"), "{hint}");
    let canary = "c2VjcmV0LWNhbmFyeQ==";
    let wrong = [
        ("PORTICO_SECRET", canary),
        ("MAIL_URL", "smtp://user:mail-canary@host?tls=none"),
        ("DATABASE_URL", "mysql://user:database-canary@host/x"),
        ("REDIS_URL", "http://user:redis-canary@host"),
    ];
    for (name, value) in wrong {
        let said = refused(&["check-config"], &[("PORTICO_ENV", "development"), (name, value)]);
        assert!(said.contains(name) && said.contains("e.g.") && !said.contains("canary"), "{said}");
    }
    let said = refused(
        &["migrate"],
        &[("PORTICO_ENV", "development"), SECRET, ("DATABASE_URL", "postgres://u:canary@h:notaport/db")],
    );
    assert!(said.contains("DATABASE_URL") && !said.contains("canary"), "{said}");
    let good = [
        production,
        SECRET,
        ("PORTICO_PUBLIC_URL", "https://portal.example.com"),
        ("PORTICO_TRUSTED_PROXIES", "none"),
        ("MAIL_URL", "smtps://user:password@mail.example.com"),
    ];
    assert!(run(&["check-config"], &good).status.success());
    for command in ["api", "worker"] {
        assert!(refused(&[command], &good).contains("REDIS_URL must be set"), "{command}");
    }
    assert!(refused(&["dev"], &good).contains("production"));
}

#[tokio::test]
async fn a_taken_port_and_an_unreachable_database_are_named() {
    let world = World::start(Deployment::Single, &[]).await;
    let port = world.apis[0].strip_prefix("http://").unwrap();
    let folder = world.folder.path().display().to_string();
    let env = [("PORTICO_DATA_DIR", &*folder), ("PORTICO_LISTEN", port)];
    assert!(refused(&[], &env).contains("PORTICO_LISTEN: cannot listen on"));
    let said = refused(
        &["migrate"],
        &[("PORTICO_ENV", "development"), SECRET, ("DATABASE_URL", "postgres://user:canary@127.0.0.1:1/x")],
    );
    assert!(said.contains("DATABASE_URL") && !said.contains("canary"), "{said}");
}

#[test]
fn the_table_of_settings_is_current() {
    let committed = include_str!("../../docs/settings.md");
    let printed = String::from_utf8(run(&["settings"], &[]).stdout).unwrap();
    assert!(committed == printed, "refresh it: cargo run -- settings > docs/settings.md");
}

#[tokio::test]
async fn eight_processes_that_start_at_once_on_an_empty_database_converge() {
    let (redis, sink) = (Redis::start().await, Sink::start().await);
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("portico.db").display());
    for url in [database(), sqlite] {
        let env = cluster_env(&url, &redis.url(), &sink.url());
        let started: Vec<_> = (0..8)
            .map(|_| Command::new(binary()).arg("migrate").env_clear().envs(env.iter().cloned()).spawn().unwrap())
            .collect();
        for mut process in started {
            assert!(process.wait().unwrap().success(), "{url}");
        }
    }
}

#[tokio::test]
async fn ses_06_over_https_cookies_are_bound_to_the_host() {
    let settings = [("PORTICO_PUBLIC_URL", "https://portal.example.com")];
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let body = json!({ "email": person.email, "password": person.password });
    let answer = world.browser().post("/api/portal/auth/sign-in", body).await;
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-portico_") && cookie.ends_with("; Secure"), "{cookie}");
    }
    let access = person.browser.cookie("__Host-portico_portal").unwrap();
    person.browser.get("/api/portal/auth/session").await.expect(200);
    let planted = world.browser();
    planted.set_cookie("portico_portal", &access);
    planted.get("/api/portal/auth/session").await.problem(401, "unauthenticated");
    assert!(
        world.mail(&person.email, 1).await.links[0].starts_with("https://portal.example.com/portal/activate#token=")
    );
    // Log lines are one JSON object each.
    for line in world.logs() {
        serde_json::from_str::<serde_json::Value>(&line).unwrap_or_else(|_| panic!("{line}"));
    }
}

#[tokio::test]
async fn the_mail_test_says_what_the_server_answered() {
    let sink = Sink::start().await;
    for url in [sink.url(), sink.implicit_tls_url()] {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("portico.db").display());
        let env = [("PORTICO_ENV", "development"), SECRET, ("DATABASE_URL", &database), ("MAIL_URL", &url)];
        let output = run(&["mail", "test", "--to", "ops@x.test"], &env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("The server answered: "));
    }
    let mails = sink.messages("ops@x.test").await;
    assert_eq!(mails.len(), 2);
    assert_eq!((&mails[0]["tls"], &mails[0]["headers"]["auto-submitted"]), (&json!(true), &json!("auto-generated")));
}

#[test]
fn the_database_keeps_its_own_rules() {
    let url = database();
    let migrated = run(&["migrate"], &[("PORTICO_ENV", "development"), SECRET, ("DATABASE_URL", &url)]);
    assert!(migrated.status.success());
    let checks = psql(
        &url,
        "SELECT count(*) FROM pg_constraint WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace",
    );
    assert!(checks.parse::<u32>().unwrap() > 35, "{checks}");
    let refuses = |sql: &str| !Command::new("psql").args([&url, "-qc", sql]).output().unwrap().status.success();
    assert!(refuses(
        "INSERT INTO tenants (id, slug, name, status, branding, default_locale, created_at) \
         VALUES (gen_random_uuid(), 'x', 'X', 'sleeping', '{}', 'en', now())"
    ));
    assert!(refuses(
        "INSERT INTO portal_users (id, email, name, credential_version, created_at) \
         VALUES (gen_random_uuid(), 'Upper@x.test', 'X', 0, now())"
    ));
}
