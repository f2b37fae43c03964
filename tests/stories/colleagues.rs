//! Colleagues: what an administrator of a client does with the other portal users of that client.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, Person, Response, Tenant, World, eventually, password,
    paths::{self, COLLEAGUE_INVITATIONS, COLLEAGUES},
    psql, stories, unique_email,
};

/// A UUID that is no id of a row.
const UNKNOWN: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// A client with an administrator.
struct Office {
    tenant: Tenant,
    client: String,
    admin: Person,
}

impl Office {
    async fn open(world: &World) -> Self {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let admin = tenant.admin_at(world, &client).await;
        Self { tenant, client, admin }
    }

    /// Another administrator of the client.
    async fn second_admin(&self, world: &World) -> Person {
        self.tenant.admin_at(world, &self.client).await
    }

    /// The id of the membership with this address.
    async fn id(&self, email: &str) -> String {
        self.tenant.member(&self.client, email).await["id"].as_str().unwrap().to_owned()
    }

    /// The path of the colleague with this address.
    async fn path(&self, email: &str) -> String {
        paths::colleague(&self.id(email).await)
    }

    /// The addresses of the active administrators, as staff sees them.
    async fn admins(&self) -> Vec<String> {
        let path = format!("{}?status=active", paths::client_portal_users(&self.client));
        let page = self.tenant.owner.get(&path).await.expect(200);
        let admins = page["data"].as_array().unwrap().iter().filter(|user| user["role"] == "admin");
        admins.map(|user| user["email"].as_str().unwrap().to_owned()).collect()
    }
}

/// Invites an address as a colleague and returns the body of the response.
async fn invite(admin: &Person, email: &str) -> Value {
    admin.browser.post(COLLEAGUES, json!({ "email": email, "name": "Kim Colleague" })).await.expect(201)
}

/// The invitation of `email` as the administrator sees it.
async fn invitation_of(admin: &Browser, email: &str) -> Value {
    let page = admin.get(COLLEAGUE_INVITATIONS).await.expect(200);
    let found = page["data"].as_array().unwrap().iter().find(|invitation| invitation["email"] == email);
    found.unwrap_or_else(|| panic!("no invitation of {email} in {page}")).clone()
}

/// The addresses of a page of colleagues.
async fn emails(admin: &Browser, query: &str) -> Vec<String> {
    let page = admin.get(&format!("{COLLEAGUES}{query}")).await.expect(200);
    page["data"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the mail of the invitation of `email` is delivered, and returns the invitation.
async fn delivered_invitation(admin: &Browser, email: &str) -> Value {
    eventually("the mail is delivered", || async {
        Some(invitation_of(admin, email).await).filter(|invitation| invitation["delivery"]["status"] == "sent")
    })
    .await
}

/// The text of `value` without the address, and without ids and times.
fn comparable(mut value: Value, email: &str) -> String {
    fn clear(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if (name == "id" || name.ends_with("_at")) && field.is_string() {
                        *field = json!("…");
                    }
                    clear(field);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(clear),
            _ => {}
        }
    }
    clear(&mut value);
    value.to_string().replace(email, "…")
}

/// Two requests, each sent to an API of its own in the same moment.
async fn at_once(world: &World, first: (&Browser, &Act), second: (&Browser, &Act)) -> [Response; 2] {
    let (one, other) = (&world.apis[0], world.apis.last().unwrap());
    let first_browser = first.0.moved_to(std::slice::from_ref(one));
    let second_browser = second.0.moved_to(std::slice::from_ref(other));
    let (first, second) = tokio::join!(first.1.send(&first_browser), second.1.send(&second_browser));
    [first, second]
}

/// What takes the role of an administrator away.
struct Act {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Act {
    /// Each way to take the role of the colleague at `path` away.
    fn each(path: &str) -> [Self; 3] {
        let path = path.to_owned();
        [
            Self { method: Method::PATCH, path: path.clone(), body: Some(json!({ "role": "member" })) },
            Self { method: Method::PATCH, path: path.clone(), body: Some(json!({ "status": "disabled" })) },
            Self { method: Method::DELETE, path, body: None },
        ]
    }

    async fn send(&self, browser: &Browser) -> Response {
        let body = self.body.as_ref().map(Value::to_string);
        browser.send(self.method.clone(), &self.path, body, &[]).await
    }
}

stories! {
    async fn an_admin_lists_finds_and_changes_the_colleagues_of_the_own_client(world) {
        let office = Office::open(world).await;
        let kim = office.tenant.person_at(world, &office.client).await;
        let elsewhere = office.tenant.person(world).await;
        let browser = &office.admin.browser;
        assert_eq!(emails(browser, "").await, [office.admin.email.clone(), kim.email.clone()]);
        assert_eq!(emails(browser, "?q=mill&status=active").await, [&*kim.email]);
        assert_eq!(emails(browser, &format!("?q={}", elsewhere.email)).await, [] as [&str; 0]);
        assert_eq!(emails(browser, "?status=invited").await, [] as [&str; 0]);

        let path = office.path(&kim.email).await;
        let changed = browser.patch(&path, json!({ "role": "admin" })).await.expect(200);
        assert_eq!((&changed["role"], &changed["email"]), (&json!("admin"), &json!(kim.email)));
        assert_eq!(changed, office.tenant.member(&office.client, &kim.email).await);
        assert_eq!(emails(&kim.browser, "").await.len(), 2);
        kim.browser.patch(&office.path(&office.admin.email).await, json!({ "role": "member" })).await.expect(200);
        browser.get(COLLEAGUES).await.assert_problem("403 forbidden");
    }

    async fn a_colleague_who_is_disabled_or_removed_is_signed_out_of_this_client_only(world) {
        let office = Office::open(world).await;
        for remove in [false, true] {
            let kim = office.tenant.person_at(world, &office.client).await;
            let second = office.tenant.client("Second Ltd").await;
            office.tenant.invite(&second, &kim.email).await;
            let at_second = world.browser();
            let mut body = kim.credentials();
            body["client_id"] = json!(second);
            at_second.post(paths::SIGN_IN, body).await.expect(200);
            let path = office.path(&kim.email).await;
            if remove {
                office.admin.browser.delete(&path).await.expect(204);
                office.admin.browser.delete(&path).await.assert_problem("404 not_found");
            } else {
                office.admin.browser.patch(&path, json!({ "status": "disabled" })).await.expect(200);
            }
            kim.browser.session().await.assert_problem("401 session_revoked");
            kim.browser.refresh().await.assert_problem("401 session_revoked");
            assert_eq!(at_second.session_clients().await.len(), 1);
        }
    }

    async fn an_invitation_by_a_colleague_is_resent_cancelled_and_accepted(world) {
        let office = Office::open(world).await;
        let (browser, email) = (&office.admin.browser, unique_email("kim"));
        let sent = invite(&office.admin, &email).await;
        assert_eq!((&sent["invite_mode"], &sent["portal_user"]["status"]), (&json!("setup"), &json!("invited")));
        browser.post(COLLEAGUES, json!({ "email": email })).await.assert_problem("409 portal_user_exists");
        let id = sent["invitation"]["id"].as_str().unwrap();
        let (resend, path) = (paths::resend_colleague_invitation(id), paths::colleague_invitation(id));
        let older = world.mail(&email, 1).await.token();
        let resent = browser.post_empty(&resend).await.expect(200);
        assert_eq!(resent["invitation"]["sent_count"], 2);
        world.browser().check_token(&older).await.assert_problem("410 token_revoked");
        let newer = world.mail(&email, 2).await.token();
        browser.delete(&path).await.expect(204);
        browser.delete(&path).await.expect(204);
        world.browser().check_token(&newer).await.assert_problem("410 token_revoked");
        browser.post_empty(&resend).await.assert_problem("409 conflict");
        assert_eq!(emails(browser, "").await, [&*office.admin.email]);

        let again = invite(&office.admin, &email).await;
        let token = world.mail(&email, 3).await.token();
        world.browser().activate(&token, &password()).await.expect(200);
        let id = again["invitation"]["id"].as_str().unwrap();
        let accepted = browser.delete(&paths::colleague_invitation(id)).await;
        accepted.assert_problem("409 already_activated");
        browser.post_empty(&paths::resend_colleague_invitation(id)).await.assert_problem("409 already_activated");
        let listed = async |status: &str| {
            let page = browser.get(&format!("{COLLEAGUE_INVITATIONS}?status={status}")).await.expect(200);
            page["data"].as_array().unwrap().len()
        };
        assert_eq!((listed("cancelled").await, listed("accepted").await, listed("pending").await), (1, 2, 0));
    }

    async fn an_invited_colleague_cannot_be_changed_and_can_be_removed(world) {
        let office = Office::open(world).await;
        let (browser, email) = (&office.admin.browser, unique_email("kim"));
        invite(&office.admin, &email).await;
        let token = world.mail(&email, 1).await.token();
        let path = office.path(&email).await;
        browser.patch(&path, json!({ "role": "admin" })).await.assert_problem("409 conflict");
        browser.patch(&path, json!({ "status": "disabled" })).await.assert_problem("409 conflict");
        browser.delete(&path).await.expect(204);
        world.browser().activate(&token, &password()).await.assert_problem("410 token_revoked");
        assert_eq!(invitation_of(browser, &email).await["status"], "cancelled");
    }

    async fn an_admin_cannot_change_or_remove_the_own_membership(world) {
        let office = Office::open(world).await;
        office.second_admin(world).await;
        let path = office.path(&office.admin.email).await;
        for act in Act::each(&path) {
            act.send(&office.admin.browser).await.assert_problem("409 conflict");
        }
        let admins = BTreeSet::from_iter(office.admins().await);
        assert!(admins.len() == 2 && admins.contains(&office.admin.email), "{admins:?}");
    }

    async fn staff_may_disable_or_remove_the_last_admin(world) {
        let office = Office::open(world).await;
        let path = office.tenant.member_path(&office.client, &office.admin.email).await;
        for act in Act::each(&path) {
            assert!([200, 204].contains(&act.send(&office.tenant.owner).await.status));
            assert_eq!(office.admins().await, [] as [&str; 0]);
        }
    }

    async fn an_admin_of_an_archived_client_or_a_suspended_tenant_is_signed_out(world) {
        let office = Office::open(world).await;
        let path = paths::client(&office.client);
        office.tenant.owner.patch(&path, json!({ "status": "archived" })).await.expect(200);
        office.admin.browser.get(COLLEAGUES).await.assert_problem("401 session_revoked");
        office.tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        office.admin.sign_in(&office.admin.browser).await;
        office.admin.browser.get(COLLEAGUES).await.expect(200);
        world.run(&["tenant", "suspend", "--slug", &office.tenant.slug]);
        let body = json!({ "email": unique_email("kim") });
        office.admin.browser.post(COLLEAGUES, body).await.assert_problem("401 session_revoked");
    }

    async fn az_05_only_an_admin_of_the_current_client_manages_colleagues(world) {
        let office = Office::open(world).await;
        let (admin, other) = (&office.admin, world.tenant().await);
        let second = office.tenant.client("Second Ltd").await;
        office.tenant.invite(&second, &admin.email).await;
        let third = other.client("Third Ltd").await;
        let token = other.invite_again_for_token(world, &third, &admin.email, 3).await;
        admin.browser.accept_invitation(&token).await.expect(204);
        let kim = office.tenant.person_at(world, &second).await;
        let id = office.tenant.member(&second, &kim.email).await["id"].as_str().unwrap().to_owned();
        for client in [second, third] {
            admin.browser.post(paths::SWITCH_CLIENT, json!({ "client_id": client })).await.expect(200);
            let refusals = [
                admin.browser.get(COLLEAGUES).await,
                admin.browser.get(COLLEAGUE_INVITATIONS).await,
                admin.browser.post(COLLEAGUES, json!({ "email": unique_email("x"), "role": "admin" })).await,
                // The permission is checked before the body and the object.
                admin.browser.post(COLLEAGUES, json!({})).await,
                admin.browser.patch(&paths::colleague(&id), json!({ "role": "admin" })).await,
                admin.browser.patch(&office.path(&admin.email).await, json!({ "role": "admin" })).await,
                admin.browser.delete(&paths::colleague(&id)).await,
                admin.browser.delete(&paths::colleague_invitation(UNKNOWN)).await,
                admin.browser.post_empty(&paths::resend_colleague_invitation(UNKNOWN)).await,
            ];
            for refusal in refusals {
                refusal.assert_problem("403 forbidden");
            }
        }
        admin.browser.post(paths::SWITCH_CLIENT, json!({ "client_id": office.client })).await.expect(200);
        admin.browser.get(COLLEAGUES).await.expect(200);
        admin.browser.delete(&paths::colleague(&id)).await.assert_problem("404 not_found");
        office.tenant.owner.get(COLLEAGUES).await.assert_problem("401 unauthenticated");
    }

    async fn az_05_colleagues_and_invitations_of_other_clients_look_like_unknown_ones(world) {
        let (office, other) = (Office::open(world).await, Office::open(world).await);
        let (sibling, invited) = (office.tenant.person(world).await, unique_email("kim"));
        let at_sibling = office.tenant.invite(&sibling.client, &invited).await;
        let foreign = invite(&other.admin, &unique_email("kim")).await;
        let id = |body: &Value, part: &str| body[part]["id"].as_str().unwrap().to_owned();
        let problems = async |colleague: &str, invitation: &str| {
            let browser = &office.admin.browser;
            let responses = [
                browser.patch(&paths::colleague(colleague), json!({ "role": "admin" })).await,
                browser.delete(&paths::colleague(colleague)).await,
                browser.delete(&paths::colleague_invitation(invitation)).await,
                browser.post_empty(&paths::resend_colleague_invitation(invitation)).await,
            ];
            responses.map(|response| {
                let mut problem = response.assert_problem("404 not_found");
                problem["request_id"].take();
                problem
            })
        };
        let unknown = problems(UNKNOWN, UNKNOWN).await;
        assert_eq!(problems("not-an-id", "not-an-id").await, unknown);
        for body in [&at_sibling, &foreign] {
            assert_eq!(problems(&id(body, "portal_user"), &id(body, "invitation")).await, unknown);
        }
        assert_eq!(emails(&office.admin.browser, "").await, [&*office.admin.email]);
        // They are as they were.
        assert_eq!(office.tenant.member(&sibling.client, &invited).await["role"], "member");
        world.mail(&invited, 1).await;
        world.browser().check_token(&world.mail(&invited, 1).await.token()).await.expect(200);
    }

    async fn inv_03_an_admin_gives_no_unknown_role_and_no_other_field(world) {
        let office = Office::open(world).await;
        let kim = office.tenant.person_at(world, &office.client).await;
        let (browser, path) = (&office.admin.browser, office.path(&kim.email).await);
        for role in ["owner", "support", "ADMIN", "", "admin,owner"] {
            let body = json!({ "email": unique_email("x"), "role": role });
            browser.post(COLLEAGUES, body).await.assert_problem("422 validation_failed: /role invalid");
            let changed = browser.patch(&path, json!({ "role": role })).await;
            changed.assert_problem("422 validation_failed: /role invalid");
        }
        for extra in ["client_id", "tenant_id", "is_staff", "permissions", "password", "email_verified", "id"] {
            let problem = format!("422 validation_failed: /{extra} unknown_field");
            let body = json!({ "email": unique_email("x"), extra: office.client });
            browser.post(COLLEAGUES, body).await.assert_problem(&problem);
            browser.patch(&path, json!({ extra: office.client })).await.assert_problem(&problem);
        }
        browser.patch(&path, json!({ "status": "invited" })).await.assert_problem("422 validation_failed: /status invalid");
        assert_eq!(emails(browser, "").await.len(), 2);
    }

    async fn inv_03_a_person_invited_by_a_colleague_looks_the_same_known_or_not(world) {
        let (office, other) = (Office::open(world).await, world.tenant().await);
        let (sibling, foreign) = (office.tenant.person(world).await, other.person(world).await);
        let (unknown, pending) = (unique_email("kim"), unique_email("kim"));
        office.tenant.invite(&sibling.client, &pending).await;
        let invited = [(&unknown, 1), (&pending, 2), (&sibling.email, 2), (&foreign.email, 2)];
        let (mut answers, mut listed, mut members) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (email, nth) in invited {
            answers.insert(comparable(invite(&office.admin, email).await, email));
            let mail = world.mail(email, nth).await;
            let page = if nth == 2 && *email != pending { "/portal/accept-invitation#" } else { "/portal/activate#" };
            assert!(mail.links[0].contains(page), "{mail:?}");
            let delivered = delivered_invitation(&office.admin.browser, email).await;
            listed.insert(comparable(delivered, email));
            members.insert(comparable(office.tenant.member(&office.client, email).await, email));
        }
        assert_eq!((answers.len(), listed.len(), members.len()), (1, 1, 1), "{answers:#?} {listed:#?} {members:#?}");
        // Those of the other clients included.
        let recipients = invited.map(|(email, _)| format!("'{email}'")).join(", ");
        let mails = "SELECT count(*) FROM emails WHERE kind = 'invitation' AND status = 'sent' AND tenant_id IS NOT NULL";
        assert_eq!(world.count(&format!("{mails} AND recipient IN ({recipients})")), 1 + 3 * 2);
        // No one has joined without the link.
        for person in [&sibling, &foreign] {
            assert_eq!(person.browser.session_clients().await.len(), 1);
            let token = world.mail(&person.email, 2).await.token();
            person.browser.accept_invitation(&token).await.expect(204);
            assert_eq!(person.browser.session_clients().await.len(), 2);
        }
    }

    async fn inv_03_the_link_of_another_client_accepts_no_invitation_by_a_colleague(world) {
        let office = Office::open(world).await;
        let (second, email) = (office.tenant.client("Second Ltd").await, unique_email("kim"));
        invite(&office.admin, &email).await;
        let before = delivered_invitation(&office.admin.browser, &email).await;
        let token = office.tenant.invite_again_for_token(world, &second, &email, 2).await;
        let browser = world.browser();
        browser.activate(&token, &password()).await.expect(200);
        assert_eq!(invitation_of(&office.admin.browser, &email).await, before);
        assert_eq!(browser.session_clients().await.len(), 1);
        let accept = world.mail(&email, 3).await.token();
        assert_eq!(invitation_of(&office.admin.browser, &email).await, before);
        browser.accept_invitation(&accept).await.expect(204);
        assert_eq!(browser.session_clients().await.len(), 2);
        assert_eq!(invitation_of(&office.admin.browser, &email).await["status"], "accepted");
    }

    async fn inv_03_the_invitations_of_an_admin_end_with_the_role(world) {
        let office = Office::open(world).await;
        let kept = unique_email("kept");
        invite(&office.admin, &kept).await;
        office.tenant.invite(&office.client, &unique_email("staff")).await;
        for by_staff in [false, true] {
            for act in 0..3 {
                let admin = office.second_admin(world).await;
                let (first, second) = (unique_email("kim"), unique_email("lou"));
                for email in [&first, &second] {
                    let body = json!({ "email": email, "name": "Kim Oak", "role": "admin" });
                    admin.browser.post(COLLEAGUES, body).await.expect(201);
                }
                let tokens = [world.mail(&first, 1).await.token(), world.mail(&second, 1).await.token()];
                world.browser().check_token(&tokens[0]).await.expect(200);
                let id = office.id(&admin.email).await;
                let (browser, path) = if by_staff {
                    (&office.tenant.owner, paths::member(&office.client, &id))
                } else {
                    (&office.admin.browser, paths::colleague(&id))
                };
                let response = Act::each(&path)[act].send(browser).await;
                assert!([200, 204].contains(&response.status), "{response:?}");
                for (email, token) in [&first, &second].into_iter().zip(&tokens) {
                    world.browser().check_token(token).await.assert_problem("410 token_revoked");
                    world.browser().activate(token, &password()).await.assert_problem("410 token_revoked");
                    assert_eq!(invitation_of(&office.admin.browser, email).await["status"], "cancelled");
                    assert_eq!(emails(&office.admin.browser, &format!("?q={email}")).await, [] as [&str; 0]);
                }
            }
        }
        let pending = office.admin.browser.get(&format!("{COLLEAGUE_INVITATIONS}?status=pending")).await.expect(200);
        assert_eq!(pending["data"].as_array().unwrap().len(), 2, "{pending}");
        let token = world.mail(&kept, 1).await.token();
        world.browser().activate(&token, &password()).await.expect(200);
    }

    async fn inv_03_an_acceptance_and_the_end_of_the_role_at_once_agree(world) {
        let (office, other) = (Office::open(world).await, world.tenant().await);
        let admin = office.second_admin(world).await;
        let path = office.path(&admin.email).await;
        for round in 0..4 {
            let kim = other.person(world).await;
            invite(&admin, &kim.email).await;
            let token = world.mail(&kim.email, 2).await.token();
            let demote = office.admin.browser.on_new_network();
            let (accepted, demoted) = tokio::join!(
                kim.browser.accept_invitation(&token),
                demote.patch(&path, json!({ "role": "member" })),
            );
            demoted.expect(200);
            assert!([204, 410].contains(&accepted.status), "{accepted:?}");
            let (clients, status) = if accepted.status == 204 { (2, "accepted") } else { (1, "cancelled") };
            assert_eq!(kim.browser.session_clients().await.len(), clients, "round {round}");
            assert_eq!(invitation_of(&office.admin.browser, &kim.email).await["status"], status);
            office.admin.browser.patch(&path, json!({ "role": "admin" })).await.expect(200);
        }
    }

    async fn inv_03_one_admin_stays_when_two_end_each_others_role_at_once(world) {
        let office = Office::open(world).await;
        let other = office.second_admin(world).await;
        let admins = [&office.admin, &other];
        let members = [office.id(&admins[0].email).await, office.id(&admins[1].email).await];
        let acts = members.clone().map(|id| Act::each(&paths::colleague(&id)));
        for round in 0..9 {
            let act = round / 3;
            let [first, second] =
                at_once(world, (&admins[0].browser, &acts[1][act]), (&admins[1].browser, &acts[0][act])).await;
            let succeeded = [&first, &second].iter().filter(|response| response.status < 300).count();
            assert_eq!(succeeded, 1, "{first:?} {second:?}");
            for response in [first, second].into_iter().filter(|response| response.status >= 400) {
                let problem = response.problem_text();
                let late = ["403 forbidden", "401 session_revoked"];
                assert!(problem == "409 last_admin" || late.contains(&&*problem), "{problem}");
            }
            assert_eq!(office.admins().await.len(), 1);
            if act == 2 {
                // One of the two is removed.
                break;
            }
            for (person, id) in admins.iter().zip(&members) {
                let restore = json!({ "role": "admin", "status": "active" });
                office.tenant.owner.patch(&paths::member(&office.client, id), restore).await.expect(200);
                if person.browser.session().await.status != 200 {
                    person.sign_in(&person.browser).await;
                }
            }
        }
    }

    async fn the_other_admins_are_told_of_a_new_admin(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme.Co").await;
        let admin = tenant.admin_at(world, &client).await;
        let other = tenant.admin_at(world, &client).await;
        let office = Office { tenant, client, admin };
        let told = world.mail(&office.admin.email, 2).await;
        assert!(told.subject.contains("Alex Admin") && told.text.contains("Acme.\u{2060}Co"), "{told:?}");

        // By a colleague: not the colleague and not the new one.
        let kim = office.tenant.person_at(world, &office.client).await;
        let path = office.path(&kim.email).await;
        office.admin.browser.patch(&path, json!({ "role": "admin" })).await.expect(200);
        assert!(world.mail(&other.email, 2).await.subject.contains("Robin Miller"));
        // By staff.
        let lou = office.tenant.person_at(world, &office.client).await;
        let member = office.tenant.member_path(&office.client, &lou.email).await;
        office.tenant.owner.patch(&member, json!({ "role": "admin" })).await.expect(200);
        office.tenant.owner.patch(&member, json!({ "role": "admin" })).await.expect(200);
        world.mail(&office.admin.email, 3).await;
        world.mail(&other.email, 3).await;
        world.mail(&kim.email, 2).await;
        // By an accepted invitation of a colleague: also the colleague.
        let pat = unique_email("pat");
        other.browser.post(COLLEAGUES, json!({ "email": pat, "name": "Pat Oak", "role": "admin" })).await.expect(201);
        let token = world.mail(&pat, 1).await.token();
        assert_eq!(world.mails(&office.admin.email).await.len(), 3, "an invitation is not announced");
        world.browser().activate(&token, &password()).await.expect(200);
        for (email, nth) in [(&office.admin.email, 4), (&other.email, 4), (&kim.email, 3), (&lou.email, 2)] {
            world.mail(email, nth).await;
        }
        // By joining at once.
        let sam = office.tenant.person(world).await;
        let body = json!({ "email": sam.email, "role": "admin" });
        let joined = office.tenant.owner.post(&paths::portal_user(&office.client), body).await.expect(201);
        assert_eq!(joined["invite_mode"], "notification");
        for (email, nth) in [(&office.admin.email, 5), (&other.email, 5), (&kim.email, 4), (&lou.email, 3), (&pat, 2)] {
            world.mail(email, nth).await;
        }
        // The own invitation and the access notice.
        assert_eq!(world.mails(&sam.email).await.len(), 2);
    }
}

/// Locks the client's row until two requests wait for it, or for five seconds. Returns once the row is locked.
async fn lock_until_two_wait(world: &World, client: &str) -> tokio::task::JoinHandle<String> {
    let lock = format!(
        "DO $$ BEGIN PERFORM FROM clients WHERE id = '{client}' FOR UPDATE; \
         FOR n IN 1..250 LOOP EXIT WHEN (SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted) >= 2; \
         PERFORM pg_sleep(0.02); END LOOP; END $$"
    );
    let url = world.setting("DATABASE_URL").to_owned();
    let locking = tokio::task::spawn_blocking(move || psql(&url, &lock));
    eventually("the client's row is locked", || async {
        let locked = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'clients'::regclass AND mode = 'RowShareLock'";
        (world.sql(locked) == "t").then_some(())
    })
    .await;
    locking
}

/// On Postgres only: SQLite has one writer at a time, so both requests cannot be past the authentication. The unit test
/// in `domain/src/tenancy/colleagues/mod.rs` shows the same on SQLite.
#[tokio::test]
async fn inv_03_of_two_admins_who_demote_each_other_the_second_is_refused_as_the_last() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let office = Office::open(&world).await;
    let other = office.second_admin(&world).await;
    let paths = [office.path(&office.admin.email).await, office.path(&other.email).await];
    let acts = paths.map(|path| Act::each(&path).into_iter().next().unwrap());
    let locking = lock_until_two_wait(&world, &office.client).await;
    let responses = at_once(&world, (&office.admin.browser, &acts[1]), (&other.browser, &acts[0])).await;
    locking.await.unwrap();
    let mut problems = responses.map(|response| match response.status {
        200 => "200".to_owned(),
        _ => response.problem_text(),
    });
    problems.sort();
    assert_eq!(problems, ["200", "409 last_admin"]);
    assert_eq!(office.admins().await.len(), 1);
}
