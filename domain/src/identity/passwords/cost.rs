//! The costs of the stored password hashes.
//!
//! After `PORTICO_SCRYPT` was changed, hashes of several costs are stored until each person has signed in again. The
//! time of a refused sign-in must not show which of them an account has, or that it has none. So each attempt computes
//! one hash of every cost in use: the same work for every account and for an unknown address, for any N, r and p.
//! Several cheap hashes in place of a dear one would not do: a hash of twice the size takes more than twice the time,
//! because it uses the caches of the processor less well.

use std::{collections::BTreeSet, fmt, time::Duration};

use portico_entity::portal_user::{self, Column};
use scrypt::{Params, password_hash::phc::PasswordHash};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::settings::parse_cost;
use crate::platform::{app::App, cached::Cached, error::Result};

/// How long a process uses its list of the costs in use. A process with another `PORTICO_SCRYPT`, as in a rolling
/// update, makes hashes that this process does not know for as long.
const CACHE_TTL: Duration = Duration::from_secs(10);

/// The cost of a password hash. It is written `ln=17,r=8,p=1`, as in `PORTICO_SCRYPT` and in a PHC string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost(pub(super) Params);

impl Cost {
    /// Returns the cost of the hash in a PHC string, or `None` if `phc` is no hash of scrypt.
    pub(crate) fn in_phc(phc: &str) -> Option<Self> {
        Some(Self(Params::try_from(&PasswordHash::new(phc).ok()?).ok()?))
    }

    fn parts(self) -> (u8, u32, u32) {
        (self.0.log_n(), self.0.r(), self.0.p())
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ln, r, p) = self.parts();
        write!(f, "ln={ln},r={r},p={p}")
    }
}

// `Params` also holds the length of the hash, which is no part of the cost.
impl PartialEq for Cost {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// The costs in use, as this process has read them last.
#[derive(Default)]
pub struct CostCache(Cached<BTreeSet<Cost>>);

/// Returns the costs of all stored hashes. The list is at most [`CACHE_TTL`] old.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn in_use(app: &App) -> Result<BTreeSet<Cost>> {
    app.get::<CostCache>().0.get_or_load(CACHE_TTL, || load(app)).await
}

/// Reads the costs, one after the other from the index. So the number of accounts does not matter.
async fn load(app: &App) -> Result<BTreeSet<Cost>> {
    let (mut costs, mut last) = (BTreeSet::new(), String::new());
    loop {
        let next: Option<String> = portal_user::Entity::find()
            .select_only()
            .column(Column::PasswordCost)
            .filter(Column::PasswordCost.gt(last.as_str()))
            .order_by_asc(Column::PasswordCost)
            .into_tuple()
            .one(app.db())
            .await?;
        let Some(cost) = next else { return Ok(costs) };
        costs.extend(parse_cost(&cost).map(Cost));
        last = cost;
    }
}

/// Returns how many accounts have a hash of each cost, written as in `PORTICO_SCRYPT`.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn count_by_cost(app: &App) -> Result<Vec<(String, i64)>> {
    let counts = portal_user::Entity::find()
        .select_only()
        .column(Column::PasswordCost)
        .column_as(Column::Id.count(), "accounts")
        .filter(Column::PasswordCost.is_not_null())
        .group_by(Column::PasswordCost)
        .order_by_asc(Column::PasswordCost)
        .into_tuple()
        .all(app.db())
        .await?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn costs_in_use_are_those_of_the_stored_hashes_and_vanish_with_them() {
        let app = testing::app().await;
        let user = app.insert_portal_user().await;
        let listed =
            async || load(&app).await.unwrap().into_iter().map(|cost: Cost| cost.to_string()).collect::<Vec<_>>();
        assert!(listed().await.is_empty(), "an account without a password has no cost");
        for (n, cost) in ["ln=12,r=8,p=1", "ln=14,r=8,p=1", "ln=12,r=16,p=2", "ln=12,r=8,p=1"].into_iter().enumerate() {
            let mut other = user.clone().into_active_model();
            other.id = Set(portico_entity::PortalUserId(app.new_id()));
            other.email = Set(format!("{n}@x.test"));
            other.password_cost = Set(Some(cost.into()));
            other.insert(app.db()).await.unwrap();
        }
        assert_eq!(listed().await, ["ln=12,r=8,p=1", "ln=12,r=16,p=2", "ln=14,r=8,p=1"]);
        let counts = count_by_cost(&app).await.unwrap();
        let counts: Vec<_> = counts.iter().map(|(cost, accounts)| (cost.as_str(), *accounts)).collect();
        assert_eq!(counts, [("ln=12,r=16,p=2", 1), ("ln=12,r=8,p=1", 2), ("ln=14,r=8,p=1", 1)]);
        let dearest = portal_user::Entity::delete_many().filter(Column::PasswordCost.eq("ln=14,r=8,p=1"));
        dearest.exec(app.db()).await.unwrap();
        assert_eq!(listed().await, ["ln=12,r=8,p=1", "ln=12,r=16,p=2"]);
    }
}
