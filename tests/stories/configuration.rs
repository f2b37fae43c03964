//! The settings and the start: a wrong setting ends it with a message that helps, and concurrent starts migrate once.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{
    Deployment, Redis, Sink, World, binary, cluster_env, cookies::PORTAL_ACCESS, database, psql, try_psql,
};

const SECRET: (&str, &str) = ("PORTICO_SECRET", "cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0=");
const DEVELOPMENT: (&str, &str) = ("PORTICO_ENV", "development");
const PRODUCTION: (&str, &str) = ("PORTICO_ENV", "production");

/// A complete configuration of a production deployment without a queue.
const COMPLETE: [(&str, &str); 5] = [
    PRODUCTION,
    SECRET,
    ("PORTICO_PUBLIC_URL", "https://portal.example.com"),
    ("PORTICO_TRUSTED_PROXIES", "none"),
    ("MAIL_URL", "smtps://user:password@mail.example.com"),
];

fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    // In development the server key is generated in this folder, unless `env` names another.
    let folder = ("PORTICO_DATA_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/data"));
    Command::new(binary()).args(args).env_clear().envs([folder]).envs(env.iter().copied()).output().unwrap()
}

/// Runs a command that must fail, and returns what it prints on stderr.
#[track_caller]
fn refused(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = run(args, env);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "the command succeeded: {stderr}");
    stderr
}

#[test]
fn inf_14_a_production_start_names_each_missing_setting_with_an_example() {
    let stderr = refused(&["serve"], &[PRODUCTION]);
    for name in ["PORTICO_SECRET", "PORTICO_PUBLIC_URL", "PORTICO_TRUSTED_PROXIES", "MAIL_URL"] {
        assert!(stderr.lines().any(|line| line.contains(name) && line.contains("e.g.")), "{name}: {stderr}");
    }
    assert!(refused(&["serve"], &[SECRET]).contains("PORTICO_ENV must be set"));
}

#[test]
fn inf_14_a_complete_configuration_is_accepted_and_each_command_names_missing_services() {
    assert!(run(&["check-config"], &COMPLETE).status.success());
    for command in ["api", "worker"] {
        assert!(refused(&[command], &COMPLETE).contains("REDIS_URL must be set"), "{command}");
    }
    assert!(refused(&["dev"], &COMPLETE).contains("production"));
}

#[test]
fn inf_14_a_misspelt_setting_is_answered_with_the_right_name() {
    let stderr = refused(&["check-config"], &[DEVELOPMENT, SECRET, ("PORTICO_RESETTTL", "5m")]);
    assert!(stderr.contains("did you mean PORTICO_RESET_TTL?"), "{stderr}");
}

#[test]
fn inf_14_log_07_an_invalid_setting_is_named_with_an_example_and_its_secrets_are_not_shown() {
    let invalid = [
        ("PORTICO_SECRET", "c2VjcmV0LWNhbmFyeQ=="),
        ("MAIL_URL", "smtp://user:mail-canary@host?tls=none"),
        ("DATABASE_URL", "mysql://user:database-canary@host/x"),
        ("REDIS_URL", "http://user:redis-canary@host"),
    ];
    for (name, value) in invalid {
        let stderr = refused(&["check-config"], &[DEVELOPMENT, (name, value)]);
        let shows_secret = stderr.contains("canary") || stderr.contains("c2VjcmV0LWNhbmFyeQ");
        assert!(stderr.contains(name) && stderr.contains("e.g.") && !shows_secret, "{stderr}");
    }
    let invalid = ("DATABASE_URL", "postgres://u:canary@h:notaport/db");
    let stderr = refused(&["migrate"], &[DEVELOPMENT, SECRET, invalid]);
    assert!(stderr.contains("DATABASE_URL") && !stderr.contains("canary"), "{stderr}");
}

#[test]
fn web_07_only_exact_https_origins_are_origins_to_return_to() {
    for (environment, wrong, fault) in [
        (DEVELOPMENT, "http://app.example.com", "must have the scheme https"),
        (DEVELOPMENT, "https://app.example.com, https://app.example.com/path", "without path"),
        (DEVELOPMENT, "https://ann@app.example.com", "without path"),
        (DEVELOPMENT, "https://*.example.com", "without path"),
        (DEVELOPMENT, "javascript:alert(1)", "without path"),
        (PRODUCTION, "http://localhost:5173", "must have the scheme https"),
    ] {
        let stderr = refused(&["check-config"], &[environment, SECRET, ("PORTICO_RETURN_ORIGINS", wrong)]);
        let line = stderr.lines().find(|line| line.contains("PORTICO_RETURN_ORIGINS")).unwrap_or_default();
        let has_example = line.contains("e.g. PORTICO_RETURN_ORIGINS=https://app.example.com");
        assert!(line.contains(fault) && has_example, "{wrong}: {stderr}");
    }
    let stderr = refused(&["check-config"], &[DEVELOPMENT, SECRET, ("PORTICO_PAGES", "yes")]);
    assert!(stderr.contains("PORTICO_PAGES must be on or off, e.g. PORTICO_PAGES=on"), "{stderr}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let world = World::start(Deployment::Single, &[]).await;
    let port = world.apis[0].strip_prefix("http://").unwrap();
    let folder = world.folder.path().display().to_string();
    let env = [("PORTICO_DATA_DIR", &*folder), ("PORTICO_LISTEN", port)];
    let stderr = refused(&["dev"], &env);
    assert!(stderr.contains("PORTICO_LISTEN: cannot listen on") && stderr.contains("e.g. PORTICO_LISTEN="), "{stderr}");
}

#[test]
fn an_unreachable_database_is_named_without_its_password() {
    let url = ("DATABASE_URL", "postgres://user:canary@127.0.0.1:1/x");
    let stderr = refused(&["migrate"], &[DEVELOPMENT, SECRET, url]);
    assert!(stderr.contains("DATABASE_URL") && !stderr.contains("canary"), "{stderr}");
}

#[test]
fn the_table_of_settings_in_the_documentation_is_current() {
    let committed = include_str!("../../docs/settings.md");
    let printed = String::from_utf8(run(&["settings"], &[]).stdout).unwrap();
    assert!(committed == printed, "run `cargo run -- settings > docs/settings.md`");
}

/// Migrates the database at `url` by eight processes that start in the same moment.
async fn migrate_concurrently(url: &str) {
    let (redis, sink) = (Redis::start().await, Sink::start().await);
    let env = cluster_env(url, &redis.url(), &sink.url());
    let migrate = || Command::new(binary()).arg("migrate").env_clear().envs(env.iter().cloned()).spawn().unwrap();
    let started: Vec<_> = (0..8).map(|_| migrate()).collect();
    for mut process in started {
        assert!(process.wait().unwrap().success(), "{url}");
    }
}

#[tokio::test]
async fn eight_concurrent_migrations_of_an_empty_postgres_database_succeed() {
    migrate_concurrently(&database()).await;
}

#[tokio::test]
async fn eight_concurrent_migrations_of_an_empty_sqlite_database_succeed() {
    let folder = tempfile::tempdir().unwrap();
    migrate_concurrently(&format!("sqlite:{}", folder.path().join("portico.db").display())).await;
}

#[tokio::test]
async fn ses_06_over_https_cookies_are_secure_and_bound_to_the_host() {
    let settings = [("PORTICO_PUBLIC_URL", "https://portal.example.com")];
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let response = world.browser().sign_in(&person.email, &person.password).await;
    for cookie in response.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-portico_") && cookie.ends_with("; Secure"), "{cookie}");
    }
    let access_token = person.browser.cookie(&format!("__Host-{PORTAL_ACCESS}")).unwrap();
    person.browser.session().await.expect(200);
    let without_prefix = world.browser().with_cookie(PORTAL_ACCESS, &access_token);
    without_prefix.session().await.assert_problem("401 unauthenticated");
    let link = &world.mail(&person.email, 1).await.links[0];
    assert!(link.starts_with("https://portal.example.com/portal/activate#token="), "{link}");
}

#[tokio::test]
async fn in_production_each_log_line_is_a_json_object() {
    let world = World::start(Deployment::Cluster, &[]).await;
    world.tenant().await.person(&world).await;
    for line in world.logs() {
        serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("{line}"));
    }
}

#[tokio::test]
async fn the_mail_test_command_prints_the_response_of_the_mail_server() {
    let sink = Sink::start().await;
    for url in [sink.url(), sink.implicit_tls_url()] {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("portico.db").display());
        let env = [DEVELOPMENT, SECRET, ("DATABASE_URL", &database), ("MAIL_URL", &url)];
        let output = run(&["mail", "test", "--to", "ops@x.test"], &env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("The server answered: "));
    }
    let mails = sink.messages("ops@x.test").await;
    assert_eq!(mails.len(), 2);
    assert_eq!((&mails[0]["tls"], &mails[0]["headers"]["auto-submitted"]), (&json!(true), &json!("auto-generated")));
}

/// Statuses and other sets that grow have no CHECK; see `migration/src/schema.rs`.
#[test]
fn the_database_refuses_upper_case_addresses_and_references_to_missing_rows() {
    let url = database();
    let migrated = run(&["migrate"], &[DEVELOPMENT, SECRET, ("DATABASE_URL", &url)]);
    assert!(migrated.status.success());
    let constraints = "SELECT count(*) FROM pg_constraint WHERE contype IN ('c', 'f') \
                       AND connamespace = 'public'::regnamespace";
    assert!(psql(&url, constraints).parse::<u32>().unwrap() >= 24, "{}", psql(&url, constraints));
    let upper_case_email = "INSERT INTO portal_users (id, email, name, credential_version, created_at) \
                            VALUES (gen_random_uuid(), 'Upper@x.test', 'X', 0, now())";
    let unknown_tenant = "INSERT INTO clients (id, tenant_id, name, status, created_at) \
                          VALUES (gen_random_uuid(), gen_random_uuid(), 'X', 'active', now())";
    for (insert, constraint) in [(upper_case_email, "check constraint"), (unknown_tenant, "foreign key constraint")] {
        let error = try_psql(&url, insert).unwrap_err();
        assert!(error.contains(constraint), "{error}");
    }
}
