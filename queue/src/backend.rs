//! A channel as an apalis backend.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, task_id::RandomId},
    worker::context::WorkerContext,
};
use tokio::sync::mpsc::Receiver;
use tower_layer::Identity;

/// Feeds what comes out of a channel to an apalis worker; ends when the channel's senders are gone.
///
/// It never fails, because an apalis worker whose backend fails stops for good while its neighbours run on.
/// A clone reads the same channel, so that a restarted worker goes on where the last one was.
pub struct ChannelBackend<T>(Arc<Mutex<Receiver<T>>>);

impl<T> ChannelBackend<T> {
    /// A backend that reads `receiver`.
    pub fn new(receiver: Receiver<T>) -> Self {
        Self(Arc::new(Mutex::new(receiver)))
    }
}

impl<T> Clone for ChannelBackend<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Backend for ChannelBackend<T> {
    type Task = Task<T>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Task<T>, Infallible>>> {
        let mut receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.poll_recv(cx).map(|item| item.map(|item| Ok(Task::new(item))))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        // Asked only once everything that was read has been run. The worker would wait for ever to be told to stop.
        // That it may have been told already is no failure.
        let _ = worker.stop();
        Poll::Ready(Ok(()))
    }
}

impl<T> BackendConfig for ChannelBackend<T> {
    type Args = T;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
