//! Child processes that end with the test run.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
    time::Duration,
};

use super::eventually;

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_portico").into()
}

/// A running program and its output on stdout and stderr.
pub(crate) struct Process {
    child: Mutex<Child>,
    lines: Arc<Mutex<Vec<String>>>,
    _stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` with this environment and `PATH`.
    pub(crate) fn start(program: impl Into<PathBuf>, args: &[&str], env: &[(String, String)]) -> Self {
        // The kernel kills the child when the thread that started it ends, so that thread must live as long as the test
        // run.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program.into()).args(args);
        command.env_clear().env("PATH", search_path()).envs(env.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = on_spawner_thread(move || command.spawn().expect("the program starts"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect_lines(child.stdout.take().unwrap(), lines.clone());
        collect_lines(child.stderr.take().unwrap(), lines.clone());
        let stdin = child.stdin.take();
        Self { child: Mutex::new(child), lines, _stdin: stdin }
    }

    /// The lines of output so far.
    pub(crate) fn logs(&self) -> Vec<String> {
        self.logs_from(0)
    }

    /// The lines of output so far, without the first `from`.
    pub(crate) fn logs_from(&self, from: usize) -> Vec<String> {
        self.lines.lock().unwrap().get(from..).unwrap_or_default().to_vec()
    }

    /// The number of lines of output so far.
    pub(crate) fn log_length(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// Waits until `find` returns a value for a line, and returns that value. The process must keep running.
    pub(crate) async fn wait_for_log<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, || async {
            if let Some(found) = self.lines.lock().unwrap().iter().find_map(|line| find(line)) {
                return Some(found);
            }
            assert!(self.is_running(), "the process has ended: {:#?}", self.logs());
            None
        })
        .await
    }

    /// Whether the process has not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Resident memory in KiB, and open file descriptors.
    pub(crate) fn footprint(&self) -> (u64, usize) {
        let proc = PathBuf::from(format!("/proc/{}", self.id()));
        let status = std::fs::read_to_string(proc.join("status")).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the process runs");
        let kib = rss.trim().trim_end_matches(" kB").parse().unwrap();
        (kib, std::fs::read_dir(proc.join("fd")).unwrap().count())
    }

    /// How long the threads whose names start with `name` have run on a processor.
    pub(crate) fn time_of_threads(&self, name: &str) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).expect("the process runs");
        let run_time = |task: PathBuf| {
            let named = std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.starts_with(name));
            // The first number of schedstat is the time in nanoseconds.
            let text = std::fs::read_to_string(task.join("schedstat")).ok().filter(|_| named)?;
            text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
        };
        tasks.filter_map(|task| run_time(task.ok()?.path())).sum()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        Command::new("kill").args(["-s", name, &pid]).status().unwrap();
    }

    /// Kills the process (`kill -9`) and waits until it has ended.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Waits until the process ends by itself; returns whether its exit status was success.
    pub(crate) async fn ends(&self) -> bool {
        eventually("the process ends", || async { self.child.lock().unwrap().try_wait().unwrap() }).await.success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(clippy::disallowed_methods, reason = "the search path of programs, not a setting of Portico")]
fn search_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn collect_lines(stream: impl std::io::Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}

fn on_spawner_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    type Work = Box<dyn FnOnce() + Send>;
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Work>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Work>();
        thread::spawn(move || receiver.into_iter().for_each(|work| work()));
        Mutex::new(sender)
    });
    let (result, received) = mpsc::channel();
    let work = Box::new(move || result.send(work()).unwrap_or_else(|_| panic!("the caller has ended")));
    spawner.lock().unwrap().send(work).unwrap();
    received.recv().unwrap()
}
