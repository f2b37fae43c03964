//! The web pages: the shells, their files, and what turns them off.

use std::{
    io::Write,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::redirect::Policy;
use serde_json::Value;

use crate::support::{
    Browser, Deployment, Response, Scrape, TcpProxy, World, database, eventually, http,
    paths::{LIVE, SESSION},
    stories,
};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const ELEMENT: &str = "/elements/portico-sign-in.js";
/// A build that no process serves.
const OTHER_BUILD: &str = "0123456789abcdef";

/// All pages in `web/dist/pages.json`: their paths, with a value for each parameter, and what the file says of each.
fn pages() -> Vec<(String, Value)> {
    let manifest: Value = serde_json::from_str(include_str!("../../web/dist/pages.json")).unwrap();
    let pages = ["portal", "console"].map(|area| manifest[area]["pages"].as_array().unwrap().clone()).concat();
    let fill_in = |part: &str| if part.starts_with(':') { "7".to_owned() } else { part.to_owned() };
    let path = |page: &Value| page["path"].as_str().unwrap().split('/').map(fill_in).collect::<Vec<_>>().join("/");
    pages.into_iter().map(|page| (path(&page), page)).collect()
}

/// The addresses in a shell that begin with `/assets/`.
fn assets(shell: &str) -> Vec<String> {
    let addresses = shell.split('"').filter(|text| text.starts_with("/assets/"));
    addresses.map(str::to_owned).collect()
}

/// What a shell hands to its scripts.
fn meta(shell: &str) -> Value {
    let (_, meta) = shell.split_once("<meta name=\"portico\" content=\"").unwrap();
    serde_json::from_str(&meta.split_once('"').unwrap().0.replace("&#34;", "\"")).unwrap()
}

/// The address of the entry script of the portal.
async fn portal_script(browser: &Browser) -> String {
    let shell = browser.get("/portal").await.text;
    assets(&shell).into_iter().find(|address| address.ends_with(".js")).unwrap()
}

#[track_caller]
fn assert_shell(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(response.headers["content-type"], "text/html; charset=utf-8");
    assert!(response.text.starts_with("<!doctype html>") && response.text.len() < 4_000, "{response:?}");
}

stories! {
    async fn every_page_is_a_shell_and_all_of_its_files_are_there(world) {
        let browser = world.browser();
        for (path, page) in pages() {
            let shell = browser.get_with_headers(&path, &[("accept-language", "fr")]).await;
            assert_shell(&shell, 200);
            let files = assets(&shell.text);
            let own = [&page["styles"], &page["preload"], &page["texts"]["fr"]].into_iter().filter_map(Value::as_array);
            for file in own.flatten() {
                let end = format!("/{}", file.as_str().unwrap());
                assert!(files.iter().any(|address| address.ends_with(&end)), "{file} of {path}: {files:?}");
            }
            for file in &files {
                assert_eq!(browser.get(file).await.status, 200, "{file} of {path}");
            }
            let scripts = files.iter().filter(|file| file.ends_with(".js")).count();
            assert_eq!((scripts >= 1, shell.text.matches("<script").count()), (true, scripts), "{shell:?}");
        }
    }

    async fn another_path_below_the_portal_is_a_shell_with_404_and_one_below_the_api_a_problem(world) {
        for path in ["/portal/", "/portal/nowhere", "/portal/api/v1", "/console/nowhere", "/console/clients/"] {
            assert_shell(&world.browser().get(path).await, 404);
        }
        for path in ["/api/nowhere", "/api/portal/nowhere", "/portals", "/consol", "/elements/x.js", "/assets/x"] {
            let response = world.browser().get_with_headers(path, &[("accept", "text/html")]).await;
            response.assert_problem("404 not_found");
        }
    }

    async fn a_page_has_the_language_that_was_chosen_or_that_the_browser_prefers(world) {
        for (cookie, accepted, language) in [
            ("portico_locale=es", "fr", "es"),
            ("portico_locale=de-AT", "fr", "de"),
            ("portico_locale=xx", "fr;q=0.2, de;q=0.3", "de"),
            ("a=b", "nl, fr-CA;q=0.5, en;q=0.4", "fr"),
            ("a=b", "nl", "en"),
        ] {
            let headers = [("cookie", cookie), ("accept-language", accepted)];
            let shell = world.browser().get_with_headers("/portal", &headers).await;
            assert!(shell.text.contains(&format!("<html lang=\"{language}\">")), "{cookie} {accepted}: {shell:?}");
            assert_eq!(meta(&shell.text)["locale"], language);
        }
    }

    async fn files_are_kept_for_a_year_and_sent_compressed(world) {
        let browser = world.browser();
        let shell = browser.get("/console").await.text;
        let style = assets(&shell).into_iter().find(|file| file.ends_with(".css")).unwrap();
        let script = portal_script(&browser).await;
        for (file, media_type) in [(&script, "text/javascript"), (&style, "text/css")] {
            let plain = browser.get(file).await;
            assert_eq!(plain.headers["content-type"], format!("{media_type}; charset=utf-8"));
            assert_eq!(plain.headers["cache-control"], IMMUTABLE);
            assert_eq!(plain.headers["x-content-type-options"], "nosniff");
            assert!(plain.headers.get_all("vary").iter().any(|name| name == "accept-encoding"), "{plain:?}");
        }
        let plain = browser.get(&script).await;
        let request = http::client().get(format!("{}{script}", world.apis[0])).header("accept-encoding", "br, gzip");
        let gzip = request.send().await.unwrap();
        assert_eq!(gzip.headers()["content-encoding"], "gzip");
        assert_ne!(gzip.headers()["etag"], plain.headers["etag"]);
        assert_eq!(gunzip(&gzip.bytes().await.unwrap()), plain.text);
    }

    async fn a_browser_that_has_a_file_does_not_receive_it_again(world) {
        let browser = world.browser();
        for file in [portal_script(&browser).await, ELEMENT.into(), "/favicon.ico".into()] {
            let first = browser.get(&file).await;
            let tag = first.headers["etag"].to_str().unwrap();
            let second = browser.get_with_headers(&file, &[("if-none-match", tag)]).await;
            assert_eq!((second.status, second.text.as_str()), (304, ""), "{file}");
            assert_eq!(second.headers["cache-control"], first.headers["cache-control"]);
            let changed = browser.get_with_headers(&file, &[("if-none-match", "\"0123456789abcdef\"")]).await;
            assert_eq!((changed.status, changed.text), (200, first.text));
        }
    }

    async fn head_is_get_without_the_body_for_pages_and_files(world) {
        let browser = world.browser();
        let script = portal_script(&browser).await;
        for path in ["/portal", "/console/nowhere", &script, ELEMENT, "/robots.txt", "/favicon.ico"] {
            let (got, head) = (browser.get(path).await, browser.send(reqwest::Method::HEAD, path, None, &[]).await);
            assert_eq!((head.status, head.text.as_str()), (got.status, ""), "{path}");
            for name in got.headers.keys().filter(|name| !["date", "x-request-id"].contains(&name.as_str())) {
                assert_eq!(Some(&got.headers[name]), head.headers.get(name), "{name} of {path}");
            }
        }
    }

    async fn the_address_of_the_host_leads_to_the_portal_and_search_engines_index_nothing(world) {
        let client = http::client_builder().redirect(Policy::none()).build().unwrap();
        let home = client.get(format!("{}/?x=1", world.apis[0])).header("host", "evil.test").send().await.unwrap();
        assert_eq!((home.status().as_u16(), &home.headers()["location"]), (302, &"/portal".parse().unwrap()));
        let robots = world.browser().get("/robots.txt").await;
        assert_eq!((robots.status, robots.text.as_str()), (200, "User-agent: *\nDisallow: /\n"));
        let icon = world.browser().get("/favicon.ico").await;
        assert_eq!(icon.status, 200);
        assert_eq!(icon.headers["content-type"], "image/svg+xml; charset=utf-8");
    }

    // During a deployment, a new shell may meet an old replica.
    async fn web_08_a_script_of_another_build_reloads_the_page_and_its_other_files_are_missing(world) {
        let browser = world.browser();
        for file in ["portal.js", "chunks/none.js", "portal.js?x"] {
            let script = browser.get(&format!("/assets/{OTHER_BUILD}/{file}")).await;
            assert_eq!((script.status, &script.headers["cache-control"]), (200, &"no-store".parse().unwrap()));
            assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
            assert!(script.text.contains("location.reload()") && script.text.len() < 1_200, "{script:?}");
        }
        for file in ["portal.css", "pages.json", "portal.js/", "", "js"] {
            browser.get(&format!("/assets/{OTHER_BUILD}/{file}")).await.assert_problem("404 not_found");
        }
        let script = portal_script(&browser).await;
        for missing in [script.replace(".js", "x.js"), script.to_uppercase(), script.replace("/assets/", "/assets/x")] {
            browser.get(&missing).await.assert_problem("404 not_found");
        }
    }

    async fn pages_and_files_ignore_their_query(world) {
        let script = portal_script(&world.browser()).await;
        for path in ["/portal", &script, ELEMENT, "/robots.txt"] {
            for query in ["_=1", "a=1&a=2", "%ff", "tenant=%00", "tenant", "\u{f6}"] {
                assert_eq!(world.browser().get(&format!("{path}?{query}")).await.status, 200, "{path}?{query}");
            }
        }
    }
}

/// Decompresses with the command of the system.
fn gunzip(content: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::with_suffix(".gz").unwrap();
    file.write_all(content).unwrap();
    let output = Command::new("gzip").arg("-dc").arg(file.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the script that is sent in the place of one of another build as often as it reloads its page within three
/// minutes, and returns when it reloads, in milliseconds from the start. `load` is how Node runs the script.
fn reloads(script: &str, load: &str, storage: &str) -> Vec<u64> {
    let program = format!(
        "const vm = require('node:vm');
        let now = 1e12, stored = null, reloads = [], reloaded = true;
        const getItem = () => {{ {storage}; return stored; }}, setItem = (_, value) => {{ stored = value; }};
        const sessionStorage = {{ getItem, setItem }};
        const page = () => vm.createContext({{ sessionStorage, Date: {{ now: () => now }},
            location: {{ reload: () => {{ reloads.push(now - 1e12); reloaded = true; }} }},
            setTimeout: (run, delay) => {{ now += delay; run(); }} }});
        (async () => {{
            while (reloaded && now < 1e12 + 180_000) {{
                reloaded = false;
                const context = page(), script = {script};
                for (let n = 0; n < 2; n++) {{ {load} }}
            }}
            console.log(JSON.stringify(reloads));
        }})();",
        script = Value::from(script)
    );
    let output = Command::new("node").args(["--experimental-vm-modules", "-e", &program]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

#[tokio::test]
async fn web_08_a_page_whose_scripts_are_of_another_build_reloads_at_most_five_times_a_minute() {
    let world = World::shared(Deployment::Single).await;
    let script = world.browser().get(&format!("/assets/{OTHER_BUILD}/portal.js")).await.text;
    let classic = "vm.runInContext(script, context);";
    let module = "const module = new vm.SourceTextModule(script, { context }); await module.link(() => {}); \
                  await module.evaluate();";
    for load in [classic, module] {
        let times = reloads(&script, load, "");
        assert_eq!(times[..5], [1_000, 2_000, 3_000, 4_000, 5_000], "a page with two such scripts reloads once");
        for (n, time) in times.iter().enumerate() {
            let within_a_minute = times[n..].iter().filter(|later| *later - time < 60_000).count();
            assert!(within_a_minute <= 5, "{times:?}");
        }
        assert!(times.len() > 10, "a long deployment ends too: {times:?}");
    }
    assert!(reloads(&script, classic, "throw new Error('denied')").is_empty());
}

#[tokio::test]
async fn without_pages_the_process_serves_the_api_only() {
    let world = World::start(Deployment::Single, &[("PORTICO_PAGES", "off")]).await;
    let build = format!("/assets/{OTHER_BUILD}/portal.js");
    for path in ["/", "/portal", "/portal/sign-in", "/console", &build, ELEMENT, "/favicon.ico", "/robots.txt"] {
        let response = world.browser().get_with_headers(path, &[("accept", "text/html")]).await;
        response.assert_problem("404 not_found");
    }
    world.browser().get(LIVE).await.expect(200);
    assert!(!world.processes[0].logs().iter().any(|line| line.contains("Console  ")), "no links to pages");
}

#[tokio::test]
async fn the_settings_say_where_a_sign_in_may_lead_and_which_sites_may_load_the_element() {
    let (back, host) = ("https://app.example.com", "https://www.example.com");
    let origins = format!("{back},{back}, http://localhost:5173");
    let settings = [("PORTICO_RETURN_ORIGINS", &*origins), ("PORTICO_ALLOWED_ORIGINS", host)];
    let world = World::start(Deployment::Single, &settings).await;
    let shell = world.browser().get("/portal/sign-in").await.text;
    assert_eq!(meta(&shell)["return_origins"], serde_json::json!([back, "http://localhost:5173"]));
    for (origin, is_allowed) in [(host, true), (back, false), ("https://evil.test", false)] {
        let element = world.browser().get_with_headers(ELEMENT, &[("origin", origin)]).await;
        let allowed = element.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!((element.status, allowed), (200, is_allowed.then_some(origin)), "{origin}");
        assert_eq!(element.headers["cache-control"], "public, max-age=300");
        assert!(element.headers.get_all("vary").iter().any(|name| name == "origin"), "{element:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_shown_while_the_database_does_not_answer() {
    let proxy = TcpProxy::to(&database()).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", proxy.url())]).await;
    let tenant = world.tenant().await;
    proxy.stop_forwarding();
    let started = Instant::now();
    for _ in 0..2 {
        let shell = world.browser().get(&format!("/portal/sign-in?tenant={}", tenant.slug)).await;
        assert_shell(&shell, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
}

#[tokio::test]
async fn pages_do_not_use_up_the_requests_of_a_network() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_REQUESTS", "3/1h")]).await;
    let browser = world.browser();
    let script = portal_script(&browser).await;
    for _ in 0..10 {
        assert_eq!(browser.get("/portal").await.status, 200);
        assert_eq!(browser.get(&script).await.status, 200);
    }
    for _ in 0..3 {
        browser.get(SESSION).await.assert_problem("401 unauthenticated");
    }
    browser.get(SESSION).await.assert_problem("429 too_many_requests");
    assert_eq!(browser.get("/portal").await.status, 200);
}

#[tokio::test]
async fn web_09_requests_for_pages_are_logged_without_their_query_and_counted() {
    let world = World::start(Deployment::Single, &[]).await;
    let browser = world.browser();
    let response = browser.get("/portal/reset-password?token=query-canary").await;
    let id = response.headers["x-request-id"].to_str().unwrap().to_owned();
    browser.get("/portal/reset-password%23token=path-canary").await;
    browser.get(&portal_script(&browser).await).await;
    let line = eventually("the request is logged", || async {
        world.logs().into_iter().find(|line| line.contains(&id) && line.contains("request answered"))
    });
    let line = line.await;
    assert!(line.contains("get_page") && line.contains("/portal/reset-password"), "{line}");
    assert!(!world.logs().join("\n").contains("canary"));
    let metrics = Scrape::of(&world.internals().await).await;
    let count =
        |operation, status| metrics.sum("portico_http_requests_total", &[("operation", operation), ("status", status)]);
    assert_eq!((count("get_page", "200"), count("get_page", "404"), count("get_asset", "200")), (2.0, 1.0, 1.0));
}
