//! The callers of the authorization sweep, and the objects that they own.

use serde_json::{Value, json};

use crate::support::{Area, Browser, Person, Tenant, World, paths, unique_email};

/// The kind of a caller's credential.
#[derive(Clone, Copy, Debug)]
pub(super) enum CallerKind {
    /// No credential.
    WithoutCredential,
    /// A bearer token that Portico never issued.
    Garbage,
    /// An access token of a session that has expired.
    Expired,
    /// An access token of a session that was ended.
    Ended,
    /// A portal user who is no administrator of the client.
    PortalUser,
    /// An administrator of the client.
    PortalAdmin,
    /// A staff user.
    StaffUser { role: &'static str, is_fresh: bool },
    /// An API token, whose owner has this role.
    Token { role: &'static str, scopes: &'static [&'static str] },
}

/// A caller of the sweep.
pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) kind: CallerKind,
    pub(super) token: Option<String>,
    pub(super) ids: ObjectIds,
    is_portal: bool,
}

impl Caller {
    pub(super) fn is_portal(&self) -> bool {
        self.is_portal
    }

    pub(super) fn is_fresh(&self) -> bool {
        // The sessions of the portal users were opened for this sweep.
        matches!(
            self.kind,
            CallerKind::StaffUser { is_fresh: true, .. } | CallerKind::PortalUser | CallerKind::PortalAdmin
        )
    }

    /// The problem that the caller gets in its own realm.
    pub(super) fn refusal(&self) -> &'static str {
        match self.kind {
            CallerKind::Expired => "401 session_expired",
            _ => "401 session_revoked",
        }
    }
}

/// The objects of one tenant, by the name of the path parameter.
#[derive(Clone, Default)]
pub(super) struct Objects(Vec<(&'static str, String)>);

impl Objects {
    fn with(mut self, name: &'static str, id: &str) -> Self {
        self.0.push((name, id.to_owned()));
        self
    }

    /// The object with this name, without the others.
    fn only(&self, name: &'static str) -> Self {
        self.get(name).map_or_else(Self::default, |id| Self::default().with(name, id))
    }

    fn get(&self, name: &str) -> Option<&String> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, id)| id)
    }
}

/// The ids that a caller uses: its own, and those of objects that do not exist for it.
#[derive(Clone)]
pub(super) struct ObjectIds {
    own: Objects,
    /// Objects of another client, or of another user, of the same tenant.
    sibling: Objects,
    other_tenant: Objects,
}

impl ObjectIds {
    /// The id of the caller's own object.
    pub(super) fn own(&self, name: &str) -> String {
        self.own.get(name).unwrap_or_else(|| panic!("the cast has no {name}")).clone()
    }

    /// The ids that must all be answered in the same way, each with its kind.
    pub(super) fn foreign(&self, name: &str) -> Vec<(&'static str, String)> {
        let random = "01a1fdba-f86f-76f5-b296-4e548b3691ab".to_owned();
        let mut ids = vec![("random", random), ("malformed", "1%20OR%201=1".to_owned())];
        ids.extend(self.other_tenant.get(name).map(|id| ("of another tenant", id.clone())));
        ids.extend(self.sibling.get(name).map(|id| ("of a sibling", id.clone())));
        ids
    }
}

/// All callers, and what no caller of the other tenant may see.
pub(super) struct Cast {
    pub(super) callers: Vec<Caller>,
    /// The callers whose tenant is the second one.
    foreign_names: Vec<&'static str>,
    /// Texts that occur in responses about the first tenant only, and about the second only.
    first_texts: Vec<String>,
    second_texts: Vec<String>,
    unharmed: Vec<(String, Browser)>,
}

impl Cast {
    /// Creates two tenants with the same objects, and every caller.
    pub(super) async fn create(world: &World) -> Self {
        let (first, second) = (world.tenant().await, world.tenant().await);
        let (first_objects, first_sibling) = (objects(world, &first).await, objects(world, &first).await);
        let second_objects = objects(world, &second).await;
        let of_first = ObjectIds {
            own: first_objects.objects.clone(),
            // A staff user owns the objects of every client of the tenant, but each below its own client.
            sibling: first_sibling.objects.only("portal_user_id"),
            other_tenant: second_objects.objects.clone(),
        };
        let of_second = ObjectIds {
            own: second_objects.objects.clone(),
            sibling: Objects::default(),
            other_tenant: first_objects.objects.clone(),
        };
        let of_person = ObjectIds { sibling: first_sibling.objects.clone(), ..of_first.clone() };
        let mut callers = vec![
            caller("a caller without a credential", CallerKind::WithoutCredential, None, &of_first, false),
            caller("garbage", CallerKind::Garbage, Some("garbage".into()), &of_first, false),
            caller("a portal member", CallerKind::PortalUser, Some(first_objects.person_token), &of_person, true),
            caller(
                "a portal member of another tenant",
                CallerKind::PortalUser,
                Some(second_objects.person_token),
                &of_second,
                true,
            ),
        ];
        for (name, ids, token) in [
            ("a portal admin", &of_person, first_objects.admin_token),
            ("a portal admin of another tenant", &of_second, second_objects.admin_token),
        ] {
            callers.push(caller(name, CallerKind::PortalAdmin, Some(token), ids, true));
        }
        for role in ["owner", "admin", "support", "viewer"] {
            let email = unique_email(role);
            let token = staff_token(world, &first.slug, &email, role).await;
            make_stale(world, &email);
            callers.push(caller(role, CallerKind::StaffUser { role, is_fresh: false }, Some(token), &of_first, false));
        }
        let fresh = CallerKind::StaffUser { role: "owner", is_fresh: true };
        let token = staff_token(world, &first.slug, &unique_email("fresh"), "owner").await;
        callers.push(caller("a fresh owner", fresh, Some(token), &of_first, false));
        let token = staff_token(world, &second.slug, &unique_email("fresh"), "owner").await;
        callers.push(caller("a fresh owner of another tenant", fresh, Some(token), &of_second, false));
        callers.extend(without_live_session(world, &first, &of_first).await);
        callers.extend(programs(world, &first, &of_first).await);
        Self {
            callers,
            foreign_names: vec![
                "a portal member of another tenant",
                "a portal admin of another tenant",
                "a fresh owner of another tenant",
            ],
            first_texts: first_objects.texts,
            second_texts: second_objects.texts,
            unharmed: vec![(first.owner_email.clone(), first.owner), (second.owner_email.clone(), second.owner)],
        }
    }

    /// Asserts that the response to `caller` says nothing about the other tenant.
    pub(super) fn assert_nothing_foreign(&self, caller: &Caller, text: &str, call: &str) {
        let is_of_second = self.foreign_names.contains(&caller.name);
        let hidden = if is_of_second { &self.first_texts } else { &self.second_texts };
        let shown: Vec<_> = hidden.iter().filter(|hidden| text.contains(*hidden)).collect();
        assert!(shown.is_empty(), "{call} shows {shown:?}");
    }

    /// Asserts that the sweep has ended no session and removed no staff user.
    pub(super) async fn assert_unharmed(&self, _: &World) {
        for (email, browser) in &self.unharmed {
            let session = browser.get(paths::STAFF_SESSION).await.expect(200);
            assert_eq!(session["user"]["email"], json!(email));
        }
    }
}

fn caller(name: &'static str, kind: CallerKind, token: Option<String>, ids: &ObjectIds, is_portal: bool) -> Caller {
    Caller { name, kind, token, ids: ids.clone(), is_portal }
}

/// The objects of one client, and the access tokens of a member and of an administrator.
struct ClientObjects {
    objects: Objects,
    person_token: String,
    admin_token: String,
    texts: Vec<String>,
}

/// Creates a client with one object of each kind.
async fn objects(world: &World, tenant: &Tenant) -> ClientObjects {
    let client = tenant.client("Acme Ltd").await;
    let person = tenant.person_at(world, &client).await;
    let session = person.sign_in(&world.browser()).await;
    let (_, passkey) = person.browser.register_passkey(world, Area::Portal).await;
    let log = tenant.owner.get(&format!("{}?recipient={}", paths::EMAILS, person.email)).await.expect(200);
    let mail = log["data"][0]["id"].as_str().unwrap().to_owned();
    let current = person.browser.session().await.expect(200)["session"]["id"].as_str().unwrap().to_owned();
    let device = trust_device(world, &person).await;
    let admin = tenant.admin_at(world, &client).await;
    let admin_session = admin.sign_in(&world.browser()).await;
    let member = tenant.member(&client, &person.email).await;
    let invited = admin.browser.post(paths::COLLEAGUES, json!({ "email": unique_email("kim") })).await.expect(201);
    let email = unique_email("sam");
    let id = |created: Value| created["id"].as_str().unwrap().to_owned();
    let staff = json!({ "email": email, "role": "viewer" });
    let staff = id(tenant.owner.post(paths::STAFF, staff).await.expect(201));
    let account = json!({ "name": "Sync", "role": "support" });
    let account = id(tenant.owner.post(paths::SERVICE_ACCOUNTS, account).await.expect(201));
    let token = json!({ "name": "Sync", "scopes": ["clients:read"] });
    let tokens = format!("{}/{account}/tokens", paths::SERVICE_ACCOUNTS);
    let token = id(tenant.owner.post(&tokens, token).await.expect(201));
    let texts = vec![
        client.clone(),
        person.email.clone(),
        admin.email.clone(),
        current.clone(),
        mail.clone(),
        email,
        account.clone(),
        token.clone(),
    ];
    ClientObjects {
        objects: Objects::default()
            .with("client_id", &client)
            .with("session_id", &current)
            .with("device_id", &device)
            .with("email_id", &mail)
            .with("portal_user_id", member["id"].as_str().unwrap())
            .with("colleague_id", member["id"].as_str().unwrap())
            .with("invitation_id", invited["invitation"]["id"].as_str().unwrap())
            .with("staff_id", &staff)
            .with("account_id", &account)
            .with("token_id", &token)
            .with("passkey_id", passkey["id"].as_str().unwrap()),
        person_token: access_token(&session),
        admin_token: access_token(&admin_session),
        texts,
    }
}

/// Makes one browser a trusted device of the person, who has no second factor, and returns the id.
async fn trust_device(world: &World, person: &Person) -> String {
    world.sql(&format!(
        "INSERT INTO trusted_devices (id, portal_user_id, secret_hash, credential_version, factors_version, created_at, \
         last_used_at, expires_at) \
         SELECT {}, portal_users.id, '{}', portal_users.credential_version, factors_version, sessions.created_at, \
         sessions.created_at, sessions.expires_at \
         FROM portal_users JOIN sessions ON sessions.portal_user_id = portal_users.id WHERE email = '{}' LIMIT 1",
        world.random_id_sql(),
        person.email,
        person.email
    ));
    let devices = person.browser.get(paths::TRUSTED_DEVICES).await.expect(200);
    devices["data"][0]["id"].as_str().unwrap().to_owned()
}

fn access_token(session: &Value) -> String {
    session["access_token"].as_str().unwrap().to_owned()
}

/// Adds a staff user and returns the access token of a new session.
async fn staff_token(world: &World, slug: &str, email: &str, role: &str) -> String {
    world.add_staff(slug, email, role);
    let sent = world.mails(email).await.len();
    access_token(&world.sign_in_staff(&world.browser(), email, sent + 1).await)
}

/// Dates the last proof of identity of a staff user's sessions to an hour ago.
fn make_stale(world: &World, email: &str) {
    world.sql(&format!(
        "UPDATE sessions SET auth_time = {} WHERE staff_user_id = (SELECT id FROM staff_users WHERE email = '{email}')",
        an_hour_ago(world)
    ));
}

/// The time an hour ago, as SQL.
fn an_hour_ago(world: &World) -> &'static str {
    match world.sink {
        Some(_) => "now() - interval '1 hour'",
        None => "strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 'now', '-1 hour')",
    }
}

/// Programs: with a personal access token for each scope, with one whose owner has lost the right to edit since, and
/// with the token of a service account.
async fn programs(world: &World, tenant: &Tenant, ids: &ObjectIds) -> Vec<Caller> {
    const EDIT: &[&str] = &["clients:read", "clients:edit"];
    let program = |name, role, scopes, token: Value| {
        let token = token["token"].as_str().unwrap().to_owned();
        caller(name, CallerKind::Token { role, scopes }, Some(token), ids, false)
    };
    let body = |scopes: &[&str]| json!({ "name": "Swept", "scopes": scopes });
    let mut programs = Vec::new();
    let scopes: [(&'static str, &'static [&'static str]); 6] = [
        ("a token for clients:read", &["clients:read"]),
        ("a token for clients:edit", &["clients:edit"]),
        ("a token for emails:read", &["emails:read"]),
        ("a token for emails:edit", &["emails:edit"]),
        ("a token for audit:read", &["audit:read"]),
        ("a token for settings:read", &["settings:read"]),
    ];
    for (name, scopes) in scopes {
        let token = tenant.owner.post(paths::STAFF_TOKENS, body(scopes)).await.expect(201);
        programs.push(program(name, "owner", scopes, token));
    }
    let (email, browser) = (unique_email("demoted"), world.browser());
    let staff = json!({ "email": email, "role": "support" });
    let staff = tenant.owner.post(paths::STAFF, staff).await.expect(201);
    world.sign_in_staff(&browser, &email, 1).await;
    let token = browser.post(paths::STAFF_TOKENS, body(EDIT)).await.expect(201);
    let path = format!("{}/{}", paths::STAFF, staff["id"].as_str().unwrap());
    tenant.owner.patch(&path, json!({ "role": "viewer" })).await.expect(200);
    programs.push(program("a token of a demoted staff user", "viewer", EDIT, token));
    let tokens = format!("{}/{}/tokens", paths::SERVICE_ACCOUNTS, ids.own("account_id"));
    let token = tenant.owner.post(&tokens, body(EDIT)).await.expect(201);
    programs.push(program("a token of a service account", "support", EDIT, token));
    programs
}

/// Callers of both realms whose session has expired or was ended.
async fn without_live_session(world: &World, tenant: &Tenant, ids: &ObjectIds) -> Vec<Caller> {
    let person = tenant.person(world).await;
    let (staff, ended) = (unique_email("expired"), unique_email("ended"));
    let expired_staff = staff_token(world, &tenant.slug, &staff, "owner").await;
    let expired_portal = access_token(&person.sign_in(&world.browser()).await);
    // An hour ago and not longer: the clean-up deletes sessions that expired 30 days ago, and the server then answers
    // as to any unknown token.
    world.sql(&format!(
        "UPDATE sessions SET expires_at = {} WHERE \
         staff_user_id = (SELECT id FROM staff_users WHERE email = '{staff}') OR \
         portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')",
        an_hour_ago(world),
        person.email
    ));
    let ended_staff = staff_token(world, &tenant.slug, &ended, "owner").await;
    let browser = world.browser();
    let headers = [("authorization", format!("Bearer {ended_staff}"))];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.send(reqwest::Method::POST, paths::STAFF_SIGN_OUT, None, &headers).await.expect(204);
    vec![
        caller("an expired staff session", CallerKind::Expired, Some(expired_staff), ids, false),
        caller("an expired portal session", CallerKind::Expired, Some(expired_portal), ids, true),
        caller("an ended staff session", CallerKind::Ended, Some(ended_staff), ids, false),
    ]
}
