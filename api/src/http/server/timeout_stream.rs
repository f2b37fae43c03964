//! A TCP stream with timeouts for request heads, idle time, writes and the close.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// How long a request head (request line and headers) may take from its first byte to its end. On a new connection
/// the time starts when the connection is accepted.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may wait for its next request after a response.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the client may take to receive what was written. The client of a stream may take this long for each
/// [`MIN_STREAM_PROGRESS`].
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How many bytes of a stream the client must receive within [`WRITE_TIMEOUT`].
const MIN_STREAM_PROGRESS: usize = 64 * 1_024;
/// The size of the send buffer of a stream, in bytes. Linux grows the buffer to megabytes otherwise, and lets the
/// process write again only when a third of it is free: a slow client would seem to receive nothing for longer than
/// [`WRITE_TIMEOUT`].
const STREAM_BUFFER: usize = 64 * 1_024;
/// How long the stream still reads after the last response. A close while the client is sending would reset the
/// connection, and the client could lose the response.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// What the connection waits for.
#[derive(Clone, Copy)]
enum Phase {
    /// The rest of a request head, until the given time.
    Head(Instant),
    /// The first byte of the next request, until the given time.
    Idle(Instant),
    /// Nothing: a request is being served. The code that reads the request body has a timeout of its own.
    Nothing,
    /// Nothing: a response whose length is not known is being written.
    Stream,
}

/// The current [`Phase`] of a connection, shared by the stream and the code that serves requests.
#[derive(Clone)]
pub(super) struct PhaseCell(Arc<Mutex<Phase>>);

impl PhaseCell {
    /// Returns the phase of a new connection: it waits for a request head.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Phase::Head(Instant::now() + HEAD_TIMEOUT))))
    }

    /// Records that a request head is complete. No read timeout applies until
    /// [`request_finished`](Self::request_finished).
    pub(super) fn request_started(&self) {
        self.set(Phase::Nothing);
    }

    /// Records that the response is a stream, which may take longer than [`WRITE_TIMEOUT`] as a whole.
    pub(super) fn stream_started(&self) {
        self.set(Phase::Stream);
    }

    /// Records that the response to the request is complete. [`IDLE_TIMEOUT`] starts.
    pub(super) fn request_finished(&self) {
        self.set(Phase::Idle(Instant::now() + IDLE_TIMEOUT));
    }

    /// Records that bytes arrived. On an idle connection they start a request head, so [`HEAD_TIMEOUT`] starts.
    fn bytes_received(&self) {
        if let Phase::Idle(_) = self.get() {
            self.set(Phase::Head(Instant::now() + HEAD_TIMEOUT));
        }
    }

    /// Returns the deadline of the current phase.
    fn deadline(&self) -> Option<Instant> {
        match self.get() {
            Phase::Head(deadline) | Phase::Idle(deadline) => Some(deadline),
            Phase::Nothing | Phase::Stream => None,
        }
    }

    fn get(&self) -> Phase {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }
}

/// A TCP stream whose reads and writes fail with `TimedOut` when the client is too slow.
pub(super) struct TimeoutStream {
    socket: TcpStream,
    phase: PhaseCell,
    reading: Timer,
    writing: Timer,
    /// The bytes of a stream that were written since `writing` was started.
    progress: usize,
    /// Whether the send buffer has the size [`STREAM_BUFFER`].
    has_stream_buffer: bool,
    lingering: Timer,
    /// Whether the end of the input was seen.
    has_ended: bool,
}

impl TimeoutStream {
    /// Wraps `socket`. The read timeouts follow `phase`.
    pub(super) fn new(socket: TcpStream, phase: PhaseCell) -> Self {
        let (reading, writing, lingering) = (Timer(None), Timer(None), Timer(None));
        Self { socket, phase, reading, writing, progress: 0, has_stream_buffer: false, lingering, has_ended: false }
    }

    /// Sets the size of the send buffer if the response is a stream.
    fn limit_buffer(&mut self) {
        if !self.has_stream_buffer && matches!(self.phase.get(), Phase::Stream) {
            self.has_stream_buffer = true;
            // With another size, a slow client is disconnected sooner.
            let _ = SockRef::from(&self.socket).set_send_buffer_size(STREAM_BUFFER);
        }
    }

    /// Returns the result of a write, or `TimedOut`. The time runs from the first write that had to wait until
    /// everything is written (see `poll_flush`). In a stream, it starts again after each [`MIN_STREAM_PROGRESS`].
    fn wrote(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending if self.writing.is_over(cx, || Instant::now() + WRITE_TIMEOUT) => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Ready(Ok(count)) if matches!(self.phase.get(), Phase::Stream) => {
                self.progress += count;
                if self.progress >= MIN_STREAM_PROGRESS {
                    (self.progress, self.writing) = (0, Timer(None));
                }
            }
            _ => {}
        }
        written
    }
}

impl AsyncRead for TimeoutStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.socket).poll_read(cx, buffer);
        match (&read, this.phase.deadline()) {
            (Poll::Ready(Ok(())), _) if buffer.filled().len() > before => this.phase.bytes_received(),
            // The end of the input is reported one poll later. hyper drops a request whose client has closed the
            // connection, even if it has not started to serve it.
            (Poll::Ready(Ok(())), _) if !this.has_ended => {
                this.has_ended = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            (Poll::Pending, Some(deadline)) if this.reading.is_over_at(cx, deadline) => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            _ => {}
        }
        read
    }
}

impl AsyncWrite for TimeoutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.limit_buffer();
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.limit_buffer();
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// Flushes. hyper calls this when it has written everything, so the write timeout ends.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (self.progress, self.writing) = (0, Timer(None));
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Closes the write side, then reads and discards input until the client closes its side or [`LINGER_TIMEOUT`]
    /// passes.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
        if this.lingering.is_over(cx, || Instant::now() + LINGER_TIMEOUT) {
            return Poll::Ready(Ok(()));
        }
        let mut discarded = [0; 4_096];
        // A limited number of reads per poll, so that a client that never stops sending does not occupy the thread.
        for _ in 0..16 {
            let mut buffer = ReadBuf::new(&mut discarded);
            match ready!(Pin::new(&mut this.socket).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A timer that starts when it is first polled.
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Whether the deadline has passed, which is the value of `deadline()` at the first call. If not, the task is
    /// woken then.
    fn is_over(&mut self, cx: &mut Context<'_>, deadline: impl FnOnce() -> Instant) -> bool {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline())));
        timer.as_mut().poll(cx).is_ready()
    }

    /// Whether `deadline`, which may differ from call to call, has passed. If not, the task is woken then.
    fn is_over_at(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}
