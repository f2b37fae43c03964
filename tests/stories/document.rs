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
        let person = tenant.person(world).await;
        let examples = request_examples();
        assert!(examples.len() > 25, "{}", examples.len());
        for (operation, example) in examples {
            let caller = if operation.path.starts_with("/api/portal") { &person.browser } else { &tenant.owner };
            let body = Some(example.to_string());
            let response = caller.send(operation.method.clone(), &operation.path, body, &[]).await;
            let refused = [400, 415, 422];
            assert!(!refused.contains(&response.status), "{operation:?}: {} {}", response.status, response.text);
        }
    }
}
