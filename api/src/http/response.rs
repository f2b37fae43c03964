//! Response types of handlers, in addition to poem's `Json`.

use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Enum, Object,
    payload::Json,
    registry::{MetaResponse, MetaResponses, Registry},
    types::ToJSON,
};

/// A response that also sets cookies: the inner response and one `Set-Cookie` header value per cookie.
pub(crate) struct WithCookies<T>(pub(crate) T, pub(crate) Vec<HeaderValue>);

impl<T: ApiResponse> ApiResponse for WithCookies<T> {
    fn meta() -> MetaResponses {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: IntoResponse> IntoResponse for WithCookies<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        for cookie in self.1 {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// A response with status 201 and the created object as JSON.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: ToJSON> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        with_status(Json::<T>::meta(), StatusCode::CREATED)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        Json(self.0).with_status(StatusCode::CREATED).into_response()
    }
}

/// A response with status 202 and a JSON body that says what will be done.
pub(crate) struct Queued<T>(pub(crate) T);

impl<T: ToJSON> ApiResponse for Queued<T> {
    fn meta() -> MetaResponses {
        with_status(Json::<T>::meta(), StatusCode::ACCEPTED)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON> IntoResponse for Queued<T> {
    fn into_response(self) -> Response {
        Json(self.0).with_status(StatusCode::ACCEPTED).into_response()
    }
}

/// Returns `meta` with this status in place of 200.
fn with_status(mut meta: MetaResponses, status: StatusCode) -> MetaResponses {
    for response in &mut meta.responses {
        response.status = Some(status.as_u16());
    }
    meta
}

/// A response with status 204 and without a body.
pub(crate) struct NoContent;

impl ApiResponse for NoContent {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "Success. The response has no body.",
            status: Some(204),
            status_range: None,
            content: vec![],
            headers: vec![],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// The request was accepted. This does not say whether the address is known or whether a mail will be sent.
#[derive(Object)]
pub(crate) struct Accepted {
    /// Always `accepted`.
    status: AcceptedStatus,
}

/// The status of an accepted request.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum AcceptedStatus {
    /// The request was accepted.
    Accepted,
}

/// Returns the response to every request for a mail. It is the same for known and unknown addresses.
pub(crate) const fn accepted() -> Json<Accepted> {
    Json(Accepted { status: AcceptedStatus::Accepted })
}
