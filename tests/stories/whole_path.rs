//! The whole path: invited, activated, signed in, forgotten, recovered.

use serde_json::json;

use crate::support::{password, stories, unique};

stories! {
    async fn from_the_invitation_to_the_recovered_password(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));

        let invited = tenant.invite(&client, &email.to_uppercase()).await;
        assert_eq!(invited["invite_mode"], "setup");
        assert_eq!(invited["portal_user"]["email"], email.as_str());
        assert_eq!(invited["portal_user"]["status"], "invited");
        assert_eq!(invited["invitation"]["status"], "pending");

        let mail = world.mail(&email, 1).await;
        assert_eq!(mail.subject, "Blue Harbour invites you to Acme Ltd");
        assert!(mail.html.contains(&mail.links[0]) && mail.text.contains("Robin Miller"), "{mail:?}");
        let ann = world.browser();
        let checked = ann.post("/api/portal/auth/check-token", json!({ "token": mail.token() })).await.expect(200);
        assert_eq!((&checked["purpose"], &checked["client_name"]), (&json!("activation"), &json!("Acme Ltd")));

        let first = password();
        let body = json!({ "token": mail.token(), "password": first, "name": "Ann Baker" });
        let session = ann.post("/api/portal/auth/activate", body).await.expect(200);
        assert_eq!(session["status"], "signed_in");
        assert_eq!(session["user"]["name"], "Ann Baker");
        assert_eq!(session["client"]["role"], "member");

        let seen = ann.get("/api/portal/auth/session").await.expect(200);
        assert_eq!(seen["user"]["email"], email.as_str());
        assert_eq!(seen["client"]["id"], client.as_str());
        assert_eq!(seen["clients"].as_array().unwrap().len(), 1);
        ann.call("/api/portal/auth/sign-out").await.expect(204);
        ann.get("/api/portal/auth/session").await.problem(401, "unauthenticated");

        let sign_in = |password: &str| json!({ "email": email, "password": password });
        ann.post("/api/portal/auth/sign-in", sign_in(&first)).await.expect(200);
        ann.call("/api/portal/auth/refresh").await.expect(200);

        ann.post("/api/portal/auth/forgot-password", json!({ "email": email })).await.expect(200);
        let mail = world.mail(&email, 2).await;
        assert_eq!(mail.subject, "Choose a new password for Blue Harbour");
        let second = password();
        let body = json!({ "token": mail.token(), "password": second });
        assert_eq!(ann.post("/api/portal/auth/reset-password", body).await.expect(200)["status"], "password_reset");
        ann.get("/api/portal/auth/session").await.problem(401, "session_revoked");
        ann.post("/api/portal/auth/sign-in", sign_in(&first)).await.problem(401, "invalid_credentials");
        ann.post("/api/portal/auth/sign-in", sign_in(&second)).await.expect(200);
        assert_eq!(world.mail(&email, 3).await.subject, "Your password for Blue Harbour was changed");
    }
}
