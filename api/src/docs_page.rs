//! `/api/docs`: the document as a page. Everything it needs is in it, and its policy lets it load nothing else.

use std::sync::OnceLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use poem::{Response, handler, http::header};
use sha2::{Digest, Sha256};

use crate::document;

/// The page and its Content-Security-Policy, which allows its own inline scripts by their hashes and no others.
struct Page {
    html: String,
    policy: String,
}

#[handler]
pub(crate) fn docs_page() -> Response {
    let page = page();
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, page.policy.as_str())
        .body(page.html.as_str())
}

/// The document itself.
#[handler]
pub(crate) fn document_json() -> Response {
    Response::builder().content_type("application/json; charset=utf-8").body(document::json())
}

fn page() -> &'static Page {
    static PAGE: OnceLock<Page> = OnceLock::new();
    PAGE.get_or_init(|| {
        let html = document::service().swagger_ui_html();
        let html = html.replace("<title>Swagger UI</title>", "<title>Portico API</title>");
        let html = format!("<!doctype html>\n{}", html.trim_start());
        let hashes: Vec<String> = inline_scripts(&html)
            .map(|script| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script))))
            .collect();
        let policy = format!(
            "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src 'self' data:; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hashes.join(" ")
        );
        Page { html, policy }
    })
}

/// The text between each `<script …>` and its `</script>`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (_, rest) = rest.split_once('>')?;
        rest.split_once("</script>").map(|(script, _)| script)
    })
}
