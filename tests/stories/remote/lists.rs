//! Lists: tables for people and JSON for programs.

use serde_json::{Value, json};

use crate::support::{FakeServer, Machine, http_answer, paths::CLIENTS, stories};

/// The body of a list of clients with these names.
fn clients(names: &[&str]) -> String {
    let client = |name: &&str| {
        json!({
            "id": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "name": name, "external_ref": null, "status": "active",
            "created_at": "2026-11-26T10:00:00.123456Z",
        })
    };
    json!({ "data": names.iter().map(client).collect::<Vec<_>>(), "next_cursor": null }).to_string()
}

/// A machine whose server has clients with these names.
async fn machine_with(names: &[&str]) -> Machine {
    let server = FakeServer::answering(200, "application/json; charset=utf-8", &clients(names)).await;
    Machine::with_token(server.url(), "pat_of_a_fake_server_0000000000000")
}

stories! {
    async fn a_list_is_a_table_for_people_and_the_objects_of_the_api_for_programs(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let empty = machine.run(&["clients", "list"]).await;
        assert_eq!((empty.code, empty.stdout.as_str(), empty.stderr.as_str()), (0, "", "No clients.\n"));
        assert_eq!(machine.run(&["clients", "list", "--json"]).await.json(), json!([]));

        let added = machine.run(&["clients", "add", "Acme Ltd", "--ref", "K-1042"]).await.expect(0);
        assert!(added.starts_with("Added Acme Ltd with the id ") && added.contains("\nNext: portico remote invite"));
        let added = machine.run(&["clients", "add", "Beta GmbH", "--json"]).await.json();
        let listed = tenant.owner.get(CLIENTS).await.expect(200)["data"].clone();
        assert_eq!(added, listed[1]);
        assert_eq!(machine.run(&["clients", "list", "--json"]).await.json(), listed);

        let table = machine.run(&["clients", "list"]).await.expect(0);
        let created = |n: usize| format!("{}Z", listed[n]["created_at"].as_str().unwrap()[..19].replace('T', " "));
        let id = |n: usize| listed[n]["id"].as_str().unwrap();
        let expected = format!(
            "NAME       REFERENCE  STATUS  CREATED               ID\n\
             Acme Ltd   K-1042     active  {}  {}\n\
             Beta GmbH  –          active  {}  {}\n", created(0), id(0), created(1), id(1),
        );
        assert_eq!(table, expected);
        assert_eq!(machine.expect(machine.terminal(&["clients", "list"]), 0).await, expected);
    }

    async fn a_list_has_all_pages_up_to_the_limit(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        for n in 0..105 {
            tenant.client(&format!("Client {n}")).await;
        }
        let count = |list: Value| list.as_array().unwrap().len();
        let printed = machine.run(&["clients", "list", "--json"]).await;
        assert_eq!(printed.stderr, "There are more clients; add --limit N to see more than 100.\n");
        assert_eq!(count(printed.json()), 100);
        let printed = machine.run(&["clients", "list", "--json", "--limit", "1000"]).await;
        assert_eq!(printed.stderr, "");
        assert_eq!(count(printed.json()), 105);
    }

    async fn a_client_is_named_by_its_id_its_reference_or_its_name(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let (first, twin) = (tenant.client("Acme Ltd").await, tenant.client("Acme Ltd").await);
        machine.run(&["clients", "add", "Beta GmbH", "--ref", "K-7"]).await.expect(0);
        let ambiguous = machine.run(&["clients", "archive", "acme ltd", "--yes"]).await.expect_failure(2);
        assert!(ambiguous.contains("more than one client") && ambiguous.contains(&first) && ambiguous.contains(&twin));
        assert!(ambiguous.contains("portico: more than one client has the id, reference or name \"acme ltd\""));
        for name in [first.as_str(), "K-7"] {
            machine.run(&["clients", "archive", name, "--yes"]).await.expect(0);
        }
        let archived = machine.run(&["clients", "list", "--status", "archived", "--json"]).await.json();
        assert_eq!(archived.as_array().unwrap().len(), 2);
        machine.run(&["clients", "restore", "Beta gmbh"]).await.expect(0);
        for option in ["--search", "--q"] {
            let found = machine.run(&["clients", "list", option, "beta", "--json"]).await.json();
            assert_eq!(found[0]["name"], "Beta GmbH", "{option}");
        }
        for unknown in ["01a1fdba-f86f-76f5-b296-4e548b3691ab", "Gamma", "x"] {
            let stderr = machine.run(&["clients", "restore", unknown]).await.expect_failure(3);
            let expected = format!("portico: no client has the id, reference or name \"{unknown}\"\n");
            assert_eq!(stderr, expected);
        }
    }

    async fn of_clients_with_one_name_the_active_one_is_used_and_the_archived_one_restored(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let first = machine.run(&["clients", "add", "Acme Ltd"]).await;
        assert_eq!(first.stderr, "");
        machine.run(&["clients", "archive", "Acme Ltd", "--yes"]).await.expect(0);
        let second = machine.run(&["clients", "add", "acme LTD", "--json"]).await;
        assert!(second.stderr.starts_with("Another client has the name acme LTD too: "), "{second:?}");
        let id = second.json()["id"].as_str().unwrap().to_owned();
        for name in ["Acme Ltd", "acme ltd", &id] {
            let archived = machine.run(&["clients", "archive", name, "--yes", "--json"]).await.json();
            assert_eq!(archived["id"], id.as_str());
            machine.run(&["clients", "restore", &id]).await.expect(0);
        }
        let restored = machine.run(&["clients", "restore", "Acme Ltd", "--json"]).await.json();
        assert_ne!(restored["id"], id.as_str());
        machine.run(&["clients", "archive", "Acme Ltd", "--yes"]).await.expect_failure(2);
    }

    async fn archiving_asks_at_a_terminal_and_needs_yes_in_a_script(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let id = tenant.client("Acme Ltd").await;
        let status = || async { tenant.owner.get(&format!("{CLIENTS}/{id}")).await.expect(200)["status"].clone() };
        let stderr = machine.run(&["clients", "archive", "Acme Ltd"]).await.expect_failure(2);
        assert_eq!(stderr, "portico: there is no terminal to ask for confirmation; add --yes\n");
        for (answer, code, expected) in [("n", 1, "active"), ("", 1, "active"), ("y", 0, "archived")] {
            let mut terminal = machine.terminal(&["clients", "archive", "Acme Ltd"]);
            terminal.shows("Archive Acme Ltd? Its people can no longer sign in there. [y/N]").await;
            terminal.types(answer);
            machine.expect(terminal, code).await;
            assert_eq!(status().await, expected);
        }
    }
}

#[tokio::test]
async fn columns_stay_in_order_with_wide_and_right_to_left_names() {
    let machine = machine_with(&["Acme Ltd", "漢字株式会社", "שלום בע\"מ", "Zoe\u{301}"]).await;
    let screen = machine.expect(machine.terminal(&["clients", "list"]), 0).await;
    let end = "active  2026-11-26 10:00:00Z  01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let expected = [
        "NAME          REFERENCE  STATUS  CREATED               ID".to_owned(),
        format!("Acme Ltd      –          {end}"),
        format!("漢字株式会社  –          {end}"),
        // The screen keeps no character without width at the beginning of a line, so the isolate has no start.
        format!("שלום בע\"מ\u{2069}     –          {end}"),
        format!("Zoe\u{301}           –          {end}\n"),
    ];
    assert_eq!(screen, expected.join("\n"));
}

#[tokio::test]
async fn a_narrow_terminal_cuts_names_and_a_pipe_does_not() {
    let machine = machine_with(&["A very long name of a client", "漢字漢字漢字漢字"]).await;
    let screen = machine.expect(machine.terminal_with(&["clients", "list"], 48), 0).await;
    let expected = "\
NAME               REFERENCE  STATUS  CREATED
A very long name…  –          active  2026-11-2…
漢字漢字漢字漢字   –          active  2026-11-2…
";
    assert_eq!(screen, expected);
    assert!(machine.run(&["clients", "list"]).await.expect(0).contains("A very long name of a client"));
    let screen = machine.expect(machine.terminal_with(&["clients", "list"], 20), 0).await;
    assert_eq!(screen.lines().count(), 3, "no line is wrapped: {screen}");
}

#[tokio::test]
async fn names_cannot_control_the_terminal() {
    let machine = machine_with(&["A\u{1b}[2J\u{1b}]0;title\u{7}B\u{202e}C\r\nD\u{9b}31mE\u{2067}F"]).await;
    let table = machine.run(&["clients", "list"]).await.expect(0);
    assert!(table.contains("A[2J]0;titleBC D31mEF"), "{table:?}");
    let screen = machine.expect(machine.terminal(&["clients", "list"]), 0).await;
    assert!(screen.starts_with("NAME") && screen.contains("A[2J]0;titleBC D31mEF"), "{screen:?}");
    // JSON keeps what the server sent.
    let name = machine.run(&["clients", "list", "--json"]).await.json()[0]["name"].clone();
    assert!(name.as_str().unwrap().contains("\u{1b}[2J"));
}

#[tokio::test]
async fn a_reader_that_stops_reading_is_no_error() {
    let names: Vec<_> = (0..100).map(|n| format!("{n} {}", "long name ".repeat(200))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let machine = machine_with(&names).await;
    for args in [&["clients", "list"][..], &["clients", "list", "--json"]] {
        let mut child = machine.command(args).stdout(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(child.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn an_answer_without_a_list_is_not_one_of_portico() {
    let answer = http_answer(200, "application/json", "{\"data\":[{\"id\":1}],\"next_cursor\":null}");
    let server = FakeServer::start(move |_, _| Some(answer.clone())).await;
    let machine = Machine::with_token(server.url(), "pat_of_a_fake_server_0000000000000");
    let stderr = machine.run(&["clients", "list"]).await.expect_failure(5);
    assert!(stderr.contains("the answer is not one of Portico (its JSON has another form"), "{stderr}");
}

#[tokio::test]
async fn a_list_without_an_end_is_refused() {
    let page = |data: &str, cursor: &str| {
        http_answer(200, "application/json", &format!("{{\"data\":[{data}],\"next_cursor\":\"{cursor}\"}}"))
    };
    let pages = [
        [page("{}", "a"), page("{}", "a")],
        [page("{}", "a"), page("{}", "b")],
        [page("", "a"), page("", "b")],
        [page("{}", "a"), page("", "b")],
    ];
    for pages in pages {
        let server = FakeServer::start(move |number, _| Some(pages[number % 2].clone())).await;
        let machine = Machine::with_token(server.url(), "pat_of_a_fake_server_0000000000000");
        let stderr = machine.run(&["clients", "list", "--json"]).await.expect_failure(5);
        assert!(stderr.contains("(its list has no end)") && server.requests().len() < 4, "{stderr}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_not_printed_as_json() {
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let client = json!({ "id": id, "name": "Acme Ltd", "external_ref": null, "status": "active" }).to_string();
    for body in ["", "hello", "\u{1b}[2J", "{\"id\":", "{}{}", "[1]", "null"] {
        let (get, other) = (client.clone(), body.to_owned());
        let server = FakeServer::start(move |_, head| {
            let body = if head.starts_with("GET") { &get } else { &other };
            Some(http_answer(200, "application/json", body))
        });
        let machine = Machine::with_token(server.await.url(), "pat_of_a_fake_server_0000000000000");
        let stderr = machine.run(&["clients", "archive", id, "--yes", "--json"]).await.expect_failure(5);
        assert!(stderr.contains("the answer is not one of Portico"), "{body}: {stderr}");
    }
}
