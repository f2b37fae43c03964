//! `/api/docs`: the OpenAPI document as a Swagger UI page. The page contains everything it needs and loads nothing
//! else.

use std::sync::OnceLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use poem::{Request, Response, Result, handler, http::header};
use sha2::{Digest, Sha256};

use super::document;

/// The page and its `Content-Security-Policy`, which allows only the inline scripts of this page, by their hashes.
struct DocsPage {
    html: String,
    policy: String,
}

/// Shows the document that Portico serves. The page sends requests to its own origin only, which the policy allows.
///
/// It leaves the cookies out of the credentials, because a page cannot choose the cookies of its requests: the browser
/// sends those of the last sign-in.
const START_SCRIPT: &str = "
    fetch('/api/openapi.json').then((response) => response.json()).then((spec) => {
        const schemes = spec.components.securitySchemes;
        const isCookie = (name) => schemes[name].in === 'cookie';
        for (const operation of Object.values(spec.paths).flatMap(Object.values)) {
            operation.security = operation.security?.filter((scheme) => !Object.keys(scheme).some(isCookie));
        }
        for (const name of Object.keys(schemes).filter(isCookie)) delete schemes[name];
        SwaggerUIBundle({
            dom_id: '#ui',
            spec,
            deepLinking: true,
            docExpansion: 'none',
            filter: true,
            tryItOutEnabled: true,
            defaultModelsExpandDepth: 0,
        });
    })
";

impl DocsPage {
    /// Makes the page from the one that the framework generates.
    fn new(html: &str) -> Self {
        // The framework's script shows the document as the framework generates it, and not as it is served.
        let html = html.rsplit_once("<script>").map_or(html, |(before, _)| before);
        let html = format!("{html}<script>{START_SCRIPT}</script>\n\n</body>\n</html>\n");
        let html = html.replace("<title>Swagger UI</title>", "<title>Portico API</title>");
        let html = format!("<!doctype html>\n{}", html.trim_start()).replace("\r\n", "\n").replace('\r', "\n");
        let hashes: Vec<String> = inline_scripts(&html)
            .map(|script| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script))))
            .collect();
        let policy = format!(
            "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src 'self' data:; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hashes.join(" ")
        );
        Self { html, policy }
    }
}

/// Answers `/api/docs`: the page, which is rendered once per process.
///
/// # Errors
/// `internal` if the request has no document.
#[handler]
pub(crate) fn docs_page(request: &Request) -> Result<Response> {
    static PAGE: OnceLock<DocsPage> = OnceLock::new();
    let document = document::of(request)?;
    let page = PAGE.get_or_init(|| DocsPage::new(&document.docs_page()));
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, page.policy.as_str())
        .body(page.html.as_str()))
}

/// Answers `/api/openapi.json`: the document.
///
/// # Errors
/// `internal` if the request has no document.
#[handler]
pub(crate) fn openapi_json(request: &Request) -> Result<Response> {
    Ok(Response::builder().content_type("application/json; charset=utf-8").body(document::of(request)?.json()))
}

/// Returns the text between each `<script …>` and the next `</script>`. A `<script` inside a script is plain text.
fn inline_scripts(mut html: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (_, rest) = html.split_once("<script")?;
        let (_, rest) = rest.split_once('>')?;
        let (script, rest) = rest.split_once("</script>")?;
        html = rest;
        Some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi;

    #[test]
    fn policy_allows_exactly_the_two_scripts_of_the_page() {
        let page = DocsPage::new(&openapi::document().docs_page());
        let scripts: Vec<&str> = inline_scripts(&page.html).collect();
        let [library, start] = scripts.as_slice() else { panic!("expected 2 scripts, found {}", scripts.len()) };
        assert!(library.len() > 500_000 && library.contains("SwaggerUIBundle"));
        assert!(start.contains("SwaggerUIBundle({") && start.trim_end().ends_with("})"), "{start}");
        // A browser normalizes every line end to a newline before it hashes a script.
        assert!(!page.html.contains('\r'));
        assert_eq!(page.policy.matches("'sha256-").count(), 2);
        assert!(!page.policy.contains("script-src 'unsafe"));
    }
}
