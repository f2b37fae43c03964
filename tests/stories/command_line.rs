//! The command line: its help, its messages, its completions and its man pages.

use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Deployment, Process, Terminal, World, binary, eventually, free_port, stories, unique, unique_email,
};

/// An id that no row has.
const UNKNOWN_ID: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// The commands that only read the database and need no server key.
const READING: [&[&str]; 13] = [
    &["tenant", "list"],
    &["tenant", "show", "demo"],
    &["client", "list", "--tenant", "demo"],
    &["staff", "list", "--tenant", "demo"],
    &["mail", "log"],
    &["mail", "show", UNKNOWN_ID],
    &["jobs", "list"],
    &["jobs", "show", UNKNOWN_ID],
    &["audit", "list"],
    &["audit", "export"],
    &["sessions", "prune", "--dry-run"],
    &["tokens", "prune", "--dry-run"],
    &["healthcheck"],
];

fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(binary()).args(args).env_clear().envs(env.iter().copied()).output().unwrap()
}

/// What a command prints on stdout; it must succeed.
#[track_caller]
fn stdout(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = run(args, env);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that a command fails with this exit code and prints nothing on stdout. Returns what it prints on stderr.
#[track_caller]
fn failed(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(output.status.code() == Some(code) && output.stdout.is_empty(), "{output:?}");
    stderr
}

/// The names of all commands: `migrate`, `tenant add`, `remote clients list` and so on, as the help shows them.
fn commands() -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(name) = open.pop() {
        let args: Vec<_> = name.split_whitespace().chain(["--help"]).collect();
        let below = names_in(&stdout(&args, &[])).into_iter().filter(|verb| verb != "help");
        let below: Vec<_> = below.map(|verb| format!("{name} {verb}").trim_start().to_owned()).collect();
        found.extend_from_slice(&below);
        open.extend(below);
    }
    assert!(found.len() > 70, "{found:?}");
    found
}

/// The names in the lists of commands of a help text.
fn names_in(help: &str) -> Vec<String> {
    let lists = help.split("Usage:").nth(1).unwrap().split("\nOptions:").next().unwrap();
    let lines = lists.lines().skip(1).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned).collect()
}

#[test]
fn portico_without_a_command_prints_its_help_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(binary()).env_clear().current_dir(&folder).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    for part in ["Run Portico:", "Set up:", "Look and maintain:", "PORTICO_ENV", "portico settings", "docs/settings.md"]
    {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert!(help.contains("To try Portico: portico dev\n"), "{help}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(stdout(&["--help"], &[]), help);
}

#[test]
fn the_help_of_each_command_has_examples() {
    let commands = commands();
    let groups: Vec<_> = commands.iter().filter_map(|name| name.rsplit_once(' ')).map(|(group, _)| group).collect();
    for name in commands.iter().filter(|name| !groups.contains(&name.as_str())) {
        let args: Vec<_> = name.split(' ').chain(["--help"]).collect();
        let help = stdout(&args, &[]);
        assert!(help.contains("\nExamples:\n") && help.contains(&format!("portico {name}")), "{help}");
    }
}

#[tokio::test]
async fn help_fits_into_a_narrow_terminal() {
    let help = |args: &'static [&'static str]| async { Terminal::start(args, &[], 60).ends().await.1 };
    let invite = help(&["remote", "invite", "--help"]).await;
    assert!(
        invite.contains("names of its columns:\nemail and, in any order, name, role and locale. The\n"),
        "{invite}"
    );
    assert!(invite.contains("\n  portico remote invite --client K-1042 --csv people.csv\n    --yes\n"), "{invite}");
    let remote = help(&["remote", "--help"]).await;
    assert!(remote.contains("\n  2  wrong arguments, an ambiguous name, or a question\n     without a terminal\n"));
    let all = help(&[]).await;
    assert!(
        all.contains("\n  serve         Runs API and worker in one process for\n                production\n"),
        "{all}"
    );
}

#[test]
fn a_missing_environment_is_the_only_setting_that_a_command_names() {
    let others: [&[&str]; 5] =
        [&["serve"], &["migrate"], &["keys", "list"], &["mail", "test", "--to", "a@x.test"], &["check-config"]];
    for args in READING.into_iter().chain(others) {
        let stderr = failed(&run(args, &[("MAIL_URL", "ftp://x"), ("PORTICO_UNKNOWN", "1")]), 1);
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
        assert!(
            stderr.contains("PORTICO_ENV must be set") && stderr.contains("e.g. PORTICO_ENV=production"),
            "{stderr}"
        );
        assert_eq!(stderr.matches("PORTICO_").count(), 2, "{stderr}");
    }
}

#[test]
fn commands_that_read_need_the_database_and_no_other_setting_in_production() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("portico.db").display());
    let complete = [
        ("PORTICO_ENV", "production"),
        ("DATABASE_URL", &*database),
        ("PORTICO_SECRET", "cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0="),
        ("PORTICO_PUBLIC_URL", "https://portal.example.com"),
        ("PORTICO_TRUSTED_PROXIES", "none"),
        ("MAIL_URL", "smtps://mail.example.com"),
    ];
    stdout(&["tenant", "add", "demo", "--name", "Demo"], &complete);
    let few = &complete[..2];
    for args in READING.into_iter().filter(|args| args[0] != "healthcheck" && args[1] != "show") {
        stdout(args, few);
    }
    assert!(stdout(&["tenant", "show", "demo"], few).contains("Demo"));
    // A setting that has a value is checked all the same, and a command that uses the server key needs it.
    assert!(failed(&run(&["tenant", "list"], &[few, &[("MAIL_URL", "ftp://x")]].concat()), 1).contains("MAIL_URL"));
    for args in
        [&["keys", "list"][..], &["audit", "verify"], &["jobs", "retry", "--all"], &["tenant", "suspend", "demo"]]
    {
        assert!(failed(&run(args, few), 1).contains("PORTICO_SECRET must be set"), "{args:?}");
    }
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    assert!(files.into_iter().all(|name| name.to_string_lossy().starts_with("portico.db")));
}

#[test]
fn a_command_on_a_database_that_does_not_exist_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["jobs", "pause", "bulk"][..],
        &["staff", "add", "--tenant", "demo", "--email", "a@x.test", "--role", "owner"],
        &["tenant", "suspend", "demo"],
        &["keys", "rotate"],
        &["tokens", "prune"],
        &["audit", "verify"],
    ] {
        let mut command = Command::new(binary());
        let output = command.args(args).env_clear().env("PORTICO_ENV", "development").current_dir(&folder).output();
        let stderr = failed(&output.unwrap(), 1);
        assert!(stderr.contains("does not exist; `portico migrate` creates it"), "{args:?}: {stderr}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{args:?}");
    }
}

stories! {
    async fn an_unknown_id_is_an_error_that_names_it(world) {
        let other = "01a1fdba-f86f-76f5-b296-4e548b3691ac";
        for (args, sentence) in [
            (&["jobs", "show", UNKNOWN_ID][..], "no job has the id"),
            (&["jobs", "list", UNKNOWN_ID], "no job has the id"),
            (&["jobs", "retry", UNKNOWN_ID], "no job has the id"),
            (&["jobs", "retry", "--all", other, UNKNOWN_ID], "no job has the id"),
            (&["jobs", "discard", UNKNOWN_ID], "no job has the id"),
            (&["jobs", "discard", "--state", "dead", UNKNOWN_ID], "no job has the id"),
            (&["mail", "show", UNKNOWN_ID], "no mail has the id"),
            (&["mail", "retry", UNKNOWN_ID], "no mail has the id"),
            (&["mail", "retry", other, UNKNOWN_ID], "no mail has the id"),
            (&["staff", "role", "unknown@x.test", "--role", "admin"], "no staff user has the address unknown@x.test"),
            (&["staff", "remove", "unknown@x.test"], "no staff user has the address unknown@x.test"),
        ] {
            let stderr = failed(&world.try_run(args), 1);
            assert!(stderr.contains(sentence), "{args:?}: {stderr}");
            assert!(stderr.contains("unknown@") || stderr.contains(UNKNOWN_ID) || stderr.contains(other), "{stderr}");
        }
    }

    async fn an_unknown_tenant_is_the_same_error_for_every_command(world) {
        let slug = unique("unknown");
        let staff = ["staff", "add", "--tenant", &slug, "--email", "a@x.test", "--role", "owner"];
        for args in [
            &["tenant", "show", &slug][..],
            &["tenant", "suspend", &slug],
            &["tenant", "restore", "--slug", &slug],
            &["client", "list", "--tenant", &slug],
            &["staff", "list", "--tenant", &slug],
            &staff,
            &["audit", "list", "--tenant", &slug],
            &["audit", "export", "--tenant", &slug],
            &["audit", "verify", "--tenant", &slug],
            &["sessions", "prune", "--tenant", &slug],
        ] {
            let stderr = failed(&world.try_run(args), 1);
            let sentence = format!("no tenant has the slug {slug}; `portico tenant list` shows all tenants");
            assert!(stderr.contains(&sentence), "{args:?}: {stderr}");
        }
    }

    async fn each_command_that_changes_something_says_what_to_do_next(world) {
        let (slug, email) = (unique("next"), unique_email("next"));
        let add_staff = ["staff", "add", "--tenant", &slug, "--email", &email, "--role", "owner"];
        let second = unique_email("second");
        let add_second = ["staff", "add", "--tenant", &slug, "--email", &second, "--role", "owner"];
        for (args, next) in [
            (&["tenant", "add", &slug, "--name", "Next Ltd"][..], format!("portico staff add --tenant {slug} --email")),
            (&add_staff, format!("--email {email}")),
            (&add_second, "portico remote login http".into()),
            (&["staff", "remove", &email], "`portico remote tokens list --all` lists them".into()),
            (&["tenant", "suspend", &slug], format!("portico tenant restore {slug}")),
            (&["tenant", "restore", &slug], "signs in again".into()),
            (&["migrate"], "portico serve".into()),
            (&["check-config"], "--connect".into()),
            (&["check-config", "--connect"], "portico mail test".into()),
            (&["mail", "test", "--to", "next@x.test"], "spam".into()),
        ] {
            let output = world.run(args);
            let (_, said) = output.split_once("Next: ").unwrap_or_else(|| panic!("{args:?}: {output}"));
            assert!(said.contains(&next), "{args:?}: {output}");
        }
    }

    async fn earlier_spellings_of_arguments_are_accepted(world) {
        let (slug, email) = (unique("older"), unique_email("older"));
        world.run(&["tenant", "add", "--slug", &slug, "--name", "Older Ltd"]);
        for args in [["tenant", "suspend"], ["tenant", "restore"], ["tenant", "show"]] {
            world.run(&[&args[..], &["--slug", &slug]].concat());
            world.run(&[&args[..], &[&slug]].concat());
            assert_eq!(world.try_run(&[&args[..], &["--slug", &slug, &slug]].concat()).status.code(), Some(2));
            assert_eq!(world.try_run(&args).status.code(), Some(2));
        }
        let again = failed(&world.try_run(&["tenant", "add", &slug, "--name", "Again"]), 1);
        assert!(again.contains(&format!("a tenant with the slug {slug} already exists")), "{again}");
        for email in [&email, &unique_email("second")] {
            world.run(&["staff", "add", "--tenant", &slug, "--email", email, "--role", "owner"]);
        }
        world.run(&["staff", "role", "--email", &email, "--role", "admin"]);
        world.run(&["staff", "remove", "--email", &email]);
        let time = "2020-01-01T00:00:00Z";
        for (older, newer) in [("--from", "--since"), ("--to", "--until")] {
            // The ids only: an event may be sealed between the two commands.
            let list = |option| {
                let events = world.run_json(&["audit", "list", "--tenant", &slug, option, time, "--json"]);
                events.as_array().unwrap().iter().map(|event| event["id"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(list(older), list(newer));
        }
        assert_eq!(world.run(&["mail", "log", "--to", &email, "--from", "2100-01-01T00:00:00Z"]).trim(), "No mails match.");
    }

    async fn a_list_is_a_table_with_titles_or_an_array_and_says_if_it_is_empty(world) {
        let tenant = world.tenant().await;
        let slug = &*tenant.slug;
        let lists: [(&[&str], &str, &[&str], &str); 7] = [
            (&["tenant", "list"], "SLUG ", &[], ""),
            (&["client", "list", "--tenant", slug], "", &[], "The tenant has no clients."),
            (&["staff", "list", "--tenant", slug], "ADDRESS ", &[], ""),
            (&["mail", "log"], "ID ", &["--to", "none@none.test"], "No mails match."),
            (&["jobs", "list"], "ID ", &["--name", "none"], "No jobs match."),
            (&["audit", "list", "--tenant", slug], "AT ", &["--action", "none"], "No events match."),
            (&["keys", "list"], "KID ", &[], ""),
        ];
        for (args, titles, none, sentence) in lists {
            let list = serde_json::from_str::<Value>(&world.run(&[args, &["--json"]].concat())).unwrap();
            if titles.is_empty() {
                assert_eq!(list, json!([]), "{args:?}");
            } else {
                assert!(list[0].is_object(), "{args:?}: {list}");
                let table = world.run(args);
                let table = table.lines().find(|line| !line.starts_with("The lane ")).unwrap();
                assert!(table.starts_with(titles), "{args:?}: {table}");
            }
            if !sentence.is_empty() {
                let empty = [args, none].concat();
                let text = world.run(&empty);
                assert_eq!(text.lines().last().unwrap(), sentence, "{args:?}");
                assert_eq!(world.run(&[&empty[..], &["--json"]].concat()).trim(), "[]");
            }
        }
    }

    async fn a_table_fits_into_the_terminal_and_is_whole_in_a_pipe(world) {
        let tenant = world.tenant().await;
        let name = "Long name ".repeat(8) + "Ltd";
        let id = tenant.client(&name).await;
        let args = ["client", "list", "--tenant", &tenant.slug];
        let env = [("PORTICO_ENV", "development"), ("DATABASE_URL", world.setting("DATABASE_URL"))];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (code, screen) = Terminal::start(&args, &env, 60).ends().await;
        let row = screen.lines().find(|line| line.starts_with("Long name ")).unwrap();
        assert!(code == 0 && row.contains("…  –          active  20") && !screen.contains(&id), "{screen}");
        let table = world.run(&args);
        assert!(table.contains(&format!("{name}  –          active  20")) && table.contains(&id), "{table}");
    }

    async fn a_mail_is_shown_with_everything_that_is_known_of_it(world) {
        let tenant = world.tenant().await;
        let log = world.run(&["mail", "log", "--to", &tenant.owner_email, "--json"]);
        let mail = serde_json::from_str::<Value>(&log).unwrap()[0].clone();
        let id = mail["id"].as_str().unwrap();
        let shown = world.run_json(&["mail", "show", id, "--json"]);
        assert_eq!((&shown["id"], &shown["message_id"]), (&mail["id"], &mail["message_id"]));
        let text = world.run(&["mail", "show", id]);
        assert!(text.lines().any(|line| line == format!("id               {id}")), "{text}");
        assert!(text.lines().any(|line| line == format!("recipient        {}", tenant.owner_email)), "{text}");
        // One wrong id, and no mail is sent again.
        let wrong = failed(&world.try_run(&["mail", "retry", id, UNKNOWN_ID]), 1);
        assert!(wrong.contains(UNKNOWN_ID) && !wrong.contains(id), "{wrong}");
    }

    async fn a_job_is_shown_with_everything_that_is_known_of_it(world) {
        let tenant = world.tenant().await;
        let job = eventually("the job of a mail", || async {
            let jobs = world.run_json(&["jobs", "list", "--limit", "1000", "--json"]);
            let jobs = jobs.as_array().unwrap().clone();
            jobs.into_iter().find(|job| job["mail"]["recipient"] == tenant.owner_email.as_str())
        })
        .await;
        let id = job["id"].as_str().unwrap();
        let shown = world.run_json(&["jobs", "show", id, "--json"]);
        assert_eq!((&shown["id"], &shown["name"]), (&job["id"], &json!("send_mail")));
        let text = world.run(&["jobs", "show", id]);
        assert!(text.lines().any(|line| line == format!("id          {id}")) && text.contains(&tenant.owner_email), "{text}");
    }
}

#[test]
fn an_argument_that_cannot_be_parsed_is_answered_with_an_example() {
    for (args, example) in [
        (&["jobs", "show", "x"][..], "e.g. 01a1"),
        (&["jobs", "retry", "1", "2"], "e.g. 01a1"),
        (&["mail", "retry", ""], "e.g. 01a1"),
        (&["audit", "list", "--actor", "ann"], "e.g. 01a1"),
        (&["audit", "list", "--since", "yesterday"], "e.g. 20"),
        (&["audit", "export", "--until", "2026-11-26"], "e.g. 20"),
        (&["mail", "log", "--since", "26.11.2026 12:00"], "e.g. 20"),
        (&["sessions", "prune", "--minutes=-1"], "e.g. 43200"),
        (&["sessions", "prune", "--minutes=30d"], "e.g. 43200"),
        (&["jobs", "canary", "--timeout", "soon"], "e.g. 60"),
        (&["jobs", "canary", "--pause-ms", "1.5"], "e.g. 20"),
        (&["tenant", "add", "Acme Ltd", "--name", "x"], "e.g. acme"),
        (&["tenant", "add", "acme", "--name", "x", "--locale", "it"], "e.g. de-CH"),
        (&["staff", "remove", "ann"], "e.g. ann@example.com"),
    ] {
        let stderr = failed(&run(args, &[]), 2);
        assert!(stderr.contains(example), "{args:?}: {stderr}");
    }
}

#[tokio::test]
async fn canary_jobs_end_with_a_sentence_if_redis_cannot_be_used() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for url in [
        format!("redis://127.0.0.1:{}", free_port()),
        format!("redis://{}", silent.local_addr().unwrap()),
        world.setting("REDIS_URL").replace("password-of-the-queue", "canary"),
    ] {
        world.change_settings(&[("REDIS_URL", &url)]);
        let started = Instant::now();
        let stderr = failed(&world.try_run(&["jobs", "canary"]), 1);
        assert!(
            stderr.contains("REDIS_URL: cannot use Redis") && started.elapsed() < Duration::from_secs(15),
            "{stderr}"
        );
        assert_eq!(world.count("SELECT count(*) FROM background_jobs WHERE name = 'canary'"), 0);
    }
}

#[tokio::test]
async fn a_copy_of_a_database_on_which_a_process_runs_is_refused() {
    for (deployment, role) in [(Deployment::Single, "api and worker"), (Deployment::Cluster, "worker")] {
        let world = World::start(deployment, &[]).await;
        let recorded = || async { (world.sql("SELECT role FROM processes").contains(role)).then_some(()) };
        eventually("the process is recorded", recorded).await;
        let target = world.folder.path().join("copy.db");
        let to = format!("sqlite:{}", target.display());
        let stderr = failed(&world.try_run(&["copy", "--to", &to]), 1);
        assert!(stderr.contains(&format!("({role}")) || stderr.contains(&format!(", {role}")), "{stderr}");
        assert!(stderr.contains("--anyway") && !target.exists(), "{stderr}");
        // The record of a process that ends by itself is gone at once.
        for process in &world.processes {
            process.signal("TERM");
        }
        for process in &world.processes {
            process.ends().await;
        }
        world.run(&["copy", "--to", &to]);
    }
}

/// What bash offers for the last of these words.
fn bash_completions(folder: &Path, words: &str) -> String {
    let script = format!(
        "PATH={}:$PATH; source <(portico completions bash); COMP_WORDS=({words}); \
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _portico portico \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
         echo \"${{COMPREPLY[@]}}\"",
        folder.display()
    );
    let output = Command::new("bash").args(["--norc", "-euc", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn bash_completes_commands_and_options() {
    let binary = binary();
    let folder = binary.parent().unwrap();
    for (words, offered) in [
        ("portico ten", "tenant"),
        ("portico tenant sus", "suspend"),
        ("portico staff add --ro", "--role"),
        ("portico jobs list --state de", "dead"),
    ] {
        assert_eq!(bash_completions(folder, words), offered, "{words}");
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(&["completions", shell], &[]).contains("tenant"), "{shell}");
    }
    assert_eq!(run(&["completions", "tcsh"], &[]).status.code(), Some(2));
}

#[test]
fn each_command_has_a_man_page_that_man_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/man1");
    stdout(&["man", "--out", &pages.display().to_string()], &[]);
    let commands = commands();
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), commands.len() + 1);
    for name in ["".to_owned()].into_iter().chain(commands.iter().map(|name| format!("-{}", name.replace(' ', "-")))) {
        let page = pages.join(format!("portico{name}.1"));
        assert!(page.exists(), "{}", page.display());
        // A machine may have either program, or none.
        if let Ok(man) = Command::new("man").args(["--warnings", "-l"]).arg(&page).env("MANWIDTH", "100").output() {
            let text = String::from_utf8_lossy(&man.stdout);
            assert!(man.status.success() && man.stderr.is_empty() && text.contains("SYNOPSIS"), "{name}: {man:?}");
        }
        if let Ok(lint) = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&page).output() {
            assert!(lint.status.success() && lint.stdout.is_empty(), "{name}: {lint:?}");
        }
    }
    let page = stdout(&["man", "tenant", "add"], &[]);
    assert!(page.contains(".SH EXAMPLES\n  portico tenant add acme"), "{page}");
    for unknown in [&["man", "tenants"][..], &["man", "tenant", "ad"], &["man", "x", "y"]] {
        assert!(failed(&run(unknown, &[]), 1).contains("there is no command"), "{unknown:?}");
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(failed(&run(&["man", "--out", &file.display().to_string()], &[]), 1).contains("--out: cannot"));
}

#[tokio::test]
async fn a_command_ends_quietly_if_its_output_is_not_read_to_the_end() {
    for command in ["portico", "portico man", "portico completions bash", "portico settings"] {
        let script = format!("set -o pipefail; {command} | head -n 1");
        let path = format!("{}:/usr/bin:/bin", binary().parent().unwrap().display());
        let process = Process::start("env", &[&format!("PATH={path}"), "bash", "-c", &script], &[]);
        assert!(process.ends().await, "{command}: {:?}", process.logs());
    }
}
