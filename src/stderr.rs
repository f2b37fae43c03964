//! Writes to stderr from a thread of its own, so that nothing else ever waits for the reader of stderr.
//!
//! A pipe whose reader has stopped takes 64 KiB and then blocks each writer for as long as the reader stops. So the log
//! goes through a bounded queue. What does not fit into it is dropped and counted.
//!
//! The code uses the file descriptor and not [`std::io::stderr`], because a blocked writer holds the lock of the
//! latter.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use portico_domain::platform::metrics;
use tracing::warn;
use tracing_subscriber::fmt::MakeWriter;

/// The most bytes that wait to be written. Further lines are dropped.
const MAX_QUEUED_BYTES: usize = 4 << 20;
/// How long [`FlushOnDrop`] waits for the lines that are queued.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// The interval at which [`FlushOnDrop`] looks whether the queue is empty, and at which a full descriptor that does not
/// block is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// The queue of lines for stderr. Each `write` is one line, and never waits.
#[derive(Clone)]
pub(crate) struct Stderr {
    lines: Sender<Vec<u8>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The bytes that are queued or being written.
    queued: AtomicUsize,
    /// The lines that were dropped since the start of the process.
    dropped: AtomicUsize,
}

/// Returns the queue. The first call starts its thread.
pub(crate) fn queue() -> &'static Stderr {
    static QUEUE: OnceLock<Stderr> = OnceLock::new();
    QUEUE.get_or_init(|| {
        let (lines, received) = mpsc::channel();
        let state = Arc::new(State::default());
        let of_thread = state.clone();
        // Without a descriptor or a thread, the receiver is dropped here, and every line is dropped.
        if let Ok(descriptor) = io::stderr().as_fd().try_clone_to_owned() {
            let write_all = move || write_lines(&received, File::from(descriptor), &of_thread);
            let _ = thread::Builder::new().name("stderr".into()).spawn(write_all);
        }
        Stderr { lines, state }
    })
}

/// A value whose drop waits until all queued lines are written, at most one second. Keep it until the process ends.
pub(crate) struct FlushOnDrop;

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        let (state, deadline) = (&queue().state, Instant::now() + FLUSH_TIMEOUT);
        while state.queued.load(Ordering::Acquire) > 0 && Instant::now() < deadline {
            thread::sleep(RETRY_INTERVAL);
        }
    }
}

impl Stderr {
    fn push(&self, line: &[u8]) {
        let queued = self.state.queued.fetch_add(line.len(), Ordering::AcqRel);
        if queued + line.len() > MAX_QUEUED_BYTES || self.lines.send(line.to_vec()).is_err() {
            self.state.queued.fetch_sub(line.len(), Ordering::AcqRel);
            self.state.count_dropped();
        }
    }
}

impl State {
    fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        metrics::log_line_dropped();
    }
}

impl Write for &Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = &'a Stderr;

    fn make_writer(&'a self) -> &'a Stderr {
        self
    }
}

/// Writes the received lines to `file` until the process ends. Logs how many lines were dropped when the reader has
/// read all others.
fn write_lines(lines: &Receiver<Vec<u8>>, mut file: File, state: &State) {
    let mut reported = 0;
    while let Ok(line) = lines.recv() {
        let is_written = write_line(&mut file, &line).is_ok();
        let left = state.queued.fetch_sub(line.len(), Ordering::AcqRel) - line.len();
        if !is_written {
            state.count_dropped();
        } else if left == 0 {
            let dropped = state.dropped.load(Ordering::Relaxed);
            if dropped > reported {
                warn!(lines = dropped - reported, "the log was not read; lines were dropped");
                reported = dropped;
            }
        }
    }
}

/// Writes the whole line, as long as it takes.
fn write_line(file: &mut File, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match file.write(line) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Another process that shares the descriptor has set O_NONBLOCK.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_INTERVAL),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
