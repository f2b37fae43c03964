//! A small disk that a story can fill.

use std::{fs::File, io::Write, path::Path, process::Command};

use tempfile::TempDir;

/// A mounted tmpfs. Only root can mount it.
pub(crate) struct Disk(TempDir);

impl Disk {
    /// Mounts a disk of this size, such as `6m`; `None` if that is not permitted here.
    pub(crate) fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=755"), "tmpfs"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if !is_mounted {
            eprintln!("skipped: only root can mount a disk to fill");
        }
        is_mounted.then_some(Self(folder))
    }

    /// The folder at which the disk is mounted.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that leaves no room.
    pub(crate) fn fill(&self) {
        let zeros = vec![0; 4_096];
        let mut file = File::create(self.path().join("filling")).unwrap();
        while file.write_all(&zeros).is_ok() {}
    }

    /// Deletes the file that leaves no room.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.path().join("filling")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
