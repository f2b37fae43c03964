//! What operators run, and what runs for them.

pub mod copy;
pub mod demo;
pub mod maintenance;
