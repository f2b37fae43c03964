//! Inviting people: one by one, and by a CSV file.

use serde_json::json;

use crate::support::{Deployment, FakeServer, Machine, World, http_answer, stories, unique, unique_email};

#[tokio::test]
async fn numbers_that_no_answer_has_are_not_of_portico() {
    let rows: String = (0..1_001).map(|n| format!("{n}@x.test\n")).collect();
    let row = |row: u64| json!([{ "row": row, "email": null, "status": "invited", "invite_mode": null, "errors": [] }]);
    for (invited, rows_of_answer) in [(1_u64 << 63, json!([])), (1, row(0)), (1, row(u64::MAX)), (1, row(1_001))] {
        let counts = json!({ "invited": invited, "exists": 0, "duplicate": 0, "limited": 0, "invalid": 0 });
        let answer = json!({ "counts": counts, "rows": rows_of_answer }).to_string();
        let client = json!({ "id": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "name": "Acme", "status": "active" });
        let clients = json!({ "data": [client], "next_cursor": null }).to_string();
        let server = FakeServer::start(move |_, head: &str| {
            let body = if head.starts_with("GET") { &clients } else { &answer };
            Some(http_answer(200, "application/json", body))
        })
        .await;
        let machine = Machine::with_token(server.url(), "pat_of_a_fake_server_0000000000000");
        let file = machine.file("people.csv", &format!("email\n{rows}"));
        let stderr = machine.run(&["invite", "--client", "Acme", "--csv", &file, "--yes"]).await.expect_failure(5);
        assert!(stderr.contains("its numbers are not those of the rows"), "{stderr}");
    }
}

/// How many rows of a table belong to a client, and how many different people they concern.
fn rows_of(world: &World, table: &str, person: &str, client: &str) -> (usize, usize) {
    let client = world.sql_id(client);
    let count = |what: &str| world.count(&format!("SELECT count({what}) FROM {table} WHERE client_id = {client}"));
    (count("*"), count(&format!("DISTINCT {person}")))
}

stories! {
    async fn an_invitation_is_mailed_once_and_sent_again_only_on_request(world) {
        let tenant = world.tenant().await;
        let (machine, email) = (Machine::of(world, &tenant).await, unique_email("ann"));
        tenant.client("Acme Ltd").await;
        let client = ["--client", "Acme Ltd", &email];
        let invite = [&["invite", "--name", "Ann Baker", "--role", "admin"][..], &client].concat();
        let invited = machine.run(&invite).await.expect(0);
        assert!(invited.starts_with(&format!("Invited {email} to Acme Ltd. It expires on ")), "{invited}");
        assert!(world.mail(&email, 1).await.text.contains("Hello Ann Baker,"));
        let stderr = machine.run(&invite).await.expect_failure(1);
        assert!(stderr.contains("request id: "), "{stderr}");
        world.mail(&email, 1).await;
        let resent = machine.run(&[&["resend", "--json"][..], &client].concat()).await.json();
        assert_eq!(resent["invitation"]["sent_count"], 2);
        world.mail(&email, 2).await;
    }

    async fn an_invitation_is_corrected_and_cancelled(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let (wrong, right) = (unique_email("anm"), unique_email("ann"));
        tenant.client("Acme Ltd").await;
        machine.run(&["invite", "--client", "Acme Ltd", &wrong]).await.expect(0);
        let token = world.mail(&wrong, 1).await.token();
        let corrected = machine.run(&["invitations", "correct", "--client", "Acme Ltd", &wrong, &right]).await.expect(0);
        assert!(corrected.starts_with(&format!("Sent an invitation to {right}.")), "{corrected}");
        world.browser().check_token(&token).await.assert_problem("410 token_revoked");
        let token = world.mail(&right, 1).await.token();
        machine.run(&["invitations", "cancel", "--client", "Acme Ltd", &right]).await.expect(0);
        world.browser().check_token(&token).await.assert_problem("410 token_revoked");
        let list = machine.run(&["invitations", "list", "--status", "cancelled"]).await.expect(0);
        assert!(list.lines().count() == 3 && list.contains(&wrong) && list.contains(&right), "{list}");
        let none = machine.run(&["invitations", "list", "--status", "pending", "--json"]).await.expect(0);
        assert_eq!(none, "[]\n");
        let again = ["invitations", "cancel", "--client", "Acme Ltd", "none@x.test"];
        let stderr = machine.run(&again).await.expect_failure(3);
        assert_eq!(stderr, "portico: no invitation to Acme Ltd has the address \"none@x.test\"\n");
    }

    async fn several_people_are_invited_and_each_that_fails_is_named(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let (ann, bob) = (unique_email("ann"), unique_email("bob"));
        tenant.client("Acme Ltd").await;
        let printed = machine.run(&["invite", "--client", "Acme Ltd", &ann, "no-address", &bob]).await;
        assert!(printed.stderr.contains("no-address: ") && printed.stderr.contains("1 of 3 people were not invited"));
        assert_eq!(printed.expect(1).lines().count(), 2);
        for email in [&ann, &bob] {
            world.mail(email, 1).await;
        }
        machine.run(&["invite", "--client", "Acme Ltd", &ann, &bob, "--name", "Ann"]).await.expect_failure(2);
    }

    async fn a_file_shows_what_happens_and_asks_first(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let (client, ann) = (tenant.client("Acme Ltd").await, unique_email("ann"));
        let file = machine.file("people.csv", &format!("email;name\r\n{ann};Ann\r\nno-address;Bob\r\n{ann};Ann\r\n"));
        let invite = ["invite", "--client", "Acme Ltd", "--csv", &file];
        let preview = "3 rows: 1 to invite, 0 at the client already, 1 duplicate, 0 limited, 1 wrong.\n  line 3 no-address: email: ";
        let stderr = machine.run(&invite).await.expect_failure(2);
        assert!(stderr.contains(&format!("\n  line 4 {ann}: an earlier row has the same address\n")), "{stderr}");
        assert!(stderr.starts_with(preview) && stderr.contains("add --yes"), "{stderr}");
        for (answer, code) in [("n", 1), ("y", 1)] {
            assert_eq!(rows_of(world, "invitations", "id", &client).0, 0);
            let mut terminal = machine.terminal(&invite);
            terminal.shows("Invite 1 person to Acme Ltd? [y/N]").await;
            terminal.types(answer);
            let screen = machine.expect(terminal, code).await;
            let is_done = screen.contains("1 invited, 0 at the client already, 1 duplicate, 0 limited, 1 wrong\n");
            assert_eq!(is_done, answer == "y", "{screen}");
        }
        assert!(world.mail(&ann, 1).await.text.contains("Hello Ann,"));
        let printed = machine.run(&[&invite[..], &["--dry-run", "--json"]].concat()).await;
        let result: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
        assert_eq!((&result["rows"][0]["status"], &result["rows"][1]["row"]), (&"exists".into(), &2.into()));
        let no_header = machine.file("wrong.csv", "a@x.test,Ann\n");
        for path in [no_header.as_str(), "/nowhere.csv"] {
            machine.run(&["invite", "--client", "Acme Ltd", "--csv", path, "--yes"]).await.expect_failure(2);
        }
    }

    async fn a_file_that_is_sent_again_invites_those_who_were_cancelled(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let emails = ["ann", "bob", "cem"].map(unique_email);
        tenant.client("Acme Ltd").await;
        let file = machine.file("people.csv", &format!("email\n{}\n", emails.join("\n")));
        let invite = ["invite", "--client", "Acme Ltd", "--csv", &file, "--yes"];
        let counts = "0 duplicate, 0 limited, 0 wrong\n";
        assert_eq!(machine.run(&invite).await.expect(0), format!("3 invited, 0 at the client already, {counts}"));
        for email in &emails {
            world.mail(email, 1).await;
            machine.run(&["invitations", "cancel", "--client", "Acme Ltd", email]).await.expect(0);
            assert_eq!(machine.run(&invite).await.expect(0), format!("1 invited, 2 at the client already, {counts}"));
            world.mail(email, 2).await;
        }
        let dry = machine.expect(machine.terminal(&[&invite[..], &["--dry-run"]].concat()), 0).await;
        assert_eq!(dry.matches("at the client already, ").count(), 1, "the counts are printed once: {dry}");
        for (line, email) in (2..).zip(&emails) {
            assert!(dry.contains(&format!("  line {line} {email}: at the client already\n")), "{dry}");
        }
        let wrong = machine.file("wrong.csv", "email\nno-address\n");
        let dry = machine.run(&["invite", "--client", "Acme Ltd", "--csv", &wrong, "--dry-run"]).await;
        assert!(dry.code == 1 && dry.stderr.ends_with("portico: some rows are wrong\n"), "{dry:?}");
    }

    async fn an_invitation_that_was_cancelled_is_not_found_again(world) {
        let tenant = world.tenant().await;
        let (machine, email) = (Machine::of(world, &tenant).await, unique_email("ann"));
        tenant.client("Acme Ltd").await;
        let client = ["--client", "Acme Ltd", &email];
        machine.run(&[&["invite"][..], &client].concat()).await.expect(0);
        machine.run(&[&["invitations", "cancel"][..], &client].concat()).await.expect(0);
        let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
        for args in [
            [&["resend"][..], &client].concat(),
            vec!["resend", "--client", "Acme Ltd", id],
            vec!["invitations", "cancel", "--client", "Acme Ltd", id],
        ] {
            let stderr = machine.run(&args).await.expect_failure(3);
            assert!(stderr.starts_with("portico: no invitation to Acme Ltd that can still be used has the "), "{stderr}");
            assert!(stderr.contains(args.last().unwrap()), "{args:?}: {stderr}");
        }
    }

    async fn an_archived_client_is_a_failure_and_no_refusal(world) {
        let tenant = world.tenant().await;
        let (machine, email) = (Machine::of(world, &tenant).await, unique_email("ann"));
        tenant.client("Acme Ltd").await;
        machine.run(&["invite", "--client", "Acme Ltd", &email]).await.expect(0);
        machine.run(&["clients", "archive", "Acme Ltd", "--yes"]).await.expect(0);
        let file = machine.file("people.csv", "email\nbob@x.test\n");
        for args in [
            &["invite", "--client", "Acme Ltd", "bob@x.test"][..],
            &["invite", "--client", "Acme Ltd", "--csv", &file, "--yes"],
            &["resend", "--client", "Acme Ltd", &email],
        ] {
            let stderr = machine.run(args).await.expect_failure(1);
            assert!(stderr.contains("\ncode: client_suspended\n"), "{args:?}: {stderr}");
        }
    }
}

// Worlds of their own: a thousand mails would delay those of other stories.
#[tokio::test]
async fn a_file_of_a_thousand_rows_that_was_interrupted_continues_and_invites_each_person_once() {
    for deployment in [Deployment::Single, Deployment::Cluster] {
        let world = World::start(deployment, &[]).await;
        let tenant = world.tenant().await;
        let machine = Machine::of(&world, &tenant).await;
        let (client, unique) = (tenant.client("Acme Ltd").await, unique("bulk"));
        let rows: String = (0..1_000).map(|n| format!("{unique}-{n}@x.test,Person {n}\n")).collect();
        let file = machine.file("people.csv", &format!("email,name\n{rows}"));
        let invite = ["invite", "--client", "Acme Ltd", "--csv", &file, "--yes"];
        let mut terminal = machine.terminal(&invite);
        let shown: Vec<_> = (1..10).map(|batch| format!(" {batch}00 of 1000 rows")).collect();
        terminal.shows_any(&shown.iter().map(String::as_str).collect::<Vec<_>>()).await;
        terminal.interrupt();
        let screen = machine.expect(terminal, 1).await;
        let advice = "00 of 1000 rows were sent. Run the same command again to continue: no person is invited twice.";
        assert!(screen.contains(advice), "{screen}");
        let (sent, _) = rows_of(&world, "invitations", "portal_user_id", &client);
        assert!((100..1_000).contains(&sent), "{sent}");

        let printed = machine.run(&invite).await;
        assert!(printed.stderr.starts_with("1000 rows: "), "{printed:?}");
        assert!(!printed.stderr.contains('\u{1b}'), "no progress bar: {printed:?}");
        let counts = |invited: usize, verb: &str, exists: usize| {
            format!("{invited} {verb}, {exists} at the client already, 0 duplicate, 0 limited, 0 wrong")
        };
        // The batch that was interrupted may have been written afterwards.
        let exists = [sent, sent + 100]
            .into_iter()
            .find(|exists| printed.stdout == counts(1_000 - exists, "invited", *exists) + "\n");
        let preview = exists.map(|exists| counts(1_000 - exists, "to invite", exists));
        assert!(preview.is_some_and(|preview| printed.stderr.contains(&preview)), "{sent} {printed:?}");
        printed.expect(0);
        assert_eq!(rows_of(&world, "invitations", "portal_user_id", &client), (1_000, 1_000));
        assert_eq!(rows_of(&world, "emails", "recipient", &client), (1_000, 1_000));
        let again = machine.run(&invite).await;
        assert_eq!(again.expect(0), counts(0, "to invite", 1_000) + "\n");
        world.mail(&format!("{unique}-0@x.test"), 1).await;
    }
}
