//! People of clients: listing, disabling, enabling and removing them.

use crate::support::{Machine, stories};

stories! {
    async fn a_disabled_person_cannot_sign_in_until_enabled(world) {
        let tenant = world.tenant().await;
        let (machine, person) = (Machine::of(world, &tenant).await, tenant.person(world).await);
        let client = ["--client", "Acme Ltd", &person.email];
        let people = |verb: &'static str| [&["people", verb][..], &client].concat();
        let stderr = machine.run(&people("disable")).await.expect_failure(2);
        assert!(stderr.contains("add --yes"), "{stderr}");
        person.browser.session().await.expect(200);

        let mut terminal = machine.terminal(&people("disable"));
        terminal.shows(&format!("Disable {} at Acme Ltd? [y/N]", person.email)).await;
        terminal.types("yes");
        machine.expect(terminal, 0).await;
        person.browser.session().await.assert_problem("401 session_revoked");
        let browser = world.browser();
        browser.sign_in(&person.email, &person.password).await.assert_problem("401 invalid_credentials");
        let disabled = machine.run(&["people", "list", "--status", "disabled", "--json"]).await.json();
        assert_eq!((&disabled[0]["email"], &disabled[0]["client"]["name"]), (&person.email.as_str().into(), &"Acme Ltd".into()));

        let enabled = machine.run(&people("enable")).await.expect(0);
        assert_eq!(enabled, format!("Enabled {} at Acme Ltd.\n", person.email));
        person.sign_in(&browser).await;
    }

    async fn a_removed_person_is_no_longer_listed(world) {
        let tenant = world.tenant().await;
        let (machine, person) = (Machine::of(world, &tenant).await, tenant.person(world).await);
        let list = ["people", "list", "--client", "acme ltd"];
        let table = machine.run(&list).await.expect(0);
        let row = table.lines().nth(1).unwrap();
        assert!(row.starts_with(&person.email) && row.contains("Robin Miller  member  active"), "{table}");
        let id = row.split(' ').next_back().unwrap();
        // By its id, and the arguments may be in any order.
        machine.run(&["people", "remove", id, "--yes", "--client", &person.client]).await.expect(0);
        let printed = machine.run(&list).await;
        assert_eq!((printed.stderr.as_str(), printed.stdout.as_str()), ("No people.\n", ""));
        let again = machine.run(&["people", "remove", &person.email, "--yes", "--client", &person.client]).await;
        let stderr = again.expect_failure(3);
        assert!(stderr.contains(&format!("no person at Acme Ltd has the address \"{}\"", person.email)), "{stderr}");
    }
}
