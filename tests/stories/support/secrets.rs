//! Every secret that the stories type or receive, and the search for them where they must not be.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Mutex,
};

use aho_corasick::AhoCorasick;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// What kind of secret it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// Right, wrong and refused ones.
    Password,
    LinkToken,
    Code,
    AccessToken,
    RefreshToken,
    DeviceCookie,
    /// Whatever else stood in an `Authorization` header.
    Authorization,
    ServerKey,
    MailCredential,
    DatabaseCredential,
    RedisCredential,
}

impl Class {
    /// Held by the processes from their start, so that it may be anywhere at any time.
    fn is_standing(self) -> bool {
        self >= Self::ServerKey
    }
}

#[derive(Default)]
struct Seen {
    secrets: Vec<(Class, String)>,
    known: HashSet<String>,
    /// The bodies and headers of failures.
    refusals: Vec<String>,
}

static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

fn seen<T>(act: impl FnOnce(&mut Seen) -> T) -> T {
    // A story that panicked meanwhile has left nothing half-done here.
    act(SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert_default())
}

/// A moment: how much had been seen by then.
#[derive(Clone, Copy, Default)]
pub(crate) struct Checkpoint {
    secrets: usize,
    refusals: usize,
}

/// Now.
pub(crate) fn checkpoint() -> Checkpoint {
    seen(|seen| Checkpoint { secrets: seen.secrets.len(), refusals: seen.refusals.len() })
}

/// Remembers a secret. What is too short to be told from ordinary text is passed over, and so are addresses that somebody
/// tries for a password: they stand in many places by right.
pub(crate) fn saw(class: Class, secret: &str) {
    // The first parts of a token may be named, its signature may not: a search for that finds the whole as well.
    let secret = match class {
        Class::AccessToken | Class::RefreshToken | Class::DeviceCookie => secret.rsplit('.').next().unwrap_or(secret),
        _ => secret,
    };
    // The beginning is enough to find it by, and some stories type very much.
    let secret = &secret[..secret.floor_char_boundary(64)];
    let shortest = match class {
        Class::Password => 8,
        Class::Code => 6,
        Class::LinkToken | Class::AccessToken | Class::RefreshToken | Class::DeviceCookie => 32,
        _ => 12,
    };
    let is_code = class == Class::Code;
    // Nor are ids secrets, which some try for a link's.
    let is_id = secret.len() == 36 && secret.matches('-').count() == 4;
    if secret.len() < shortest
        || is_id
        || secret.contains(".test")
        || is_code && !secret.bytes().all(|b| b.is_ascii_digit())
    {
        return;
    }
    seen(|seen| {
        if seen.known.insert(secret.to_owned()) {
            seen.secrets.push((class, secret.to_owned()));
        }
    });
}

/// Remembers what this setting of the program holds.
pub(crate) fn saw_setting(name: &str, value: &str) {
    let credential = || value.split_once("://")?.1.rsplit_once('@')?.0.split_once(':').map(|(_, password)| password);
    match name {
        "PORTICO_SECRET" => {
            for entry in value.split(',') {
                saw(Class::ServerKey, entry.trim());
                // As `Debug` prints bytes, too.
                let bytes = BASE64_STANDARD.decode(entry.trim()).unwrap_or_default();
                let printed = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
                saw(Class::ServerKey, &printed);
            }
        }
        "MAIL_URL" => credential().into_iter().for_each(|secret| saw(Class::MailCredential, secret)),
        "DATABASE_URL" => credential().into_iter().for_each(|secret| saw(Class::DatabaseCredential, secret)),
        "REDIS_URL" => credential().into_iter().for_each(|secret| saw(Class::RedisCredential, secret)),
        _ => {}
    }
}

/// Remembers the secrets in a JSON body, in whichever direction it went.
pub(crate) fn saw_body(body: &Value) {
    for (name, value) in body.as_object().into_iter().flatten() {
        let Some(text) = value.as_str() else { continue };
        match &**name {
            "password" | "current_password" | "new_password" => saw(Class::Password, text),
            "token" => saw(Class::LinkToken, text),
            "code" => saw(Class::Code, text),
            "access_token" => saw(Class::AccessToken, text),
            _ => {}
        }
    }
}

/// Remembers a cookie.
pub(crate) fn saw_cookie(name: &str, value: &str) {
    match name.strip_prefix("__Host-").unwrap_or(name) {
        "portico_device" => saw(Class::DeviceCookie, value),
        name if name.ends_with("_refresh") => saw(Class::RefreshToken, value),
        name if name.starts_with("portico_") => saw(Class::AccessToken, value),
        _ => {}
    }
}

/// Remembers a failure as it reached a client.
pub(crate) fn saw_refusal(answer: String) {
    seen(|seen| seen.refusals.push(answer));
}

/// What a search came to.
pub(crate) struct Search {
    secrets: Vec<(Class, String)>,
    finder: AhoCorasick,
    hits: BTreeMap<Class, usize>,
    found: Vec<String>,
}

impl Search {
    /// For every secret seen since `mark`, and for those that stand.
    pub(crate) fn since(mark: Checkpoint) -> Self {
        let secrets: Vec<_> = seen(|seen| {
            let is_meant = |(n, (class, _)): &(usize, &(Class, String))| *n >= mark.secrets || class.is_standing();
            seen.secrets.iter().enumerate().filter(is_meant).map(|(_, secret)| secret.clone()).collect()
        });
        let finder = AhoCorasick::new(secrets.iter().map(|(_, secret)| secret)).unwrap();
        Self { secrets, finder, hits: BTreeMap::new(), found: Vec::new() }
    }

    /// Looks through a text.
    pub(crate) fn look(&mut self, place: &str, text: &str) {
        for hit in self.finder.find_overlapping_iter(text) {
            let (class, _) = &self.secrets[hit.pattern().as_usize()];
            // Six digits are a code only where they stand alone, and not as a fraction of a second or a part of an id.
            let is_within =
                |neighbour: Option<char>| neighbour.is_some_and(|c| c.is_alphanumeric() || ".-:_".contains(c));
            let (before, after) = (&text[..hit.start()], &text[hit.end()..]);
            if *class == Class::Code && (is_within(before.chars().next_back()) || is_within(after.chars().next())) {
                continue;
            }
            *self.hits.entry(*class).or_default() += 1;
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            self.found.push(format!("{class:?} in {place}: {}", text[line..].lines().next().unwrap_or_default()));
        }
    }

    /// Looks through the failures that clients have seen since `mark`.
    pub(crate) fn look_through_refusals(&mut self, mark: Checkpoint) {
        let refusals = seen(|seen| seen.refusals[mark.refusals..].join("\n"));
        self.look("an answer", &refusals);
    }

    /// How many secrets of each class were looked for, and how often one was found.
    pub(crate) fn summary(&self) -> BTreeMap<Class, (usize, usize)> {
        let mut summary: BTreeMap<Class, (usize, usize)> = BTreeMap::new();
        for (class, _) in &self.secrets {
            summary.entry(*class).or_default().0 += 1;
        }
        for (class, hits) in &self.hits {
            summary.entry(*class).or_default().1 += hits;
        }
        summary
    }

    /// Nothing was found.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let shown = &self.found[..self.found.len().min(20)];
        assert!(self.found.is_empty(), "{} secrets lie about: {shown:#?}", self.found.len());
    }
}
