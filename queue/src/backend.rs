//! An apalis backend that reads from a channel.

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

/// An apalis backend that feeds the values of a channel to a worker. It ends when all senders of the channel are
/// dropped.
///
/// It never returns an error, because an apalis worker whose backend returns an error stops forever, while the other
/// workers continue. A clone reads the same channel, so a restarted worker continues where the previous one stopped.
pub struct ChannelBackend<T>(Arc<Mutex<Receiver<T>>>);

impl<T> ChannelBackend<T> {
    /// Creates a backend that reads from `receiver`.
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
        // apalis calls this after every task that was read has run. Without the stop, the worker would wait forever
        // for a signal. The error says that the worker has been stopped already, which is fine.
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
