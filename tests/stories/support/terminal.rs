//! A pseudo-terminal in which a story runs the binary, as a user at a terminal does.

use std::{
    io::{Read, Write},
    num::NonZero,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::{binary, eventually};

/// The lines of the screen. More than any command of a story prints.
const ROWS: u16 = 200;

/// A program that runs in a terminal, and the screen.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts the binary in a terminal with this many columns.
    pub(crate) fn start(args: &[&str], env: &[(String, String)], columns: u16) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows: ROWS, cols: columns, pixel_width: 0, pixel_height: 0 })
            .unwrap();
        let mut command = CommandBuilder::new(binary());
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        env.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let size = [ROWS, columns].map(|size| NonZero::new(size).unwrap());
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size[0], size[1], 0)));
        let shown = screen.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..length]);
            }
        });
        Self { child, keyboard: pair.master.take_writer().unwrap(), screen, master: pair.master }
    }

    /// What the screen shows, without the empty end of each line.
    pub(crate) fn screen(&self) -> String {
        let contents = self.screen.lock().unwrap().screen().contents();
        contents.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// Waits until the screen shows `text`.
    pub(crate) async fn shows(&self, text: &str) {
        self.shows_any(&[text]).await;
    }

    /// Waits until the screen shows one of these texts.
    pub(crate) async fn shows_any(&self, texts: &[&str]) {
        let last = Mutex::new(String::new());
        eventually(&format!("the screen shows {texts:?}"), || async {
            let screen = self.screen();
            if *last.lock().unwrap() != screen {
                eprintln!("{screen}");
                last.lock().unwrap().clone_from(&screen);
            }
            texts.iter().any(|text| screen.contains(text)).then_some(())
        })
        .await;
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\r").as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Whether the terminal shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        let name = self.master.tty_name().unwrap();
        let output = Command::new("stty").arg("-F").arg(name).arg("-a").output().unwrap();
        let settings = String::from_utf8(output.stdout).unwrap();
        settings.split([' ', '\n']).any(|setting| setting == "echo")
    }

    /// Types Ctrl-C.
    pub(crate) fn interrupt(&mut self) {
        self.keyboard.write_all(b"\x03").unwrap();
        self.keyboard.flush().unwrap();
    }

    /// The arguments of the process, as every user of the machine can see them.
    pub(crate) fn arguments(&self) -> String {
        let file = format!("/proc/{}/cmdline", self.child.process_id().unwrap());
        String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()
    }

    /// Waits until the process ends, and returns its exit code and the screen.
    pub(crate) async fn ends(mut self) -> (u32, String) {
        let child = Mutex::new(&mut self.child);
        let code = eventually("the process ends", || async {
            child.lock().unwrap().try_wait().unwrap().map(|status| status.exit_code())
        })
        .await;
        // The last bytes may still be on their way to the screen.
        let last = Mutex::new(None);
        eventually("the screen is complete", || async {
            let screen = self.screen();
            (last.lock().unwrap().replace(screen.clone()) == Some(screen)).then_some(())
        })
        .await;
        (code, self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
