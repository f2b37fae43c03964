//! The processes of docker-compose.yml, run here with its settings: only hosts, ports and paths are others.

use std::{
    fs,
    net::Ipv4Addr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::files::{Env, compose, env_file, list, strings, text};
use crate::support::{
    FakeDns, Process, Redis, Sink, World, binary, database, eventually, free_port, password, provided, psql, unique,
};

/// What stands in the file, and what stands for it here.
type Places = Vec<(&'static str, String)>;

struct Deployment {
    compose: Value,
    places: Places,
    /// What the proxy asks where the APIs are.
    names: FakeDns,
    /// The ports of all APIs, each of which has an address of its own.
    ports: (u16, u16),
    apis: Vec<(Ipv4Addr, Process)>,
    database: String,
    world: World,
}

impl Deployment {
    /// In the order of the file's `depends_on`.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secrets = env_file();
        let compose = compose(&secrets).unwrap();
        let mut places = vec![("/tls/", format!("{}/", folder.path().display()))];
        let redis = Redis::start_with(&here_all(&redis_arguments(&compose), &folder)).await;
        make_certificate(&compose, &places);
        let sink = start_mail(&compose, &places).await;
        let database = database();
        let (_, postgres) = database.split_once('@').unwrap();
        let ports = (free_port(), free_port());
        places.extend([
            ("@postgres/portico", format!("@{postgres}")),
            ("redis://redis", redis.url()),
            ("@mail:1025", format!("@localhost:{}", sink.port())),
            // Whoever connects to another address of the loopback interface comes from this one.
            ("172.31.240.10/32", "127.0.0.1/32".into()),
        ]);
        let env = environment(&compose, "migrate", &places);
        let world = World::empty(env.into_iter().collect(), Some(sink), Some(redis), folder);
        let names = FakeDns::start().await;
        let mut deployment = Self { compose, places, names, ports, apis: vec![], database, world };
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

    fn replicas(&self, service: &str) -> u8 {
        self.compose["services"][service]["deploy"]["replicas"].as_u64().unwrap() as u8
    }

    /// The service's settings, for a container of this address.
    fn env(&self, service: &str, address: Ipv4Addr) -> Vec<(String, String)> {
        let (public, internal) = self.ports;
        let own = [("0.0.0.0:8080", format!("{address}:{public}")), ("0.0.0.0:9080", format!("{address}:{internal}"))];
        environment(&self.compose, service, &[&self.places[..], &own].concat()).into_iter().collect()
    }

    async fn start_api(&mut self, address: Ipv4Addr) {
        let env = self.env("api", address);
        let process = Process::start(binary(), &list(&self.compose["services"]["api"]["command"]), &env);
        eventually("the container is healthy", || async {
            assert!(process.is_running(), "{:?}", process.logs());
            is_healthy(&env).then_some(())
        })
        .await;
        self.names.add(address);
        self.apis.push((address, process));
    }

    fn start_worker(&mut self, address: Ipv4Addr) {
        let env = self.env("worker", address);
        let process = Process::start(binary(), &list(&self.compose["services"]["worker"]["command"]), &env);
        self.world.processes.push(process);
    }

    async fn start_proxy(&mut self) {
        let port = free_port();
        let config = here(
            &text("deploy/proxy/nginx.conf"),
            &[
                ("127.0.0.11", format!("127.0.0.1:{}", self.names.port())),
                ("api:8080", format!("api:{}", self.ports.0)),
                ("listen 8080", format!("listen 127.0.0.1:{port}")),
                ("/tmp", self.world.folder.path().display().to_string()),
            ],
        );
        let file = self.world.folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        // Root's nginx would become a user who may not read the folder.
        let globals = "daemon off; user root;";
        let args = ["-e", "stderr", "-c", file.to_str().unwrap(), "-g", globals];
        let proxy = Process::start(provided("PORTICO_TEST_NGINX"), &args, &[]);
        let url = format!("http://127.0.0.1:{port}");
        eventually("the proxy answers", || async {
            assert!(proxy.is_running(), "{:?}", proxy.logs());
            reqwest::get(format!("{url}/health/ready")).await.ok()?.status().is_success().then_some(())
        })
        .await;
        self.world.apis = vec![url];
        self.world.processes.push(proxy);
    }
}

fn here(text: &str, places: &[(&str, String)]) -> String {
    places.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
}

fn environment(compose: &Value, service: &str, places: &[(&'static str, String)]) -> Env {
    let env = strings(&compose["services"][service]["environment"]);
    env.into_iter().map(|(name, value)| (name, here(&value, places))).collect()
}

fn redis_arguments(compose: &Value) -> Vec<&str> {
    list(&compose["services"]["redis"]["command"])[1..].to_vec()
}

fn here_all<'a>(arguments: &[&'a str], folder: &'a TempDir) -> Vec<&'a str> {
    [arguments, &["--dir", folder.path().to_str().unwrap()]].concat()
}

fn make_certificate(compose: &Value, places: &Places) {
    let script = here(list(&compose["services"]["mail-tls"]["command"])[0], places);
    // The second start must not make another.
    for _ in 0..2 {
        let made = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// The mail server, with the credentials and the certificate that the file gives it.
async fn start_mail(compose: &Value, places: &Places) -> Sink {
    let env = environment(compose, "mail", places);
    let (user, pass) = env["MP_SMTP_AUTH"].split_once(':').unwrap();
    let files = ["MP_SMTP_TLS_CERT", "MP_SMTP_TLS_KEY"].map(|name| env[name].as_str());
    Sink::start_with(&["--user", user, "--pass", pass, "--cert", files[0], "--key", files[1]]).await
}

/// What the image's health check says.
fn is_healthy(env: &[(String, String)]) -> bool {
    let output = Command::new(binary()).arg("healthcheck").env_clear().envs(env.iter().cloned()).output().unwrap();
    output.status.success()
}

#[tokio::test]
async fn what_compose_starts_takes_a_person_through_and_is_replaced_without_a_failed_request() {
    let mut deployment = Deployment::start().await;
    let world = &deployment.world;

    // The whole path, through the proxy.
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let email = format!("{}@x.test", unique("robin"));
    let token = tenant.invited(world, &client, &email).await;
    // This browser writes a false X-Forwarded-For; what counts is where the proxy sees it.
    let robin = world.browser().from(Ipv4Addr::new(127, 0, 9, 9).into());
    let password = password();
    robin.post("/api/portal/auth/activate", json!({ "token": token, "password": password })).await.expect(200);
    robin.post("/api/portal/auth/sign-in", json!({ "email": email, "password": password })).await.expect(200);
    let session = robin.get("/api/portal/auth/session").await.expect(200);
    assert_eq!(session["user"]["email"], email);
    for table in ["sessions", "audit_events"] {
        let addresses = psql(&deployment.database, &format!("SELECT DISTINCT ip FROM {table} WHERE ip LIKE '127.%'"));
        assert_eq!(addresses, "127.0.9.9", "{table}");
    }
    // Its host is the one that the browser asked for, and its failures are Portico's own.
    world.browser().get("/nowhere").await.problem(404, "not_found");
    let large = format!("{{\"email\":\"{}\"}}", "x".repeat(200_000));
    let answer = world.browser().send(Method::POST, "/api/portal/auth/forgot-password", Some(large), &[]).await;
    answer.problem(413, "body_too_large");

    // All APIs are replaced, one at a time, under load.
    let load = Load::start(world.apis[0].clone());
    let old: Vec<_> = std::mem::take(&mut deployment.apis);
    for (n, (address, process)) in old.into_iter().enumerate() {
        let new = Ipv4Addr::new(127, 0, 7, 101 + n as u8);
        deployment.start_api(new).await;
        let proxy = deployment.world.processes.last().unwrap();
        proxy.wait_for_log("the proxy knows it", |line| line.contains(&format!(" via {new}:")).then_some(())).await;
        process.signal("TERM");
        assert!(process.ends().await, "{:?}", process.logs());
        // The engine's name server forgets a container when it has ended, and the proxy asks again within a second.
        deployment.names.remove(address);
        load.goes_on(200).await;
    }
    let (answers, failed) = load.stop().await;
    assert!(failed.is_empty(), "{} of {answers} failed: {:#?}", failed.len(), failed.first());

    // Without any API the proxy says so in Portico's words; the container without one is not healthy.
    let (address, process) = deployment.apis.pop().unwrap();
    process.kill();
    assert!(!is_healthy(&deployment.env("api", address)));
    deployment.apis.clear();
    let problem = robin.get("/health/live").await.problem(503, "unavailable");
    assert_eq!(problem["retry_after"], 2);
}

/// Browsers that ask and act as fast as they are answered.
struct Load {
    done: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    browsers: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(url: String) -> Self {
        let (done, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let browse = |n: u8| {
            let (url, done, stop) = (url.clone(), done.clone(), stop.clone());
            tokio::spawn(async move {
                let mut failed = vec![];
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // Each address has a share of requests a minute.
                    let address = Ipv4Addr::new(127, 1 + n, (round / 100_u32) as u8, 1 + (round / 100 / 256) as u8);
                    let http = reqwest::Client::builder().local_address(Some(address.into())).build().unwrap();
                    for unsafe_too in [false, true] {
                        let request = match unsafe_too {
                            false => http.get(format!("{url}/.well-known/jwks.json")),
                            true => http.post(format!("{url}/api/portal/auth/sign-out")),
                        };
                        match request.send().await {
                            Ok(answer) if answer.status().is_success() => {}
                            answer => failed.push(format!("{answer:?}")),
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
                failed
            })
        };
        Self { browsers: (0..8).map(browse).collect(), done, stop }
    }

    /// Waits for this many more answers.
    async fn goes_on(&self, answers: usize) {
        let goal = self.done.load(Ordering::Relaxed) + answers;
        eventually("the load goes on", || async { (self.done.load(Ordering::Relaxed) >= goal).then_some(()) }).await;
    }

    /// How many there were, and what failed.
    async fn stop(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = vec![];
        for browser in self.browsers {
            failed.extend(browser.await.unwrap());
        }
        (self.done.load(Ordering::Relaxed), failed)
    }
}
