//! The files that operators deploy with: they agree with the program, and the program runs with them.

mod deploy_consistency;
mod deployment;
mod files;
