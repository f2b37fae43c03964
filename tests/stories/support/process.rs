//! Child processes that never outlive the test run.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
};

use super::eventually;

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_portico").into()
}

/// A running program and what it has said on stderr and stdout.
pub(crate) struct Process {
    child: Mutex<Child>,
    said: Arc<Mutex<Vec<String>>>,
    _stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` with this environment and no other but `PATH`.
    pub(crate) fn start(program: impl Into<PathBuf>, args: &[&str], env: &[(String, String)]) -> Self {
        // The kernel ends the child when the thread that started it ends, so that thread is one that lasts.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program.into()).args(args);
        command.env_clear().env("PATH", search_path()).envs(env.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = on_spawner_thread(move || command.spawn().expect("the program starts"));
        let said = Arc::new(Mutex::new(Vec::new()));
        listen(child.stdout.take().unwrap(), said.clone());
        listen(child.stderr.take().unwrap(), said.clone());
        let stdin = child.stdin.take();
        Self { child: Mutex::new(child), said, _stdin: stdin }
    }

    /// What it has said so far, a line each.
    pub(crate) fn logs(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Waits for a line in which `find` finds something.
    pub(crate) async fn wait_for_log<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, || async {
            let said = self.logs();
            if let Some(found) = said.iter().find_map(|line| find(line)) {
                return Some(found);
            }
            assert!(self.is_running(), "it stopped: {said:#?}");
            None
        })
        .await
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Resident memory in KiB, and open file descriptors.
    pub(crate) fn footprint(&self) -> (u64, usize) {
        let proc = PathBuf::from(format!("/proc/{}", self.id()));
        let status = std::fs::read_to_string(proc.join("status")).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it runs");
        let kib = rss.trim().trim_end_matches(" kB").parse().unwrap();
        (kib, std::fs::read_dir(proc.join("fd")).unwrap().count())
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        Command::new("kill").args(["-s", name, &pid]).status().unwrap();
    }

    /// `kill -9`, and gone when this returns.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Waits until it ends by itself; true if it says that all went well.
    pub(crate) async fn ends(&self) -> bool {
        eventually("the process ends", || async { self.child.lock().unwrap().try_wait().unwrap() }).await.success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(clippy::disallowed_methods, reason = "where programs are found, not a setting")]
fn search_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn listen(stream: impl std::io::Read + Send + 'static, said: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            said.lock().unwrap().push(line);
        }
    });
}

fn on_spawner_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    type Work = Box<dyn FnOnce() + Send>;
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Work>>> = OnceLock::new();
    let keeper = SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Work>();
        thread::spawn(move || receiver.into_iter().for_each(|work| work()));
        Mutex::new(sender)
    });
    let (answer, answered) = mpsc::channel();
    let work = Box::new(move || answer.send(work()).unwrap_or_else(|_| panic!("nobody waits")));
    keeper.lock().unwrap().send(work).unwrap();
    answered.recv().unwrap()
}
