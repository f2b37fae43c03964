//! Helpers for the unit tests of this crate.

use std::{
    collections::BTreeSet,
    ops::Deref,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use portico_entity::{
    ClientId, MembershipId, PortalUserId, StaffUserId, TenantId,
    background_job::{self, Column, State},
    client, membership, portal_user,
    session::Method,
    staff_user, tenant,
};
use portico_queue::JobQueue;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    Statement,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;

use crate::{
    identity::sessions::{self, NewSession},
    platform::{
        actor::{ActiveMembership, ClientAdmin, OpenClient, PortalUser, Principal, RequestContext, TenantCaller},
        app::App,
        clock::{Clock, Time},
        database::Database,
        env_reader::{EnvReader, Environment},
        jobs,
        keys::ServerKeys,
        settings::DatabaseSettings,
        sign_in_policy::SignInPolicy,
    },
    registry,
};

/// The server key of a [`TestApp`].
pub(crate) const SECRET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// An [`App`] with its own SQLite database, a manual clock, an in-memory queue and in-memory mail.
///
/// A test must run the jobs that it enqueues, with [`run_queue`](Self::run_queue), or say with
/// [`leave_jobs`](Self::leave_jobs) that it does not: a queued job that is due fails the test when this value is
/// dropped.
pub(crate) struct TestApp {
    app: App,
    may_leave_jobs: AtomicBool,
    /// The folder of the database. It is deleted when this value is dropped.
    _folder: TempDir,
}

impl Deref for TestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

/// Returns a new [`TestApp`] with an empty, migrated database. Its clock shows 2027-01-15 08:00 UTC.
pub(crate) async fn app() -> TestApp {
    app_with_secret("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").await
}

/// Returns a [`TestApp`] as [`app`] does, whose `PORTICO_SECRET` is `secret`.
pub(crate) async fn app_with_secret(secret: &str) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portico.db");
    std::fs::copy(template().await, &file).unwrap();
    let database = format!("sqlite:{}", file.display());
    let values = [
        ("DATABASE_URL", database.as_str()),
        ("MAIL_URL", "memory:"),
        ("PORTICO_SECRET", secret),
        ("PORTICO_SCRYPT", "ln=10,r=8,p=1"),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut env = EnvReader::new(values, Some(Environment::Development));
    let settings = registry::read_settings(&mut env, None, Url::parse("http://localhost:8080").ok());
    let settings = env.finish(settings).unwrap();
    let db = Database::connect(&settings.database).await.unwrap();
    let capabilities = registry::capabilities(&settings).unwrap();
    let clock = Clock::manual(Time::from_timestamp(1_800_000_000, 0).unwrap());
    let app = App::new(db, JobQueue::memory(), clock, settings, capabilities);
    TestApp { app, may_leave_jobs: AtomicBool::new(false), _folder: folder }
}

/// Returns the path of a migrated SQLite database. Tests copy it, because a migration takes longer than most tests.
async fn template() -> PathBuf {
    static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
    let make = || async {
        // All test runs share this file in the build folder. Each run makes it again, which is cheaper than a check
        // that it is current.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tmp");
        std::fs::create_dir_all(folder).unwrap();
        let file = PathBuf::from(folder).join("template.db");
        for part in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{part}", file.display()));
        }
        let url = format!("sqlite:{}?mode=rwc", file.display());
        portico_migration::migrate(url, Duration::from_secs(60)).await.unwrap();
        file
    };
    TEMPLATE.get_or_init(make).await.clone()
}

/// Returns the context of a request from 192.0.2.1 without known devices.
pub(crate) fn context() -> RequestContext {
    RequestContext::new(uuid::Uuid::nil(), Some([192, 0, 2, 1].into()), Some("test"), Vec::new())
}

/// How a session is opened without a second factor.
fn new_session(context: &RequestContext, method: Method) -> NewSession<'_> {
    NewSession { context, method, factor: None, passkey: None, replaces: None }
}

impl TestApp {
    /// Returns the values of the column `name` of the rows that `SELECT name FROM {from}` finds.
    pub(crate) async fn names(&self, from: &str) -> BTreeSet<String> {
        let sql = format!("SELECT name FROM {from}");
        let rows =
            self.db().query_all_raw(Statement::from_string(self.db().get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
    }

    /// Returns a process on the same database and clock whose `PORTICO_SECRET` is `secret`.
    pub(crate) fn with_secret(&self, secret: &str) -> App {
        let mut settings = self.settings().clone();
        settings.keys = ServerKeys::parse(secret).unwrap();
        let capabilities = registry::capabilities(&settings).unwrap();
        App::new(self.db().clone(), JobQueue::memory(), self.clock().clone(), settings, capabilities)
    }

    /// Allows the test to end with due jobs in the queue.
    pub(crate) fn leave_jobs(&self) {
        self.may_leave_jobs.store(true, Ordering::Relaxed);
    }

    /// Inserts the client Acme Ltd of a new tenant and returns the row.
    pub(crate) async fn insert_client(&self) -> client::Model {
        let tenant = tenant::Model {
            id: TenantId(self.new_id()),
            slug: "demo".into(),
            name: "Demo Company".into(),
            status: tenant::Status::Active,
            branding: serde_json::json!({}),
            default_locale: "en".into(),
            sign_in_policy: None,
            created_at: self.now(),
        };
        let tenant = tenant.into_active_model().insert(self.db()).await.unwrap();
        let client = client::Model {
            id: ClientId(self.new_id()),
            tenant_id: tenant.id,
            name: "Acme Ltd".into(),
            external_ref: None,
            status: client::Status::Active,
            created_at: self.now(),
            is_search_indexed: false,
        };
        client.into_active_model().insert(self.db()).await.unwrap()
    }

    /// Inserts an owner of the tenant with a session, and returns the owner as a caller.
    pub(crate) async fn owner_of(&self, tenant: TenantId) -> TenantCaller {
        let tenant = tenant::Entity::find_by_id(tenant).one(self.db()).await.unwrap().unwrap();
        let user = staff_user::ActiveModel {
            id: Set(StaffUserId(self.new_id())),
            tenant_id: Set(tenant.id),
            name: Set("Olive".into()),
            email: Set("olive@x.test".into()),
            role: Set(staff_user::Role::Owner),
            credential_version: Set(0),
            created_at: Set(self.now()),
            ..Default::default()
        };
        let user = user.insert(self.db()).await.unwrap();
        let mut tx = self.begin().await.unwrap();
        let session = sessions::open_staff(&mut tx, &user, new_session(&context(), Method::Code)).await.unwrap();
        tx.commit().await.unwrap();
        TenantCaller { context: context(), tenant, principal: Principal::StaffUser { user, session } }
    }

    /// Inserts an active administrator of the client with a session, and returns the administrator as a caller.
    pub(crate) async fn admin_of(&self, client: &client::Model, email: &str) -> ClientAdmin {
        let user = self.portal_user(email).into_active_model().insert(self.db()).await.unwrap();
        let membership = membership::Model {
            id: MembershipId(self.new_id()),
            portal_user_id: user.id,
            client_id: client.id,
            display_name: user.name.clone(),
            role: membership::Role::Admin,
            status: membership::Status::Active,
            invited_at: self.now(),
            last_used_at: None,
            tenant_id: Some(client.tenant_id),
            is_search_indexed: false,
        };
        let membership = membership.into_active_model().insert(self.db()).await.unwrap();
        let tenant = tenant::Entity::find_by_id(client.tenant_id).one(self.db()).await.unwrap().unwrap();
        let mut tx = self.begin().await.unwrap();
        let session = sessions::open_portal(&mut tx, &user, &membership, new_session(&context(), Method::Password))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let client = OpenClient::from_row(client.clone()).unwrap();
        let active = ActiveMembership { membership, client, policy: SignInPolicy::default() };
        PortalUser { context: context(), user, session, active, tenant }.authorize_admin().unwrap()
    }

    /// Inserts the portal user Ann, `ann@x.test`, who has no password, and returns the row.
    pub(crate) async fn insert_portal_user(&self) -> portal_user::Model {
        self.portal_user("ann@x.test").into_active_model().insert(self.db()).await.unwrap()
    }

    /// Returns the row of a portal user named Ann who has this address and no password.
    fn portal_user(&self, email: &str) -> portal_user::Model {
        portal_user::Model {
            id: PortalUserId(self.new_id()),
            email: email.into(),
            name: "Ann".into(),
            password_phc: None,
            password_cost: None,
            password_locked_at: None,
            credential_version: 0,
            activated_at: None,
            mfa_enabled_at: None,
            factors_version: 0,
            webauthn_handle: None,
            locale: None,
            disabled_at: None,
            created_at: self.now(),
        }
    }

    /// Returns the portal user Ann. Inserts the row at the first call.
    pub(crate) async fn insert_portal_user_once(&self) -> portal_user::Model {
        match portal_user::Entity::find().one(self.db()).await.unwrap() {
            Some(user) => user,
            None => self.insert_portal_user().await,
        }
    }

    /// Runs every job that is due, including the jobs that these jobs enqueue. A job has 10 seconds.
    pub(crate) async fn run_queue(&self) {
        let worker = jobs::Worker::new(&self.app);
        loop {
            let due = background_job::Entity::find()
                .filter(Column::State.eq(State::Queued))
                .filter(Column::RunAt.lte(self.now()))
                .all(self.db())
                .await
                .unwrap();
            if due.is_empty() {
                return;
            }
            let ids: Vec<_> = due.iter().map(|row| row.id.0).collect();
            for claimed in jobs::claim(&self.app, &worker, &ids).await.unwrap() {
                let run = async { jobs::complete(&self.app, jobs::run(&self.app, claimed).await).await };
                tokio::time::timeout(Duration::from_secs(10), run).await.unwrap();
            }
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() || self.may_leave_jobs.load(Ordering::Relaxed) {
            return;
        }
        let (settings, now) = (self.settings().database.clone(), self.now());
        // The test's runtime cannot wait here, so another thread reads the table.
        let names = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(due_jobs(&settings, now))
        });
        let names = names.join().unwrap();
        assert!(names.is_empty(), "the test left jobs in the queue: {names:?}");
    }
}

/// Returns the names of the queued jobs that are due at `now`.
async fn due_jobs(settings: &DatabaseSettings, now: Time) -> Vec<String> {
    let db = Database::connect(settings).await.unwrap();
    let due = background_job::Entity::find().filter(Column::State.eq(State::Queued)).filter(Column::RunAt.lte(now));
    due.all(&db).await.unwrap().into_iter().map(|job| job.name).collect()
}
