//! Records every secret that the stories send or receive, and searches texts in which none may appear.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Mutex,
};

use aho_corasick::AhoCorasick;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The kind of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SecretKind {
    /// Valid or not.
    Password,
    LinkToken,
    Code,
    AccessToken,
    RefreshToken,
    DeviceCookie,
    /// Any other value of an `Authorization` header.
    Authorization,
    ServerKey,
    MailCredential,
    DatabaseCredential,
    RedisCredential,
}

impl SecretKind {
    /// Whether the secret is a setting, which a process may leak at any time, not only during one story.
    fn is_setting(self) -> bool {
        self >= Self::ServerKey
    }
}

#[derive(Default)]
struct Recorded {
    secrets: Vec<(SecretKind, String)>,
    known: HashSet<String>,
    /// The headers and bodies of responses with a status of 400 or more.
    problems: Vec<String>,
}

static RECORDED: Mutex<Option<Recorded>> = Mutex::new(None);

fn with_recorded<T>(action: impl FnOnce(&mut Recorded) -> T) -> T {
    // A story that panicked has not left an incomplete record: each action is one push or one insert.
    action(RECORDED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert_default())
}

/// How much was recorded at some moment.
#[derive(Clone, Copy, Default)]
pub(crate) struct Checkpoint {
    secrets: usize,
    problems: usize,
}

/// Returns how much is recorded now.
pub(crate) fn checkpoint() -> Checkpoint {
    with_recorded(|recorded| Checkpoint { secrets: recorded.secrets.len(), problems: recorded.problems.len() })
}

/// Records a secret. Ignores secrets that are too short to be told from ordinary text, and e-mail addresses that a
/// story sends as a password, because addresses may be logged and stored.
pub(crate) fn record(kind: SecretKind, secret: &str) {
    // Only the last part of a token is secret. A search for it finds the whole token too.
    let secret = match kind {
        SecretKind::AccessToken | SecretKind::RefreshToken | SecretKind::DeviceCookie => {
            secret.rsplit('.').next().unwrap_or(secret)
        }
        _ => secret,
    };
    // The first 64 bytes are enough to find a secret. Some stories send very long ones.
    let secret = &secret[..secret.floor_char_boundary(64)];
    let shortest = match kind {
        SecretKind::Password => 8,
        SecretKind::Code => 6,
        SecretKind::LinkToken | SecretKind::AccessToken | SecretKind::RefreshToken | SecretKind::DeviceCookie => 32,
        _ => 12,
    };
    let is_code = kind == SecretKind::Code;
    // Ids are not secret. Some stories send one as a link token.
    let is_id = secret.len() == 36 && secret.matches('-').count() == 4;
    if secret.len() < shortest
        || is_id
        || secret.contains(".test")
        || is_code && !secret.bytes().all(|b| b.is_ascii_digit())
    {
        return;
    }
    with_recorded(|recorded| {
        if recorded.known.insert(secret.to_owned()) {
            recorded.secrets.push((kind, secret.to_owned()));
        }
    });
}

/// Records the secret in a setting of the program.
pub(crate) fn record_setting(name: &str, value: &str) {
    let credential = || value.split_once("://")?.1.rsplit_once('@')?.0.split_once(':').map(|(_, password)| password);
    match name {
        "PORTICO_SECRET" => {
            for entry in value.split(',') {
                record(SecretKind::ServerKey, entry.trim());
                // The decoded key as `Debug` would print its bytes.
                let bytes = BASE64_STANDARD.decode(entry.trim()).unwrap_or_default();
                let printed = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
                record(SecretKind::ServerKey, &printed);
            }
        }
        "MAIL_URL" => credential().into_iter().for_each(|secret| record(SecretKind::MailCredential, secret)),
        "DATABASE_URL" => credential().into_iter().for_each(|secret| record(SecretKind::DatabaseCredential, secret)),
        "REDIS_URL" => credential().into_iter().for_each(|secret| record(SecretKind::RedisCredential, secret)),
        _ => {}
    }
}

/// Records the secrets in the JSON body of a request or a response.
pub(crate) fn record_body(body: &Value) {
    for (name, value) in body.as_object().into_iter().flatten() {
        let Some(text) = value.as_str() else { continue };
        match &**name {
            "password" | "current_password" | "new_password" => record(SecretKind::Password, text),
            "ceremony" => record(SecretKind::LinkToken, text),
            "token" | "invitation" => record(SecretKind::LinkToken, text),
            "code" => {
                record(SecretKind::Code, text);
                // The code of a login of the command line is as long as a link token.
                record(SecretKind::LinkToken, text);
            }
            "code_verifier" => record(SecretKind::LinkToken, text),
            "redirect_to" => record(SecretKind::LinkToken, text.split(['=', '&']).nth(1).unwrap_or_default()),
            "access_token" => record(SecretKind::AccessToken, text),
            _ => {}
        }
    }
}

/// Records the secret in a cookie.
pub(crate) fn record_cookie(name: &str, value: &str) {
    match name.strip_prefix("__Host-").unwrap_or(name) {
        "portico_device" => record(SecretKind::DeviceCookie, value),
        name if name.ends_with("_refresh") => record(SecretKind::RefreshToken, value),
        name if name.starts_with("portico_") => record(SecretKind::AccessToken, value),
        _ => {}
    }
}

/// Records the headers and the body of a response with a status of 400 or more.
pub(crate) fn record_problem(response: String) {
    with_recorded(|recorded| recorded.problems.push(response));
}

/// A search of texts for secrets, and what it has found.
pub(crate) struct Search {
    secrets: Vec<(SecretKind, String)>,
    finder: AhoCorasick,
    hits: BTreeMap<SecretKind, usize>,
    found: Vec<String>,
}

impl Search {
    /// A search for every secret that was recorded since `checkpoint`, and for those of all settings.
    pub(crate) fn since(checkpoint: Checkpoint) -> Self {
        let secrets: Vec<_> = with_recorded(|recorded| {
            let is_searched =
                |(n, (kind, _)): &(usize, &(SecretKind, String))| *n >= checkpoint.secrets || kind.is_setting();
            recorded.secrets.iter().enumerate().filter(is_searched).map(|(_, secret)| secret.clone()).collect()
        });
        let finder = AhoCorasick::new(secrets.iter().map(|(_, secret)| secret)).unwrap();
        Self { secrets, finder, hits: BTreeMap::new(), found: Vec::new() }
    }

    /// Searches a text; `place` says what it is.
    pub(crate) fn scan(&mut self, place: &str, text: &str) {
        for hit in self.finder.find_overlapping_iter(text) {
            let (kind, _) = &self.secrets[hit.pattern().as_usize()];
            // Six digits are a code only as a word of their own, and not as a fraction of a second or a part of an id.
            let is_within =
                |adjacent: Option<char>| adjacent.is_some_and(|c| c.is_alphanumeric() || ".-:_".contains(c));
            let (before, after) = (&text[..hit.start()], &text[hit.end()..]);
            if *kind == SecretKind::Code && (is_within(before.chars().next_back()) || is_within(after.chars().next())) {
                continue;
            }
            *self.hits.entry(*kind).or_default() += 1;
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            self.found.push(format!("{kind:?} in {place}: {}", text[line..].lines().next().unwrap_or_default()));
        }
    }

    /// Searches the responses with a status of 400 or more since `checkpoint`.
    pub(crate) fn scan_problems(&mut self, checkpoint: Checkpoint) {
        let problems = with_recorded(|recorded| recorded.problems[checkpoint.problems..].join("\n"));
        self.scan("a response", &problems);
    }

    /// For each kind, how many secrets were searched for and how often one was found.
    pub(crate) fn summary(&self) -> BTreeMap<SecretKind, (usize, usize)> {
        let mut summary: BTreeMap<SecretKind, (usize, usize)> = BTreeMap::new();
        for (kind, _) in &self.secrets {
            summary.entry(*kind).or_default().0 += 1;
        }
        for (kind, hits) in &self.hits {
            summary.entry(*kind).or_default().1 += hits;
        }
        summary
    }

    /// Asserts that no secret was found.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let shown = &self.found[..self.found.len().min(20)];
        assert!(self.found.is_empty(), "{} secrets were found: {shown:#?}", self.found.len());
    }
}
