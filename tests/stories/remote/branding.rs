//! The brand of the tenant, which a token reads and a code changes.

use serde_json::json;

use crate::support::{Machine, images, paths::BRANDING, stories};

stories! {
    async fn the_brand_is_shown_with_a_token_and_changed_with_a_code(world) {
        let tenant = world.tenant().await;
        let machine = Machine::logged_in(world, &tenant).await;
        let shown = machine.run(&["branding", "show"]).await.expect(0);
        assert!(shown.contains("Name:           Blue Harbour\nLogo:           none\n"), "{shown}");
        let mut terminal = machine.terminal(&["branding", "set", "--accent", "#aa0000", "--support-phone", "112"]);
        terminal.shows("Address of your staff account:").await;
        terminal.types(&tenant.owner_email);
        terminal.shows("Code:").await;
        // The second mail says that a token was created.
        terminal.types(&world.mail(&tenant.owner_email, 3).await.code.unwrap());
        machine.expect(terminal, 0).await;
        let logo = machine.file("logo.png", &images::png(1_600, 400));
        let shown = machine.run(&["branding", "logo", &logo, "--json"]).await.json();
        assert_eq!(shown["logo"]["width"], 800);
        let brand = tenant.owner.get(BRANDING).await.expect(200);
        assert_eq!((&brand["colors"]["accent"], &brand["support"]["phone"]), (&json!("#aa0000"), &json!("112")));
        machine.run(&["branding", "set", "--support-phone", ""]).await.expect(0);
        assert_eq!(tenant.owner.get(BRANDING).await.expect(200)["support"]["phone"], json!(null));
        let text = machine.file("logo.svg", "<svg/>");
        let stderr = machine.run(&["branding", "logo", &text]).await.expect_failure(2);
        assert!(stderr.contains("it is no PNG, JPEG or WebP file"), "{stderr}");
    }
}
