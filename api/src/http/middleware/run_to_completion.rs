//! Runs each request to its end, within bounds.

use std::{sync::Arc, time::Duration};

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use portico_domain::platform::{actor::RequestContext, app::App, error::Error};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, sleep},
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, warn};

use super::buffered_request::BufferedRequest;
use crate::http::error::ApiError;

/// How long a client waits for the response after its request has arrived.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a handler may run, also after its client has disconnected. What it has not committed by then is rolled
/// back.
const WORK_TIMEOUT: Duration = Duration::from_secs(60);
/// How many times a request is run again after the database has aborted it.
const MAX_RETRIES: u32 = 3;
/// The wait before the first retry. The second retry waits twice as long, the third three times.
const RETRY_DELAY: Duration = Duration::from_millis(20);
/// A request that has run for this long is not run again, because its client will soon give up.
const RETRY_WINDOW: Duration = Duration::from_secs(10);

/// The middleware that reads each request completely and then runs the handler in a task of its own.
///
/// A client that disconnects early therefore leaves no unfinished work: a request that has not arrived completely is
/// not started, and a started one is finished. Only the wait for a hashing slot is cancelled, by the token in the
/// [`RequestContext`].
///
/// The number of handlers that run is bounded by `slots`; further requests are refused with `overloaded`. Their time is
/// bounded by [`WORK_TIMEOUT`].
pub(crate) struct RunToCompletion {
    /// One permit for each handler that may run at the same time.
    pub(crate) slots: Arc<Semaphore>,
    /// The tasks of the handlers. A process that stops waits for them.
    pub(crate) tasks: TaskTracker,
}

/// The endpoint that [`RunToCompletion`] makes.
pub(crate) struct RunToCompletionEndpoint<E> {
    inner: Arc<E>,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl<E: Endpoint + 'static> Middleware<E> for RunToCompletion {
    type Output = RunToCompletionEndpoint<E>;

    fn transform(&self, inner: E) -> RunToCompletionEndpoint<E> {
        RunToCompletionEndpoint { inner: Arc::new(inner), slots: self.slots.clone(), tasks: self.tasks.clone() }
    }
}

impl<E: Endpoint + 'static> Endpoint for RunToCompletionEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        // This guard cancels when it is dropped with this future: when the client has disconnected, or when its time is
        // over.
        let _cancel_on_drop = request.data::<RequestContext>().map(|context| context.disconnected.clone().drop_guard());
        let app = request.data::<App>().cloned();
        let (inner, slots, has_arrived) = (self.inner.clone(), self.slots.clone(), Arc::new(Notify::new()));
        let arrived = has_arrived.clone();
        // The task also reads the request, so that a request that arrives completely runs even if its client
        // disconnects immediately after.
        let work = async move {
            let buffered = BufferedRequest::read(request).await?;
            arrived.notify_one();
            let Ok(_slot) = slots.try_acquire() else {
                return Err(ApiError::Domain(Error::Overloaded).into());
            };
            let run = run(&*inner, &buffered);
            match app {
                Some(app) => app.db().with_timeout(WORK_TIMEOUT, run).await,
                None => Some(run.await),
            }
            .unwrap_or_else(|| Err(unavailable("the request took too long and was cancelled")))
        };
        let task = self.tasks.spawn(work.in_current_span());
        let timeout = async {
            has_arrived.notified().await;
            sleep(RESPONSE_TIMEOUT).await;
        };
        tokio::select! {
            done = task => match done {
                Ok(response) => response,
                Err(error) => Err(ApiError::Domain(Error::Internal(format!("a handler panicked: {error}"))).into()),
            },
            () = timeout => Err(unavailable("the response was not ready in time")),
        }
    }
}

/// Runs the request. Runs it again exactly if the use case returns [`Error::Aborted`]: then nothing was committed, and
/// what was counted before is refunded.
async fn run(inner: &impl Endpoint, buffered: &BufferedRequest) -> Result<Response> {
    let started = Instant::now();
    let mut retries = 0;
    loop {
        let error = match inner.call(buffered.request()).await {
            Ok(response) => return Ok(response.into_response()),
            Err(error) => error,
        };
        let is_aborted = matches!(error.downcast_ref(), Some(ApiError::Domain(Error::Aborted(_))));
        if !is_aborted || retries == MAX_RETRIES || started.elapsed() > RETRY_WINDOW {
            return Err(error);
        }
        retries += 1;
        warn!(retries, "the database aborted the transaction; running the request again");
        sleep(RETRY_DELAY * retries).await;
    }
}

fn unavailable(reason: &str) -> poem::Error {
    ApiError::Domain(Error::Unavailable(reason.into())).into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use poem::{EndpointExt, endpoint::make, http::Method};

    use super::*;

    /// Returns an endpoint whose first `times` runs are aborted, and the number of its runs.
    fn aborted_endpoint(times: u32) -> (impl Endpoint<Output = Response> + 'static, Arc<AtomicU32>) {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let endpoint = make(move |request: Request| {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert_eq!(request.method(), Method::POST);
                assert_eq!(request.into_body().into_string().await.unwrap(), "whole");
                if run < times {
                    Err(poem::Error::from(ApiError::Domain(Error::Aborted("40P01".into()))))
                } else {
                    Ok("done")
                }
            }
        });
        let run_to_completion = RunToCompletion { slots: Arc::new(Semaphore::new(1)), tasks: TaskTracker::new() };
        (endpoint.with(run_to_completion), runs)
    }

    async fn call(endpoint: &impl Endpoint<Output = Response>) -> Result<Response> {
        endpoint.call(Request::builder().method(Method::POST).body("whole")).await
    }

    #[tokio::test]
    async fn aborted_request_is_run_again_three_times() {
        let (endpoint, runs) = aborted_endpoint(3);
        assert_eq!(call(&endpoint).await.unwrap().into_body().into_string().await.unwrap(), "done");
        assert_eq!(runs.load(Ordering::Relaxed), 4);
        let (endpoint, runs) = aborted_endpoint(4);
        assert_eq!(call(&endpoint).await.unwrap_err().to_string(), "unavailable");
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn handler_of_a_disconnected_client_keeps_its_slot_until_it_ends() {
        let run_to_completion = RunToCompletion { slots: Arc::new(Semaphore::new(1)), tasks: TaskTracker::new() };
        let (slots, tasks) = (run_to_completion.slots.clone(), run_to_completion.tasks.clone());
        let (begun, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let of_handler = (begun.clone(), go_on.clone());
        let endpoint = make(move |_| {
            let (begun, go_on) = of_handler.clone();
            async move {
                begun.add_permits(1);
                drop(go_on.acquire().await);
                Ok::<_, poem::Error>("done")
            }
        });
        let endpoint = endpoint.with(run_to_completion);
        tokio::select! {
            _ = call(&endpoint) => panic!("the handler has not finished"),
            _ = begun.acquire() => {}
        }
        assert_eq!(call(&endpoint).await.unwrap_err().to_string(), "overloaded");
        go_on.add_permits(1);
        tasks.close();
        tasks.wait().await;
        assert_eq!(slots.available_permits(), 1);
    }
}
