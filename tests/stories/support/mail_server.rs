//! A mail server whose every reply a story decides, byte for byte. It has no TLS and no AUTH; `Sink` has both.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::{Mail, eventually};

/// What the server does instead of its usual reply.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Sends these bytes and closes the connection.
    Last(Vec<u8>),
    /// Sends what this returns for the text of the mail that has just arrived.
    Repeat(fn(&Received) -> String),
    /// Sends nothing for this time, and then the usual reply.
    Late(Duration),
    /// Sends nothing.
    Silence,
    /// Closes the connection.
    Close,
}

/// Returns the answer with this reply line.
pub(crate) fn reply(line: &str) -> Answer {
    Answer::Bytes(format!("{line}\r\n").into_bytes())
}

struct Rule {
    at: &'static str,
    recipient: Option<String>,
    times: usize,
    answer: Answer,
}

/// A mail whose final dot has arrived, accepted or not.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) message_id: String,
    /// The part in plain text.
    pub(crate) text: String,
    pub(crate) headers: String,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    received: Vec<Received>,
    commands: Vec<String>,
    connections: usize,
}

/// A mail server on a free port of 127.0.0.1. It runs until the test run ends.
pub(crate) struct MailServer {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    /// Starts a server that accepts every mail. It has a thread of its own, because a story blocks its thread while it
    /// waits for a command.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, shared.clone()));
                }
            });
        });
        Self { port, state }
    }

    /// The `MAIL_URL`, with these further parameters.
    pub(crate) fn url(&self, parameters: &str) -> String {
        format!("smtp://127.0.0.1:{}?tls=none{parameters}", self.port)
    }

    /// Gives `answer` at a stage: `greeting`, `dot`, or a command such as `RCPT`. Replaces an earlier rule of the
    /// stage.
    pub(crate) fn answer(&self, at: &'static str, answer: Answer) {
        self.add_rule(Rule { at, recipient: None, times: usize::MAX, answer });
    }

    /// Gives `answer` at a stage for the next `times` times.
    pub(crate) fn answer_times(&self, times: usize, at: &'static str, answer: Answer) {
        self.add_rule(Rule { at, recipient: None, times, answer });
    }

    /// Gives `answer` at a stage from RCPT on, if the recipient contains `recipient`.
    pub(crate) fn answer_to(&self, recipient: &str, at: &'static str, answer: Answer) {
        self.add_rule(Rule { at, recipient: Some(recipient.to_owned()), times: usize::MAX, answer });
    }

    fn add_rule(&self, rule: Rule) {
        let mut state = self.state.lock().unwrap();
        state.rules.retain(|old| (old.at, &old.recipient) != (rule.at, &rule.recipient));
        state.rules.push(rule);
    }

    /// Gives the usual replies again.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// The mails to this address whose final dot has arrived, the oldest first.
    pub(crate) fn received(&self, to: &str) -> Vec<Received> {
        let state = self.state.lock().unwrap();
        state.received.iter().filter(|mail| mail.to == to).cloned().collect()
    }

    /// Waits for `count` mails to this address and returns them, the oldest first. Fails if there are more.
    pub(crate) async fn wait_for(&self, to: &str, count: usize) -> Vec<Received> {
        eventually(&format!("{count} mails to {to}"), || async {
            let received = self.received(to);
            assert!(received.len() <= count, "{} mails to {to}, not {count}", received.len());
            (received.len() == count).then_some(received)
        })
        .await
    }

    /// The command lines that the server has received.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

impl Received {
    /// The link token or the code in the mail.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.text.split_once("#token=").expect("the mail has a link with a token");
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

/// What one connection has said so far.
#[derive(Default)]
struct Conversation {
    recipient: String,
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    state.lock().unwrap().connections += 1;
    let mut stream = BufReader::new(stream);
    let mut conversation = Conversation::default();
    if !say(&mut stream, &state, &conversation, "greeting", "220 mail.test ESMTP").await {
        return;
    }
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        state.lock().unwrap().commands.push(line.clone());
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        if verb == "RCPT" {
            conversation.recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        }
        let (at, usual) = match verb.as_str() {
            "EHLO" => ("EHLO", "250-mail.test\r\n250 8BITMIME"),
            "HELO" => ("HELO", "250 mail.test"),
            "MAIL" => ("MAIL", "250 ok"),
            "RCPT" => ("RCPT", "250 ok"),
            "DATA" => ("DATA", "354 go on"),
            "QUIT" => ("QUIT", "221 bye"),
            _ => ("other", "502 what"),
        };
        if !say(&mut stream, &state, &conversation, at, usual).await || at == "QUIT" {
            return;
        }
        if at == "DATA" && takes_text(&state, &conversation) {
            let Some(mail) = read_mail(&mut stream, &conversation).await else { return };
            state.lock().unwrap().received.push(mail);
            if !say(&mut stream, &state, &conversation, "dot", "250 accepted").await {
                return;
            }
        }
    }
}

/// Whether DATA is not answered by a refusal.
fn takes_text(state: &Mutex<State>, conversation: &Conversation) -> bool {
    let state = state.lock().unwrap();
    !state.rules.iter().any(|rule| {
        rule.at == "DATA" && matches!(&rule.answer, Answer::Bytes(bytes) if !bytes.starts_with(b"3")) && {
            rule.recipient.as_ref().is_none_or(|recipient| conversation.recipient.contains(recipient))
        }
    })
}

/// Sends the reply of this stage. Returns whether the connection goes on.
async fn say(
    stream: &mut BufReader<TcpStream>,
    state: &Mutex<State>,
    conversation: &Conversation,
    at: &str,
    usual: &str,
) -> bool {
    let answer = take_answer(state, conversation, at);
    let usual = format!("{usual}\r\n").into_bytes();
    let bytes = match answer {
        None => usual,
        Some(Answer::Bytes(bytes)) => bytes,
        Some(Answer::Last(bytes)) => {
            let _ = stream.get_mut().write_all(&bytes).await;
            return false;
        }
        Some(Answer::Repeat(line)) => {
            let mail = state.lock().unwrap().received.last().cloned().unwrap();
            format!("{}\r\n", line(&mail)).into_bytes()
        }
        Some(Answer::Late(time)) => {
            sleep(time).await;
            usual
        }
        Some(Answer::Silence) => {
            // Until the client closes the connection.
            let mut ignored = Vec::new();
            let _ = stream.read_until(b'\n', &mut ignored).await;
            return false;
        }
        Some(Answer::Close) => return false,
    };
    stream.get_mut().write_all(&bytes).await.is_ok()
}

fn take_answer(state: &Mutex<State>, conversation: &Conversation, at: &str) -> Option<Answer> {
    let mut state = state.lock().unwrap();
    let rule = state.rules.iter_mut().find(|rule| {
        rule.at == at
            && rule.times > 0
            && rule.recipient.as_ref().is_none_or(|recipient| conversation.recipient.contains(recipient))
    })?;
    rule.times -= 1;
    Some(rule.answer.clone())
}

/// Reads the text of a mail up to the final dot. `None` if the connection ends before it.
async fn read_mail(stream: &mut BufReader<TcpStream>, conversation: &Conversation) -> Option<Received> {
    let mut text = String::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        if line == b".\r\n" {
            break;
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        text.push_str(&String::from_utf8_lossy(line));
    }
    let (headers, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let message_id = headers.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
    let plain = body.split("Content-Type: text/html").next().unwrap_or_default();
    let mail = Received {
        to: conversation.recipient.clone(),
        message_id: message_id.to_owned(),
        text: plain.replace("=\r\n", "").replace("=3D", "="),
        headers: headers.to_owned(),
    };
    Mail::record_secrets(&mail.text);
    Some(mail)
}
