//! WEB cases: the pages cannot be framed or made to run foreign scripts, and their addresses lead to nothing else.

use reqwest::Method;

use super::raw::{exchange, get, status};
use crate::support::stories;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src \
                      'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
const SHELLS: [&str; 5] = ["/portal", "/portal/activate", "/portal/nowhere", "/console", "/console/nowhere"];
/// A text that would be a script if a shell repeated it.
const SCRIPT: &str = "\"><script>canary</script>";

/// The name of the build in a shell.
fn build(shell: &str) -> String {
    shell.split_once("/assets/").unwrap().1.split('/').next().unwrap().to_owned()
}

/// The address of the first script in a shell.
fn script(shell: &str) -> String {
    shell.split_once("<script type=\"module\" src=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

stories! {
    async fn web_01_no_page_can_be_framed_or_opened_with_access_and_it_runs_own_scripts_only(world) {
        for path in SHELLS {
            let shell = world.browser().get(path).await;
            for (name, value) in [
                ("content-security-policy", POLICY),
                ("cross-origin-opener-policy", "same-origin"),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(shell.headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{name} of {path}");
            }
            assert!(!shell.text.contains(" style=") && !shell.text.contains(" on"), "{shell:?}");
            let own = shell.text.matches("<script type=\"module\" src=\"/assets/").count();
            assert_eq!((own >= 1, shell.text.matches("<script").count()), (true, own), "{shell:?}");
        }
    }

    async fn web_02_nothing_of_a_request_becomes_part_of_a_page(world) {
        let (cookie, language) = (format!("portico_brand={SCRIPT}; portico_locale={SCRIPT}"), SCRIPT);
        let expected = world.browser().get("/portal").await.text;
        for (path, headers) in [
            ("/portal?tenant=%22%3E%3Cscript%3Ecanary%3C%2Fscript%3E&canary=1", vec![]),
            ("/portal", vec![("cookie", cookie.as_str())]),
            ("/portal", vec![("accept-language", language)]),
            ("/portal", vec![("x-forwarded-host", "canary.test"), ("x-forwarded-proto", "canary")]),
            ("/portal", vec![("host", "canary.test")]),
            ("/portal", vec![("referer", "https://canary.test/"), ("origin", "https://canary.test")]),
        ] {
            let shell = world.browser().get_with_headers(path, &headers).await;
            assert_eq!((shell.status, shell.text.as_str()), (200, expected.as_str()), "{path} {headers:?}");
            assert!(!format!("{:?}", shell.headers).contains("canary"), "{shell:?}");
        }
        let unknown = world.browser().get("/portal/%22%3E%3Cscript%3Ecanary").await;
        assert!(unknown.status == 404 && !unknown.text.contains("canary"), "{unknown:?}");
    }

    async fn web_03_addresses_of_files_lead_to_no_other_file(world) {
        let build = build(&world.browser().get("/portal").await.text);
        for path in [
            "/../Cargo.toml", "/../../api/Cargo.toml", "/..%2fCargo.toml", "/%2e%2e/Cargo.toml", "/..%5cCargo.toml",
            "/....//Cargo.toml", "//etc/passwd", "/%2fetc%2fpasswd", "/pages.json%00.css", "/%70ages.json",
            "/./pages.json", "/elements", "/elements/", "/elements//portico-sign-in.js", "/pages.json/..",
            "/pages.json;x", "/",
        ] {
            let head = get(&format!("/assets/{build}{path}"), "connection: close\r\n");
            let response = exchange(&world.apis[0], head).await;
            assert_eq!(status(&response), (404, 1), "{path}: {response}");
            let is_problem = response.contains("\"code\":\"not_found\"") && !response.contains("[package]");
            assert!(is_problem, "{path}: {response}");
        }
        for build in ["..", "%2e%2e", "", "0123456789ABCDEF", "0123456789abcdef0"] {
            let head = get(&format!("/assets/{build}/portal.js"), "connection: close\r\n");
            assert_eq!(status(&exchange(&world.apis[0], head).await), (404, 1), "{build}");
        }
        let with_nul = exchange(&world.apis[0], get("/portal/\0", "connection: close\r\n")).await;
        assert_eq!(status(&with_nul), (400, 1), "{with_nul}");
    }

    // A cache that kept such a response would break the page for a year.
    async fn web_04_only_a_file_of_the_own_build_is_immutable(world) {
        let shell = world.browser().get("/portal").await.text;
        let build = build(&shell);
        let kept = world.browser().get(&script(&shell)).await;
        assert!(kept.headers["cache-control"].to_str().unwrap().contains("immutable"), "{kept:?}");
        for path in [
            format!("/assets/{build}/nowhere.js"),
            "/assets/0123456789abcdef/portal.js".into(),
            "/assets/0123456789abcdef/portal.css".into(),
            "/portal".into(),
            "/portal/nowhere".into(),
        ] {
            let response = world.browser().get(&path).await;
            assert_eq!(response.headers["cache-control"], "no-store", "{path}");
            assert!(!response.headers.contains_key("etag"), "{path}");
        }
    }

    async fn web_05_large_and_malformed_requests_for_pages_are_refused_or_ignored(world) {
        let browser = world.browser();
        let huge = "x".repeat(16_000);
        browser.get(&format!("/portal?tenant={}", &huge[..9_000])).await.assert_problem("414 uri_too_long");
        let response = browser.get_with_headers("/portal", &[("cookie", &format!("{huge}{}", &huge[..1_000]))]).await;
        response.assert_problem("431 headers_too_large");
        for headers in [
            vec![("cookie", "portico_brand=a; portico_brand=b; portico_locale=; =;;=")],
            vec![("accept-language", ";;,=;q=,*;q=*"), ("accept-encoding", ";q=")],
            vec![("accept-language", &huge[..9_000])],
            vec![("if-none-match", "\""), ("range", "bytes=0-1")],
            vec![("authorization", "Bearer x")],
        ] {
            assert_eq!(browser.get_with_headers("/portal", &headers).await.status, 200, "{headers:?}");
        }
        let two_hosts = get("/portal", "host: y\r\nconnection: close\r\n");
        assert_eq!(status(&exchange(&world.apis[0], two_hosts).await), (400, 1));
    }

    async fn web_06_pages_take_no_unsafe_method(world) {
        let file = script(&world.browser().get("/portal").await.text);
        for path in ["/", "/portal/sign-in", "/portal/nowhere", &file, "/elements/portico-sign-in.js", "/robots.txt"] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
                let response = world.browser().send(method, path, Some("email=a%40x.test".into()), &[]).await;
                assert_eq!(response.headers["allow"], "GET, HEAD", "{path}");
                response.assert_problem("405 method_not_allowed");
            }
        }
    }
}
