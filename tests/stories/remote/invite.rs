//! Inviting people: one by one, and by a CSV file.

use crate::support::{Machine, World, stories, unique, unique_email};

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
        let preview = "3 rows: 1 to invite, 0 at the client already, 1 duplicate, 0 limited, 1 wrong.\n  row 2 no-address: email: ";
        let stderr = machine.run(&invite).await.expect_failure(2);
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

    async fn a_file_of_a_thousand_rows_that_was_interrupted_continues_and_invites_each_person_once(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
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
        let (sent, _) = rows_of(world, "invitations", "portal_user_id", &client);
        assert!((100..1_000).contains(&sent), "{sent}");

        let printed = machine.run(&invite).await;
        assert!(printed.stderr.starts_with("1000 rows: "), "{printed:?}");
        assert!(!printed.stderr.contains('\u{1b}'), "no progress bar: {printed:?}");
        let summary = "1000 invited, 0 at the client already, 0 duplicate, 0 limited, 0 wrong\n";
        assert_eq!(printed.expect(0), summary);
        assert_eq!(rows_of(world, "invitations", "portal_user_id", &client), (1_000, 1_000));
        assert_eq!(rows_of(world, "emails", "recipient", &client), (1_000, 1_000));
        let again = machine.run(&invite).await;
        assert_eq!(again.expect(0), summary.replace("1000 invited, 0 at", "0 to invite, 1000 at"));
        world.mail(&format!("{unique}-0@x.test"), 1).await;
    }
}
