//! A PgBouncer in transaction mode.

use url::Url;

use super::{
    Process,
    postgres::as_owner,
    services::{free_port, provided},
};

/// A running PgBouncer in front of the Postgres server of all tests.
pub(crate) struct PgBouncer {
    url: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// Starts a PgBouncer in front of the database at `url`, with `sessions` sessions of the server.
    pub(crate) async fn start(url: &str, sessions: usize) -> Self {
        let mut url: Url = url.parse().unwrap();
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let file = folder.path().join("pgbouncer.ini");
        let configuration = format!(
            "[databases]\n* = host={} port={} user=portico\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {sessions}\nmax_client_conn = 300\n",
            url.host_str().unwrap(),
            url.port().unwrap(),
        );
        std::fs::write(&file, configuration).unwrap();
        // PgBouncer refuses to run as root, so another user must be able to read the file.
        for path in [folder.path(), &file] {
            let mode = if path.is_dir() { 0o755 } else { 0o644 };
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let mut args = as_owner();
        args.extend([provided("PORTICO_TEST_PGBOUNCER"), file.display().to_string()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let process = Process::start("setpriv", &args, &[]);
        process.wait_for_log("PgBouncer is ready", |line| line.contains("process up").then_some(())).await;
        url.set_port(Some(port)).unwrap();
        url.set_query(Some("pooler=transaction"));
        Self { url: url.into(), _process: process, _folder: folder }
    }

    /// The `DATABASE_URL` through the pooler.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL through the pooler for `psql`.
    pub(crate) fn psql_url(&self) -> String {
        self.url.replace("?pooler=transaction", "")
    }
}
