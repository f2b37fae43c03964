//! Public responses that browsers and shared caches may keep for some minutes.

use std::marker::PhantomData;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    Body, IntoResponse, Request, Response,
    http::{HeaderName, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use sha2::{Digest, Sha256};

/// How long a response may be used without a question, in seconds.
const MAX_AGE_SECONDS: u32 = 300;
/// The length of an entity tag before it is encoded, in bytes.
const TAG_BYTES: usize = 16;

/// A media type of cacheable responses.
pub(crate) trait MediaType: Send {
    /// The value of `Content-Type`.
    const NAME: &'static str;
    /// The `format` of the string in the document.
    const FORMAT: Option<&'static str>;
}

/// A style sheet.
pub(crate) struct Css;

impl MediaType for Css {
    const NAME: &'static str = "text/css; charset=utf-8";
    const FORMAT: Option<&'static str> = None;
}

/// A PNG image.
pub(crate) struct Png;

impl MediaType for Png {
    const NAME: &'static str = "image/png";
    const FORMAT: Option<&'static str> = Some("binary");
}

/// A response of the media type `M`: the content, or 304 if the client has it already (RFC 9110 §13.1.2).
pub(crate) struct Cacheable<M> {
    /// `None` for 304.
    content: Option<Vec<u8>>,
    tag: String,
    /// Whether the response may be used for some minutes without a question.
    is_fresh: bool,
    media_type: PhantomData<M>,
}

impl<M> Cacheable<M> {
    /// Creates the response to `request`. If it is not `is_fresh`, caches must ask before each use.
    pub(crate) fn new(request: &Request, content: &[u8], is_fresh: bool) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..TAG_BYTES]);
        Self::with_hash(request, content, &hash, is_fresh)
    }

    /// Creates the response to `request` as [`new`](Self::new) does. `hash` identifies the content.
    pub(crate) fn with_hash(request: &Request, content: &[u8], hash: &str, is_fresh: bool) -> Self {
        let tag = format!("\"{hash}\"");
        let content = (!has_tag(request, &tag)).then(|| content.to_vec());
        Self { content, tag, is_fresh, media_type: PhantomData }
    }
}

/// Returns whether `If-None-Match` of the request names the entity tag or any (RFC 9110 §13.1.2).
fn has_tag(request: &Request, tag: &str) -> bool {
    let values = request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

impl<M: MediaType> ApiResponse for Cacheable<M> {
    fn meta() -> MetaResponses {
        let mut schema = MetaSchema::new("string");
        schema.format = M::FORMAT;
        let content = MetaMediaType { content_type: M::NAME, schema: MetaSchemaRef::Inline(Box::new(schema)) };
        let response = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        let not_modified = "The content is the one that `If-None-Match` names. The response has no body.";
        MetaResponses {
            responses: vec![response(200, "The content.", vec![content]), response(304, not_modified, vec![])],
        }
    }

    fn register(_: &mut Registry) {}
}

impl<M: MediaType> IntoResponse for Cacheable<M> {
    fn into_response(self) -> Response {
        let caching = if self.is_fresh { format!("public, max-age={MAX_AGE_SECONDS}") } else { "no-cache".into() };
        let response = Response::builder()
            .header(header::ETAG, self.tag)
            .header(header::CACHE_CONTROL, caching)
            // Pages of other origins may show the content: it is public, and no cookie changes it.
            .header(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
        match self.content {
            Some(content) => response.header(header::CONTENT_TYPE, M::NAME).body(Body::from(content)),
            None => response.status(StatusCode::NOT_MODIFIED).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: Option<&str>) -> StatusCode {
        let request = Request::builder();
        let request = if_none_match.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
        Cacheable::<Css>::new(&request.finish(), b"x", true).into_response().status()
    }

    #[test]
    fn content_that_the_client_has_is_not_sent_again() {
        let response = Cacheable::<Css>::new(&Request::default(), b"x", true).into_response();
        let tag = response.headers()["etag"].to_str().unwrap();
        assert_eq!((status(None), status(Some("\"other\""))), (StatusCode::OK, StatusCode::OK));
        for given in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
            assert_eq!(status(Some(&given)), StatusCode::NOT_MODIFIED, "{given}");
        }
    }
}
