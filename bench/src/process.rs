//! Child processes, and what the kernel says about them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use tokio::time::{Instant, sleep};

/// Clock ticks in a second, as /proc counts CPU time; 100 on every Linux (`man 5 proc`).
const TICKS: f64 = 100.0;

/// A running program, killed when dropped. What it says goes into a file, which costs it no reader.
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// Starts `program` with this environment and no other but `PATH`; `log` takes what it says.
    pub(crate) fn start(program: &Path, args: &[&str], env: &[(String, String)], log: PathBuf) -> Result<Self> {
        let file = File::create(&log)?;
        // Gone with us, even if we are killed outright.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").envs(env.iter().cloned());
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { child, said: log })
    }

    /// Waits up to 30 seconds for a line in which `find` finds something.
    pub(crate) async fn hears<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let said = fs::read_to_string(&self.said)?;
            if let Some(found) = said.lines().find_map(&find) {
                return Ok(found);
            }
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("a process did not start; it said:\n{said}");
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// A line of `/proc/PID/status` in MiB: `VmRSS` is what it holds, `VmHWM` the most it ever held.
    pub(crate) fn memory(&self, field: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kibibytes: f64 = line.ok_or(anyhow!("no {field}"))?.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes / 1024.0)
    }

    /// Seconds of CPU time that it has used.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu(Path::new(&format!("/proc/{}", self.child.id())))
    }

    /// Seconds of CPU time that its threads of this name have used.
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

/// Seconds of CPU time that this program has used.
pub(crate) fn own_cpu() -> Result<f64> {
    cpu(Path::new("/proc/self"))
}

/// The same of a process or thread at `proc`.
fn cpu(proc: &Path) -> Result<f64> {
    let stat = fs::read_to_string(proc.join("stat"))?;
    // The name, which may hold anything, ends at the last parenthesis; user and system time are fields 14 and 15.
    let (_, rest) = stat.rsplit_once(')').ok_or(anyhow!("no stat"))?;
    let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}
