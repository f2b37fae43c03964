//! What staff users do with invitations after they have sent them: list, cancel, resend and correct.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, MailServer, Response, Tenant, World, eventually, password, paths, reply, stories, unique,
    unique_email,
};

const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];
/// The id of no invitation.
const UNKNOWN: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// An invitation as its id and the path of its client.
struct Sent {
    client: String,
    id: String,
    email: String,
}

impl Sent {
    /// Invites a new address to a client.
    async fn new(tenant: &Tenant, client: &str) -> Self {
        let email = unique_email("ann");
        let invited = tenant.invite(client, &email).await;
        Self { client: client.into(), id: invited["invitation"]["id"].as_str().unwrap().into(), email }
    }

    fn path(&self) -> String {
        paths::invitation(&self.client, &self.id)
    }

    async fn cancel(&self, browser: &Browser) -> Response {
        browser.send(Method::DELETE, &self.path(), None, &[]).await
    }

    async fn resend(&self, browser: &Browser) -> Response {
        browser.post_empty(&format!("{}/resend", self.path())).await
    }

    async fn correct(&self, browser: &Browser, email: &str) -> Response {
        browser.patch(&self.path(), json!({ "email": email })).await
    }
}

/// The items of a list.
async fn list(browser: &Browser, path: &str) -> Vec<Value> {
    browser.get(path).await.expect(200)["data"].as_array().unwrap().clone()
}

/// The addresses of the items of a list, in their order.
async fn emails(browser: &Browser, path: &str) -> Vec<String> {
    list(browser, path).await.iter().map(|item| item["email"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the latest mail of the only invitation to a client has this status, and returns its delivery.
async fn delivery(tenant: &Tenant, client: &str, status: &str) -> Value {
    eventually("the delivery has the status", || async {
        let items = list(&tenant.owner, &paths::invitations(client)).await;
        let delivery = items[0]["delivery"].clone();
        (delivery["status"] == status).then_some(delivery)
    })
    .await
}

stories! {
    async fn invitations_are_listed_newest_first_with_the_delivery_of_their_mail(world) {
        let tenant = world.tenant().await;
        let (acme, other) = (tenant.client("Acme Ltd").await, tenant.client("Other Ltd").await);
        let (first, second) = (Sent::new(&tenant, &acme).await, Sent::new(&tenant, &acme).await);
        let third = Sent::new(&tenant, &other).await;
        for sent in [&first, &second, &third] {
            world.mail(&sent.email, 1).await;
        }
        assert_eq!(emails(&tenant.owner, &paths::invitations(&acme)).await, [&*second.email, &first.email]);
        let all = emails(&tenant.owner, paths::INVITATIONS).await;
        assert_eq!(all, [&*third.email, &second.email, &first.email]);
        let page = tenant.owner.get(&format!("{}?limit=2", paths::INVITATIONS)).await.expect(200);
        let next = format!("{}?limit=2&cursor={}", paths::INVITATIONS, page["next_cursor"].as_str().unwrap());
        assert_eq!(emails(&tenant.owner, &next).await, [&*first.email]);

        let delivery = delivery(&tenant, &other, "sent").await;
        assert_eq!(delivery["detail"], "The mail server accepted the mail.");
        assert!(delivery["last_attempt_at"].is_string());
        let item = list(&tenant.owner, paths::INVITATIONS).await.remove(0);
        assert_eq!(item["client"], json!({ "id": other, "name": "Other Ltd" }));
        let staff = tenant.owner.get(paths::STAFF_SESSION).await.expect(200);
        assert_eq!((&item["created_by"], &item["sent_count"]), (&staff["user"]["id"], &json!(1)));
    }

    async fn invitations_are_found_by_text_status_and_delivery(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let pending = Sent::new(&tenant, &client).await;
        let (expired, cancelled) = (Sent::new(&tenant, &client).await, Sent::new(&tenant, &client).await);
        let accepted = tenant.person_at(world, &client).await.email;
        let invited = json!({ "email": unique_email("zoe"), "name": "Zoë Größe" });
        let named = tenant.owner.post(&paths::portal_user(&client), invited).await.expect(201);
        for sent in [&pending, &expired] {
            world.mail(&sent.email, 1).await;
        }
        cancelled.cancel(&tenant.owner).await.expect(204);
        // The job that marks expired invitations has not run.
        world.sql(&format!("UPDATE invitations SET expires_at = created_at WHERE email = '{}'", expired.email));
        let found = async |query: &str| -> BTreeSet<String> {
            let of_client = emails(&tenant.owner, &format!("{}?{query}", paths::invitations(&client))).await;
            let of_tenant = emails(&tenant.owner, &format!("{}?{query}", paths::INVITATIONS)).await;
            assert_eq!(of_client, of_tenant, "{query}");
            of_client.into_iter().collect()
        };
        let named = named["portal_user"]["email"].as_str().unwrap().to_owned();
        assert_eq!(found("status=pending").await, BTreeSet::from([pending.email.clone(), named.clone()]));
        assert_eq!(found("status=expired").await, BTreeSet::from([expired.email.clone()]));
        assert_eq!(found("status=cancelled").await, BTreeSet::from([cancelled.email.clone()]));
        assert_eq!(found("status=accepted").await, BTreeSet::from([accepted.clone()]));
        for query in ["q=ZO%C3%8B", "q=gr%C3%B6s", &format!("q={named}")] {
            assert_eq!(found(query).await, BTreeSet::from([named.clone()]), "{query}");
        }
        for query in ["q=%25%25", "q=__", "q=x.test", "status=expired&delivery=failed"] {
            assert_eq!(found(query).await, BTreeSet::new(), "{query}");
        }
        eventually("the mails are sent", || async { found("delivery=sent").await.contains(&pending.email).then_some(()) })
            .await;
        let wrong = tenant.owner.get(&format!("{}?status=open", paths::INVITATIONS)).await;
        wrong.assert_problem("422 validation_failed: /status invalid");
    }

    async fn a_cancelled_invitation_lets_no_one_in_and_the_person_can_be_invited_again(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let sent = Sent::new(&tenant, &client).await;
        let token = world.mail(&sent.email, 1).await.token();
        sent.cancel(&tenant.owner).await.expect(204);
        sent.cancel(&tenant.owner).await.expect(204);
        world.browser().check_token(&token).await.assert_problem("410 token_revoked");
        world.browser().activate(&token, &password()).await.assert_problem("410 token_revoked");
        world.browser().request_new_link(&token).await.assert_problem("410 token_revoked");
        sent.resend(&tenant.owner).await.assert_problem("409 conflict");
        let resend = tenant.owner.post(&paths::resend_invitation(&client), json!({ "email": sent.email })).await;
        resend.assert_problem("404 not_found");
        let members = format!("SELECT count(*) FROM memberships WHERE client_id = {}", world.sql_id(&client));
        assert_eq!(world.count(&members), 0);
        tenant.invite(&client, &sent.email).await;
        world.browser().activate(&world.mail(&sent.email, 2).await.token(), &password()).await.expect(200);
        world.browser().activate(&token, &password()).await.assert_problem("410 token_revoked");
    }

    async fn an_accepted_invitation_can_be_neither_cancelled_nor_sent_again_nor_corrected(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let sent = Sent::new(&tenant, &client).await;
        let browser = world.browser();
        browser.activate(&world.mail(&sent.email, 1).await.token(), &password()).await.expect(200);
        sent.cancel(&tenant.owner).await.assert_problem("409 already_activated");
        sent.resend(&tenant.owner).await.assert_problem("409 already_activated");
        let corrected = sent.correct(&tenant.owner, &unique_email("bob")).await;
        corrected.assert_problem("409 already_activated");
        browser.session().await.expect(200);
    }

    async fn an_invitation_is_either_accepted_or_cancelled(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for _ in 0..5 {
            let sent = Sent::new(&tenant, &client).await;
            let (token, browser) = (world.mail(&sent.email, 1).await.token(), world.browser());
            let password = password();
            let (activated, cancelled) =
                tokio::join!(browser.activate(&token, &password), sent.cancel(&tenant.owner));
            let of_person = format!("portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')", sent.email);
            let members = world.count(&format!("SELECT count(*) FROM memberships WHERE {of_person}"));
            match (activated.status, cancelled.status) {
                (200, 409) => assert_eq!(members, 1),
                (410, 204) => assert_eq!(members, 0),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn a_resend_by_id_revokes_the_older_link(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let sent = Sent::new(&tenant, &client).await;
        let older = world.mail(&sent.email, 1).await.token();
        let resent = sent.resend(&tenant.owner).await.expect(200);
        assert_eq!((&resent["invitation"]["sent_count"], &resent["portal_user"]["email"]), (&json!(2), &json!(sent.email)));
        let newer = world.mail(&sent.email, 2).await.token();
        world.browser().activate(&older, &password()).await.assert_problem("410 token_revoked");
        world.browser().activate(&newer, &password()).await.expect(200);
    }

    async fn a_corrected_invitation_goes_to_the_right_address_with_the_same_role(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (wrong, right) = (unique_email("wrong"), unique_email("right"));
        let body = json!({ "email": wrong, "name": "Ann Baker", "role": "admin", "locale": "de" });
        let invited = tenant.owner.post(&paths::portal_user(&client), body).await.expect(201);
        let id = invited["invitation"]["id"].as_str().unwrap().to_owned();
        let sent = Sent { client: client.clone(), id, email: wrong.clone() };
        let old = world.mail(&wrong, 1).await.token();
        let corrected = sent.correct(&tenant.owner, &right).await.expect(200);
        let invitation = &corrected["invitation"];
        assert_ne!(invitation["id"], json!(sent.id));
        assert_eq!((&invitation["name"], &invitation["role"]), (&json!("Ann Baker"), &json!("admin")));
        assert_eq!(world.sql(&format!("SELECT locale FROM portal_users WHERE email = '{right}'")), "de");
        world.browser().activate(&old, &password()).await.assert_problem("410 token_revoked");
        let session = world.browser().activate(&world.mail(&right, 1).await.token(), &password()).await.expect(200);
        assert_eq!((&session["client"]["role"], &session["user"]["email"]), (&json!("admin"), &json!(right)));
        let cancelled = emails(&tenant.owner, &format!("{}?status=cancelled", paths::invitations(&client))).await;
        assert_eq!(cancelled, [&*wrong]);
        sent.correct(&tenant.owner, &unique_email("late")).await.assert_problem("409 conflict");
    }

    async fn a_correction_to_the_address_of_a_portal_user_of_the_client_changes_nothing(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let sent = Sent::new(&tenant, &person.client).await;
        let token = world.mail(&sent.email, 1).await.token();
        sent.correct(&tenant.owner, &person.email).await.assert_problem("409 portal_user_exists");
        world.browser().activate(&token, &password()).await.expect(200);
    }

    async fn a_correction_of_the_name_keeps_the_address_and_sends_a_new_link(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let sent = Sent::new(&tenant, &client).await;
        world.mail(&sent.email, 1).await;
        let body = json!({ "email": sent.email, "name": "Right Name" });
        let corrected = tenant.owner.patch(&sent.path(), body).await.expect(200);
        assert_eq!(corrected["portal_user"]["name"], "Right Name");
        let mail = world.mail(&sent.email, 2).await;
        assert!(mail.text.contains("Hello Right Name"), "{}", mail.text);
        world.browser().activate(&mail.token(), &password()).await.expect(200);
        let body = json!({ "email": "", "name": "", "role": "admin" });
        tenant.owner.patch(&sent.path(), body).await.assert_problem(
            "422 validation_failed: /email email_invalid, /name name_empty, /role unknown_field",
        );
    }

    async fn inv_03_viewers_read_and_other_tenants_do_not_find_an_invitation(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let client = tenant.client("Acme Ltd").await;
        let sent = Sent::new(&tenant, &client).await;
        let (viewer, viewer_email) = (world.browser(), format!("viewer@{}.test", tenant.slug));
        world.add_staff(&tenant.slug, &viewer_email, "viewer");
        world.sign_in_staff(&viewer, &viewer_email, 1).await;
        assert_eq!(emails(&viewer, &paths::invitations(&client)).await, [&*sent.email]);
        for response in [sent.cancel(&viewer).await, sent.resend(&viewer).await, sent.correct(&viewer, "a@x.test").await]
        {
            response.assert_problem("403 forbidden");
        }
        let own = other.client("Their Ltd").await;
        let at_own_client = Sent { client: own, id: sent.id.clone(), email: sent.email.clone() };
        let unknown = Sent { client: client.clone(), id: UNKNOWN.into(), email: sent.email.clone() };
        for (sent, browser) in [(&sent, &other.owner), (&at_own_client, &other.owner), (&unknown, &tenant.owner)] {
            let responses =
                [sent.cancel(browser).await, sent.resend(browser).await, sent.correct(browser, "a@x.test").await];
            for response in responses {
                response.assert_problem("404 not_found");
            }
        }
        other.owner.get(&paths::invitations(&client)).await.assert_problem("404 not_found");
        assert_eq!(emails(&other.owner, paths::INVITATIONS).await, [] as [&str; 0]);
        world.browser().activate(&world.mail(&sent.email, 1).await.token(), &password()).await.expect(200);
    }

    async fn enum_08_an_invitation_looks_the_same_after_the_person_has_activated_elsewhere(world) {
        let (tenant, elsewhere) = (world.tenant().await, world.tenant().await);
        let client = tenant.client("Acme Ltd").await;
        let (known, new) = (unique_email("known"), unique_email("new"));
        let home = elsewhere.client("Elsewhere Ltd").await;
        let first = elsewhere.invite_for_token(world, &home, &known).await;
        for (email, mails) in [(&known, 2), (&new, 1)] {
            tenant.invite(&client, email).await;
            world.mail(email, mails).await;
        }
        world.browser().activate(&first, &password()).await.expect(200);
        // The accept link.
        world.mail(&known, 3).await;
        let shown = eventually("both mails are recorded", || async {
            let mut items = list(&tenant.owner, &paths::invitations(&client)).await;
            for item in &mut items {
                for field in ["id", "email", "created_at", "last_sent_at", "expires_at"] {
                    item[field].take();
                }
                item["delivery"]["last_attempt_at"].take();
            }
            items.iter().all(|item| item["delivery"]["status"] == "sent").then_some(items)
        })
        .await;
        assert_eq!(shown[0], shown[1]);
    }
}

/// Starts a world with a mail server that refuses the recipients of a domain, and invites one of them.
async fn refused_delivery(deployment: Deployment) -> (Value, World) {
    let server = MailServer::start();
    server.answer_to("refused.test", "RCPT", reply("550 5.1.1 no such user here"));
    let world = World::start(deployment, &[("MAIL_URL", &server.url(""))]).await;
    let owner = format!("owner@{}.test", unique("tenant"));
    let slug = unique("acme");
    world.run(&["tenant", "add", "--slug", &slug, "--name", "Acme"]);
    world.add_staff(&slug, &owner, "owner");
    let browser = world.browser();
    let flow = browser.send_code(&owner).await.expect(200)["flow"].clone();
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    // The mail that tells the owner where to sign in may arrive before or after the code.
    let code = eventually("the code of the owner", || async {
        let mails = server.received(&owner);
        mails.iter().find_map(|mail| mail.text.split_whitespace().find(is_code).map(str::to_owned))
    })
    .await;
    browser.verify_code(&flow, &code).await.expect(200);
    let client = browser.post(paths::CLIENTS, json!({ "name": "Acme Ltd" })).await.expect(201);
    let client = client["id"].as_str().unwrap();
    let body = json!({ "email": format!("{}@refused.test", unique("ann")) });
    browser.post(&paths::portal_user(client), body).await.expect(201);
    let delivery = eventually("the mail has failed", || async {
        let failed = list(&browser, &format!("{}?delivery=failed", paths::INVITATIONS)).await;
        failed.first().map(|item| item["delivery"].clone())
    })
    .await;
    (delivery, world)
}

#[tokio::test]
async fn a_refused_recipient_is_shown_with_the_words_of_the_mail_server() {
    for deployment in BOTH {
        let (delivery, _world) = refused_delivery(deployment).await;
        let detail = delivery["detail"].as_str().unwrap();
        assert!(detail.starts_with("The mail server of the recipient refused the address: "), "{detail}");
        assert!(detail.contains("no such user here"), "{detail}");
    }
}
