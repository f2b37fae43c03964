//! `portico remote` on a machine of its own: a home folder, an environment, and the login in it.

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command};

use super::{
    Tenant, World, binary,
    paths::STAFF_TOKENS,
    secrets::{self, SecretKind},
    terminal::Terminal,
};

/// Every scope of an API token.
const SCOPES: [&str; 6] = ["clients:read", "clients:edit", "emails:read", "emails:edit", "audit:read", "settings:read"];
/// The columns of an ordinary terminal of a story.
const COLUMNS: u16 = 200;

/// A machine on which a user runs `portico remote`.
pub(crate) struct Machine {
    home: TempDir,
    env: Vec<(String, String)>,
    /// Secrets that no command may print.
    secrets: Vec<String>,
}

/// What a command printed without a terminal, and its exit code.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Printed {
    /// Asserts the exit code and returns stdout.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:#?}");
        self.stdout
    }

    /// Asserts the exit code and that stdout is empty, and returns stderr.
    #[track_caller]
    pub(crate) fn expect_failure(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:#?}");
        self.stderr
    }

    /// Asserts success and returns stdout as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        assert_eq!(self.code, 0, "{self:#?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:#?}"))
    }
}

impl Machine {
    /// A machine without a login.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let env = vec![("HOME".to_owned(), home.path().display().to_string())];
        Self { home, env, secrets: vec![] }
    }

    /// A machine whose environment names a server and a token.
    pub(crate) fn with_token(url: &str, token: &str) -> Self {
        let mut machine = Self::new();
        machine.sets("PORTICO_REMOTE_URL", url);
        machine.sets("PORTICO_REMOTE_TOKEN", token);
        machine.keeps(token);
        machine
    }

    /// A machine with a token of the owner of a tenant that has every scope.
    pub(crate) async fn of(world: &World, tenant: &Tenant) -> Self {
        Self::with_token(&world.apis[0], &create_token(tenant).await)
    }

    /// A machine where the owner of a tenant has logged in with a pasted token.
    pub(crate) async fn logged_in(world: &World, tenant: &Tenant) -> Self {
        let (mut machine, token) = (Self::new(), create_token(tenant).await);
        machine.keeps(&token);
        machine.run_with_input(&["login", &world.apis[0], "--token"], &token).await.expect(0);
        machine
    }

    /// Sets an environment variable.
    pub(crate) fn sets(&mut self, name: &str, value: &str) {
        self.env.push((name.into(), value.into()));
    }

    /// Records a secret that no command may print.
    pub(crate) fn keeps(&mut self, secret: &str) {
        secrets::record(SecretKind::Authorization, secret);
        self.secrets.push(secret.to_owned());
    }

    /// Runs `portico remote` without a terminal.
    pub(crate) async fn run(&self, args: &[&str]) -> Printed {
        self.run_with_input(args, "").await
    }

    /// Runs `portico remote` without a terminal and with this input.
    pub(crate) async fn run_with_input(&self, args: &[&str], input: &str) -> Printed {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let printed = Printed { code: code(output.status), stdout: text(output.stdout), stderr: text(output.stderr) };
        self.assert_secret(args, &format!("{printed:?}"));
        printed
    }

    /// The command `portico remote` with these arguments on this machine.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.arg("remote").args(args).env_clear().envs(self.env.iter().cloned()).kill_on_drop(true);
        command
    }

    /// Runs `portico remote` in a terminal.
    pub(crate) fn terminal(&self, args: &[&str]) -> Terminal {
        self.terminal_with(args, COLUMNS)
    }

    /// Runs `portico remote` in a terminal with this many columns.
    pub(crate) fn terminal_with(&self, args: &[&str], columns: u16) -> Terminal {
        Terminal::start(&[&["remote"], args].concat(), &self.env, columns)
    }

    /// Waits until a command in a terminal ends. Asserts its exit code and returns the screen.
    pub(crate) async fn expect(&self, terminal: Terminal, code: u32) -> String {
        let (found, screen) = terminal.ends().await;
        assert_eq!(found, code, "{screen}");
        self.assert_secret(&[], &screen);
        screen
    }

    /// The file of a profile.
    pub(crate) fn profile(&self, name: &str) -> PathBuf {
        self.home.path().join(format!(".config/portico/remote/{name}.json"))
    }

    /// The content of a profile.
    pub(crate) fn stored(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.profile(name)).unwrap()).unwrap()
    }

    /// Changes the permissions of a profile.
    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.profile(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes a file in the home folder and returns its path.
    pub(crate) fn file(&self, name: &str, content: &(impl AsRef<[u8]> + ?Sized)) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn assert_secret(&self, args: &[&str], printed: &str) {
        for secret in &self.secrets {
            // Also a part of it that is longer than the prefix that every list shows.
            let part = secret.get(..20).unwrap_or(secret);
            assert!(!args.iter().any(|arg| arg.contains(part)), "a secret is an argument");
            assert!(!printed.contains(part), "a secret was printed: {printed}");
        }
    }
}

/// Creates an API token of the owner of a tenant.
pub(crate) async fn create_token(tenant: &Tenant) -> String {
    let body = json!({ "name": "Command line", "scopes": SCOPES });
    let created = tenant.owner.post(STAFF_TOKENS, body).await.expect(201);
    created["token"].as_str().unwrap().to_owned()
}

fn code(status: ExitStatus) -> i32 {
    status.code().expect("the process was not killed")
}
