//! The mail log: listing mails and sending failed ones again.

use serde_json::json;

use crate::support::{Machine, Tenant, World, stories};

/// Invites a person whose mail then counts as failed, and returns the address.
async fn failed_mail(world: &World, tenant: &Tenant) -> String {
    let email = tenant.create_invitation(world).await.email;
    world.sql(&format!("UPDATE emails SET status = 'failed', reason = 'gave_up' WHERE recipient = '{email}'"));
    email
}

stories! {
    async fn a_failed_mail_is_sent_again_once(world) {
        let tenant = world.tenant().await;
        let (machine, email) = (Machine::of(world, &tenant).await, failed_mail(world, &tenant).await);
        let table = machine.run(&["emails", "list", "--status", "failed"]).await.expect(0);
        assert!(table.contains(&email) && table.lines().count() == 2, "{table}");
        let id = table.lines().nth(1).unwrap().split(' ').next_back().unwrap();
        assert!(table.starts_with("RECIPIENT ") && table.lines().nth(1).unwrap().starts_with(&email), "{table}");
        let queued = machine.run(&["emails", "retry", id]).await.expect(0);
        assert!(queued.starts_with(&format!("Queued the mail to {email} again as ")), "{queued}");
        world.mail(&email, 2).await;
        let stderr = machine.run(&["emails", "retry", id]).await.expect_failure(1);
        assert!(stderr.contains("request id: "), "{stderr}");
        world.mail(&email, 2).await;
    }

    async fn failed_mails_are_sent_again_by_a_filter(world) {
        let tenant = world.tenant().await;
        let (machine, email) = (Machine::of(world, &tenant).await, failed_mail(world, &tenant).await);
        let other = failed_mail(world, &tenant).await;
        let stderr = machine.run(&["emails", "retry"]).await.expect_failure(2);
        assert!(stderr.contains("add --all"), "{stderr}");
        let retried = machine.run(&["emails", "retry", "--recipient", &email, "--json"]).await.json();
        assert_eq!(retried, json!({ "retried": 1, "skipped": 0 }));
        world.mail(&email, 2).await;
        world.mail(&other, 1).await;
        let retried = machine.run(&["emails", "retry", "--all"]).await.expect(0);
        assert!(retried.starts_with("Queued 1 mail again."), "{retried}");
        world.mail(&other, 2).await;
    }
}
