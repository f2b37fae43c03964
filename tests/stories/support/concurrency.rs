//! Many requests in the same moment.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinSet;

use super::Browser;

/// Posts one body from each browser in the same moment, and returns how many responses had each status.
pub(crate) async fn post_concurrently(
    browsers: Vec<Browser>,
    path: &str,
    bodies: Vec<Option<Value>>,
) -> BTreeMap<u16, usize> {
    assert_eq!(browsers.len(), bodies.len());
    let start = Arc::new(tokio::sync::Barrier::new(browsers.len()));
    let mut tasks = JoinSet::new();
    for (browser, body) in browsers.into_iter().zip(bodies) {
        let (path, start) = (path.to_owned(), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            browser.send(Method::POST, &path, body.map(|body| body.to_string()), &[]).await.status
        });
    }
    let mut counts = BTreeMap::new();
    while let Some(status) = tasks.join_next().await {
        *counts.entry(status.unwrap()).or_default() += 1;
    }
    counts
}
