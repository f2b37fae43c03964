//! Letting work finish, within bounds.

use std::{sync::Arc, time::Duration};

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use portico_domain::{actor::RequestContext, database, error::Error, tx};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, sleep},
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, warn};

use super::buffered_request::BufferedRequest;
use crate::error::ApiError;

/// How long a client waits for an answer at most, after its request has arrived.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long work may go on for which nobody waits any more, and everything that it has not committed is undone.
const WORK_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a request is run again whose transaction gave way to another or lost its connection, and how long to wait
/// before, times the tries.
const MAX_RETRIES: u32 = 3;
const RETRY_DELAY: Duration = Duration::from_millis(20);
/// A request that has taken so long already is not run again: its client is about to give up.
const RETRY_WINDOW: Duration = Duration::from_secs(10);

/// Reads every request whole, then runs it in a task of its own, so that a client who leaves half-way leaves no half-done
/// work behind: what it had not sent whole has not begun, what has begun is finished. Only the wait for a hashing slot is
/// called off, through the context's token.
///
/// What goes on for those who left is bounded: in number by `places`, beyond which requests are `overloaded`, in time by
/// [`WORK_TIMEOUT`].
pub(crate) struct RunToCompletion {
    /// How many requests may be worked on at once.
    pub(crate) slots: Arc<Semaphore>,
    /// Where their tasks are, for whoever wants to see them end.
    pub(crate) tasks: TaskTracker,
}

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
        // Dropped with this future, that is, when the client has gone or has waited long enough.
        let _waiting = request.data::<RequestContext>().map(|context| context.disconnected.clone().drop_guard());
        let (inner, slots, has_arrived) = (self.inner.clone(), self.slots.clone(), Arc::new(Notify::new()));
        let arrived = has_arrived.clone();
        // Reading is a part of the task: who sends a request whole and leaves at once is served like all others.
        let work = async move {
            let buffered = BufferedRequest::read(request).await?;
            arrived.notify_one();
            let Ok(_slot) = slots.try_acquire() else {
                return Err(ApiError::Domain(Error::Overloaded).into());
            };
            let done = database::with_timeout(WORK_TIMEOUT, run(&*inner, &buffered)).await;
            done.unwrap_or_else(|| Err(unavailable("given up")))
        };
        let task = self.tasks.spawn(work.in_current_span());
        let late = async {
            has_arrived.notified().await;
            sleep(RESPONSE_TIMEOUT).await;
        };
        tokio::select! {
            done = task => match done {
                Ok(answer) => answer,
                Err(error) => Err(ApiError::Domain(Error::Internal(format!("a handler panicked: {error}"))).into()),
            },
            () = late => Err(unavailable("no answer in time")),
        }
    }
}

/// Runs the request, and again if it was interrupted and nothing was committed. What was counted before is given back with
/// every failure of that kind, so a replay counts once, unless the answer to the counting itself was lost.
async fn run(inner: &impl Endpoint, buffered: &BufferedRequest) -> Result<Response> {
    let started = Instant::now();
    let mut retries = 0;
    loop {
        let (answer, has_committed) = tx::track_commits(inner.call(buffered.request())).await;
        let error = match answer {
            Ok(answer) => return Ok(answer.into_response()),
            Err(error) => error,
        };
        let was_interrupted = matches!(error.downcast_ref(), Some(ApiError::Domain(Error::Aborted(_))));
        if !was_interrupted || has_committed || retries == MAX_RETRIES || started.elapsed() > RETRY_WINDOW {
            return Err(error);
        }
        retries += 1;
        warn!(retries, "the database interrupted it; running the request again");
        sleep(RETRY_DELAY * retries).await;
    }
}

fn unavailable(why: &str) -> poem::Error {
    ApiError::Domain(Error::Unavailable(why.into())).into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use poem::{EndpointExt, endpoint::make, http::Method};

    use super::*;

    /// An endpoint that gives way `times`, and how often it was run.
    fn gives_way(times: u32) -> (impl Endpoint<Output = Response> + 'static, Arc<AtomicU32>) {
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

    async fn ask(endpoint: &impl Endpoint<Output = Response>) -> Result<Response> {
        endpoint.call(Request::builder().method(Method::POST).body("whole")).await
    }

    #[tokio::test]
    async fn who_gives_way_is_run_again_three_times() {
        let (endpoint, runs) = gives_way(3);
        assert_eq!(ask(&endpoint).await.unwrap().into_body().into_string().await.unwrap(), "done");
        assert_eq!(runs.load(Ordering::Relaxed), 4);
        let (endpoint, runs) = gives_way(4);
        assert_eq!(ask(&endpoint).await.unwrap_err().to_string(), "unavailable");
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn what_goes_on_for_who_left_keeps_its_place_until_it_ends() {
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
            _ = ask(&endpoint) => panic!("it is not done"),
            _ = begun.acquire() => {}
        }
        assert_eq!(ask(&endpoint).await.unwrap_err().to_string(), "overloaded");
        go_on.add_permits(1);
        tasks.close();
        tasks.wait().await;
        assert_eq!(slots.available_permits(), 1);
    }
}
