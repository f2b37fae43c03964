//! Runs the processes of `docker-compose.yml` on this machine with their settings. Hosts, ports and paths are
//! substituted.

use std::{
    fs,
    net::Ipv4Addr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::files::{Env, compose, env_file, list, strings, text};
use crate::support::{
    FakeDns, Process, Redis, Sink, World, binary, database, eventually, free_port, http, password,
    paths::{FORGOT_PASSWORD, JWKS, LIVE, READY, SIGN_OUT},
    provided, psql, unique_email,
};

/// Texts of the file and what replaces them on this machine.
type Substitutions = Vec<(&'static str, String)>;

/// The services of the file. The containers are processes, each with a loopback address of its own.
struct ComposeDeployment {
    compose: Value,
    substitutions: Substitutions,
    /// The DNS server that the proxy asks for the addresses of the APIs.
    dns: FakeDns,
    /// The public and the internal port of all APIs.
    ports: (u16, u16),
    apis: Vec<(Ipv4Addr, Process)>,
    database: String,
    world: World,
}

impl ComposeDeployment {
    /// Starts the services in the order of `depends_on`.
    async fn start() -> Self {
        let mut deployment = Self::start_dependencies().await;
        assert!(deployment.world.run(&["migrate"]).contains("newest schema"));
        for n in 0..deployment.replicas("api") {
            deployment.start_api(Ipv4Addr::new(127, 0, 7, 1 + n)).await;
        }
        for n in 0..deployment.replicas("worker") {
            deployment.start_worker(Ipv4Addr::new(127, 0, 8, 1 + n));
        }
        deployment.start_proxy().await;
        deployment
    }

    /// Starts Redis and the mail server, and creates a database.
    async fn start_dependencies() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let compose = compose(&env_file()).unwrap();
        let mut substitutions = vec![("/tls/", format!("{}/", folder.path().display()))];
        let redis = Redis::start_with(&redis_arguments(&compose, &folder)).await;
        make_certificate(&compose, &substitutions);
        let sink = start_mail(&compose, &substitutions).await;
        let database = database();
        let (_, postgres) = database.split_once('@').unwrap();
        substitutions.extend([
            ("@postgres/portico", format!("@{postgres}")),
            ("redis://redis", redis.url()),
            ("@mail:1025", format!("@localhost:{}", sink.port())),
            // A connection to another address of the loopback interface comes from this one.
            ("172.31.240.10/32", "127.0.0.1/32".into()),
        ]);
        let env = environment(&compose, "migrate", &substitutions);
        let world = World::empty(env.into_iter().collect(), Some(sink), Some(redis), folder);
        let (dns, ports) = (FakeDns::start().await, (free_port(), free_port()));
        Self { compose, substitutions, dns, ports, apis: vec![], database, world }
    }

    fn replicas(&self, service: &str) -> u8 {
        self.compose["services"][service]["deploy"]["replicas"].as_u64().unwrap() as u8
    }

    /// The settings of the service in a container with this address.
    fn env(&self, service: &str, address: Ipv4Addr) -> Vec<(String, String)> {
        let (public, internal) = self.ports;
        let own = [("0.0.0.0:8080", format!("{address}:{public}")), ("0.0.0.0:9080", format!("{address}:{internal}"))];
        environment(&self.compose, service, &[&self.substitutions[..], &own].concat()).into_iter().collect()
    }

    async fn start_api(&mut self, address: Ipv4Addr) {
        let env = self.env("api", address);
        let process = Process::start(binary(), &list(&self.compose["services"]["api"]["command"]), &env);
        eventually("the container is healthy", || async {
            assert!(process.is_running(), "{:?}", process.logs());
            is_healthy(&env).then_some(())
        })
        .await;
        self.dns.add(address);
        self.apis.push((address, process));
    }

    fn start_worker(&mut self, address: Ipv4Addr) {
        let env = self.env("worker", address);
        let process = Process::start(binary(), &list(&self.compose["services"]["worker"]["command"]), &env);
        self.world.processes.push(process);
    }

    async fn start_proxy(&mut self) {
        let url = format!("http://127.0.0.1:{}", free_port());
        let file = self.write_nginx_configuration(url.rsplit(':').next().unwrap());
        // If root runs nginx, its workers would run as a user who may not read the folder.
        let globals = "daemon off; user root;";
        let proxy = Process::start(provided("PORTICO_TEST_NGINX"), &["-e", "stderr", "-c", &file, "-g", globals], &[]);
        eventually("the proxy answers", || async {
            assert!(proxy.is_running(), "{:?}", proxy.logs());
            http::get(format!("{url}{READY}")).await.ok()?.status().is_success().then_some(())
        })
        .await;
        self.world.apis = vec![url];
        self.world.processes.push(proxy);
    }

    /// Writes the configuration of nginx, listening on this port, and returns its path.
    fn write_nginx_configuration(&self, port: &str) -> String {
        let substitutions = [
            ("127.0.0.11", format!("127.0.0.1:{}", self.dns.port())),
            ("api:8080", format!("api:{}", self.ports.0)),
            ("listen 8080", format!("listen 127.0.0.1:{port}")),
            ("/tmp", self.world.folder.path().display().to_string()),
        ];
        let file = self.world.folder.path().join("nginx.conf");
        fs::write(&file, substitute(&text("deploy/proxy/nginx.conf"), &substitutions)).unwrap();
        file.display().to_string()
    }

    /// Starts a new API and stops the API `old`, as an upgrade does.
    async fn replace_api(&mut self, old: (Ipv4Addr, Process), new: Ipv4Addr) {
        self.start_api(new).await;
        let proxy = self.world.processes.last().unwrap();
        let route = format!(" via {new}:");
        proxy.wait_for_log("the proxy uses the new API", |line| line.contains(&route).then_some(())).await;
        let (address, process) = old;
        process.signal("TERM");
        assert!(process.ends().await, "{:?}", process.logs());
        // The DNS server forgets a container after its end. The proxy asks again within a second.
        self.dns.remove(address);
    }
}

fn substitute(text: &str, substitutions: &[(&str, String)]) -> String {
    substitutions.iter().fold(text.to_owned(), |text, (original, replacement)| text.replace(original, replacement))
}

/// The environment of a service, with substitutions.
fn environment(compose: &Value, service: &str, substitutions: &[(&'static str, String)]) -> Env {
    let env = strings(&compose["services"][service]["environment"]);
    env.into_iter().map(|(name, value)| (name, substitute(&value, substitutions))).collect()
}

/// The arguments of `redis-server`, with its data in `folder`.
fn redis_arguments<'a>(compose: &'a Value, folder: &'a TempDir) -> Vec<&'a str> {
    let arguments = &list(&compose["services"]["redis"]["command"])[1..];
    [arguments, &["--dir", folder.path().to_str().unwrap()]].concat()
}

/// Runs the script that makes the certificate of the mail server. A second run must change nothing.
fn make_certificate(compose: &Value, substitutions: &Substitutions) {
    let script = substitute(list(&compose["services"]["mail-tls"]["command"])[0], substitutions);
    for _ in 0..2 {
        let output = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Starts a mail server with the credentials and the certificate of the file.
async fn start_mail(compose: &Value, substitutions: &Substitutions) -> Sink {
    let env = environment(compose, "mail", substitutions);
    let (user, pass) = env["MP_SMTP_AUTH"].split_once(':').unwrap();
    let files = ["MP_SMTP_TLS_CERT", "MP_SMTP_TLS_KEY"].map(|name| env[name].as_str());
    Sink::start_with(&["--user", user, "--pass", pass, "--cert", files[0], "--key", files[1]]).await
}

/// Runs the health check of the image in a container with this environment.
fn is_healthy(env: &[(String, String)]) -> bool {
    let output = Command::new(binary()).arg("healthcheck").env_clear().envs(env.iter().cloned()).output().unwrap();
    output.status.success()
}

#[tokio::test]
async fn a_portal_user_of_the_compose_deployment_signs_in_through_the_proxy_from_the_address_that_it_sees() {
    let deployment = ComposeDeployment::start().await;
    let world = &deployment.world;
    let (email, password) = (unique_email("robin"), password());
    let tenant = world.tenant().await;
    let token = tenant.invite_for_token(world, &tenant.client("Acme Ltd").await, &email).await;
    // This browser sends a false X-Forwarded-For, which the proxy replaces.
    let robin = world.browser().from(Ipv4Addr::new(127, 0, 9, 9).into());
    robin.activate(&token, &password).await.expect(200);
    robin.sign_in(&email, &password).await.expect(200);
    assert_eq!(robin.session().await.expect(200)["user"]["email"], email);
    for table in ["sessions", "audit_events"] {
        let addresses = psql(&deployment.database, &format!("SELECT DISTINCT ip FROM {table} WHERE ip LIKE '127.%'"));
        assert_eq!(addresses, "127.0.9.9", "{table}");
    }
}

#[tokio::test]
async fn the_proxy_of_the_compose_deployment_passes_problems_on_and_answers_503_without_an_api() {
    let mut deployment = ComposeDeployment::start().await;
    let browser = deployment.world.browser().from(Ipv4Addr::new(127, 0, 9, 9).into());
    browser.get("/nowhere").await.assert_problem("404 not_found");
    let large = json!({ "email": "x".repeat(200_000) });
    browser.post(FORGOT_PASSWORD, large).await.assert_problem("413 body_too_large");

    for (address, process) in std::mem::take(&mut deployment.apis) {
        process.kill();
        assert!(!is_healthy(&deployment.env("api", address)));
    }
    assert_eq!(browser.get(LIVE).await.assert_problem("503 unavailable")["retry_after"], 2);
}

#[tokio::test]
async fn all_apis_of_the_compose_deployment_are_replaced_under_load_without_a_failed_request() {
    let mut deployment = ComposeDeployment::start().await;
    let load = Load::start(deployment.world.apis[0].clone());
    for (n, old) in std::mem::take(&mut deployment.apis).into_iter().enumerate() {
        deployment.replace_api(old, Ipv4Addr::new(127, 0, 7, 101 + n as u8)).await;
        load.wait_for_responses(200).await;
    }
    let (responses, failed) = load.stop().await;
    assert!(failed.is_empty(), "{} of {responses} failed: {:#?}", failed.len(), failed.first());
}

/// Eight clients that read and write as fast as they receive responses.
struct Load {
    responses: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(url: String) -> Self {
        let (responses, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let client = |n: u8| tokio::spawn(send_requests(url.clone(), n, responses.clone(), stop.clone()));
        Self { clients: (0..8).map(client).collect(), responses, stop }
    }

    /// Waits for `count` more responses.
    async fn wait_for_responses(&self, count: usize) {
        let goal = self.responses.load(Ordering::Relaxed) + count;
        let is_reached = || async { (self.responses.load(Ordering::Relaxed) >= goal).then_some(()) };
        eventually("more responses have arrived", is_reached).await;
    }

    /// Stops the clients and returns the number of responses and the failed ones.
    async fn stop(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = vec![];
        for client in self.clients {
            failed.extend(client.await.unwrap());
        }
        (self.responses.load(Ordering::Relaxed), failed)
    }
}

/// Sends a GET and a POST in turn, counts the responses, and returns the failed ones.
async fn send_requests(url: String, client: u8, responses: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut failed = vec![];
    for round in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // The number of requests of an address is limited, so the address changes every 100 rounds.
        let address = Ipv4Addr::new(127, 1 + client, (round / 100) as u8, 1 + (round / 100 / 256) as u8);
        let http = http::client_builder().local_address(Some(address.into())).build().unwrap();
        for request in [http.get(format!("{url}{JWKS}")), http.post(format!("{url}{SIGN_OUT}"))] {
            match request.send().await {
                Ok(response) if response.status().is_success() => {}
                response => failed.push(format!("{response:?}")),
            }
            responses.fetch_add(1, Ordering::Relaxed);
        }
    }
    failed
}
