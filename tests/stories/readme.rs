//! The README keeps its word: its path by hand is run as it stands there.

use std::process::Command;

use crate::support::{Deployment, World};

#[tokio::test]
async fn the_path_by_hand_works_as_written() {
    let world = World::start(Deployment::Single, &[]).await;
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("## The whole path, by hand").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    let commands: Vec<&str> =
        section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(commands.len(), 4);
    let script = commands.join("\n").replace("http://localhost:8080", &world.apis[0]);
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(world.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    let steps = [
        "\"invite_mode\":\"setup\"",
        "signed_in",
        "signed_in",
        "\"user\"",
        "accepted",
        "password_reset",
        "session_revoked",
        "signed_in",
    ];
    let mut rest = &*said;
    for step in steps {
        rest = rest.split_once(step).unwrap_or_else(|| panic!("no {step} in {said}")).1;
    }
}
