//! What handlers answer with, beside plain JSON.

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

/// An answer that also sets cookies.
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

/// 201 with what was made.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: ToJSON> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        let mut meta = Json::<T>::meta();
        for response in &mut meta.responses {
            response.status = Some(201);
        }
        meta
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

/// 204.
pub(crate) struct NoContent;

impl ApiResponse for NoContent {
    fn meta() -> MetaResponses {
        let done = MetaResponse {
            description: "NoContent.",
            status: Some(204),
            status_range: None,
            content: vec![],
            headers: vec![],
        };
        MetaResponses { responses: vec![done] }
    }

    fn register(_: &mut Registry) {}
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// That a request was taken. It says nothing about whether there is anybody to mail to.
#[derive(Object)]
pub(crate) struct Accepted {
    /// `accepted`.
    status: AcceptedStatus,
}

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum AcceptedStatus {
    Accepted,
}

/// The one answer to whoever asks for a mail.
pub(crate) const fn accepted() -> Json<Accepted> {
    Json(Accepted { status: AcceptedStatus::Accepted })
}
