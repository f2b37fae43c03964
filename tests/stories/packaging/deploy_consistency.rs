//! The deployment files agree with the program: settings and their values, commands, ports, paths, memory, time to
//! stop.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::files::{
    Env, compose, env_file, fill, list, manifests, portico_services, repository, strings, text, unit, yaml,
};
use crate::support::binary;

/// How long a process may take to stop, in seconds, as docs/operations.md says.
const STOP_SECONDS: u64 = 25;
/// The memory in MiB of a password hash at the default cost, and of a process without hashes.
const HASH_MIB: f64 = 128.0;
const PROCESS_MIB: f64 = 100.0;

const UNITS: [&str; 3] = ["portico-api", "portico-migrate", "portico-worker"];

/// The environment of each process that a deployment file starts, with secrets, by the name of file and process.
fn environments() -> Vec<(String, Env)> {
    let secrets = env_file();
    let compose = compose(&secrets).unwrap();
    let services = portico_services(&compose).into_iter();
    let mut all: Vec<_> =
        services.map(|(name, service)| (format!("compose: {name}"), strings(&service["environment"]))).collect();
    let mut kubernetes = kubernetes_environment();
    fill(&mut kubernetes, &secrets);
    all.push(("kubernetes".into(), kubernetes));
    all.extend(UNITS.map(|name| (format!("systemd: {name}"), systemd_environment(name, &secrets))));
    all
}

/// The environment of the pods, without the operator's secrets.
fn kubernetes_environment() -> Env {
    let mut env = strings(&find(&manifests(), "ConfigMap", "portico")["data"]);
    env.extend(strings(&yaml("deploy/kubernetes/secret.example.yaml")[0]["stringData"]));
    env
}

/// The environment of a systemd unit: the environment file and the unit's own variables.
fn systemd_environment(name: &str, secrets: &Env) -> Env {
    let file = text("deploy/systemd/portico.env.example");
    let lines = file.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once('=').unwrap());
    let mut env: Env = lines.map(|(name, value)| (name.into(), value.trim_matches('"').into())).collect();
    fill(&mut env, secrets);
    for (_, _, pair) in unit(&format!("deploy/systemd/{name}.service")).iter().filter(|line| line.1 == "Environment") {
        let (name, value) = pair.split_once('=').unwrap();
        assert!(
            env.insert(name.into(), value.into()).is_none(),
            "{name} is in the environment file, which has precedence"
        );
    }
    env
}

/// Returns the manifest of this kind and name.
fn find<'a>(manifests: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = manifests.iter().find(|manifest| manifest["kind"] == kind && manifest["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// Runs the program and returns its stdout.
///
/// # Errors
///
/// The stderr of a program that fails.
fn run(args: &[&str], env: &Env) -> Result<String, String> {
    let output = Command::new(binary()).args(args).env_clear().envs(env).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Whether the program has this command.
fn is_command(command: &str) -> bool {
    run(&["help", command], &Env::new()).is_ok()
}

/// The port in the listen address of this setting.
fn port(env: &Env, name: &str) -> u64 {
    env[name].rsplit(':').next().unwrap().parse().unwrap()
}

/// `docker-compose.yml` with generated secrets.
fn compose_file() -> Value {
    compose(&env_file()).unwrap()
}

#[test]
fn deployment_files_set_known_settings_to_values_that_check_config_accepts() {
    let table = run(&["settings"], &Env::new()).unwrap();
    let known: BTreeSet<_> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(known.len() > 40);
    for (place, mut env) in environments() {
        // The file exists in the containers only.
        if let Some(url) = env.get_mut("MAIL_URL") {
            *url = url.replace("ca=/tls/mail.pem", "");
        }
        for name in env.keys() {
            assert!(known.contains(name.as_str()), "{place}: {name} is not a setting");
        }
        let output = run(&["check-config"], &env).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(output.contains("(Production) for serve, api and worker"), "{place}: {output}");
    }
}

#[test]
fn compose_starts_only_with_every_secret_of_the_env_file() {
    let secrets = env_file();
    for name in secrets.keys() {
        let mut without = secrets.clone();
        without.insert(name.clone(), String::new());
        let message = compose(&without).unwrap_err();
        assert!(message.contains(name) && message.contains(".env.example"), "{message}");
    }
}

#[test]
fn the_examples_for_kubernetes_and_systemd_leave_the_server_key_open() {
    let error = run(&["check-config"], &kubernetes_environment()).unwrap_err();
    assert!(error.contains("PORTICO_SECRET"), "{error}");
    assert!(text("deploy/systemd/portico.env.example").contains("\nPORTICO_SECRET=\n"));
}

#[test]
fn every_compose_service_has_a_pinned_image_a_memory_limit_and_no_privileges() {
    let compose = compose_file();
    for (name, service) in compose["services"].as_object().unwrap() {
        let image = service["image"].as_str().unwrap();
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_digit() || c == 'v')), "{name}: {image}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(list(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(list(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service["deploy"]["resources"]["limits"]["memory"].is_string(), "{name}");
        for published in list(&service["ports"]) {
            assert!(published.starts_with("127.0.0.1:"), "{name}: {published}");
        }
    }
}

#[test]
fn every_compose_mount_exists_and_every_awaited_service_has_a_health_check() {
    let compose = compose_file();
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        for mount in list(&service["volumes"]).into_iter().filter(|_| service["profiles"].is_null()) {
            let source = mount.split(':').next().unwrap();
            let is_file = source.starts_with('.');
            let exists = if is_file { repository(source).exists() } else { compose["volumes"][source].is_object() };
            assert!(exists, "{name}: {mount}");
        }
        for (dependency, rule) in service["depends_on"].as_object().into_iter().flatten() {
            let awaited = &services[dependency];
            // The image of Portico has a health check of its own.
            let is_portico = awaited["image"].as_str().unwrap().starts_with("portico:");
            if rule["condition"] == "service_healthy" && !is_portico {
                assert!(awaited["healthcheck"]["test"].is_array(), "{name} waits for {dependency}");
            }
        }
    }
}

#[test]
fn compose_runs_commands_of_this_version_with_time_to_stop_after_the_migration() {
    let compose = compose_file();
    for (name, service) in portico_services(&compose) {
        assert_eq!(service["image"], format!("portico:{}", env!("CARGO_PKG_VERSION")));
        let command = list(&service["command"]);
        assert!(matches!(command[..], [command] if is_command(command)), "{name}: {command:?}");
        assert!(seconds(&service["stop_grace_period"]) > STOP_SECONDS, "{name}");
        assert_eq!(service["environment"]["PORTICO_MIGRATE"], "off");
        if name != "migrate" {
            let condition = &service["depends_on"]["migrate"]["condition"];
            assert_eq!(condition, "service_completed_successfully", "{name}");
            assert!(service["deploy"]["replicas"].as_u64().unwrap() >= 2, "{name}");
        }
    }
}

#[test]
fn compose_gives_the_api_memory_for_its_hashes_and_keeps_the_queue_on_disk() {
    let compose = compose_file();
    let limits = &compose["services"]["api"]["deploy"]["resources"]["limits"];
    let cpus: f64 = limits["cpus"].as_str().unwrap().parse().unwrap();
    assert!(mebibytes(&limits["memory"]) >= cpus * HASH_MIB + PROCESS_MIB, "{limits}");
    let redis = list(&compose["services"]["redis"]["command"]).join(" ");
    assert!(redis.contains("--maxmemory-policy noeviction") && redis.contains("--appendonly yes"));
}

#[test]
fn compose_trusts_the_address_of_its_proxy_only() {
    let compose = compose_file();
    let env = strings(&compose["services"]["api"]["environment"]);
    let address = compose["services"]["proxy"]["networks"]["front"]["ipv4_address"].as_str().unwrap();
    assert_eq!(env["PORTICO_TRUSTED_PROXIES"], format!("{address}/32"));
    let network = &compose["networks"]["front"]["ipam"]["config"][0];
    assert_eq!((&network["subnet"], &network["ip_range"]), (&"172.31.240.0/24".into(), &"172.31.240.128/25".into()));
    // Outside the range that compose assigns.
    assert!(address.starts_with("172.31.240.") && address.rsplit('.').next().unwrap().parse::<u8>().unwrap() < 128);
}

#[test]
fn the_ports_of_the_proxy_are_those_of_the_apis_and_of_the_public_url() {
    let compose = compose_file();
    let env = strings(&compose["services"]["api"]["environment"]);
    let proxy = text("deploy/proxy/nginx.conf");
    assert!(proxy.contains(&format!("set $api http://api:{};", port(&env, "PORTICO_LISTEN"))));
    let published = list(&compose["services"]["proxy"]["ports"])[0].split(':').collect::<Vec<_>>();
    assert!(proxy.contains(&format!("listen {};", published[2])));
    assert_eq!(env["PORTICO_PUBLIC_URL"], format!("http://localhost:{}", published[1]));
}

/// Whether the Dockerfile has this line, which may continue on the next one.
fn dockerfile_has(line: &str) -> bool {
    text("Dockerfile").lines().any(|each| each.trim_end_matches(" \\").trim() == line)
}

#[test]
fn the_image_runs_commands_of_the_program_as_an_unprivileged_user() {
    assert!(dockerfile_has("USER 65532:65532"));
    assert!(dockerfile_has("STOPSIGNAL SIGTERM") && dockerfile_has("ENTRYPOINT [\"portico\"]"));
    assert!(text("Dockerfile").contains(" CMD [\"portico\", \"healthcheck\"]") && is_command("healthcheck"));
    assert!(dockerfile_has("CMD [\"serve\"]") && is_command("serve"));
}

#[test]
fn the_image_is_built_from_pinned_images_with_the_compiler_of_the_workspace() {
    let file = text("Dockerfile");
    let bases: Vec<_> = file.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases.len(), 2);
    for base in &bases {
        let tag = base.split(' ').next().unwrap().split_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{base}");
    }
    let workspace = text("Cargo.toml");
    let version = workspace.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(bases[0].starts_with(&format!("rust:{version}-bookworm ")) && bases[1].contains("debian12"), "{bases:?}");
}

#[test]
fn the_build_of_the_image_has_every_crate_and_neither_secrets_nor_build_output() {
    let ignored = text(".dockerignore");
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().unwrap().strip_prefix(&metadata.workspace_root).unwrap();
        assert!(!ignored.lines().any(|line| line == folder.as_str()), "{folder} is ignored");
    }
    // The binary contains the built pages. Their sources need Node, which the image does not have.
    assert!(ignored.contains("\nweb/*\n!web/dist\n"), "{ignored}");
    assert!(["target", ".git", ".env*", "data"].iter().all(|name| ignored.lines().any(|line| line == *name)));
}

/// A Deployment or Job of the Kubernetes manifests, and its only container.
struct Workload {
    role: &'static str,
    manifest: Value,
}

impl Workload {
    fn template(&self) -> &Value {
        &self.manifest["spec"]["template"]
    }

    fn container(&self) -> &Value {
        &self.template()["spec"]["containers"][0]
    }

    fn labels(&self) -> &Value {
        &self.template()["metadata"]["labels"]
    }

    /// The container port of this name.
    fn port(&self, name: &str) -> Option<u64> {
        let ports = self.container()["ports"].as_array().unwrap();
        ports.iter().find(|port| port["name"] == name).map(|port| port["containerPort"].as_u64().unwrap())
    }

    fn probe(&self, name: &str) -> &Value {
        &self.container()[name]["httpGet"]
    }
}

/// The workloads of these roles.
fn workloads<const N: usize>(roles: [&'static str; N]) -> [Workload; N] {
    roles.map(|role| {
        let kind = if role == "migrate" { "Job" } else { "Deployment" };
        Workload { role, manifest: find(&manifests(), kind, &format!("portico-{role}")).clone() }
    })
}

fn kubernetes_settings() -> Env {
    strings(&find(&manifests(), "ConfigMap", "portico")["data"])
}

#[test]
fn kubernetes_pods_run_commands_of_the_program_without_privileges() {
    for workload in workloads(["api", "worker", "migrate"]) {
        let (role, spec, container) = (workload.role, &workload.template()["spec"], workload.container());
        assert_eq!(list(&container["args"]), [role]);
        assert!(is_command(role));
        assert_eq!(container["image"], "portico", "the kustomization sets the tag");
        assert_eq!(spec["enableServiceLinks"], false, "{role}: a Service would set variables that begin with PORTICO_");
        assert_eq!(spec["automountServiceAccountToken"], false);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["securityContext"]["runAsUser"], 65532);
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(list(&context["capabilities"]["drop"]), ["ALL"]);
    }
}

#[test]
fn kubernetes_pods_read_the_config_map_and_the_secret() {
    let secret = &yaml("deploy/kubernetes/secret.example.yaml")[0]["metadata"]["name"];
    for workload in workloads(["api", "worker", "migrate"]) {
        let sources = &workload.container()["envFrom"];
        assert_eq!(&sources[0]["configMapRef"]["name"], "portico");
        assert_eq!(&sources[1]["secretRef"]["name"], secret);
    }
}

#[test]
fn kubernetes_selectors_find_the_pods_and_their_grace_period_covers_the_stop() {
    for workload in workloads(["api", "worker"]) {
        let role = workload.role;
        assert_eq!(&workload.manifest["spec"]["selector"]["matchLabels"], workload.labels(), "{role}");
        let manifests = manifests();
        let budget = find(&manifests, "PodDisruptionBudget", &format!("portico-{role}"));
        assert_eq!(&budget["spec"]["selector"]["matchLabels"], workload.labels(), "{role}");
        let wait = workload.container()["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0);
        let grace_period = workload.template()["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap();
        assert!(grace_period > STOP_SECONDS + wait, "{role}");
    }
}

#[test]
fn kubernetes_probes_use_the_internal_port_and_documented_paths() {
    let env = kubernetes_settings();
    let document: Value = serde_json::from_str(&text("openapi/openapi.json")).unwrap();
    for workload in workloads(["api", "worker"]) {
        let role = workload.role;
        assert_eq!(workload.port("internal"), Some(port(&env, "PORTICO_INTERNAL_LISTEN")));
        assert_eq!(workload.port("http"), (role == "api").then(|| port(&env, "PORTICO_LISTEN")));
        for name in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let probe = workload.probe(name);
            if !probe.is_null() {
                assert_eq!(probe["port"], "internal");
                assert!(document["paths"][probe["path"].as_str().unwrap()]["get"].is_object(), "{probe}");
            }
        }
        let liveness = &workload.probe("livenessProbe")["path"];
        assert_eq!(liveness, "/health/live", "an unavailable database must not restart {role}");
    }
}

#[test]
fn kubernetes_gives_the_api_memory_for_its_hashes_a_service_and_an_autoscaler() {
    let (manifests, [api]) = (manifests(), workloads(["api"]));
    assert_eq!(api.probe("readinessProbe")["path"], "/health/ready");
    let limits = &api.container()["resources"]["limits"];
    let cpus: f64 = limits["cpu"].as_str().unwrap().parse().unwrap();
    assert!(mebibytes(&limits["memory"]) >= cpus * HASH_MIB + PROCESS_MIB);
    assert_eq!(&find(&manifests, "Service", "portico")["spec"]["selector"], api.labels());
    let scaler = &find(&manifests, "HorizontalPodAutoscaler", "portico-api")["spec"];
    assert_eq!(scaler["scaleTargetRef"]["name"], "portico-api");
    assert!(scaler["minReplicas"].as_u64().unwrap() >= 2 && api.manifest["spec"]["replicas"].is_null());
}

#[test]
fn kubernetes_restricts_the_internal_port_and_runs_this_version() {
    let manifests = manifests();
    let policy = find(&manifests, "NetworkPolicy", "portico-internal");
    let internal = port(&kubernetes_settings(), "PORTICO_INTERNAL_LISTEN");
    assert_eq!(policy["spec"]["ingress"][0]["ports"][0]["port"], internal);
    let image = &yaml("deploy/kubernetes/kustomization.yaml")[0]["images"][0];
    assert_eq!((&image["name"], &image["newTag"]), (&"portico".into(), &env!("CARGO_PKG_VERSION").into()));
}

#[test]
fn systemd_units_run_commands_of_the_program_without_privileges() {
    for name in UNITS {
        let unit = unit(&format!("deploy/systemd/{name}.service"));
        let get = |name: &str| unit.iter().find(|line| line.1 == name).map(|line| line.2.as_str());
        let command = get("ExecStart").unwrap().strip_prefix("/usr/local/bin/portico ").unwrap();
        assert!(is_command(command) && name.ends_with(command), "{name}: {command}");
        for (directive, value) in [
            ("DynamicUser", "yes"),
            ("NoNewPrivileges", "yes"),
            ("ProtectSystem", "strict"),
            ("ProtectHome", "yes"),
            ("PrivateTmp", "yes"),
            ("CapabilityBoundingSet", ""),
            ("MemoryDenyWriteExecute", "yes"),
            ("EnvironmentFile", "/etc/portico/portico.env"),
        ] {
            assert_eq!(get(directive), Some(value), "{name}: {directive}");
        }
        if name != "portico-migrate" {
            assert!(get("TimeoutStopSec").unwrap().parse::<u64>().unwrap() > STOP_SECONDS, "{name}");
            assert_eq!(get("ExecStartPre"), Some("/usr/local/bin/portico migrate"), "{name}");
        }
        // A start or a migration that failed, for example at boot, is tried again without end.
        let restart = if name == "portico-migrate" { "on-failure" } else { "always" };
        assert_eq!((get("Restart"), get("StartLimitIntervalSec")), (Some(restart), Some("0")), "{name}");
        assert!(get("RestartSec").is_some() && get("Requires").is_none(), "{name}");
    }
}

/// Parses seconds as compose writes them.
fn seconds(duration: &Value) -> u64 {
    duration.as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap()
}

/// Parses a size as compose and Kubernetes write it, and returns MiB.
fn mebibytes(size: &Value) -> f64 {
    let size = size.as_str().unwrap().trim_end_matches('i');
    let (number, unit) = size.split_at(size.len() - 1);
    number.parse::<f64>().unwrap() * if unit == "G" { 1024.0 } else { 1.0 }
}

/// Cargo looks for its settings in the folder in which it is called. A build without them works, and hashes passwords a
/// third slower.
#[test]
fn the_allocator_was_built_with_the_settings_of_the_repository() {
    let settings = text(".cargo/config.toml");
    let expected = settings.lines().find_map(|line| line.strip_prefix("JEMALLOC_SYS_WITH_MALLOC_CONF = ")).unwrap();
    let mut program = Command::new(binary());
    let output = program.arg("--version").env("_RJEM_MALLOC_CONF", "confirm_conf:true").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(&format!("specified via --with-malloc-conf): {expected}")), "{stderr}");
}
