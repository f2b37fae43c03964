//! The brand of a tenant: what staff users change, and what people then see on pages and in mails.

use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::{
    Deployment, Tenant, World, eventually, images,
    paths::{BRAND, BRAND_STYLE, BRANDING, BRANDING_LOGO, LOGO},
    stories, unique_email,
};

/// The style sheet of the neutral brand, and of a tenant that has changed nothing.
const NEUTRAL: &str = ":root{--portico-accent:light-dark(#1f4fbf,#9db8ff);\
                       --portico-on-accent:light-dark(#ffffff,#0b1020);--portico-radius:8px}";

fn of(path: &str, tenant: &Tenant) -> String {
    format!("{path}?tenant={}", tenant.slug)
}

/// Waits until every API shows this version of the brand.
async fn shows_version(world: &World, tenant: &Tenant, version: &Value) {
    let path = format!("{}&v={version}", of(BRAND_STYLE, tenant));
    for browser in world.apis.iter().map(|api| world.browser().at(std::slice::from_ref(api))) {
        eventually(&path, async || {
            (browser.get(&path).await.headers["cache-control"] == "public, max-age=300").then_some(())
        })
        .await;
    }
}

/// Invites a new person, and returns the HTML of the mail.
async fn html_of_mail(world: &World, tenant: &Tenant) -> String {
    let email = unique_email("ann");
    tenant.invite_for_token(world, &tenant.client("Acme Ltd").await, &email).await;
    world.mail(&email, 1).await.html
}

stories! {
    async fn a_new_tenant_has_its_name_and_the_neutral_look(world) {
        let tenant = world.tenant().await;
        let expected = json!({
            "name": "Blue Harbour", "colors": { "accent": "#1f4fbf", "accent_dark": "#9db8ff" },
            "support": { "email": null, "phone": null }, "locale": "en", "radius": 8, "version": 0, "logo": null,
        });
        assert_eq!(tenant.owner.get(BRANDING).await.expect(200), expected);
        let brand = world.browser().get(&of(BRAND, &tenant)).await.expect(200);
        let expected =
            json!({ "tenant": tenant.slug, "name": "Blue Harbour", "logo": null, "locale": "en", "version": 0 });
        assert_eq!(brand, expected);
        assert_eq!(world.browser().get(&of(BRAND_STYLE, &tenant)).await.text, NEUTRAL);
        world.browser().get(&of(LOGO, &tenant)).await.assert_problem("404 not_found");
    }

    async fn a_change_of_the_brand_is_seen_on_pages(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        // The former brand is in the memory of each API.
        shows_version(world, &tenant, &json!(0)).await;
        let change = json!({
            "name": "Acme Ltd", "colors": { "accent": "#AA0000", "accent_dark": "#ff8080" }, "radius": 0,
            "locale": "de-ch", "support": { "email": "Help@Example.com", "phone": "+44 20 7946 0000" },
        });
        let changed = tenant.owner.patch(BRANDING, change).await.expect(200);
        assert_eq!((&changed["locale"], &changed["version"]), (&json!("de-CH"), &json!(1)));
        assert_eq!(changed["support"], json!({ "email": "help@example.com", "phone": "+44 20 7946 0000" }));
        shows_version(world, &tenant, &changed["version"]).await;
        let css = world.browser().get(&of(BRAND_STYLE, &tenant)).await.text;
        assert!(css.contains("light-dark(#aa0000,#ff8080)") && css.contains("--portico-radius:0px"), "{css}");
        let brand = world.browser().get(&of(BRAND, &tenant)).await;
        assert!(!brand.text.contains("help@") && !brand.text.contains("7946"), "no contacts: {brand:?}");
        assert_eq!((&brand.json()["name"], &brand.json()["locale"]), (&json!("Acme Ltd"), &json!("de-CH")));
        assert_eq!(world.browser().get(&of(BRAND_STYLE, &other)).await.text, NEUTRAL);
    }

    async fn a_change_leaves_what_it_does_not_name_and_null_removes_a_contact(world) {
        let owner = world.tenant().await.owner;
        let support = json!({ "support": { "email": "help@example.com", "phone": "112" } });
        owner.patch(BRANDING, support).await.expect(200);
        let before = owner.patch(BRANDING, json!({ "support": { "phone": null } })).await.expect(200);
        assert_eq!(before["support"], json!({ "email": "help@example.com", "phone": null }));
        let same = json!({ "name": before["name"], "radius": before["radius"], "support": {}, "locale": null });
        assert_eq!(owner.patch(BRANDING, same).await.expect(200), before, "the version too");
        let support = json!({ "email": "x", "phone": "call us" });
        let wrong = json!({ "name": "", "radius": 25, "locale": "xx", "support": support });
        owner.patch(BRANDING, wrong).await.assert_problem(
            "422 validation_failed: /locale locale_invalid, /name name_empty, /radius invalid, \
             /support/email email_invalid, /support/phone phone_invalid",
        );
        assert_eq!(owner.get(BRANDING).await.expect(200), before);
    }

    async fn a_logo_of_each_format_is_shown_as_a_small_png(world) {
        let tenant = world.tenant().await;
        for (format, content_type) in
            [(ImageFormat::Png, "image/png"), (ImageFormat::Jpeg, "image/jpeg"), (ImageFormat::WebP, "image/webp")]
        {
            let file = images::file(1_600, 400, format);
            let changed = images::upload_as(&tenant.owner, &file, content_type).await.expect(200);
            assert_eq!((&changed["logo"]["width"], &changed["logo"]["height"]), (&json!(800), &json!(200)));
            shows_version(world, &tenant, &changed["version"]).await;
            let logo = images::load(world, changed["logo"]["url"].as_str().unwrap()).await.into_rgba8();
            assert_eq!(logo.dimensions(), (800, 200));
            let [red, green, blue, alpha] = logo.get_pixel(400, 100).0;
            assert!(red > 190 && green < 10 && blue < 10 && alpha == 255, "{content_type}");
        }
        let removed = tenant.owner.delete(BRANDING_LOGO).await.expect(200);
        assert_eq!((&removed["logo"], &removed["version"]), (&json!(null), &json!(4)));
        assert_eq!(tenant.owner.delete(BRANDING_LOGO).await.expect(200), removed);
        shows_version(world, &tenant, &removed["version"]).await;
        world.browser().get(&of(LOGO, &tenant)).await.assert_problem("404 not_found");
    }

    async fn mails_have_the_brand_of_their_tenant(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let change = json!({
            "colors": { "accent": "#aa0000" }, "support": { "email": "help@example.com", "phone": "+44 20 7946 0000" },
        });
        tenant.owner.patch(BRANDING, change).await.expect(200);
        images::upload(&tenant.owner, &images::png(1_600, 400)).await.expect(200);
        let html = html_of_mail(world, &tenant).await;
        // Both mailboxes put the part that the HTML names by its id into the HTML.
        assert!(html.contains("<img src=\"data:image/png;base64,") && !html.contains("cid:"), "{html}");
        assert!(html.contains("width=\"200\" height=\"50\" alt=\"Blue Harbour\""), "{html}");
        assert!(html.contains("background:#aa0000;color:#ffffff"), "{html}");
        assert!(html.contains("mailto:help@example.com") && html.contains("+44 20 7946 0000"), "{html}");
        let html = html_of_mail(world, &other).await;
        assert!(html.contains("background:#1f4fbf") && !html.contains("<img") && !html.contains("help@"), "{html}");
    }

    async fn links_and_sessions_name_the_tenant_and_its_support(world) {
        let tenant = world.tenant().await;
        tenant.owner.patch(BRANDING, json!({ "support": { "phone": "112" } })).await.expect(200);
        let contact =
            json!({ "slug": tenant.slug, "name": "Blue Harbour", "support": { "email": null, "phone": "112" } });
        let invitation = tenant.create_invitation(world).await;
        assert_eq!(world.browser().check_token(&invitation.token).await.expect(200)["tenant"], contact);
        let person = tenant.person(world).await;
        assert_eq!(person.browser.session().await.expect(200)["tenant"], contact);
        let reset = person.request_reset(world, 2).await;
        assert_eq!(world.browser().check_token(&reset).await.expect(200)["tenant"], contact);
    }

    async fn a_page_asks_again_only_for_what_has_changed(world) {
        let tenant = world.tenant().await;
        images::upload(&tenant.owner, &images::png(20, 10)).await.expect(200);
        shows_version(world, &tenant, &json!(1)).await;
        for path in [of(BRAND_STYLE, &tenant), of(LOGO, &tenant)] {
            let first = world.browser().get(&path).await;
            let tag = first.headers["etag"].to_str().unwrap();
            let again = world.browser().get_with_headers(&path, &[("if-none-match", tag)]).await;
            assert_eq!((first.status, again.status, again.text.as_str()), (200, 304, ""), "{path}");
            for response in [first.headers.clone(), again.headers] {
                assert_eq!(response["cache-control"], "public, max-age=300", "{path}");
                assert_eq!(response["cross-origin-resource-policy"], "cross-origin", "{path}");
                assert_eq!(response["x-content-type-options"], "nosniff", "{path}");
                assert!(response["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
            }
            // A version that no process knows yet must not be cached under its address.
            let unknown = world.browser().get(&format!("{path}&v=99")).await;
            assert_eq!(unknown.headers["cache-control"], "no-cache", "{path}");
        }
    }
}

#[tokio::test]
async fn the_brand_is_not_counted_by_the_limit_of_requests() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_REQUESTS", "100/10m")]).await;
    let browser = world.browser();
    for path in [BRAND, BRAND_STYLE].into_iter().cycle().take(150) {
        assert_eq!(browser.get(path).await.status, 200);
    }
}
