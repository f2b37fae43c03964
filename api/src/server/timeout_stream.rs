//! A socket with a clock: nobody holds a connection by doing nothing, or next to nothing.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// How long a request's line and headers may take from their first byte, and the first byte of a new connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may wait for its next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the other side may take to take in what was written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to listen on after the last answer. Closing on somebody who is still sending resets the connection, and they
/// may lose the answer that said why.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// What the connection waits for from the other side.
#[derive(Clone, Copy)]
enum Phase {
    /// The rest of a head, until then.
    Head(Instant),
    /// Anything at all, until then.
    Idle(Instant),
    /// Nothing: a request is being served, and whoever reads its body looks at the clock.
    Nothing,
}

/// What the connection waits for, shared by the socket and by who serves it.
#[derive(Clone)]
pub(super) struct PhaseCell(Arc<Mutex<Phase>>);

impl PhaseCell {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Phase::Head(Instant::now() + HEAD_TIMEOUT))))
    }

    /// A request has come.
    pub(super) fn request_started(&self) {
        self.set(Phase::Nothing);
    }

    /// A request is answered.
    pub(super) fn request_finished(&self) {
        self.set(Phase::Idle(Instant::now() + IDLE_TIMEOUT));
    }

    /// Something was read.
    fn bytes_received(&self) {
        if let Phase::Idle(_) = self.get() {
            self.set(Phase::Head(Instant::now() + HEAD_TIMEOUT));
        }
    }

    fn until(&self) -> Option<Instant> {
        match self.get() {
            Phase::Head(until) | Phase::Idle(until) => Some(until),
            Phase::Nothing => None,
        }
    }

    fn get(&self) -> Phase {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, waits: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waits;
    }
}

/// A socket on which a wait that lasts too long is a failure.
pub(super) struct TimeoutStream {
    socket: TcpStream,
    phase: PhaseCell,
    reading: Timer,
    writing: Timer,
    lingering: Timer,
    has_ended: bool,
}

impl TimeoutStream {
    pub(super) fn new(socket: TcpStream, phase: PhaseCell) -> Self {
        Self { socket, phase, reading: Timer(None), writing: Timer(None), lingering: Timer(None), has_ended: false }
    }

    /// What came of a write; the clock runs from the first one that had to wait until everything is taken.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_pending() && self.writing.is_over(cx, || Instant::now() + WRITE_TIMEOUT) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl AsyncRead for TimeoutStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.socket).poll_read(cx, buffer);
        match (&read, this.phase.until()) {
            (Poll::Ready(Ok(())), _) if buffer.filled().len() > before => this.phase.bytes_received(),
            // The end is told one turn later: hyper drops a request whose client has left, also one that it has not begun.
            (Poll::Ready(Ok(())), _) if !this.has_ended => {
                this.has_ended = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            (Poll::Pending, Some(until)) if this.reading.is_over_at(cx, until) => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            _ => {}
        }
        read
    }
}

impl AsyncWrite for TimeoutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// Called when all that there is to write was written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing = Timer(None);
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
        if this.lingering.is_over(cx, || Instant::now() + LINGER_TIMEOUT) {
            return Poll::Ready(Ok(()));
        }
        let mut rest = [0; 4_096];
        // A few at a time, so that somebody who sends without end does not keep the thread.
        for _ in 0..16 {
            let mut buffer = ReadBuf::new(&mut rest);
            match ready!(Pin::new(&mut this.socket).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A timer that is set when it is first asked.
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Whether the time is over that was `until()` when it was first asked.
    fn is_over(&mut self, cx: &mut Context<'_>, until: impl FnOnce() -> Instant) -> bool {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(until())));
        timer.as_mut().poll(cx).is_ready()
    }

    /// Whether it is later than `until`, which may change.
    fn is_over_at(&mut self, cx: &mut Context<'_>, until: Instant) -> bool {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}
