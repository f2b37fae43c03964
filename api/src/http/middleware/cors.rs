//! Cross-origin resource sharing (Fetch standard, §3.2): only web pages of the allowed origins may call the API from a
//! browser and read the responses.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

use super::AllowedOrigins;

/// The headers of a preflight response: the allowed methods and request headers, and how long a browser may cache
/// them, in seconds.
const PREFLIGHT_HEADERS: [(header::HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, PUT, DELETE"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, authorization, x-request-id, idempotency-key"),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];
/// The response headers that a page of another origin may read.
const EXPOSED_HEADERS: &str = "x-request-id, retry-after, ratelimit, ratelimit-policy";

/// The middleware that allows web pages of `origins` to call the API with credentials.
pub(crate) struct Cors {
    /// The allowed origins.
    pub(crate) origins: Arc<AllowedOrigins>,
}

/// The endpoint that [`Cors`] makes.
pub(crate) struct CorsEndpoint<E> {
    inner: E,
    origins: Arc<AllowedOrigins>,
}

impl<E: Endpoint> Middleware<E> for Cors {
    type Output = CorsEndpoint<E>;

    fn transform(&self, inner: E) -> CorsEndpoint<E> {
        CorsEndpoint { inner, origins: self.origins.clone() }
    }
}

impl<E: Endpoint> Endpoint for CorsEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let is_preflight = *request.method() == Method::OPTIONS
            && origin.is_some()
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        // The mailbox of development holds the links and codes of all users: only its own page reads it.
        let is_mailbox = request.uri().path().starts_with("/dev/");
        let Some(origin) = origin.filter(|origin| !is_mailbox && self.origins.allows(origin)) else {
            if is_preflight {
                // The browser shows its page only that the preflight failed. The log says which setting is missing.
                self.origins.refuse(request.headers());
            }
            let mut response = super::respond(&self.inner, request).await;
            response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
            return Ok(response);
        };
        if is_preflight {
            let mut response = StatusCode::NO_CONTENT.into_response();
            for (name, value) in PREFLIGHT_HEADERS {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            add_cors_headers(response.headers_mut(), origin);
            return Ok(response);
        }
        // Every response depends on the origin, so that a shared cache must not give it to a page of another origin.
        // Failures become responses here, so that they carry the CORS headers and pages can read the problem.
        let mut response = super::respond(&self.inner, request).await;
        add_cors_headers(response.headers_mut(), origin);
        Ok(response)
    }
}

/// Adds the headers that allow a page of `origin` to read the response.
fn add_cors_headers(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, endpoint::make_sync};
    use portico_domain::platform::env_reader::Environment;
    use url::Url;

    use super::*;

    /// A shared cache must not give a response to a page of another origin.
    #[tokio::test]
    async fn every_response_varies_by_origin() {
        let public_url = Url::parse("https://portal.example.com").unwrap();
        let listed = ["https://app.example.com".to_owned()];
        let origins = Arc::new(AllowedOrigins::new(&public_url, &listed, Environment::Production));
        let endpoint = make_sync(|_| "done").with(Cors { origins });
        for (origin, is_allowed) in
            [(None, false), (Some("https://evil.test"), false), (Some("https://app.example.com"), true)]
        {
            let request = Request::builder();
            let request = origin.into_iter().fold(request, |request, origin| request.header(header::ORIGIN, origin));
            let response = endpoint.call(request.finish()).await.unwrap();
            assert_eq!(response.headers()[header::VARY], "origin", "{origin:?}");
            assert_eq!(response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), is_allowed, "{origin:?}");
        }
    }
}
