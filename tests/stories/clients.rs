//! The tenant's customers.

use reqwest::Method;
use serde_json::json;

use crate::support::{stories, unique};

const CLIENTS: &str = "/api/v1/clients";
const RANDOM: &str = "/api/v1/clients/01a1fdba-f86f-76f5-b296-4e548b3691ab";

stories! {
    async fn clients_are_made_seen_listed_and_changed(world) {
        let tenant = world.tenant().await;
        let owner = &tenant.owner;
        let number = unique("K");
        let made = owner.post(CLIENTS, json!({ "name": " Acme Ltd ", "external_ref": number })).await.expect(201);
        assert_eq!((&made["name"], &made["status"]), (&json!("Acme Ltd"), &json!("active")));
        let path = format!("{CLIENTS}/{}", made["id"].as_str().unwrap());
        assert_eq!(owner.get(&path).await.expect(200), made);
        owner.post(CLIENTS, json!({ "name": "Other", "external_ref": number })).await.problem(409, "conflict");

        let changed = owner.patch(&path, json!({ "status": "past_due", "external_ref": null })).await.expect(200);
        assert_eq!((&changed["status"], &changed["external_ref"]), (&json!("past_due"), &json!(null)));
        assert_eq!(owner.patch(&path, json!({})).await.expect(200), changed);
        let wrong = json!({ "name": "", "status": "gone", "id": "x", "external_ref": "" });
        assert_eq!(owner.patch(&path, wrong).await.bad_fields(), ["/external_ref", "/id", "/name", "/status"]);
        assert_eq!(owner.get(&path).await.expect(200), changed, "bad input changes nothing");

        for n in 0..4 {
            tenant.client(&format!("Client {n}")).await;
        }
        let mut names = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = owner.get(&format!("{CLIENTS}?limit=2{cursor}")).await.expect(200);
            names.extend(page["data"].as_array().unwrap().iter().map(|client| client["name"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(names, ["Acme Ltd", "Client 0", "Client 1", "Client 2", "Client 3"]);
        // AZ-08
        for bad in ["0", "-1", "101", "1e9", "x"] {
            assert_eq!(owner.get(&format!("{CLIENTS}?limit={bad}")).await.bad_fields(), ["/limit"]);
        }
        assert_eq!(owner.get(&format!("{CLIENTS}?cursor=rubbish")).await.bad_fields(), ["/cursor"]);
        for bad in ["limit=1&limit=2", "cursor=%00", "cursor=%ff"] {
            owner.get(&format!("{CLIENTS}?{bad}")).await.problem(400, "malformed_request");
        }
        assert_eq!(owner.get(&format!("{CLIENTS}?Limit=1&q=x")).await.bad_fields(), ["/Limit", "/q"]);
    }

    async fn enum_11_tenants_are_sealed(world) {
        let (mine, theirs) = (world.tenant().await, world.tenant().await);
        let client = theirs.client("Theirs").await;
        let foreign = format!("{CLIENTS}/{client}");
        let same = |answer: crate::support::Answer| {
            let mut problem = answer.problem(404, "not_found");
            problem["request_id"].take();
            problem
        };
        let invite = json!({ "email": "a@x.test" });
        let [random_user, foreign_user] = [RANDOM, &*foreign].map(|path| format!("{path}/portal-user"));
        let again = |path: &str| format!("{path}?action=resend");
        let pairs = [
            (mine.owner.get(&foreign).await, mine.owner.get(RANDOM).await),
            (mine.owner.patch(&foreign, json!({ "name": "Mine" })).await, mine.owner.patch(RANDOM, json!({ "name": "Mine" })).await),
            (mine.owner.post(&foreign_user, invite.clone()).await, mine.owner.post(&random_user, invite.clone()).await),
            (mine.owner.post(&again(&foreign_user), invite.clone()).await, mine.owner.post(&again(&random_user), invite.clone()).await),
        ];
        for (foreign, random) in pairs {
            assert_eq!(same(foreign), same(random));
        }
        let nothing = format!("{CLIENTS}/not-an-id");
        mine.owner.get(&nothing).await.problem(404, "not_found");
        mine.owner.patch(&nothing, json!({ "name": "Mine" })).await.problem(404, "not_found");
        mine.owner.post(&format!("{nothing}/portal-user"), invite).await.problem(404, "not_found");
        let listed = mine.owner.get(CLIENTS).await.expect(200);
        assert_eq!(listed["data"], json!([]));
        assert_eq!(theirs.owner.get(&foreign).await.expect(200)["name"], "Theirs");
    }

    // AZ-03
    async fn roles_say_what_staff_may_do(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let path = format!("{CLIENTS}/{client}");
        for (role, may_edit) in [("viewer", false), ("support", true), ("admin", true)] {
            let (email, browser) = (format!("{role}@{}.test", tenant.slug), world.browser());
            world.add_staff(&tenant.slug, &email, role);
            world.sign_in_staff(&browser, &email, 1).await;
            browser.get(&path).await.expect(200);
            browser.get(CLIENTS).await.expect(200);
            let edits = [
                browser.patch(&path, json!({ "name": "Renamed" })).await,
                browser.post(CLIENTS, json!({ "name": "New" })).await,
                browser.post(&format!("{path}/portal-user"), json!({ "email": format!("{}@x.test", unique("a")) })).await,
            ];
            for edit in edits {
                if may_edit {
                    assert!((200..300).contains(&edit.status), "{role}: {edit:?}");
                } else {
                    edit.problem(403, "forbidden");
                }
            }
        }
        for path in [CLIENTS, &path] {
            world.browser().get(path).await.problem(401, "unauthenticated");
        }
        world.browser().send(Method::POST, CLIENTS, Some("{}".into()), &[]).await.problem(401, "unauthenticated");
    }

    async fn an_archived_client_lets_nobody_in(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = format!("{CLIENTS}/{}", person.client);
        let invited = format!("{}@x.test", unique("invited"));
        let link = tenant.invited(world, &person.client, &invited).await;
        tenant.owner.patch(&path, json!({ "status": "archived" })).await.expect(200);

        person.browser.get("/api/portal/auth/session").await.problem(401, "session_revoked");
        let body = json!({ "email": person.email, "password": person.password });
        world.browser().post("/api/portal/auth/sign-in", body.clone()).await.problem(403, "client_suspended");
        let mut named = body.clone();
        named["client_id"] = json!(person.client);
        world.browser().post("/api/portal/auth/sign-in", named).await.problem(403, "client_suspended");
        let activate = json!({ "token": link, "password": crate::support::password() });
        world.browser().post("/api/portal/auth/activate", activate.clone()).await.problem(410, "token_revoked");
        let user = format!("{path}/portal-user");
        tenant.owner.post(&user, json!({ "email": "a@x.test" })).await.problem(403, "client_suspended");
        tenant.owner.post(&format!("{user}?action=resend"), json!({ "email": invited })).await.problem(403, "client_suspended");

        tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        person.browser.get("/api/portal/auth/session").await.problem(401, "session_revoked");
        world.browser().post("/api/portal/auth/sign-in", body).await.expect(200);
        world.browser().post("/api/portal/auth/activate", activate).await.expect(200);
    }
}
