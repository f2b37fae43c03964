//! The titles of problems. Other stories leave titles out: clients decide by status and code.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    attacks::responses::every_problem,
    support::{Invitation, paths, stories, unique},
};

/// The title of each code that [`every_problem`] returns, sorted by code.
const TITLES: &str = "\
already_activated: The user has already joined the client
body_too_large: The request body is too large
client_suspended: The client is archived or its tenant is suspended
conflict: Conflicts with existing data
csrf_rejected: Cross-site request rejected
forbidden: Permission denied
idempotency_mismatch: The idempotency key was used with another body
invalid_code: The code is invalid
invalid_credentials: Wrong email address or password
last_owner: The tenant needs an owner
malformed_request: The request cannot be parsed
method_not_allowed: Method not allowed
not_found: Not found
portal_user_exists: The address was already invited to this client
session_revoked: The session was revoked
step_up_required: A fresh sign-in is required
token_revoked: The link was revoked or replaced
token_unknown: Unknown link
token_used: The link was already used
too_many_requests: Too many requests
unauthenticated: Authentication required
unsupported_media_type: Unsupported media type
validation_failed: Some values are invalid
wrong_account: The link belongs to another user
";

stories! {
    async fn each_code_has_its_title(world) {
        let problems = every_problem(world).await;
        let titles: BTreeMap<String, String> = problems.iter().map(|response| {
            let problem = response.json();
            let text = |name: &str| problem[name].as_str().unwrap().to_owned();
            (text("code"), text("title"))
        }).collect();
        let titles: String = titles.iter().map(|(code, title)| format!("{code}: {title}\n")).collect();
        assert_eq!(titles, TITLES, "\n{titles}");
    }

    async fn a_conflict_says_what_conflicts(world) {
        let tenant = world.tenant().await;
        let Invitation { client, email, token } = tenant.create_invitation(world).await;
        let reference = unique("ref");
        let new = json!({ "name": "Beta Ltd", "external_ref": reference });
        tenant.owner.post(paths::CLIENTS, new.clone()).await.expect(201);
        let patch = json!({ "external_ref": reference });
        let member = tenant.member_path(&client, &email).await;
        let staff = json!({ "email": tenant.owner_email, "role": "viewer" });
        let invited = tenant.owner.post(paths::STAFF, staff).await;
        for (response, detail) in [
            (tenant.owner.post(paths::CLIENTS, new).await, "Another client of the tenant has this external_ref."),
            (tenant.owner.patch(&paths::client(&client), patch).await, "Another client of the tenant has this external_ref."),
            (tenant.owner.patch(&member, json!({ "role": "admin" })).await, "The portal user has not joined the client yet."),
            (tenant.owner.post_empty(&format!("{member}/send-reset")).await, "The portal user is not active at the client."),
            (world.browser().request_new_link(&token).await, "The link is still valid."),
            (invited, "A staff user has this address already."),
        ] {
            assert_eq!(response.assert_problem("409 conflict")["detail"], detail);
        }
    }
}
