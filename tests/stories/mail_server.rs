//! What the answers of a mail server mean: what is sent again, when, and how often.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Answer, Deployment, MailServer, Received, Scrape, Sink, Tenant, World, binary, eventually, http, password, paths,
    reply, unique, unique_email,
};

pub(crate) const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];

/// A world whose mail goes to a [`MailServer`], with a tenant and a client.
pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) server: MailServer,
    pub(crate) tenant: Tenant,
    pub(crate) client: String,
}

impl Office {
    /// Starts a world. The mail of the tenant's set-up goes elsewhere.
    pub(crate) async fn open(deployment: Deployment, parameters: &str) -> Self {
        let server = MailServer::start();
        let mut world = World::start(deployment, &[("PORTICO_PUBLIC_URL", "http://localhost:4000")]).await;
        let mut tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let settings = [("MAIL_URL", &*server.url(parameters))];
        match deployment {
            Deployment::Single => world.restart_single(&settings).await,
            Deployment::Cluster => {
                world.change_settings(&settings);
                for worker in [2, 3] {
                    world.restart(worker).await;
                }
            }
        }
        tenant.owner = tenant.owner.moved_to(&world.apis);
        Self { world, server, tenant, client }
    }

    /// Invites a new address.
    pub(crate) async fn invite(&self) -> String {
        self.invite_at("x.test").await
    }

    /// Invites a new address of this domain.
    async fn invite_at(&self, domain: &str) -> String {
        let email = format!("{}@{domain}", unique("ann"));
        self.tenant.invite(&self.client, &email).await;
        email
    }

    /// The status, the reason and the number of attempts of the mail to this address.
    fn state(&self, email: &str) -> String {
        let columns = "status || ' ' || coalesce(reason, '-') || ' ' || attempts";
        self.world.sql(&format!("SELECT {columns} FROM emails WHERE recipient = '{email}' ORDER BY created_at LIMIT 1"))
    }

    fn attempts(&self, email: &str) -> usize {
        self.world.count(&format!("SELECT max(attempts) FROM emails WHERE recipient = '{email}'"))
    }

    pub(crate) async fn wait_for_state(&self, email: &str, expected: &str) {
        eventually(&format!("the mail to {email} is {expected}"), || async {
            (self.state(email) == expected).then_some(())
        })
        .await;
    }

    async fn wait_for_state_that_starts_with(&self, email: &str, expected: &str) {
        eventually(&format!("the mail to {email} is {expected}"), || async {
            self.state(email).starts_with(expected).then_some(())
        })
        .await;
    }

    /// Makes jobs due again and again until the mail to this address has this state.
    async fn pass_time_until(&self, email: &str, expected: &str) {
        eventually(&format!("the mail to {email} is {expected}"), || async {
            self.world.make_jobs_due();
            (self.state(email) == expected).then_some(())
        })
        .await;
    }

    /// The path of the invitation of this address.
    async fn invitation_path(&self, email: &str) -> String {
        let list = format!("{}?q={email}", paths::invitations(&self.client));
        let found = self.tenant.owner.get(&list).await.expect(200);
        format!("{}/{}", paths::invitations(&self.client), found["data"][0]["id"].as_str().unwrap())
    }

    /// What the mail server said about the mail to this address.
    fn detail(&self, email: &str) -> String {
        self.world.sql(&format!("SELECT detail FROM emails WHERE recipient = '{email}' LIMIT 1"))
    }

    async fn health(&self) -> Value {
        let url = format!("{}/health/ready", self.world.internals().await[0]);
        http::get(url).await.unwrap().json().await.unwrap()
    }

    async fn metric(&self, name: &str) -> f64 {
        Scrape::of(&self.world.internals().await).await.max(name, &[])
    }
}

#[tokio::test]
async fn a_reply_is_decided_by_its_code_and_its_text_may_be_anything() {
    for deployment in BOTH {
        let office = Office::open(deployment, "").await;
        let stages = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"];
        let usual = ["220", "250", "250", "250", "354", "250"];
        let unusual = ["299", "251", "200", "252", "350", "202"];
        // A Latin-1 byte, control characters, no text at all; `$` stands for the code.
        for (codes, text) in [
            (usual, ""),
            (usual, " "),
            (usual, " \u{1}\u{7f}"),
            (usual, " M\u{fc}nchen"),
            (usual, "-more\r\n$"),
            (unusual, " 5.7.1 not what it says"),
        ] {
            for (at, code) in stages.into_iter().zip(codes) {
                let line = format!("{code}{}\r\n", text.replace('$', code));
                let latin1: Vec<u8> = line.chars().map(|character| character as u8).collect();
                office.server.answer(at, Answer::Bytes(latin1));
            }
            let email = office.invite().await;
            let token = office.server.wait_for(&email, 1).await[0].token();
            office.wait_for_state(&email, "sent - 1").await;
            office.world.browser().activate(&token, &password()).await.expect(200);
            assert_eq!(office.server.received(&email).len(), 1, "{text:?}");
        }
    }
}

#[tokio::test]
async fn a_positive_code_after_the_final_dot_has_sent_the_mail() {
    for deployment in BOTH {
        let office = Office::open(deployment, "&answer=1s&repeat=1s").await;
        let bytes = |text: String| Answer::Bytes(text.into_bytes());
        let last = |text: &str| Answer::Last(text.into());
        for answer in [
            bytes(format!("250 {}\r\n", "x".repeat(9_000))),
            bytes(format!("{}250 end\r\n", "250-more\r\n".repeat(200))),
            bytes("250-queued\r\n id=77\r\n250 end\r\n".into()),
            last("250-queued\r\n"),
            last("250-queued\r\n id"),
            last("250 queued"),
            last("250"),
        ] {
            office.server.answer("dot", answer);
            let email = office.invite().await;
            office.wait_for_state(&email, "sent - 1").await;
            assert_eq!(office.server.received(&email).len(), 1);
        }
    }
}

// A connection that is used for the next mail may have a reply in it that belongs to no command.
#[tokio::test]
async fn what_a_server_says_without_being_asked_harms_no_mail() {
    for deployment in BOTH {
        let office = Office::open(deployment, "&connections=1").await;
        for stray in ["550 5.7.1 nope", "554 5.4.5 idle", "250 again", "354 go on", "451 later", "221 bye", "what?"] {
            for at in ["dot", "MAIL"] {
                office.server.answer_times(1, at, reply(&format!("250 ok\r\n{stray}")));
                let emails = [office.invite().await, office.invite().await];
                eventually(&format!("{at}: {stray}: both mails are sent"), || async {
                    office.world.make_jobs_due();
                    emails.iter().all(|email| office.state(email).starts_with("sent -")).then_some(())
                })
                .await;
                // The stray line after MAIL costs the mail that meets it an attempt; either may be the first.
                let attempts: usize = emails.iter().map(|email| office.attempts(email)).sum();
                assert_eq!(attempts, if at == "dot" { 2 } else { 3 }, "{at}: {stray}");
                for email in &emails {
                    assert_eq!(office.server.received(email).len(), 1, "{at}: {stray}");
                }
            }
        }
        assert_eq!(office.world.count("SELECT count(*) FROM mail_holds"), 0);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_mail_gets_few_attempts() {
    let answers = [("greeting", "421 4.3.2 too busy"), ("EHLO", "421 go away"), ("MAIL", "452 4.3.1 no space")];
    join_all(answers.map(async |(at, line)| {
        let office = Office::open(Deployment::Single, "").await;
        office.server.answer(at, reply(line));
        let mut emails = Vec::new();
        for _ in 0..60 {
            emails.push(office.invite().await);
        }
        // A few mails were tried before the first answer. Then one is tried after each pause, of 0.25, 0.5, 1, 2, 4 and
        // 8 seconds. Without the pauses, four attempts take milliseconds.
        let (started, before) = (std::time::Instant::now(), office.server.connections());
        eventually("four more attempts", || async { (office.server.connections() >= before + 4).then_some(()) }).await;
        assert!(started.elapsed() > Duration::from_millis(1_500), "{line}: {:?}", started.elapsed());
        office.server.heal();
        eventually("all mails are sent", || async {
            office.world.make_jobs_due();
            emails.iter().all(|email| office.server.received(email).len() == 1).then_some(())
        })
        .await;
    }))
    .await;
}

#[tokio::test]
async fn an_answer_that_repeats_the_mail_shows_no_secret() {
    let office = Office::open(Deployment::Single, "").await;
    let answers: [fn(&Received) -> String; 5] = [
        |mail| format!("550 5.7.1 blocked #token={}", mail.token()),
        |mail| format!("550 5.7.1 blocked %23token%3D{}%20", mail.token()),
        |mail| format!("550 TOKEN={}", mail.token()),
        |mail| format!("550-5.7.1 {}\r\n550 5.7.1 {}", &mail.token()[..21], &mail.token()[21..]),
        |mail| format!("451 4.7.1 {}", mail.token()),
    ];
    for answer in answers {
        office.server.answer("dot", Answer::Repeat(answer));
        let email = office.invite().await;
        office.wait_for_state(&email, "queued - 1").await;
        let token = office.server.received(&email)[0].token();
        let log = office.world.logs().join("\n");
        for text in [office.detail(&email), office.world.run(&["mail", "log", "--status", "queued"]), log] {
            assert!(text.contains('…'), "{text}");
            assert!(!text.contains(&token[..12]) && !text.contains(&token[30..]), "{text}");
        }
        office.server.heal();
        office.pass_time_until(&email, "sent - 2").await;
    }
}

#[tokio::test]
async fn a_mail_without_an_answer_is_handed_over_three_times_and_not_more() {
    for (deployment, answer) in [
        (Deployment::Single, Answer::Silence),
        (Deployment::Cluster, Answer::Close),
        (Deployment::Single, reply("354 odd")),
    ] {
        let office = Office::open(deployment, "&answer=1s&repeat=1s").await;
        office.server.answer("dot", answer);
        let email = office.invite().await;
        office.pass_time_until(&email, "failed outcome_unknown 3").await;
        let copies = office.server.wait_for(&email, 3).await;
        assert!(copies.iter().all(|copy| copy.message_id == copies[0].message_id), "{copies:?}");
        assert_eq!(copies[2].token(), copies[0].token());
        office.server.heal();
        assert_eq!(office.world.run(&["mail", "retry", "--all"]).trim(), "No failed mails match.");
        let list = office.world.run(&["mail", "log", "--to", &email, "--json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        office.world.run(&["mail", "retry", list[0]["id"].as_str().unwrap()]);
        let retried = office.server.wait_for(&email, 4).await.remove(3);
        assert_ne!((&retried.message_id, retried.token()), (&copies[0].message_id, copies[0].token()));
        office.world.browser().activate(&retried.token(), &password()).await.expect(200);
    }
}

#[tokio::test]
async fn a_duplicate_that_the_server_refuses_has_been_delivered() {
    let office = Office::open(Deployment::Single, "&answer=1s&repeat=1s").await;
    office.server.answer_times(1, "dot", Answer::Silence);
    let email = office.invite().await;
    office.server.wait_for(&email, 1).await;
    office.server.answer("dot", reply("554 5.6.0 DuplicateDelivery; the message was delivered before"));
    office.pass_time_until(&email, "sent - 2").await;
    assert_eq!(office.server.received(&email).len(), 2);
}

#[tokio::test]
async fn a_server_that_answers_after_35_seconds_gets_one_copy_and_holds_up_no_other_mail() {
    let office = Office::open(Deployment::Single, "&connections=1").await;
    office.server.answer_to("slow.test", "dot", Answer::Late(Duration::from_secs(35)));
    let slow = office.invite_at("slow.test").await;
    office.server.wait_for(&slow, 1).await;
    let other = office.invite().await;
    // The slow mail gives the only connection slot back after 30 seconds.
    office.server.wait_for(&other, 1).await;
    assert_eq!(office.state(&slow), "queued - 0");
    office.wait_for_state(&slow, "sent - 1").await;
    assert_eq!(office.server.received(&slow).len(), 1);
}

#[tokio::test]
async fn a_worker_that_stops_does_not_wait_for_a_mail_that_is_not_answered() {
    let mut office = Office::open(Deployment::Cluster, "&connections=1").await;
    office.server.answer_to("slow.test", "dot", Answer::Silence);
    office.world.processes[3].kill();
    let slow = office.invite_at("slow.test").await;
    office.server.wait_for(&slow, 1).await;
    // The other mail leaves after the slow one has given its slot and its permit back.
    let other = office.invite().await;
    office.server.wait_for(&other, 1).await;
    let stopped = std::time::Instant::now();
    office.world.processes[2].signal("TERM");
    assert!(office.world.processes[2].ends().await);
    assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
    office.server.heal();
    office.world.restart(2).await;
    office.pass_time_until(&slow, "sent - 1").await;
    assert_eq!(office.server.wait_for(&slow, 2).await[0].message_id, office.server.received(&slow)[1].message_id);
}

#[tokio::test]
async fn a_worker_that_is_killed_after_the_final_dot_has_counted_the_copy() {
    let mut office = Office::open(Deployment::Cluster, "").await;
    office.server.answer("dot", Answer::Silence);
    let email = office.invite().await;
    for copies in 1..=3 {
        eventually("the copy has arrived", || async {
            office.world.make_jobs_due();
            (office.server.received(&email).len() == copies).then_some(())
        })
        .await;
        for worker in [2, 3] {
            office.world.processes[worker].kill();
            office.world.restart(worker).await;
        }
        let past = "timestamptz '2020-01-01'";
        office.world.sql(&format!("UPDATE background_jobs SET lease_until = {past} WHERE state = 'running'"));
    }
    office.pass_time_until(&email, "failed outcome_unknown 0").await;
    assert_eq!(office.server.received(&email).len(), 3);
}

/// Refuses Portico itself at this stage, and shows that all mail waits, with few connections, and is sent afterwards.
async fn assert_held(deployment: Deployment, at: &'static str, line: &str) {
    let office = Office::open(deployment, "").await;
    office.server.answer(at, reply(line));
    let first = office.invite().await;
    office.world.wait_for_sql("the server is on hold", "SELECT count(*) FROM mail_holds", "1").await;
    let connections = office.server.connections();
    let mut waiting = vec![first.clone()];
    for _ in 0..20 {
        waiting.push(office.invite().await);
    }
    let hold_ends = "SELECT count(*) FROM background_jobs WHERE state = 'queued' AND last_error LIKE 'on hold: %'";
    office.world.wait_for_sql("the other mails wait", hold_ends, "21").await;
    assert!(office.server.connections() <= connections + 2, "{line}");
    let health = office.health().await;
    assert_eq!((&health["status"], &health["mail"]["status"]), (&json!("degraded"), &json!("held")));
    assert_eq!(office.metric("portico_mail_held").await, 1.0);
    let detail = office.detail(&first);
    assert_eq!(detail.matches(line).count(), 1, "{detail}");

    // Probes that fail keep the hold.
    let before = office.server.connections();
    office.world.make_jobs_due();
    let probed = "SELECT count(*) FROM mail_holds WHERE probes = 1";
    office.world.wait_for_sql("one mail is sent as a probe", probed, "1").await;
    office.world.wait_for_sql("the others wait again", hold_ends, "21").await;
    assert!(office.server.connections() <= before + 1, "{line}");

    office.server.heal();
    office.world.make_jobs_due();
    for email in &waiting {
        office.server.wait_for(email, 1).await;
        office.wait_for_state_that_starts_with(email, "sent ").await;
    }
    eventually("the metric is zero again", || async {
        (office.metric("portico_mail_held").await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_refuses_the_name_of_portico_holds_all_mail() {
    assert_held(Deployment::Cluster, "EHLO", "504 5.5.2 need fully-qualified hostname").await;
}

#[tokio::test]
async fn a_server_that_refuses_the_quota_of_portico_holds_all_mail() {
    assert_held(Deployment::Single, "MAIL", "550 5.4.5 Daily user sending limit exceeded").await;
}

#[tokio::test]
async fn a_server_that_refuses_to_serve_portico_holds_all_mail() {
    assert_held(Deployment::Single, "greeting", "554 no service here").await;
}

#[tokio::test]
async fn a_test_mail_that_is_accepted_ends_the_hold() {
    let office = Office::open(Deployment::Single, "").await;
    office.server.answer("MAIL", reply("550 5.7.1 sender blocked"));
    let email = office.invite().await;
    office.world.wait_for_sql("the server is on hold", "SELECT count(*) FROM mail_holds", "1").await;
    let output = office.world.try_run(&["mail", "test", "--to", "ops@x.test"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.matches("550 5.7.1 sender blocked").count() == 1, "{error}");
    office.server.heal();
    assert!(office.world.run(&["mail", "test", "--to", "ops@x.test"]).contains("250 accepted"));
    office.server.wait_for(&email, 1).await;
}

#[tokio::test]
async fn a_change_of_the_mail_settings_ends_the_wait_for_a_hold() {
    for deployment in BOTH {
        let mut office = Office::open(deployment, "").await;
        office.server.answer("MAIL", reply("550 5.7.1 sender blocked"));
        let email = office.invite().await;
        office.world.wait_for_sql("the server is on hold", "SELECT count(*) FROM mail_holds", "1").await;
        office.server.heal();
        let settings = [("MAIL_URL", &*office.server.url("&ehlo=app.example.com"))];
        match deployment {
            Deployment::Single => office.world.restart_single(&settings).await,
            Deployment::Cluster => {
                office.world.change_settings(&settings);
                // A worker does not know of a hold that began less than a second ago.
                for worker in [2, 3] {
                    office.world.processes[worker].kill();
                }
                for worker in [2, 3] {
                    office.world.restart(worker).await;
                }
            }
        }
        office.server.wait_for(&email, 1).await;
        office.world.wait_for_sql("the hold has ended", "SELECT count(*) FROM mail_holds", "0").await;
    }
}

// The third mail is the probe, because no other mail waits.
#[tokio::test]
async fn a_hold_after_refusals_of_several_recipients_is_probed_and_ends() {
    let office = Office::open(Deployment::Single, "").await;
    office.server.answer("RCPT", reply("550 5.7.1 blocked"));
    for domain in ["a.test", "b.test", "c.test"] {
        let email = office.invite_at(domain).await;
        office.wait_for_state(&email, "queued - 1").await;
    }
    office.world.wait_for_sql("the server is on hold", "SELECT count(*) FROM mail_holds", "1").await;
    let due = "SELECT count(*) FROM background_jobs b, mail_holds h WHERE b.state = 'queued' \
               AND b.last_error LIKE 'refused, and on hold: %' AND b.run_at > h.next_probe_at";
    assert_eq!(office.world.count(due), 1);
    office.server.heal();
    let probe = "UPDATE background_jobs SET run_at = created_at WHERE last_error LIKE '%on hold: %'";
    office.world.sql("UPDATE mail_holds SET next_probe_at = held_at");
    office.world.sql(probe);
    office.world.wait_for_sql("the hold has ended", "SELECT count(*) FROM mail_holds", "0").await;
}

#[tokio::test]
async fn a_mail_server_without_room_pages_although_it_refuses_one_mail_only() {
    let office = Office::open(Deployment::Single, "").await;
    for (at, line) in [
        ("dot", "452 4.3.1 Insufficient system storage"),
        ("RCPT", "452 4.3.2 not now"),
        ("RCPT", "451 4.3.0 Temporary lookup failure"),
        ("RCPT", "454 4.7.1 relay access denied"),
    ] {
        office.server.answer(at, reply(line));
        let email = office.invite().await;
        office.wait_for_state(&email, "queued - 1").await;
        let two_hours_ago = format!("UPDATE emails SET created_at = '{}' WHERE recipient = '{email}'", two_hours_ago());
        office.world.sql(&two_hours_ago);
        eventually("the age of the mail counts", || async {
            (office.metric("portico_mails_oldest_seconds").await > 7_000.0).then_some(())
        })
        .await;
        office.world.sql(&format!("DELETE FROM emails WHERE recipient = '{email}'"));
    }
}

/// The time two hours ago, as the databases store it.
fn two_hours_ago() -> String {
    let output = std::process::Command::new("date").args(["-u", "-d", "2 hours ago", "+%FT%T+00:00"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn refusals_of_one_recipient_domain_do_not_hold_other_mail_and_those_of_several_do() {
    for (at, line, domains) in [
        ("RCPT", "550 5.7.501 access denied", 2),
        ("dot", "550 5.4.5 daily limit", 2),
        ("RCPT", "550 5.7.1 relaying denied", 3),
        ("dot", "554 5.7.1 looks like spam", 3),
    ] {
        let office = Office::open(Deployment::Single, "").await;
        office.server.answer_to("strict", at, reply(line));
        for n in 1..domains {
            for _ in 0..2 {
                let email = office.invite_at(&format!("strict{n}.test")).await;
                office.wait_for_state(&email, "queued - 1").await;
            }
            assert_eq!(office.world.count("SELECT count(*) FROM mail_holds"), 0, "{line}: {n} domains");
            // An accepted mail shows that the answer concerns its recipients only.
            let other = office.invite().await;
            office.wait_for_state(&other, "sent - 1").await;
        }
        for n in 1..=domains {
            office.invite_at(&format!("strict{n}.test")).await;
        }
        office.world.wait_for_sql("the server is on hold", "SELECT count(*) FROM mail_holds", "1").await;
    }
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_fails_at_once_and_can_be_retried() {
    for deployment in BOTH {
        let office = Office::open(deployment, "").await;
        for line in ["550 5.1.1 no such user", "550-5.1.10 a\r\n550 5.1.10 b", "552 5.2.2 mailbox full", "556 no mail"]
        {
            office.server.answer("RCPT", reply(line));
            let email = office.invite().await;
            office.wait_for_state(&email, "failed recipient_refused 1").await;
            office.server.heal();
            let output = office.world.run(&["mail", "retry", "--all", "--kind", "invitation", "--to", &email]);
            assert!(output.starts_with("Sent 1 mail again, skipped 0."), "{output}");
            let token = office.server.wait_for(&email, 1).await[0].token();
            office.world.browser().activate(&token, &password()).await.expect(200);
            let id = office.world.sql(&format!("SELECT count(retried_by) FROM emails WHERE recipient = '{email}'"));
            assert_eq!(id, "1");
            assert_eq!(office.world.run(&["mail", "retry", "--all", "--to", &email]).trim(), "No failed mails match.");
        }
    }
}

#[tokio::test]
async fn a_refusal_that_may_not_be_for_good_is_tried_four_times() {
    let office = Office::open(Deployment::Single, "").await;
    for (at, line) in [("RCPT", "550 5.7.1 not today"), ("RCPT", "554"), ("dot", "550 5.7.1 policy"), ("dot", "554 no")]
    {
        office.server.answer(at, reply(line));
        let email = office.invite().await;
        office.pass_time_until(&email, "failed refused 4").await;
        office.server.heal();
    }
}

#[tokio::test]
async fn not_now_to_one_recipient_is_retried_until_the_link_expires_and_alarms_no_one() {
    for deployment in BOTH {
        let office = Office::open(deployment, "").await;
        for line in ["451 4.7.1 greylisted, come back later", "450", "452 4.2.2 mailbox full for now"] {
            office.server.answer("RCPT", reply(line));
            let email = office.invite().await;
            // More often than the eight attempts of an ordinary job.
            eventually("the mail was refused nine times", || async {
                office.world.make_jobs_due();
                (office.attempts(&email) >= 9).then_some(())
            })
            .await;
            let url = office.world.internals().await;
            eventually("the age of the mail does not count", || async {
                let scrape = Scrape::of(&url).await;
                let deferred = scrape.max("portico_mails_deferred", &[]);
                (deferred == 1.0 && scrape.max("portico_mails_oldest_seconds", &[]) == 0.0).then_some(())
            })
            .await;
            office.server.heal();
            office.world.make_jobs_due();
            office.server.wait_for(&email, 1).await;
        }
    }
}

#[tokio::test]
async fn ehlo_says_the_host_of_the_public_url_or_the_name_that_is_set() {
    for (parameters, greeting) in [
        ("", "EHLO localhost"),
        ("&ehlo=app.example.com", "EHLO app.example.com"),
        ("&ehlo=[192.0.2.1]", "EHLO [192.0.2.1]"),
    ] {
        let server = MailServer::start();
        let world = World::start(Deployment::Single, &[("MAIL_URL", &server.url(parameters))]).await;
        world.run(&["mail", "test", "--to", "ops@x.test"]);
        assert!(server.commands().contains(&greeting.to_owned()), "{:?}", server.commands());
    }
}

#[tokio::test]
async fn an_international_sender_domain_leaves_as_an_a_label() {
    for (from, sender) in [
        ("Büro <post@müller.example>", "MAIL FROM:<post@xn--mller-kva.example>"),
        ("post@例え.test", "MAIL FROM:<post@xn--r8jz45g.test>"),
        ("post@xn--mller-kva.example", "MAIL FROM:<post@xn--mller-kva.example>"),
    ] {
        let server = MailServer::start();
        let settings = [("MAIL_URL", &*server.url("")), ("MAIL_FROM", from)];
        let world = World::start(Deployment::Single, &settings).await;
        let email = unique_email("ops");
        world.run(&["mail", "test", "--to", &email]);
        assert!(server.commands().contains(&sender.to_owned()), "{:?}", server.commands());
        let headers = &server.received(&email)[0].headers;
        assert!(headers.is_ascii() && headers.contains("From: "), "{headers}");
    }
}

#[tokio::test]
async fn a_client_without_ehlo_is_greeted_by_helo() {
    for line in ["500 what", "502 5.5.1 not implemented", "502"] {
        let server = MailServer::start();
        server.answer("EHLO", reply(line));
        let world = World::start(Deployment::Single, &[("MAIL_URL", &server.url(""))]).await;
        world.run(&["mail", "test", "--to", "ops@x.test"]);
        assert!(server.commands().contains(&"HELO localhost".to_owned()), "{:?}", server.commands());
    }
}

/// Runs `portico mail test` with this `MAIL_URL`, and returns whether it succeeded, and its output.
fn mail_test(url: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("portico.db").display());
    let mut command = std::process::Command::new(binary());
    command.args(["mail", "test", "--to", "ops@x.test"]).env_clear().envs([
        ("PORTICO_ENV", "development"),
        ("PORTICO_DATA_DIR", &*folder.path().display().to_string()),
        ("DATABASE_URL", &database),
        ("MAIL_URL", url),
    ]);
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// The SHA-256 of the certificate that a server presents, as openssl prints it.
fn fingerprint(address: &str) -> String {
    let script = format!(
        "openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().rsplit('=').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_certificate_can_be_pinned_with_any_issuer_and_name() {
    let sink = Sink::start().await;
    let smtps = sink.implicit_tls_url();
    let (url, _) = smtps.split_once("?ca=").unwrap();
    let pin = fingerprint(url.rsplit('@').next().unwrap());
    let by_address = url.replacen("localhost", "127.0.0.1", 1);
    let (starttls, _) = sink.url().split_once("&ca=").map(|(url, ca)| (url.to_owned(), ca.to_owned())).unwrap();
    for good in [
        format!("{url}?pin=sha256:{pin}"),
        format!("{by_address}?pin=sha256:{}", pin.replace(':', "").to_lowercase()),
        format!("{starttls}&pin=sha256:{pin}"),
    ] {
        let (is_sent, output) = mail_test(&good);
        assert!(is_sent, "{output}");
    }
    for wrong in [
        format!("{url}?pin=sha256:{}", "ab".repeat(32)),
        url.to_owned(),
        format!("{starttls}&pin=sha256:{}", "0".repeat(64)),
    ] {
        let (is_sent, output) = mail_test(&wrong);
        assert!(!is_sent && output.contains("certificate"), "{output}");
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_used_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let truncated = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    for ca in [
        String::new(),
        file("empty.pem", ""),
        file("text.pem", "this is no certificate"),
        file("truncated.pem", truncated),
        file("other.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        folder.path().join("missing.pem").display().to_string(),
    ] {
        let (is_sent, output) = mail_test(&format!("smtps://localhost:1?ca={ca}"));
        assert!(!is_sent && output.contains("MAIL_URL") && output.contains("e.g. "), "{ca}: {output}");
        assert!(!output.contains("Connection refused"), "{ca}: {output}");
    }
}

#[tokio::test]
async fn a_scheme_that_does_not_fit_the_port_is_named_within_seconds() {
    let sink = Sink::start().await;
    let (starttls, smtps) = (sink.url(), sink.implicit_tls_url());
    let port = |url: &str| url.rsplit(':').next().unwrap().split('?').next().unwrap().to_owned();
    let plain = MailServer::start().url("").replacen("smtp:", "smtps:", 1).replacen("?tls=none", "", 1);
    for (url, advice) in [
        (starttls.replacen(&port(&starttls), &port(&smtps), 1), "use smtps://"),
        (smtps.replacen(&port(&smtps), &port(&starttls), 1), "use smtp://"),
        (plain, "use smtp://"),
    ] {
        let started = std::time::Instant::now();
        let (is_sent, output) = mail_test(&url);
        assert!(!is_sent && output.contains(advice), "{output}");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_mail_that_the_server_accepts_after_its_invitation_was_cancelled_was_sent() {
    let office = Office::open(Deployment::Cluster, "").await;
    office.server.answer("dot", Answer::Late(Duration::from_secs(3)));
    let email = office.invite().await;
    office.server.wait_for(&email, 1).await;
    office.tenant.owner.delete(&office.invitation_path(&email).await).await.expect(204);
    office.wait_for_state(&email, "sent - 1").await;
    let token = office.server.received(&email)[0].token();
    office.world.browser().activate(&token, &password()).await.assert_problem("410 token_revoked");
}

#[tokio::test]
async fn a_mail_that_was_being_sent_when_its_invitation_was_cancelled_or_resent_does_not_arrive() {
    let office = Office::open(Deployment::Cluster, "").await;
    office.server.answer("RCPT", Answer::Late(Duration::from_secs(3)));
    let [cancelled, resent] = [office.invite().await, office.invite().await];
    eventually("both mails are being sent", || async {
        let commands = office.server.commands();
        [&cancelled, &resent].iter().all(|to| commands.iter().any(|line| line.contains(*to))).then_some(())
    })
    .await;
    office.tenant.owner.delete(&office.invitation_path(&cancelled).await).await.expect(204);
    let resend = format!("{}/resend", office.invitation_path(&resent).await);
    office.tenant.owner.post_empty(&resend).await.expect(200);
    let arrived = office.server.wait_for(&resent, 1).await.remove(0);
    office.world.browser().activate(&arrived.token(), &password()).await.expect(200);
    office.wait_for_state(&resent, "suppressed - 0").await;
    office.wait_for_state(&cancelled, "suppressed - 0").await;
    let unfinished = "SELECT count(*) FROM background_jobs WHERE name = 'send_email' AND finished_at IS NULL";
    office.world.wait_for_sql("every mail job is done", unfinished, "0").await;
    assert_eq!((office.server.received(&resent).len(), office.server.received(&cancelled).len()), (1, 0));
}
