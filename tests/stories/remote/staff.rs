//! Staff users and tokens, which need a session that a mailed code opens.

use serde_json::{Value, json};

use crate::support::{
    Machine, PAST, Tenant, Terminal, World,
    paths::{CLIENTS, STAFF},
    stories, unique_email,
};

/// Logs a machine in with a pasted token. The profile then has no address.
async fn machine_of(world: &World, tenant: &Tenant) -> Machine {
    Machine::logged_in(world, tenant).await
}

/// Types the address of the owner and the code of the `nth` mail.
async fn answer(world: &World, tenant: &Tenant, terminal: &mut Terminal, nth: usize) {
    terminal.shows("Address of your staff account:").await;
    terminal.types(&tenant.owner_email);
    terminal.shows("Code:").await;
    terminal.types(&world.mail(&tenant.owner_email, nth).await.code.unwrap());
}

async fn roles(tenant: &Tenant) -> Vec<(Value, Value)> {
    let staff = tenant.owner.get(STAFF).await.expect(200);
    let pair = |member: &Value| (member["email"].clone(), member["role"].clone());
    staff["data"].as_array().unwrap().iter().map(pair).collect()
}

stories! {
    async fn staff_users_are_managed_with_one_code_for_several_commands(world) {
        let (tenant, email) = (world.tenant().await, unique_email("sam"));
        let mut machine = machine_of(world, &tenant).await;
        let mut terminal = machine.terminal(&["staff", "invite", &email, "--role", "viewer", "--name", "Sam Carter"]);
        // The second mail says that a token was created.
        answer(world, &tenant, &mut terminal, 3).await;
        let screen = machine.expect(terminal, 0).await;
        assert!(screen.contains(&format!("Invited {email} as viewer.")), "{screen}");
        let session = machine.stored("default")["session"]["access_token"].as_str().unwrap().to_owned();
        machine.keeps(&session);
        // The next commands ask for nothing, also without a terminal.
        let table = machine.run(&["staff", "list"]).await.expect(0);
        assert!(table.contains(&email) && table.contains("Sam Carter  viewer  person  active  never"), "{table}");
        machine.run(&["staff", "role", &email, "support"]).await.expect(0);
        assert!(roles(&tenant).await.contains(&(json!(email), json!("support"))));
        machine.run(&["staff", "remove", &email]).await.expect_failure(2);
        machine.run(&["staff", "remove", &email, "--yes"]).await.expect(0);
        assert_eq!(roles(&tenant).await.len(), 1);
        let stderr = machine.run(&["staff", "remove", &email, "--yes"]).await.expect_failure(3);
        assert_eq!(stderr, format!("portico: no staff user has the address \"{email}\"\n"));
        // The logout ends the session too.
        machine.run(&["logout"]).await.expect(0);
        world.browser().get_with_bearer(STAFF, &session).await.assert_problem("401 session_revoked");
    }

    async fn a_session_that_is_not_fresh_asks_for_a_code_again(world) {
        let (tenant, email) = (world.tenant().await, unique_email("sam"));
        let machine = machine_of(world, &tenant).await;
        let mut terminal = machine.terminal(&["staff", "list"]);
        answer(world, &tenant, &mut terminal, 3).await;
        machine.expect(terminal, 0).await;
        world.sql(&format!(
            "UPDATE sessions SET auth_time = '{PAST}' \
             WHERE staff_user_id = (SELECT id FROM staff_users WHERE email = '{}')", tenant.owner_email));
        machine.run(&["staff", "list"]).await.expect(0);
        let stderr = machine.run(&["staff", "invite", &email, "--role", "viewer"]).await.expect_failure(4);
        assert!(stderr.contains("there is no terminal to type the code"), "{stderr}");
        let mut terminal = machine.terminal(&["staff", "invite", &email, "--role", "viewer"]);
        terminal.shows("Code:").await;
        terminal.types(&world.mail(&tenant.owner_email, 4).await.code.unwrap());
        machine.expect(terminal, 0).await;
        // The same session has become fresh: that of the browser is the other one.
        let sessions = format!(
            "SELECT count(*) FROM sessions WHERE revoked_at IS NULL AND staff_user_id = \
             (SELECT id FROM staff_users WHERE email = '{}')", tenant.owner_email);
        assert_eq!(world.count(&sessions), 2);
    }

    async fn a_script_cannot_manage_staff(world) {
        let tenant = world.tenant().await;
        let machine = machine_of(world, &tenant).await;
        let stderr = machine.run(&["staff", "list"]).await.expect_failure(4);
        assert!(stderr.contains("an API token cannot do this: it needs a staff session"), "{stderr}");
        let machine = Machine::of(world, &tenant).await;
        let stderr = machine.run(&["tokens", "list"]).await.expect_failure(4);
        assert!(stderr.contains("PORTICO_REMOTE_TOKEN is one"), "{stderr}");
    }

    async fn a_token_is_created_used_and_revoked(world) {
        let tenant = world.tenant().await;
        let machine = machine_of(world, &tenant).await;
        let mut terminal = machine.terminal(&["tokens", "list"]);
        answer(world, &tenant, &mut terminal, 3).await;
        machine.expect(terminal, 0).await;
        let add = ["tokens", "add", "Nightly export", "--scope", "clients:read", "--days", "30"];
        let token = machine.run(&add).await.expect(0).trim().to_owned();
        let mut other = Machine::with_token(&world.apis[0], &token);
        other.keeps(&token);
        other.run(&["clients", "list"]).await.expect(0);
        let all = machine.run(&["tokens", "list", "--all", "--json"]).await.json();
        assert_eq!(all.as_array().unwrap().len(), 2);
        machine.run(&["tokens", "revoke", "Nightly export"]).await.expect_failure(2);
        machine.run(&["tokens", "revoke", "Nightly export", "--yes"]).await.expect(0);
        world.browser().get_with_bearer(CLIENTS, &token).await.assert_problem("401 unauthenticated");
        other.run(&["clients", "list"]).await.expect_failure(4);
    }
}
