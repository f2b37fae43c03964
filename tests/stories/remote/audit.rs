//! The audit log: listing and exporting events.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, symlink},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    task::spawn_blocking,
    time::timeout,
};

use crate::support::{FakeServer, Machine, eventually, http_answer, paths::CLIENTS, stories};

const NDJSON: &str = "application/x-ndjson";
const FAKE_TOKEN: &str = "pat_of_a_fake_server_0000000000000";

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
    let answer = http_answer(200, NDJSON, &export);
    let server = FakeServer::start(move |_, _| Some(answer.clone())).await;
    Machine::with_token(server.url(), FAKE_TOKEN)
}

#[tokio::test]
async fn cells_that_are_formulas_are_neutralized_in_csv_and_not_in_json() {
    let names = ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\0x", "Ann, \"A\"", "\nx", "＝1"];
    let export = names.map(event).concat() + "{\"end\":true,\"count\":10}\n";
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
    let cells =
        ["'=1+1", "'+1", "'-1", "'@SUM(1)", "'\tx", "\"'\rx\"", "'\0x", "\"Ann, \"\"A\"\"\"", "\"'\nx\"", "'＝1"];
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
    let mut answer = http_answer(200, NDJSON, &event("Ann"));
    answer = answer.replacen("content-length: ", "content-length: 1", 1);
    let server = FakeServer::start(move |_, _| Some(answer.clone())).await;
    let machine = Machine::with_token(server.url(), FAKE_TOKEN);
    let printed = machine.run(&["audit", "export", "--timeout", "1s"]).await;
    let expected = "portico: the export is incomplete: the server sent nothing for 1 s\n";
    assert_eq!((printed.code, printed.stderr.as_str()), (1, expected));
}

#[tokio::test]
async fn an_export_follows_links_to_a_file() {
    let export = event("Ann") + "{\"end\":true,\"count\":1}\n";
    let machine = machine_with(export.clone()).await;
    let file = machine.file("audit.ndjson", "before");
    let folder = std::path::Path::new(&file).parent().unwrap();
    for (link, leads_to, target) in [
        ("absolute", &*file, "audit.ndjson"),
        ("relative", "audit.ndjson", "audit.ndjson"),
        ("second", "relative", "audit.ndjson"),
        ("dangling", "new.ndjson", "new.ndjson"),
    ] {
        let link = folder.join(link);
        symlink(leads_to, &link).unwrap();
        machine.run(&["audit", "export", "--output", link.to_str().unwrap()]).await.expect(0);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{link:?}");
        assert_eq!(fs::read_to_string(folder.join(target)).unwrap(), export, "{link:?}");
        fs::write(&file, "before").unwrap();
    }
}

#[tokio::test]
async fn an_export_to_a_fifo_leaves_it_a_fifo() {
    let export = event("Ann") + "{\"end\":true,\"count\":1}\n";
    let server = FakeServer::answering(200, NDJSON, &export).await;
    let machine = Machine::with_token(server.url(), FAKE_TOKEN);
    let fifo = machine.file("fifo", "");
    fs::remove_file(&fifo).unwrap();
    assert!(Command::new("mkfifo").arg(&fifo).status().await.unwrap().success());
    let link = format!("{fifo}-link");
    symlink(&fifo, &link).unwrap();
    for path in [&fifo, &link] {
        let reader = spawn_blocking({
            let fifo = fifo.clone();
            move || fs::read_to_string(fifo).unwrap()
        });
        let printed = machine.run(&["audit", "export", "--output", path]).await;
        assert_eq!((printed.code, printed.stderr), (0, format!("Wrote 1 event to {path}.\n")));
        assert_eq!(reader.await.unwrap(), export);
        assert!(fs::metadata(path).unwrap().file_type().is_fifo());
    }
    // Without a reader, a signal ends the command.
    let server = FakeServer::answering(200, NDJSON, &export).await;
    let machine = Machine::with_token(server.url(), FAKE_TOKEN);
    let child = machine.command(&["audit", "export", "--output", &fifo]).stderr(Stdio::piped()).spawn().unwrap();
    assert!(stopped(&server, child).await.contains("stopped by SIGTERM"));
}

/// Sends SIGTERM to a command that has sent a request and does not end. Returns what it printed to stderr.
async fn stopped(server: &FakeServer, child: Child) -> String {
    let pid = child.id().unwrap().to_string();
    eventually("the request arrives", || async { (!server.requests().is_empty()).then_some(()) }).await;
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let output = timeout(Duration::from_secs(30), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn an_answer_that_is_no_export_is_not_printed() {
    let (event, end) = (event("Ann"), "{\"end\":true,\"count\":0}\n");
    for answer in [
        "<html>\u{1b}[2J</html>\n".to_owned(),
        "<html>".to_owned(),
        "[true,0]\n".to_owned(),
        "{}\n".to_owned(),
        "7\n".to_owned(),
        format!("{end}{event}"),
        format!("{end}{end}"),
        format!("{end}\u{1b}"),
    ] {
        let machine = machine_with(answer.clone()).await;
        for args in [&["audit", "export"][..], &["audit", "export", "--csv"]] {
            let printed = machine.run(args).await;
            assert!(printed.code == 5 && !printed.stdout.contains(['\u{1b}', '<', '[']), "{answer}: {printed:?}");
            assert!(printed.stderr.contains("the answer is not one of Portico"), "{printed:?}");
        }
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_refused() {
    for part in ["a".repeat(65_536), "{\"id\":".repeat(1_000), "\0".repeat(999)] {
        let server = FakeServer::endless(NDJSON, &part).await;
        let machine = Machine::with_token(server.url(), FAKE_TOKEN);
        let stderr = machine.run(&["audit", "export"]).await.expect_failure(5);
        assert!(stderr.contains("(a line has more than 1 MiB)"), "{stderr}");
    }
}

#[tokio::test]
async fn a_signal_ends_an_export_that_nothing_reads_or_that_has_no_end() {
    let home = Machine::new();
    let file = home.file("audit.ndjson", "before");
    for args in [&["audit", "export"][..], &["audit", "export", "--csv"], &["audit", "export", "--output", &file]] {
        let server = FakeServer::endless(NDJSON, &event("Ann")).await;
        let machine = Machine::with_token(server.url(), FAKE_TOKEN);
        let mut command = machine.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        if args.len() < 4 {
            pipe.read_u8().await.unwrap();
        }
        assert!(stopped(&server, child).await.contains("stopped by SIGTERM"), "{args:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
}

#[tokio::test]
async fn csv_cannot_control_the_terminal() {
    let export = ["\u{1b}[2JAnn", "\u{9b}2JBob", "\u{202e}Cleo"].map(event).concat() + "{\"end\":true,\"count\":3}\n";
    let machine = machine_with(export).await;
    let screen = machine.expect(machine.terminal(&["audit", "export", "--csv"]), 0).await;
    for expected in ["at,sequence,", ",[2JAnn,", ",2JBob,", ",Cleo,"] {
        assert!(screen.contains(expected), "{expected}: {screen}");
    }
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
        // Without the number in the chain, which an event gets when it is sealed.
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
            let list = async |option| {
                let listed = machine.run(&["audit", "list", option, "2020-01-01T00:00:00Z", "--json"]).await.json();
                ids(listed.as_array().unwrap())
            };
            assert_eq!(list(older).await, list(newer).await);
        }
        tenant.owner.get(CLIENTS).await.expect(200);
    }
}
