//! Letting work finish.

use std::{sync::Arc, time::Duration};

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use portico_domain::{actor::RequestContext, error::Error};
use tokio::time::timeout;
use tracing::Instrument;

use crate::error::Failure;

/// How long a client waits for an answer at most, its own sending included.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Runs every request in a task of its own, so that a client who leaves half-way leaves no half-done work behind. Only
/// the wait for a hashing slot is called off, through the context's token.
pub(crate) struct Detach;

pub(crate) struct Detached<E>(Arc<E>);

impl<E: Endpoint + 'static> Middleware<E> for Detach {
    type Output = Detached<E>;

    fn transform(&self, inner: E) -> Detached<E> {
        Detached(Arc::new(inner))
    }
}

impl<E: Endpoint + 'static> Endpoint for Detached<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        // Dropped with this future, that is, when the client has gone or has waited long enough.
        let _waiting = request.data::<RequestContext>().map(|context| context.gone.clone().drop_guard());
        let inner = self.0.clone();
        let work = async move { inner.call(request).await.map(IntoResponse::into_response) };
        let task = tokio::spawn(work.in_current_span());
        match timeout(ANSWER_WITHIN, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(Failure::Domain(Error::Internal(format!("a handler panicked: {error}"))).into()),
            Err(_) => Err(Failure::Domain(Error::Unavailable("no answer in time".into())).into()),
        }
    }
}
