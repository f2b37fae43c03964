//! The files agree with the program: names and values of settings, commands, ports, paths, memory, grace.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::files::{
    Env, compose, env_file, fill, list, manifests, portico_services, repository, strings, text, unit, yaml,
};
use crate::support::binary;

/// How long the program may take to stop, in seconds: docs/operations.md promises it.
const DRAIN: u64 = 25;
/// What a password hash takes with the default cost, in MiB, and what a process takes besides.
const HASH: f64 = 128.0;
const REST: f64 = 100.0;

const UNITS: [&str; 3] = ["portico-api", "portico-migrate", "portico-worker"];

/// The environment of each process that a file starts, with the file's secrets filled in.
fn environments() -> Vec<(String, Env)> {
    let secrets = env_file();
    let mut all = vec![];
    let compose = compose(&secrets).unwrap();
    for (name, service) in portico_services(&compose) {
        all.push((format!("compose: {name}"), strings(&service["environment"])));
    }
    let mut kubernetes = strings(&find(&manifests(), "ConfigMap", "portico")["data"]);
    kubernetes.extend(strings(&yaml("deploy/kubernetes/secret.example.yaml")[0]["stringData"]));
    fill(&mut kubernetes, &secrets);
    all.push(("kubernetes".into(), kubernetes));
    let file = text("deploy/systemd/portico.env.example");
    let lines = file.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once('=').unwrap());
    let file: Env = lines.map(|(name, value)| (name.into(), value.trim_matches('"').into())).collect();
    for name in UNITS {
        let mut env = file.clone();
        fill(&mut env, &secrets);
        for (_, _, pair) in
            unit(&format!("deploy/systemd/{name}.service")).iter().filter(|line| line.1 == "Environment")
        {
            let (name, value) = pair.split_once('=').unwrap();
            assert!(env.insert(name.into(), value.into()).is_none(), "{name} stands in the file, which would win");
        }
        all.push((format!("systemd: {name}"), env));
    }
    all
}

fn find<'a>(manifests: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = manifests.iter().find(|manifest| manifest["kind"] == kind && manifest["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn say(args: &[&str], env: &Env) -> Result<String, String> {
    let output = Command::new(binary()).args(args).env_clear().envs(env).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn is_command(command: &str) -> bool {
    say(&["help", command], &Env::new()).is_ok()
}

/// The port of a listen address.
fn port(env: &Env, name: &str) -> u64 {
    env[name].rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn every_variable_is_a_setting_and_every_value_is_taken() {
    let table = say(&["settings"], &Env::new()).unwrap();
    let known: BTreeSet<_> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(known.len() > 40);
    for (place, env) in environments() {
        for name in env.keys() {
            assert!(known.contains(name.as_str()), "{place}: {name} is not a setting");
        }
        let said = say(&["check-config"], &env).unwrap_or_else(|why| panic!("{place}: {why}"));
        assert!(said.contains("(Production) for serve, api and worker"), "{place}: {said}");
    }
}

#[test]
fn no_secret_is_built_in() {
    let secrets = env_file();
    for name in secrets.keys() {
        let mut without = secrets.clone();
        without.insert(name.clone(), String::new());
        let complaint = compose(&without).unwrap_err();
        assert!(complaint.contains(name) && complaint.contains(".env.example"), "{complaint}");
    }
    // What the examples for Kubernetes and systemd leave open does not start.
    let mut open = environments().into_iter().find(|(place, _)| place == "kubernetes").unwrap().1;
    open.extend(strings(&yaml("deploy/kubernetes/secret.example.yaml")[0]["stringData"]));
    let said = say(&["check-config"], &open).unwrap_err();
    assert!(said.contains("PORTICO_SECRET"), "{said}");
    assert!(text("deploy/systemd/portico.env.example").contains("\nPORTICO_SECRET=\n"));
}

#[test]
fn compose_gives_each_service_what_it_needs_and_no_more() {
    let compose = compose(&env_file()).unwrap();
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        let image = service["image"].as_str().unwrap();
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_digit() || c == 'v')), "{name}: {image}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(list(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(list(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service["deploy"]["resources"]["limits"]["memory"].is_string(), "{name}");
        for mount in list(&service["volumes"]).into_iter().filter(|_| service["profiles"].is_null()) {
            let source = mount.split(':').next().unwrap();
            let is_file = source.starts_with('.');
            let exists = if is_file { repository(source).exists() } else { compose["volumes"][source].is_object() };
            assert!(exists, "{name}: {mount}");
        }
        for dependency in service["depends_on"].as_object().into_iter().flatten() {
            let known = &services[dependency.0];
            if dependency.1["condition"] == "service_healthy"
                && !known["image"].as_str().unwrap().starts_with("portico:")
            {
                assert!(known["healthcheck"]["test"].is_array(), "{name} waits for {}", dependency.0);
            }
        }
        for published in list(&service["ports"]) {
            assert!(published.starts_with("127.0.0.1:"), "{name}: {published}");
        }
    }
    for (name, service) in portico_services(&compose) {
        assert_eq!(service["image"], format!("portico:{}", env!("CARGO_PKG_VERSION")));
        let command = list(&service["command"]);
        assert!(matches!(command[..], [command] if is_command(command)), "{name}: {command:?}");
        assert!(seconds(&service["stop_grace_period"]) > DRAIN, "{name}");
        assert_eq!(service["environment"]["PORTICO_MIGRATE"], "off");
        if name != "migrate" {
            let condition = &service["depends_on"]["migrate"]["condition"];
            assert_eq!(condition, "service_completed_successfully", "{name}");
            assert!(service["deploy"]["replicas"].as_u64().unwrap() >= 2, "{name}");
        }
    }
    let limits = &services["api"]["deploy"]["resources"]["limits"];
    let cpus: f64 = limits["cpus"].as_str().unwrap().parse().unwrap();
    assert!(mebibytes(&limits["memory"]) >= cpus * HASH + REST, "{limits}");
    let redis = list(&services["redis"]["command"]).join(" ");
    assert!(redis.contains("--maxmemory-policy noeviction") && redis.contains("--appendonly yes"));
}

#[test]
fn compose_trusts_its_proxy_alone_and_the_proxy_finds_the_apis() {
    let compose = compose(&env_file()).unwrap();
    let env = strings(&compose["services"]["api"]["environment"]);
    let address = compose["services"]["proxy"]["networks"]["front"]["ipv4_address"].as_str().unwrap();
    assert_eq!(env["PORTICO_TRUSTED_PROXIES"], format!("{address}/32"));
    let network = &compose["networks"]["front"]["ipam"]["config"][0];
    assert_eq!((&network["subnet"], &network["ip_range"]), (&"172.31.240.0/24".into(), &"172.31.240.128/25".into()));
    assert!(address.starts_with("172.31.240.") && address.rsplit('.').next().unwrap().parse::<u8>().unwrap() < 128);
    let proxy = text("deploy/proxy/nginx.conf");
    assert!(proxy.contains(&format!("set $api http://api:{};", port(&env, "PORTICO_LISTEN"))));
    let published = list(&compose["services"]["proxy"]["ports"])[0].split(':').collect::<Vec<_>>();
    assert!(proxy.contains(&format!("listen {};", published[2])));
    assert_eq!(env["PORTICO_PUBLIC_URL"], format!("http://localhost:{}", published[1]));
}

#[test]
fn the_image_is_small_locked_and_of_pinned_parts() {
    let file = text("Dockerfile");
    let bases: Vec<_> = file.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases.len(), 2);
    for base in &bases {
        let tag = base.split(' ').next().unwrap().split_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{base}");
    }
    let has = |line: &str| file.lines().any(|each| each.trim_end_matches(" \\").trim() == line);
    assert!(has("USER 65532:65532") && has("STOPSIGNAL SIGTERM") && has("ENTRYPOINT [\"portico\"]"));
    assert!(file.contains(" CMD [\"portico\", \"healthcheck\"]") && is_command("healthcheck"));
    assert!(has("CMD [\"serve\"]") && is_command("serve"));
    // The compiler is one that the workspace takes.
    let needed = text("Cargo.toml").lines().find_map(|line| line.strip_prefix("rust-version = ").map(str::to_owned));
    let needed = needed.unwrap().trim_matches('"').to_owned();
    assert!(bases[0].starts_with(&format!("rust:{needed}-bookworm ")) && bases[1].contains("debian12"), "{bases:?}");
    // Everything that cargo needs goes into the build.
    let ignored = text(".dockerignore");
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().unwrap().strip_prefix(&metadata.workspace_root).unwrap();
        assert!(!ignored.lines().any(|line| line == folder.as_str()), "{folder} is ignored");
    }
    assert!(["target", ".git", ".env*", "data"].iter().all(|name| ignored.lines().any(|line| line == *name)));
}

#[test]
fn kubernetes_probes_ports_and_limits_are_the_programs() {
    let manifests = manifests();
    let env = strings(&find(&manifests, "ConfigMap", "portico")["data"]);
    let document: Value = serde_json::from_str(&text("openapi/openapi.json")).unwrap();
    let pods = ["api", "worker", "migrate"].map(|role| {
        let kind = if role == "migrate" { "Job" } else { "Deployment" };
        (role, find(&manifests, kind, &format!("portico-{role}")))
    });
    for (role, owner) in pods {
        let (template, spec) = (&owner["spec"]["template"], &owner["spec"]["template"]["spec"]);
        let container = &spec["containers"][0];
        assert_eq!(list(&container["args"]), [role]);
        assert!(is_command(role));
        assert_eq!(container["image"], "portico", "the kustomization gives it its tag");
        assert_eq!(spec["enableServiceLinks"], false, "{role}: a Service would set variables that begin with PORTICO_");
        assert_eq!(spec["automountServiceAccountToken"], false);
        assert_eq!(
            (&spec["securityContext"]["runAsNonRoot"], &spec["securityContext"]["runAsUser"]),
            (&true.into(), &65532.into())
        );
        let locked = &container["securityContext"];
        assert_eq!(
            (&locked["readOnlyRootFilesystem"], &locked["allowPrivilegeEscalation"]),
            (&true.into(), &false.into())
        );
        assert_eq!(list(&locked["capabilities"]["drop"]), ["ALL"]);
        let sources: Vec<_> = container["envFrom"].as_array().unwrap().iter().collect();
        assert_eq!(sources[0]["configMapRef"]["name"], "portico");
        assert_eq!(
            sources[1]["secretRef"]["name"],
            yaml("deploy/kubernetes/secret.example.yaml")[0]["metadata"]["name"]
        );
        if role == "migrate" {
            continue;
        }
        assert_eq!(owner["spec"]["selector"]["matchLabels"], template["metadata"]["labels"], "{role}");
        let budget = find(&manifests, "PodDisruptionBudget", &format!("portico-{role}"));
        assert_eq!(budget["spec"]["selector"]["matchLabels"], template["metadata"]["labels"], "{role}");
        let wait = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0);
        assert!(spec["terminationGracePeriodSeconds"].as_u64().unwrap() > DRAIN + wait, "{role}");
        let named = |name: &str| {
            let ports = container["ports"].as_array().unwrap();
            ports.iter().find(|port| port["name"] == name).map(|port| port["containerPort"].as_u64().unwrap())
        };
        assert_eq!(named("internal"), Some(port(&env, "PORTICO_INTERNAL_LISTEN")));
        assert_eq!(named("http"), (role == "api").then(|| port(&env, "PORTICO_LISTEN")));
        let probes = ["startupProbe", "readinessProbe", "livenessProbe"].map(|probe| &container[probe]["httpGet"]);
        for probe in probes.into_iter().filter(|probe| !probe.is_null()) {
            assert_eq!(probe["port"], "internal");
            assert!(document["paths"][probe["path"].as_str().unwrap()]["get"].is_object(), "{probe}");
        }
        assert_eq!(probes[2]["path"], "/health/live", "a database that is away must not restart {role}");
        let limits = &container["resources"]["limits"];
        if role == "api" {
            assert_eq!(probes[1]["path"], "/health/ready");
            let cpus: f64 = limits["cpu"].as_str().unwrap().parse().unwrap();
            assert!(mebibytes(&limits["memory"]) >= cpus * HASH + REST);
            assert_eq!(find(&manifests, "Service", "portico")["spec"]["selector"], template["metadata"]["labels"]);
        }
    }
    let scaler = &find(&manifests, "HorizontalPodAutoscaler", "portico-api")["spec"];
    assert_eq!(scaler["scaleTargetRef"]["name"], "portico-api");
    assert!(scaler["minReplicas"].as_u64().unwrap() >= 2 && pods[0].1["spec"]["replicas"].is_null());
    let inside = find(&manifests, "NetworkPolicy", "portico-internal");
    assert_eq!(inside["spec"]["ingress"][0]["ports"][0]["port"], port(&env, "PORTICO_INTERNAL_LISTEN"));
    let image = &yaml("deploy/kubernetes/kustomization.yaml")[0]["images"][0];
    assert_eq!((&image["name"], &image["newTag"]), (&"portico".into(), &env!("CARGO_PKG_VERSION").into()));
}

#[test]
fn systemd_units_start_the_program_with_nothing_to_lose() {
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
            assert!(get("TimeoutStopSec").unwrap().parse::<u64>().unwrap() > DRAIN, "{name}");
            assert_eq!((get("Requires"), get("Restart")), (Some("portico-migrate.service"), Some("always")));
        }
    }
}

/// Seconds, as compose writes them.
fn seconds(duration: &Value) -> u64 {
    duration.as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap()
}

/// MiB, as compose and Kubernetes write them.
fn mebibytes(size: &Value) -> f64 {
    let size = size.as_str().unwrap().trim_end_matches('i');
    let (number, unit) = size.split_at(size.len() - 1);
    number.parse::<f64>().unwrap() * if unit == "G" { 1024.0 } else { 1.0 }
}

// Cargo finds its settings from where it is called: a build that missed them would work, and hash a third slower.
#[test]
fn the_allocator_was_built_as_it_is_meant_to_be() {
    let settings = text(".cargo/config.toml");
    let meant = settings.lines().find_map(|line| line.strip_prefix("JEMALLOC_SYS_WITH_MALLOC_CONF = ")).unwrap();
    let mut program = Command::new(binary());
    let said = program.arg("--version").env("_RJEM_MALLOC_CONF", "confirm_conf:true").output().unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains(&format!("specified via --with-malloc-conf): {meant}")), "{said}");
}
