//! What operators deploy with: the files agree with the program, and the program runs as they say.

mod deploy_consistency;
mod deployment;
mod files;
