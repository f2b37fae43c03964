//! How operators list tenants and clients on the command line.

use serde_json::json;

use crate::support::{Deployment, World, binary, paths, stories, unique, unique_email};

/// The names of the clients that a command lists.
fn names(world: &World, args: &[&str]) -> Vec<String> {
    let list = world.run_json(&[&["client", "list", "--json"], args].concat());
    list.as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
}

stories! {
    async fn operators_list_and_show_tenants(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        tenant.invite_for_token(world, &person.client, &unique_email("ann")).await;
        let archived = tenant.client("Old Ltd").await;
        let archive = json!({ "status": "archived" });
        tenant.owner.patch(&paths::client(&archived), archive).await.expect(200);

        let table = world.run(&["tenant", "list"]);
        let line = table.lines().find(|line| line.contains(&tenant.slug)).unwrap();
        // The tenants of other stories have longer names.
        let cells: Vec<_> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells[..3], [&*tenant.slug, "Blue Harbour", "active"], "{line}");
        let list = world.run_json(&["tenant", "list", "--json"]);
        let listed = list.as_array().unwrap().iter().find(|listed| listed["slug"] == tenant.slug.as_str()).unwrap();
        assert_eq!((&listed["name"], &listed["status"]), (&json!("Blue Harbour"), &json!("active")));

        let shown = world.run_json(&["tenant", "show", &tenant.slug, "--json"]);
        assert_eq!(shown["id"], listed["id"]);
        assert_eq!(shown["clients"], json!({ "active": 1, "archived": 1 }));
        assert_eq!(shown["portal_users"], json!({ "active": 1, "invited": 1 }));
        assert_eq!(shown["staff_users"], 1);
        let text = world.run(&["tenant", "show", &tenant.slug]);
        for line in ["status        active", "clients       2 (1 active, 1 archived)", "portal users  2 (1 active, 1 invited)"] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in {text}");
        }
        world.run(&["tenant", "suspend", "--slug", &tenant.slug]);
        assert_eq!(world.run_json(&["tenant", "show", &tenant.slug, "--json"])["status"], "suspended");
        let slug = &*tenant.slug;
        assert_eq!(world.run(&["tenant", "suspend", slug]).trim(), format!("The tenant {slug} is suspended already."));
        world.run(&["tenant", "restore", slug]);
        assert_eq!(world.run(&["tenant", "restore", slug]).trim(), format!("The tenant {slug} is active already."));
        for action in ["tenant.suspended", "tenant.restored"] {
            let events = world.run_json(&["audit", "list", "--tenant", slug, "--action", action, "--json"]);
            assert_eq!(events.as_array().unwrap().len(), 1, "{events}");
        }
    }

    async fn operators_list_the_clients_of_a_tenant(world) {
        let tenant = world.tenant().await;
        for name in ["Acme Paper Mill", "Größe 100%", "Zenith Ltd"] {
            tenant.client(name).await;
        }
        let archived = tenant.client("Old Paper Ltd").await;
        let archive = json!({ "status": "archived" });
        tenant.owner.patch(&paths::client(&archived), archive).await.expect(200);
        world.tenant().await.client("Paper of another tenant").await;
        let slug = &*tenant.slug;
        assert_eq!(names(world, &["--tenant", slug]), ["Acme Paper Mill", "Größe 100%", "Zenith Ltd", "Old Paper Ltd"]);
        assert_eq!(names(world, &["--tenant", slug, "--search", "PAP"]), ["Acme Paper Mill", "Old Paper Ltd"]);
        assert_eq!(names(world, &["--tenant", slug, "--search", "pap", "--status", "archived"]), ["Old Paper Ltd"]);
        assert_eq!(names(world, &["--tenant", slug, "--search", "__"]), [] as [&str; 0]);
        assert_eq!(names(world, &["--tenant", slug, "--limit", "1"]), ["Acme Paper Mill"]);
        let table = world.run(&["client", "list", "--tenant", slug]);
        assert!(table.starts_with("NAME ") && table.lines().count() == 5, "{table}");
        let is_row = |line: &str| line.starts_with("Old Paper Ltd    –          archived  ") && line.ends_with(&archived);
        assert!(table.lines().any(is_row), "{table}");
    }

    async fn an_unknown_slug_is_an_error_that_names_it(world) {
        let slug = unique("unknown");
        for args in [vec!["tenant", "show", &slug], vec!["client", "list", "--tenant", &slug, "--json"]] {
            let output = world.try_run(&args);
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}: {text}");
            assert!(text.contains(&format!("no tenant has the slug {slug}")), "{text}");
        }
        for args in [
            ["client", "list", "--tenant", "x", "--search", "a"],
            ["client", "list", "--tenant", "x", "--status", "gone"],
            ["client", "list", "--tenant", "x", "--limit", "0"],
        ] {
            assert!(!world.try_run(&args).status.success(), "{args:?}");
        }
    }
}

#[tokio::test]
async fn commands_that_list_tenants_do_not_create_or_migrate_a_database() {
    let world = World::start(Deployment::Single, &[]).await;
    let path = world.folder.path().join("absent.db");
    let database = format!("sqlite:{}", path.display());
    for args in [vec!["tenant", "list"], vec!["tenant", "show", "demo"], vec!["client", "list", "--tenant", "demo"]] {
        let mut command = std::process::Command::new(binary());
        command.args(&args).env_clear().env("PORTICO_ENV", "development").envs(world.env.iter().cloned());
        let output = command.env("DATABASE_URL", &database).output().unwrap();
        assert!(!output.status.success() && !path.exists(), "{args:?}");
    }
}
