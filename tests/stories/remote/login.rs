//! Logging in, the stored login, and logging out.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::{FakeServer, Machine, create_token, http_answer, paths::CLIENTS, stories, wrong_code};

#[tokio::test]
async fn a_login_that_fails_after_its_token_was_created_revokes_it() {
    const TOKEN: &str = "pat_created0000000000000000000000000000000000000000";
    let answers = [
        http_answer(500, "text/plain", ""),
        http_answer(200, "text/html", "<html>"),
        http_answer(200, "application/json", "{}"),
    ];
    for of_get in answers {
        let json = |status, body: serde_json::Value| http_answer(status, "application/json", &body.to_string());
        let user = json!({ "email": "ann@x.test", "role": "owner" });
        let signed_in = json(200, json!({ "access_token": "session", "expires_in": 900, "user": user }));
        let created = json(201, json!({ "token": TOKEN, "expires_at": "2027-01-01T00:00:00Z" }));
        let server = FakeServer::start(move |_, head: &str| {
            Some(match head.split(" HTTP").next().unwrap_or_default() {
                "POST /api/staff/auth/send-code" => json(202, json!({ "flow": "flow" })),
                "POST /api/staff/auth/verify-code" => signed_in.clone(),
                "POST /api/staff/tokens" => created.clone(),
                "GET /api/v1/token" => of_get.clone(),
                _ => http_answer(204, "text/plain", ""),
            })
        });
        let (server, mut machine) = (server.await, Machine::new());
        machine.keeps(TOKEN);
        let mut terminal = machine.terminal(&["login", server.url(), "--email", "ann@x.test"]);
        terminal.shows("Code:").await;
        terminal.types("123456");
        machine.expect(terminal, 5).await;
        assert!(!machine.profile("default").exists());
        let requests = server.requests();
        let revoked = requests.iter().find(|head| head.starts_with("DELETE /api/v1/token ")).unwrap();
        assert!(revoked.contains(&format!("authorization: Bearer {TOKEN}")), "{revoked}");
    }
}

#[tokio::test]
async fn a_token_that_is_given_as_an_argument_is_not_repeated() {
    let machine = Machine::new();
    for args in [
        &["login", "https://x.test", "--token=pat_abc123"][..],
        &["login", "https://x.test", "pat_abc123"],
        &["login", "https://x.test", "--token", "pat_abc123"],
        &["clients", "list", "pat_abc123"],
    ] {
        let stderr = machine.run(args).await.expect_failure(2);
        assert!(stderr.contains("never an argument") && !stderr.contains("abc123"), "{stderr}");
    }
    let stderr = machine.run_with_input(&["login", "pat_abc123", "--token"], "x").await.expect_failure(2);
    assert!(!stderr.contains("abc123"), "{stderr}");
}

stories! {
    async fn a_login_by_a_mailed_code_stores_a_token_that_works_until_the_logout(world) {
        let (tenant, mut machine) = (world.tenant().await, Machine::new());
        let mut terminal = machine.terminal(&["login", &world.apis[0], "--email", &tenant.owner_email]);
        terminal.shows("It arrives by mail.\nCode:").await;
        let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        terminal.types(&wrong_code(&code));
        terminal.shows("The code is wrong or has expired.").await;
        terminal.types(&code);
        let screen = machine.expect(terminal, 0).await;
        assert!(screen.contains(&format!("Logged in to {} as {}.", world.apis[0], tenant.owner_email)), "{screen}");

        let token = machine.stored("default")["token"].as_str().unwrap().to_owned();
        machine.keeps(&token);
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = machine.profile("default");
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        let status = machine.run(&["status"]).await.expect(0);
        for fact in [
            &tenant.owner_email, "Blue Harbour", "owner", "portico remote on ", "(in 89 days)",
            "clients:read, clients:edit, emails:read, emails:edit, audit:read, settings:read",
        ] {
            assert!(status.contains(fact), "{fact}: {status}");
        }
        // The session of the login has ended.
        assert_eq!(world.count(&format!(
            "SELECT count(*) FROM sessions s JOIN staff_users u ON u.id = s.staff_user_id \
             WHERE u.email = '{}' AND s.revoked_at IS NULL", tenant.owner_email)), 1);

        let goodbye = machine.run(&["logout"]).await.expect(0);
        assert_eq!(goodbye, "Revoked the API token and deleted the stored login.\n");
        assert!(!file.exists());
        world.browser().get_with_bearer(CLIENTS, &token).await.assert_problem("401 unauthenticated");
        let stderr = machine.run(&["status"]).await.expect_failure(4);
        assert!(stderr.contains("no login is stored for the profile default; run: portico remote login"), "{stderr}");
    }

    async fn a_pasted_token_is_not_shown_and_is_no_argument(world) {
        let (tenant, mut machine) = (world.tenant().await, Machine::new());
        let token = create_token(&tenant).await;
        machine.keeps(&token);
        let mut terminal = machine.terminal(&["login", &world.apis[0], "--token"]);
        terminal.shows("API token (not shown):").await;
        assert!(!terminal.arguments().contains("pat_"));
        terminal.types(&token);
        let screen = machine.expect(terminal, 0).await;
        assert!(screen.contains("The API token \"Command line\" expires on"), "{screen}");
        let status = machine.run(&["status", "--json"]).await.json();
        assert_eq!((&status["name"], &status["owner"]["kind"]), (&"Command line".into(), &"person".into()));
    }

    async fn a_second_login_revokes_the_token_that_the_first_one_created(world) {
        let (tenant, machine) = (world.tenant().await, Machine::new());
        let mut tokens: Vec<String> = vec![];
        // The mail between two codes says that a token was created.
        for mail in [2, 4, 6] {
            let mut terminal = machine.terminal(&["login", &world.apis[0], "--email", &tenant.owner_email]);
            terminal.shows("Code:").await;
            terminal.types(&world.mail(&tenant.owner_email, mail).await.code.unwrap());
            let screen = machine.expect(terminal, 0).await;
            assert!(screen.contains("The commands staff and tokens ask for a code"), "{screen}");
            tokens.push(machine.stored("default")["token"].as_str().unwrap().to_owned());
        }
        let newest = tokens.pop().unwrap();
        world.browser().get_with_bearer(CLIENTS, &newest).await.expect(200);
        for older in tokens {
            world.browser().get_with_bearer(CLIENTS, &older).await.assert_problem("401 unauthenticated");
        }
    }

    async fn a_pasted_token_stays_valid_after_the_logout_unless_revoke_is_given(world) {
        let tenant = world.tenant().await;
        for (args, says, status) in [
            (&["logout"][..], "Deleted the stored login. Its API token was pasted and is still valid.\n", 200),
            (&["logout", "--local"], "Deleted the stored login. Its token is still valid.\n", 200),
            (&["logout", "--revoke"], "Revoked the API token and deleted the stored login.\n", 401),
        ] {
            let machine = Machine::logged_in(world, &tenant).await;
            let token = machine.stored("default")["token"].as_str().unwrap().to_owned();
            assert_eq!(machine.run(args).await.expect(0), says);
            assert!(!machine.profile("default").exists());
            let answer = world.browser().get_with_bearer(CLIENTS, &token).await;
            assert_eq!(answer.status, status, "{args:?}");
        }
    }

    async fn a_login_that_cannot_be_stored_creates_no_token(world) {
        let tenant = world.tenant().await;
        for blocked in [".config", ".config/portico", ".config/portico/remote"] {
            let machine = Machine::new();
            let path = machine.file("probe", "").replace("probe", blocked);
            std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            let terminal = machine.terminal(&["login", &world.apis[0], "--email", &tenant.owner_email]);
            let screen = machine.expect(terminal, 1).await;
            assert!(screen.contains("portico: cannot") && !screen.contains("Code:"), "{screen}");
        }
        world.mail(&tenant.owner_email, 1).await;
    }

    async fn a_wrong_token_is_not_stored(world) {
        let machine = Machine::new();
        for (token, reason) in [
            ("pat_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "The token was not stored."),
            ("two words", "this is not an API token"),
            ("", "stdin has no API token"),
        ] {
            let printed = machine.run_with_input(&["login", &world.apis[0], "--token"], token).await;
            let code = if token.is_empty() { 2 } else { 4 };
            let stderr = printed.expect_failure(code);
            assert!(stderr.contains(reason), "{stderr}");
        }
        assert!(!machine.profile("default").exists());
    }

    async fn a_login_that_others_can_read_is_refused(world) {
        let tenant = world.tenant().await;
        let machine = Machine::logged_in(world, &tenant).await;
        let file = machine.profile("default").display().to_string();
        for mode in [0o644, 0o640, 0o620, 0o602] {
            machine.chmod("default", mode);
            let stderr = machine.run(&["clients", "list"]).await.expect_failure(4);
            assert!(stderr.contains(&format!("Run: chmod 600 '{file}'")), "{stderr}");
        }
        machine.chmod("default", 0o600);
        machine.run(&["clients", "list"]).await.expect(0);
    }

    async fn two_profiles_are_two_installations(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        tenant.client("First Ltd").await;
        other.client("Second Ltd").await;
        let mut machine = Machine::logged_in(world, &tenant).await;
        let token = create_token(&other).await;
        machine.keeps(&token);
        let login = ["login", &world.apis[0], "--token", "--profile", "other"];
        let next = machine.run_with_input(&login, &token).await.expect(0);
        assert!(next.contains("Next: portico remote clients list --profile other"), "{next}");
        let names = |list: serde_json::Value| list[0]["name"].as_str().unwrap().to_owned();
        assert_eq!(names(machine.run(&["clients", "list", "--json"]).await.json()), "First Ltd");
        let list = ["--profile", "other", "clients", "list", "--json"];
        assert_eq!(names(machine.run(&list).await.json()), "Second Ltd");
        machine.run(&["logout", "--profile", "other"]).await.expect(0);
        machine.run(&list).await.expect_failure(4);
        machine.run(&["clients", "list"]).await.expect(0);
        machine.sets("PORTICO_REMOTE_PROFILE", "other");
        machine.run(&["clients", "list"]).await.expect_failure(4);
        machine.run(&["clients", "list", "--profile", "default"]).await.expect(0);
        machine.run(&["clients", "list", "--profile", "../x"]).await.expect_failure(2);
    }

    async fn a_login_without_a_terminal_reads_a_token_only(world) {
        let machine = Machine::new();
        let stderr = machine.run(&["login", &world.apis[0]]).await.expect_failure(2);
        assert!(stderr.contains("add --token"), "{stderr}");
        let stderr = machine.run(&["login", &world.apis[0], "--email", "owner@x.test"]).await.expect_failure(4);
        assert!(stderr.contains("there is no terminal to type the code"), "{stderr}");
        for (url, reason) in [("http://x.test", "must be https"), ("https://x.test/api", "must have no path")] {
            let stderr = machine.run_with_input(&["login", url, "--token"], "x").await.expect_failure(2);
            assert!(stderr.contains(reason), "{stderr}");
        }
    }
}
