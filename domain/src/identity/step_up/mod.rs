//! Step-up: a signed-in user proves their identity again. Then the session is fresh for ten minutes.

mod prove;

pub use prove::{Proof, StepUp, start_step_up, step_up};
