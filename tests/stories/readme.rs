//! Runs the commands of the README as they are written.

use std::process::Command;

use crate::support::{Deployment, World, binary};

/// Returns the shell commands of "The whole path, by hand", and the first of "Your program in three minutes", with the
/// address of this API and the path of this binary.
fn commands(api: &str) -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("## The whole path, by hand").unwrap();
    let (section, _) = rest.split_once("**TypeScript or JavaScript.**").unwrap();
    let blocks: Vec<&str> = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 5);
    let binary = binary().display().to_string();
    blocks.join("\n").replace("http://localhost:8080", api).replace("target/debug/portico", &binary)
}

#[tokio::test]
async fn the_commands_of_the_readme_work_as_written() {
    let world = World::start(Deployment::Single, &[]).await;
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &commands(&world.apis[0])]).current_dir(world.folder.path());
    let output = bash.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout} {}", String::from_utf8_lossy(&output.stderr));
    let responses = [
        "\"invite_mode\":\"setup\"",
        "signed_in",
        "signed_in",
        "\"user\"",
        "accepted",
        "password_reset",
        "session_revoked",
        "signed_in",
        "\"name\":\"Acme Ltd\"",
        "\"invite_mode\":\"setup\"",
        "bob@example.com",
    ];
    let mut rest = &*stdout;
    for response in responses {
        rest = rest.split_once(response).unwrap_or_else(|| panic!("no {response} in {stdout}")).1;
    }
}
