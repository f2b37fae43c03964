//! Child processes, and their CPU time and memory as the kernel reports them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use tokio::time::{Instant, sleep};

/// Clock ticks per second, the unit of CPU time in `/proc`. It is 100 on every Linux (`man 5 proc`).
const TICKS: f64 = 100.0;

/// A running program. It is killed when this value is dropped.
///
/// Its output goes to a file, so that no reader uses CPU time while something is measured.
pub(crate) struct Process {
    child: Child,
    /// The file with its output.
    log: PathBuf,
}

impl Process {
    /// Starts `program` with the variables of `env` and `PATH`, and no others. Its output goes to the file `log`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be created or the program cannot be started.
    pub(crate) fn start(program: &Path, args: &[&str], env: &[(String, String)], log: PathBuf) -> Result<Self> {
        let file = File::create(&log)?;
        // setpriv makes the kernel kill the program when this process ends, even if this process is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").envs(env.iter().cloned());
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until `find` returns a value for a line of the output, and returns that value.
    ///
    /// # Errors
    /// Returns an error with the output if the process ends first, or after 30 seconds.
    pub(crate) async fn wait_for_log<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let log = fs::read_to_string(&self.log)?;
            if let Some(found) = log.lines().find_map(&find) {
                return Ok(found);
            }
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("a process did not start; its output is:\n{log}");
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns a memory field of `/proc/PID/status` in MiB: `VmRSS` is the current resident memory, `VmHWM` its peak.
    pub(crate) fn memory(&self, field: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kibibytes: f64 =
            line.ok_or(anyhow!("/proc/PID/status has no {field}"))?.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes / 1024.0)
    }

    /// Returns the CPU time that the process has used, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu(Path::new(&format!("/proc/{}", self.child.id())))
    }

    /// Returns the CPU time of its threads whose names start with `name`, in seconds.
    pub(crate) fn cpu_of(&self, name: &str) -> Result<f64> {
        let mut sum = 0.0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let thread = thread?.path();
            if fs::read_to_string(thread.join("comm"))?.starts_with(name) {
                sum += cpu(&thread)?;
            }
        }
        Ok(sum)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the CPU time that this program has used, in seconds.
pub(crate) fn own_cpu() -> Result<f64> {
    cpu(Path::new("/proc/self"))
}

/// Returns the CPU time of the process or thread whose folder in `/proc` is `proc`, in seconds.
fn cpu(proc: &Path) -> Result<f64> {
    let stat = fs::read_to_string(proc.join("stat"))?;
    // The second field is the name in parentheses, and the name can hold any character, also a parenthesis. User and
    // system time are fields 14 and 15.
    let (_, rest) = stat.rsplit_once(')').ok_or(anyhow!("/proc/PID/stat has no name"))?;
    let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}
