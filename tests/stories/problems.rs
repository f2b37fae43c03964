//! The titles of problems. Other stories leave titles out: clients decide by status and code.

use std::collections::BTreeMap;

use crate::{attacks::responses::every_problem, support::stories};

/// The title of each code that [`every_problem`] returns, sorted by code.
const TITLES: &str = "\
already_activated: The person has joined already
body_too_large: The request is too large
client_suspended: The client is closed
conflict: It clashes with what is there
csrf_rejected: The request came from another site
forbidden: You may not do this
invalid_code: The code is not right
invalid_credentials: The address or the password is not right
malformed_request: The request cannot be read
method_not_allowed: The method is not allowed here
not_found: There is no such thing
portal_user_exists: The person is at this client already
session_revoked: The session was ended
token_revoked: The link was replaced or withdrawn
token_unknown: There is no such link
token_used: The link was used already
too_many_requests: Too many requests
unauthenticated: Sign in first
unsupported_media_type: The request is not JSON
validation_failed: Some values are not valid
wrong_account: The link is for another person
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
}
