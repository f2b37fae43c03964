//! Starts a server for a test: the binary that PORTICO_BIN names, in an empty folder, on free ports.

use std::{env, fs, process::Stdio, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

const DEADLINE: Duration = Duration::from_secs(15);

/// `portico dev`. It ends and its data is deleted when this is dropped.
pub struct Server {
    pub url: String,
    _process: Child,
    _folder: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let process = Command::new(env::var("PORTICO_BIN").expect("PORTICO_BIN is the path of a portico binary"))
            .arg("dev")
            .current_dir(folder.path())
            // The settings of this process would change the test. A low scrypt cost keeps the test fast.
            .env_clear()
            .env("PORTICO_LISTEN", "127.0.0.1:0")
            .env("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0")
            .env("PORTICO_SCRYPT", "ln=12,r=8,p=1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = eventually(async || {
            let text = fs::read_to_string(&log).unwrap();
            let (_, rest) = text.split_once("listening")?.1.split_once(" listen=")?;
            Some(rest.split_whitespace().next()?.to_owned())
        });
        Self { url: format!("http://{}", address.await), _process: process, _folder: folder }
    }

    /// Returns what `pick` finds in the newest mail to `recipient` in which it finds something.
    pub async fn mailed(&self, recipient: &str, pick: impl Fn(&Value) -> Option<String>) -> String {
        let url = format!("{}/dev/mail.json?to={recipient}", self.url);
        eventually(async || {
            let mails: Vec<Value> = reqwest::get(&url).await.unwrap().json().await.unwrap();
            mails.iter().find_map(&pick)
        })
        .await
    }
}

/// Calls `look` until it returns a value.
async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let found = timeout(DEADLINE, async {
        loop {
            match look().await {
                Some(found) => return found,
                None => sleep(Duration::from_millis(100)).await,
            }
        }
    });
    found.await.expect("it happens within 15 seconds")
}
