//! `portico jobs retry` and `portico jobs discard`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use portico_domain::{
    entity::background_job::State,
    platform::{app::App, jobs},
};
use uuid::Uuid;

use super::{
    Discardable, JobSelector,
    show::{jobs_with_ids, state_name},
};
use crate::cli::output::{count, print, print_done};

/// Runs the selected dead jobs again.
pub(super) async fn retry(app: &App, selector: &JobSelector) -> Result<()> {
    check_states(app, &selector.ids, &[State::Dead], "dead jobs can be retried").await?;
    let done = jobs::retry(app, selector.filter(None)).await?;
    if done == 0 && selector.ids.is_empty() {
        return print(selector.if_none(Some("dead")));
    }
    print_done(
        format!("{} will run again.", count(done, "job")),
        "`portico jobs list --state dead` shows whether one has failed again",
    )?;
    check_number(done, selector)
}

/// Deletes the selected jobs.
pub(super) async fn discard(app: &App, selector: &JobSelector, state: Option<Discardable>) -> Result<()> {
    let state: Option<State> = state.map(Into::into);
    let allowed = state.map_or_else(|| vec![State::Dead, State::Queued], |state| vec![state]);
    check_states(app, &selector.ids, &allowed, "dead and queued jobs can be discarded, in the state of --state")
        .await?;
    let done = jobs::discard(app, selector.filter(state)).await?;
    if done == 0 && selector.ids.is_empty() {
        return print(selector.if_none(state.map(state_name)));
    }
    print_done(
        format!("{} discarded.", count(done, "job")),
        "`portico mail log --status failed` shows the mails that were not sent because of this",
    )?;
    check_number(done, selector)
}

/// Checks that the jobs with these ids exist and are in one of the `allowed` states, so that a command changes all of
/// them or none.
async fn check_states(app: &App, ids: &[Uuid], allowed: &[State], rule: &str) -> Result<()> {
    let jobs = jobs_with_ids(app, ids).await?;
    match jobs.iter().find(|job| !allowed.contains(&job.state)) {
        Some(job) => bail!("the job {} is {}; only {rule}", job.id, state_name(job.state)),
        None => Ok(()),
    }
}

/// Checks that as many jobs were changed as ids were given.
fn check_number(done: u64, selector: &JobSelector) -> Result<()> {
    let named = selector.ids.iter().collect::<BTreeSet<_>>().len() as u64;
    let left = named.saturating_sub(done);
    if left > 0 {
        bail!(
            "{} left unchanged: the other filters do not match, or another process has changed the job before",
            count(left, "job")
        );
    }
    Ok(())
}
