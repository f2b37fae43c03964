//! The audit log: listing and exporting events.

use serde_json::{Value, json};

use crate::support::{FakeServer, Machine, http_answer, paths::CLIENTS, stories};

/// An event whose actor has a name that a spreadsheet would read as a formula.
fn event(name: &str) -> String {
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let event = json!({
        "id": id, "sequence": 7, "at": "2026-11-26T10:00:00.5Z", "action": "client.created", "outcome": "success",
        "actor": { "realm": "staff", "id": id, "name": name }, "target": { "kind": "client", "id": id },
        "client_id": id, "ip": "198.51.100.1", "request_id": null, "details": { "name": "=x" },
    });
    format!("{event}\n")
}

/// A machine whose server exports this text.
async fn machine_with(export: String) -> Machine {
    let answer = http_answer(200, "application/x-ndjson", &export);
    let server = FakeServer::start(move |_, _| Some(answer.clone())).await;
    Machine::with_token(server.url(), "pat_of_a_fake_server_0000000000000")
}

#[tokio::test]
async fn cells_that_are_formulas_are_neutralized_in_csv_and_not_in_json() {
    let names = ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\0x", "Ann, \"A\""];
    let export = names.map(event).concat() + "{\"end\":true,\"count\":8}\n";
    let machine = machine_with(export.clone()).await;
    let csv = machine.run(&["audit", "export", "--csv"]).await.expect(0);
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let header = "at,sequence,action,outcome,actor_realm,actor_id,actor_name,target_kind,target_id,client_id,ip,request_id,\
                  details,id\n";
    let row = |name: &str| {
        format!(
            "2026-11-26T10:00:00.500Z,7,client.created,success,staff,{id},{name},client,{id},{id},198.51.100.1,,\
             \"{{\"\"name\"\":\"\"=x\"\"}}\",{id}\n"
        )
    };
    let cells = ["'=1+1", "'+1", "'-1", "'@SUM(1)", "'\tx", "\"'\rx\"", "'\0x", "\"Ann, \"\"A\"\"\""];
    assert_eq!(csv, header.to_owned() + &cells.map(row).concat());
    assert_eq!(machine.run(&["audit", "export"]).await.expect(0), export);
}

#[tokio::test]
async fn an_export_that_is_cut_off_is_a_failure_and_writes_no_file() {
    let (one, two) = (event("Ann"), event("Bob"));
    for export in [
        format!("{one}{two}"),
        format!("{one}{}", &two[..20]),
        format!("{one}{two}{{\"end\":true,\"count\":3}}\n"),
        format!("{one}{{\"end\":false,\"count\":1}}\n"),
        String::new(),
    ] {
        let machine = machine_with(export).await;
        let file = machine.file("audit.csv", "before");
        for args in [&["audit", "export"][..], &["audit", "export", "--csv", "--output", &file]] {
            let printed = machine.run(args).await;
            assert!(printed.code == 1 && printed.stderr.contains("the export is incomplete"), "{printed:?}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    }
}

#[tokio::test]
async fn an_export_that_stalls_is_a_failure() {
    let mut answer = http_answer(200, "application/x-ndjson", &event("Ann"));
    answer = answer.replacen("content-length: ", "content-length: 1", 1);
    let server = FakeServer::start(move |_, _| Some(answer.clone())).await;
    let machine = Machine::with_token(server.url(), "pat_of_a_fake_server_0000000000000");
    let printed = machine.run(&["audit", "export", "--timeout", "1s"]).await;
    let expected = "portico: the export is incomplete: the server sent nothing for 1 s\n";
    assert_eq!((printed.code, printed.stderr.as_str()), (1, expected));
}

stories! {
    async fn events_are_listed_and_exported(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        machine.run(&["clients", "add", "Acme Ltd"]).await.expect(0);
        let filter = ["--action", "client.created", "--client", "Acme Ltd", "--since", "2020-01-01T00:00:00Z"];
        let table = machine.run(&[&["audit", "list"][..], &filter].concat()).await.expect(0);
        assert!(table.lines().count() == 2 && table.contains("client.created"), "{table}");
        let listed = machine.run(&["audit", "list", "--json"]).await.json();
        let file = machine.file("audit.ndjson", "");
        let printed = machine.run(&["audit", "export", "--output", &file]).await;
        assert!(printed.stderr.starts_with("Wrote ") && printed.stdout.is_empty(), "{printed:?}");
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.last().unwrap(), &json!({ "end": true, "count": lines.len() - 1 }));
        let ids = |events: &[Value]| events.iter().map(|event| event["id"].clone()).collect::<Vec<_>>();
        // The start of the export is an event of its own.
        assert!(ids(&lines).ends_with(&[ids(listed.as_array().unwrap()), vec![Value::Null]].concat()));
        let csv = machine.run(&[&["audit", "export", "--csv"][..], &filter].concat()).await.expect(0);
        assert_eq!(csv.lines().count(), 2, "{csv}");
        machine.run(&["audit", "list", "--client", "Nowhere"]).await.expect_failure(3);
        for (option, value, example) in
            [("--since", "yesterday", "e.g. 2026"), ("--actor", "ann", "e.g. 01a1"), ("--limit", "0", "e.g. 100")]
        {
            let stderr = machine.run(&["audit", "list", option, value]).await.expect_failure(2);
            assert!(stderr.contains(example), "{option}: {stderr}");
        }
        for (older, newer) in [("--from", "--since"), ("--to", "--until")] {
            let list = async |option| machine.run(&["audit", "list", option, "2020-01-01T00:00:00Z", "--json"]).await.json();
            assert_eq!(list(older).await, list(newer).await);
        }
        tenant.owner.get(CLIENTS).await.expect(200);
    }
}
