//! The examples in the OpenAPI document.

use crate::support::{
    openapi::{check_response_examples, request_examples},
    stories,
};

#[test]
fn every_example_of_a_response_is_as_its_schema_says() {
    let (wrong, count) = check_response_examples();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 1_000, "{count}");
}

stories! {
    async fn every_example_of_a_request_is_understood_as_it_stands(world) {
        let tenant = world.tenant().await;
        let admin = tenant.admin_at(world, &tenant.client("Acme Ltd").await).await;
        let examples = request_examples();
        assert!(examples.len() > 25, "{}", examples.len());
        for (operation, example) in examples {
            let caller = if operation.path.starts_with("/api/portal") { &admin.browser } else { &tenant.owner };
            let body = Some(example.to_string());
            let response = caller.send(operation.method.clone(), &operation.path, body, &[]).await;
            // The ids in the paths, the link tokens and the password are made up.
            let understood = [200, 201, 202, 204, 401, 404];
            assert!(understood.contains(&response.status), "{operation:?}: {} {}", response.status, response.text);
        }
    }
}
