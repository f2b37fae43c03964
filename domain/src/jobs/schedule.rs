//! Everything that happens by the clock, a line each.
//!
//! Time is cut into slots; whoever inserts the row of a slot enqueues its job, in the same transaction, so a slot's
//! work happens once however many workers there are.

use std::collections::HashMap;

use chrono::{DateTime, TimeZone, Utc};
use portico_entity::schedule_run;
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use crate::{app::App, clock::Time, error::Result, tx::Tx};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

macro_rules! schedules {
    ($($name:literal every $seconds:expr => $job:expr;)*) => {
        /// The schedules' names and periods, in seconds.
        const SCHEDULES: &[(&str, i64)] = &[$(($name, $seconds)),*];

        async fn enqueue(tx: &mut Tx, name: &str) -> Result<()> {
            match name {
                $($name => tx.enqueue($job).await,)*
                _ => Ok(()),
            }
        }
    };
}

schedules! {
    "delete_expired" every 5 * MINUTE => crate::maintenance::DeleteExpired {};
    "expire_invitations" every 5 * MINUTE => crate::invitations::ExpireInvitations {};
    "rotate_signing_keys" every HOUR => crate::sessions::RotateSigningKeys {};
}

/// Looks at the clock for one worker.
#[derive(Default)]
pub struct Scheduler {
    /// The last slot seen of each schedule, so that the database is asked once a slot and not each second.
    seen: HashMap<&'static str, Time>,
}

impl Scheduler {
    /// Enqueues the job of every slot that has begun and that no other worker has taken.
    ///
    /// # Errors
    /// When the database fails; the slot is tried again at the next call.
    pub async fn tick(&mut self, app: &App) -> Result<()> {
        for (name, period) in SCHEDULES {
            let slot = slot_of(app.now(), *period);
            if self.seen.get(name) != Some(&slot) {
                take_slot(app, name, slot).await?;
                self.seen.insert(name, slot);
            }
        }
        Ok(())
    }
}

/// The beginning of the slot that `now` lies in.
fn slot_of(now: Time, period: i64) -> DateTime<Utc> {
    let seconds = now.timestamp();
    Utc.timestamp_opt(seconds - seconds.rem_euclid(period), 0).single().unwrap_or_default()
}

async fn take_slot(app: &App, name: &'static str, slot: Time) -> Result<()> {
    let mut tx = app.begin().await?;
    let row = schedule_run::ActiveModel { name: Set(name.into()), slot: Set(slot), ran_at: Set(app.now()) };
    let taken = schedule_run::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.db())
        .await?;
    if taken == 1 {
        enqueue(&mut tx, name).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use portico_entity::background_job;
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn a_slot_is_run_once_however_many_workers_look() {
        let app = testing::app().await;
        let jobs = || async { background_job::Entity::find().count(app.db()).await.unwrap() };
        let (mut one, mut two) = (Scheduler::default(), Scheduler::default());
        for _ in 0..3 {
            let (first, second) = tokio::join!(one.tick(&app), two.tick(&app));
            first.unwrap();
            second.unwrap();
        }
        assert_eq!(jobs().await, SCHEDULES.len() as u64);
        app.clock().advance(TimeDelta::minutes(5));
        one.tick(&app).await.unwrap();
        two.tick(&app).await.unwrap();
        let again = SCHEDULES.iter().filter(|(_, period)| *period <= 5 * MINUTE).count();
        assert_eq!(jobs().await, (SCHEDULES.len() + again) as u64);
        app.run_queue().await;
    }
}
