//! BRD cases: hostile colours and logos, and what strangers learn from the brand.

use std::time::Instant;

use futures_util::future::join_all;
use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::{
    Browser, DEADLINE, Deployment, Response, World, eventually, images,
    paths::{self, AUDIT_EVENTS, BRAND, BRAND_STYLE, BRANDING, LOGO},
    stories, unique,
};

/// The body and the headers of a response, without what differs between any two responses.
fn without_request_id(response: Response) -> (u16, String, String) {
    let mut headers = response.headers;
    headers.remove("x-request-id");
    headers.remove("date");
    let mut body = serde_json::from_str(&response.text).unwrap_or(json!(response.text));
    if let Some(id) = body.get_mut("request_id") {
        id.take();
    }
    (response.status, format!("{headers:?}"), body.to_string())
}

/// Returns the suggestion of the only wrong field.
fn suggestion(problem: &Value) -> String {
    problem["errors"][0]["suggestion"].as_str().unwrap_or_else(|| panic!("{problem}")).to_owned()
}

stories! {
    async fn brd_01_a_color_is_six_digits_and_no_other_text(world) {
        let owner = world.tenant().await.owner;
        for color in [
            "red", "#fff", "#1f4fbf;}body{display:none", "url(https://evil.test/x)", "#1f4fbf/**/", "}", "",
            "var(--x)", "#1f4fbg", "#１f4fbf", "\\23 1f4fbf", "#1f4fbf\n", "rgb(0,0,0)", "expression(1)",
        ] {
            for name in ["accent", "accent_dark"] {
                let response = owner.patch(BRANDING, json!({ "colors": { name: color } })).await;
                response.assert_problem(&format!("422 validation_failed: /colors/{name} color_invalid"));
            }
        }
        owner.patch(BRANDING, json!({ "radius": "8px}body{x:y" })).await.assert_problem(
            "422 validation_failed: /radius invalid",
        );
        assert_eq!(owner.get(BRANDING).await.expect(200)["version"], 0);
    }

    async fn brd_02_a_color_that_cannot_be_read_is_refused_with_one_that_can(world) {
        let owner = world.tenant().await.owner;
        for (name, color) in [
            ("accent", "#ffffff"), ("accent", "#ffcc00"), ("accent", "#ff0000"), ("accent", "#7a7a7a"),
            ("accent_dark", "#000000"), ("accent_dark", "#1f4fbf"), ("accent_dark", "#111418"),
        ] {
            let problem = owner.patch(BRANDING, json!({ "colors": { name: color } })).await;
            let problem = problem.assert_problem(&format!("422 validation_failed: /colors/{name} contrast_too_low"));
            let suggestion = suggestion(&problem);
            let changed = owner.patch(BRANDING, json!({ "colors": { name: suggestion } })).await.expect(200);
            assert_eq!(changed["colors"][name], suggestion);
        }
    }

    async fn brd_03_a_file_that_is_no_complete_image_is_refused(world) {
        let owner = world.tenant().await.owner;
        let jpeg = images::file(64, 64, ImageFormat::Jpeg);
        let png = images::png(64, 64);
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
        for file in [
            b"".as_slice(), svg, b"<html><script>alert(1)</script></html>", b"GIF89a\x01\0\x01\0\0\0\0;",
            &jpeg[..jpeg.len() / 2], &png[..png.len() - 20], &png[..8], b"RIFF\xff\xff\xff\xffWEBPVP8X",
        ] {
            for content_type in ["image/png", "image/jpeg", "image/webp"] {
                let response = images::upload_as(&owner, file, content_type).await;
                response.assert_problem("422 validation_failed: (body) image_invalid");
            }
        }
        for content_type in
            ["image/svg+xml", "image/gif", "text/html", "application/json", "image/png; charset=utf-8"]
        {
            images::upload_as(&owner, &png, content_type).await.assert_problem("415 unsupported_media_type");
        }
        images::upload(&owner, &vec![0; (1 << 20) + 1]).await.assert_problem("413 body_too_large");
        assert_eq!(owner.get(BRANDING).await.expect(200)["logo"], json!(null));
    }

    async fn brd_04_an_image_that_is_larger_than_its_file_costs_little(world) {
        let owner = world.tenant().await.owner;
        let began = Instant::now();
        for (width, height) in [(16_001, 1_001), (16_385, 1), (1, 60_000), (2_000_000_000, 2_000_000_000)] {
            let response = images::upload(&owner, &images::png_that_claims(width, height)).await;
            response.assert_problem("422 validation_failed: (body) image_too_large");
        }
        // Its 16 megapixels of one colour are a file of a few kilobytes. Uploads at the same time wait for each other.
        let bomb = images::png(10_000, 1_600);
        assert!(bomb.len() < 1 << 20);
        let sent = join_all((0..4).map(|_| images::upload(&owner, &bomb))).await;
        assert!(sent.iter().all(|response| [200, 503].contains(&response.status)), "{sent:?}");
        assert!(sent.iter().any(|response| response.status == 200), "{sent:?}");
        assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    }

    async fn brd_05_an_unknown_and_a_suspended_tenant_look_like_none(world) {
        let tenant = world.tenant().await;
        tenant.owner.patch(BRANDING, json!({ "colors": { "accent": "#aa0000" } })).await.expect(200);
        world.run(&["tenant", "suspend", &tenant.slug]);
        let (unknown, long) = (unique("tenant"), "a".repeat(5_000));
        for path in [BRAND, BRAND_STYLE, LOGO] {
            let none = without_request_id(world.browser().get(path).await);
            let suspended = format!("{path}?tenant={}", tenant.slug);
            eventually(&suspended, async || {
                (without_request_id(world.browser().get(&suspended).await) == none).then_some(())
            })
            .await;
            for slug in [&*unknown, "", "%27%20OR%201%3D1", "ACME", "..%2F..", "%3Cscript%3E", &long] {
                let found = without_request_id(world.browser().get(&format!("{path}?tenant={slug}")).await);
                assert_eq!(found, none, "{path} {slug}");
            }
        }
    }

    async fn brd_06_who_may_not_edit_the_settings_cannot_change_the_brand(world) {
        let tenant = world.tenant().await;
        for (role, may_read) in [("viewer", true), ("support", false)] {
            let (email, browser) = (format!("{role}@{}.test", tenant.slug), world.browser());
            world.add_staff(&tenant.slug, &email, role);
            world.sign_in_staff(&browser, &email, 1).await;
            assert_eq!(browser.get(BRANDING).await.status, if may_read { 200 } else { 403 });
            browser.patch(BRANDING, json!({ "name": "Evil Ltd" })).await.assert_problem("403 forbidden");
            images::upload(&browser, &images::png(10, 10)).await.assert_problem("403 forbidden");
            browser.delete(paths::BRANDING_LOGO).await.assert_problem("403 forbidden");
        }
        let scopes = json!({ "name": "x", "scopes": ["settings:edit"] });
        let response = tenant.owner.post(paths::STAFF_TOKENS, scopes).await;
        response.assert_problem("422 validation_failed: /scopes/0 invalid");
    }

    async fn log_02_changes_of_the_brand_are_recorded(world) {
        let owner = world.tenant().await.owner;
        let change = json!({ "name": "Acme Ltd", "radius": 8, "support": { "phone": "112" } });
        owner.patch(BRANDING, change).await.expect(200);
        images::upload(&owner, &images::png(20, 10)).await.expect(200);
        owner.delete(paths::BRANDING_LOGO).await.expect(200);
        let events = owner.get(&format!("{AUDIT_EVENTS}?limit=3")).await.expect(200);
        let events = events["data"].as_array().unwrap();
        let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["branding.logo_removed", "branding.logo_set", "branding.changed"]);
        assert_eq!(events[2]["details"]["fields"], json!(["name", "support.phone"]));
    }
}

/// Asserts that a network which guesses slugs sees the brand of no tenant, and that others do.
async fn assert_slugs_cannot_be_guessed(deployment: Deployment) {
    let world = World::start(deployment, &[("PORTICO_LIMIT_BRAND_MISSES", "6/1h")]).await;
    let tenant = world.tenant().await;
    images::upload(&tenant.owner, &images::png(160, 40)).await.expect(200);
    let (guesser, visitor) = (world.browser(), world.browser());
    let shows_brand = async |browser: &Browser| {
        let of = |path: &str| format!("{path}?tenant={}", tenant.slug);
        let brand = browser.get(&of(BRAND)).await.expect(200);
        let (page, logo) = (browser.get(&of("/portal/sign-in")).await, browser.get(&of(LOGO)).await);
        let style = browser.get(&of(BRAND_STYLE)).await;
        assert_eq!((page.status, style.status), (200, 200));
        let shown = [brand["name"] == "Blue Harbour", page.text.contains("Blue Harbour"), logo.status == 200];
        // A style sheet that is not that of the tenant must not be kept for it.
        let is_kept = style.headers["cache-control"] == "public, max-age=300";
        assert!(shown.iter().all(|shown| *shown == is_kept), "{shown:?} {is_kept}");
        is_kept
    };
    // Counted in each process.
    for api in &world.apis {
        let guesser = guesser.on_same_network().at(std::slice::from_ref(api));
        for n in 0..6 {
            // What cannot be a slug is no guess, and neither is the slug of a tenant.
            guesser.get(&format!("{BRAND}?tenant=%3C")).await.expect(200);
            assert!(shows_brand(&guesser).await, "{n} guesses");
            let path = [BRAND, BRAND_STYLE, "/portal/sign-in"][n % 3];
            assert_eq!(guesser.get(&format!("{path}?tenant={}", unique("guess"))).await.status, 200);
        }
    }
    assert!(!shows_brand(&guesser).await);
    assert!(shows_brand(&visitor).await);
}

#[tokio::test]
async fn brd_07_slugs_cannot_be_guessed_in_a_single_process() {
    assert_slugs_cannot_be_guessed(Deployment::Single).await;
}

#[tokio::test]
async fn brd_07_slugs_cannot_be_guessed_in_a_cluster() {
    assert_slugs_cannot_be_guessed(Deployment::Cluster).await;
}
