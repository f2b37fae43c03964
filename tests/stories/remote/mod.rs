//! `portico remote`: the commands that work over the API, in a pseudo-terminal and in scripts.

mod audit;
mod branding;
mod browser_login;
mod emails;
mod faults;
mod invite;
mod lists;
mod login;
mod people;
mod staff;
