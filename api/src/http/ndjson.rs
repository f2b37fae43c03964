//! Responses that are streams of JSON lines.

use std::io;

use futures_util::Stream;
use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

/// The media type of lines that are each a JSON text.
const MEDIA_TYPE: &str = "application/x-ndjson";

/// A response whose body is a stream of JSON texts, each followed by a line feed.
///
/// The body is made while the client reads it, so it has no length. If making it fails, the connection is closed before
/// the end of the body (RFC 9112 §8).
pub(crate) struct Ndjson(Body);

impl Ndjson {
    /// Creates the response from parts that each contain whole lines.
    pub(crate) fn new(parts: impl Stream<Item = io::Result<String>> + Send + 'static) -> Self {
        Self(Body::from_bytes_stream(parts))
    }
}

impl ApiResponse for Ndjson {
    fn meta() -> MetaResponses {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let response = MetaResponse {
            description: "The lines, as they are made. The body is complete exactly if its last line says so.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: MEDIA_TYPE, schema }],
            headers: vec![],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

impl IntoResponse for Ndjson {
    fn into_response(self) -> Response {
        Response::builder().header(header::CONTENT_TYPE, MEDIA_TYPE).body(self.0)
    }
}
