//! The body of a response, which says to the timeouts of its connection when it begins and ends.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};

use super::timeout_stream::PhaseCell;

/// The body of a response. The request is finished when hyper has taken the whole body, which is when it drops it.
pub(super) struct ResponseBody<B> {
    inner: B,
    phase: PhaseCell,
}

impl<B: Body> ResponseBody<B> {
    /// Wraps the body of a response. A body whose length is not known is a stream.
    pub(super) fn new(inner: B, phase: PhaseCell) -> Self {
        if inner.size_hint().exact().is_none() {
            phase.stream_started();
        }
        Self { inner, phase }
    }
}

impl<B: Body + Unpin> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for ResponseBody<B> {
    fn drop(&mut self) {
        self.phase.request_finished();
    }
}
