//! Logging in, the stored login, and logging out.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Machine, create_token, paths::CLIENTS, stories, wrong_code};

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
